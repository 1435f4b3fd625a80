"""Anonymous memory: private to a process, zeros at first, copied on write after a fork.

Source: MINIX ``servers/vm/mem_anon.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.memory.space import USER_READ, USER_WRITE
from servers.vm.blocks import NO_FRAME
from servers.vm.memtypes.base import MemoryType
from servers.vm.outcome import MAPPED, NO_MEMORY, Outcome
from servers.vm.region import WRITABLE

if TYPE_CHECKING:
    from servers.vm.memory import Memory
    from servers.vm.region import Region


class AnonymousMemory(MemoryType):
    """Anonymous memory."""

    code = 1
    name = "anon"
    splits = True
    shrinks_low = True
    grows = True

    def touch(
        self, memory: Memory, region: Region, page: int, write: bool, may_ask: bool
    ) -> Outcome:
        """A new frame, which nobody else has: who may write to the region may write to it."""
        assert region.blocks is not None, "there is a table"
        owner = region.owner
        owner.gain(1)  # counted before it is looked for
        frame = memory.allocator.take_page(region.flags)
        if frame < 0:
            owner.lose(1)
            return NO_MEMORY
        phys = frame << 12
        region.blocks[page] = memory.blocks.new(phys, refs=1)
        if region.kinds is not None:
            region.set_kind(page, self)
        entry = phys | (USER_WRITE if region.flags & WRITABLE else USER_READ)
        memory.mmu.map_page(owner.space, region.vaddr + (page << 12), entry)
        return MAPPED

    def fault(
        self, memory: Memory, region: Region, page: int, write: bool, may_ask: bool
    ) -> Outcome:
        """A new frame for a page that has none, or a copy of a frame that others have too."""
        assert region.blocks is not None, "the page has a block"
        blocks = memory.blocks
        block = region.blocks[page]
        missing = blocks.phys[block] == NO_FRAME
        copy = not missing and write and blocks.refs[block] > 1
        if not (missing or copy or "anon-read-leak" in memory.quirks):
            return MAPPED
        frame = memory.allocator.take_page(region.flags)
        if frame < 0:
            return NO_MEMORY
        if missing:
            blocks.phys[block] = frame << 12
        elif copy:
            copy_on_write(memory, region, page, frame << 12)
        return MAPPED

    def writable(self, memory: Memory, region: Region, block: int) -> bool:
        """A frame may be written by the only one who has it, and by all who share the region."""
        blocks = memory.blocks
        if blocks.phys[block] == NO_FRAME:
            return False
        return region.remaps > 0 or blocks.refs[block] == 1

    def writable_pages(self, region: Region, present: Any, refs: Any) -> Any:
        """As `writable`."""
        return present if region.remaps > 0 else present & (refs == 1)

    def region_id(self, memory: Memory, region: Region) -> int | None:
        """The region's own number."""
        return region.id

    def sharers(self, memory: Memory, region: Region) -> int | None:
        """The region itself and those that share it."""
        return 1 + region.remaps


ANON = AnonymousMemory()


def copy_on_write(memory: Memory, region: Region, page: int, phys: int = -1) -> bool:
    """Give page `page` of `region` a copy of its frame: anonymous memory from now on.

    The copy is made in the frame at `phys`, or in a new one.  False if there is no memory for it.
    MINIX: servers/vm/pb.c mem_cow.
    """
    if phys < 0:
        frame = memory.allocator.take_page(region.flags)
        if frame < 0:
            return False
        phys = frame << 12
    blocks = memory.blocks
    memory.mmu.copy(blocks.phys[region.table()[page]], phys, 4096)
    memory.relink(region, page, blocks.new(phys))
    region.set_kind(page, ANON)
    return True
