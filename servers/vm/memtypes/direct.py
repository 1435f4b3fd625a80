"""Direct memory: physical addresses that VM neither gives out nor takes back, such as a device's.

`param` of a region is the physical address of its first page, in bytes.

Source: MINIX ``servers/vm/mem_directphys.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipc.errors import OK
from kernel.panic import Panic
from servers.vm.blocks import NO_FRAME
from servers.vm.memtypes.base import MemoryType
from servers.vm.outcome import MAPPED, Outcome

if TYPE_CHECKING:
    from servers.vm.memory import Memory
    from servers.vm.region import Region


class DirectMemory(MemoryType):
    """Memory of devices, and anything else at a given physical address."""

    code = 3
    name = "directphys"
    owns_frames = False

    def fault(
        self, memory: Memory, region: Region, page: int, write: bool, may_ask: bool
    ) -> Outcome:
        """The frame is where the region says."""
        blocks = memory.blocks
        block = region.table()[page]
        if blocks.phys[block] == NO_FRAME:
            blocks.phys[block] = (region.param + (page << 12)) & 0xFFFFFFFF
        elif "directphys-read" in memory.quirks:
            raise Panic("device memory is mapped already", quirk="directphys-read")
        return MAPPED

    def writable(self, memory: Memory, region: Region, block: int) -> bool:
        """Always, once it is there."""
        return memory.blocks.phys[block] != NO_FRAME

    def writable_pages(self, region: Region, present: Any, refs: Any) -> Any:
        """As `writable`."""
        return present

    def copy(self, memory: Memory, region: Region, new: Region) -> int:
        """The copy means the same physical addresses."""
        new.param = region.param
        return OK


DIRECT = DirectMemory()
