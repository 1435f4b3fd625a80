"""VFS: file descriptors, paths and pipes; it asks file systems for everything else."""
