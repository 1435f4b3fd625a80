"""Cache memory: pages of the page cache, mapped by a file system that fills and empties them.

`param` of a region is the block that is just being mapped into it.

Source: MINIX ``servers/vm/mem_cache.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.panic import Panic
from servers.vm.blocks import NO_FRAME
from servers.vm.memtypes.base import MemoryType
from servers.vm.outcome import BAD_ADDRESS, MAPPED, Outcome

if TYPE_CHECKING:
    from servers.vm.memory import Memory
    from servers.vm.region import Region


class CacheMemory(MemoryType):
    """Pages of the page cache, always writable: only file systems have them."""

    code = 6
    name = "cache"
    shrinks_low = True
    refuses_to_grow = True

    def fault(
        self, memory: Memory, region: Region, page: int, write: bool, may_ask: bool
    ) -> Outcome:
        """The block that VM_MAPCACHEPAGE is mapping."""
        if memory.blocks.phys[region.table()[page]] != NO_FRAME:
            if "cache-read" in memory.quirks:
                raise Panic("a cached page is mapped already", quirk="cache-read")
            return MAPPED
        if not region.param:
            if "cache-read" in memory.quirks:
                raise Panic("no cached page to map", quirk="cache-read")
            return BAD_ADDRESS
        memory.relink(region, page, region.param)
        region.param = None
        return MAPPED

    def writable(self, memory: Memory, region: Region, block: int) -> bool:
        """Always, once it is there."""
        return memory.blocks.phys[block] != NO_FRAME

    def writable_pages(self, region: Region, present: Any, refs: Any) -> Any:
        """As `writable`."""
        return present


CACHE = CacheMemory()
