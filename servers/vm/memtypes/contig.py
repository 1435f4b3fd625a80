"""Contiguous memory: anonymous memory whose frames lie in a row, all there from the beginning.

Source: MINIX ``servers/vm/mem_anon_contig.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipc.errors import ENOMEM, OK
from kernel.panic import Panic
from servers.vm.alloc import allocation_flags
from servers.vm.blocks import NO_FRAME
from servers.vm.memtypes.anon import AnonymousMemory
from servers.vm.outcome import MAPPED, NO_MEMORY, Outcome

if TYPE_CHECKING:
    from servers.vm.memory import Memory
    from servers.vm.region import Region


class ContiguousMemory(AnonymousMemory):
    """Physically contiguous anonymous memory, for devices that read and write it themselves."""

    code = 2
    name = "contig"
    shrinks_low = False
    grows = False
    refuses_to_grow = True

    def new(self, memory: Memory, region: Region) -> int:
        """Take all the frames; ENOMEM if there are not so many in a row."""
        pages = region.pages
        blocks = memory.blocks.new_many(np.full(pages, NO_FRAME, dtype=np.uint32))
        memory.link_new(region, 0, blocks)
        first = memory.allocator.take(pages, allocation_flags(region.flags))
        if first < 0:
            return ENOMEM
        memory.blocks.view[blocks] = np.arange(first, first + pages, dtype=np.int64) << 12
        return OK

    def fault(
        self, memory: Memory, region: Region, page: int, write: bool, may_ask: bool
    ) -> Outcome:
        """The frame is there; that it is common after a fork (quirk) cannot be undone."""
        block = region.table()[page]
        if write and memory.blocks.refs[block] > 1:
            if "contig-fork" in memory.quirks:
                raise Panic("contiguous memory cannot be copied on write", quirk="contig-fork")
            return NO_MEMORY
        if "contig-read" in memory.quirks:
            raise Panic("contiguous memory has no page faults", quirk="contig-read")
        return MAPPED

    def region_id(self, memory: Memory, region: Region) -> int | None:
        """None: it cannot be shared."""
        return None

    def sharers(self, memory: Memory, region: Region) -> int | None:
        """None: it cannot be shared."""
        return None


CONTIG = ContiguousMemory()
