"""The kinds of memory, one a file: anonymous, contiguous, direct, shared, file, cache."""

from servers.vm.memtypes.anon import ANON
from servers.vm.memtypes.base import MemoryType
from servers.vm.memtypes.cache import CACHE
from servers.vm.memtypes.contig import CONTIG
from servers.vm.memtypes.direct import DIRECT
from servers.vm.memtypes.file import FILE
from servers.vm.memtypes.shared import SHARED_MEMORY

__all__ = ["ANON", "CACHE", "CONTIG", "DIRECT", "FILE", "SHARED_MEMORY", "MemoryType"]
