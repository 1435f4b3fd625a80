"""What all file systems share: VFS's requests, taken apart and answered.

A file system is a subclass of `server.FileServer` that does the actual work on its files.
"""
