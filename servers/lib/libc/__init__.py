"""The C library of user programs."""

from servers.lib.libc.errors import CallFailed, Usage
from servers.lib.libc.library import Libc, Program
from servers.lib.libc.results import ResourceUsage, Stat, Waited

__all__ = ["CallFailed", "Libc", "Program", "ResourceUsage", "Stat", "Usage", "Waited"]
