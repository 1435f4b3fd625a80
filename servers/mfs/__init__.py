"""MFS: the MINIX file system (version 3), over a block driver and through VM's page cache."""
