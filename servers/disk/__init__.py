"""A disk driver: a medium of blocks, reached by messages, slow in virtual time."""
