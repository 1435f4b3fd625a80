"""PFS: the file system that keeps what is in pipes."""
