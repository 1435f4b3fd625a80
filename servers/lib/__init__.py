"""What servers and user programs share: the server loop, kernel calls, grants, the C library."""
