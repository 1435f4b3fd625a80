"""Shared memory: a region that shows the pages of another one, its source, in any process.

The source is an anonymous region.  It is found again by endpoint, address and number each time,
since it may be gone; a page of the shared region is the source's as soon as it was touched.

Source: MINIX ``servers/vm/mem_shared.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ipc.errors import EINVAL, OK
from kernel.panic import Panic
from servers.vm.blocks import NO_FRAME
from servers.vm.memtypes.anon import ANON
from servers.vm.memtypes.base import MemoryType
from servers.vm.outcome import MAPPED, NO_SOURCE, Failed, Outcome

if TYPE_CHECKING:
    from servers.vm.memory import Memory
    from servers.vm.region import Region


@attrs.frozen
class Source:
    """Which region is shared: its process, its address and its number."""

    endpoint: int
    vaddr: int
    id: int


class SharedMemory(MemoryType):
    """The pages of another region; `param` of a region is its `Source`, or None without one."""

    code = 4
    name = "shared"

    def set_source(self, memory: Memory, region: Region, endpoint: int, source: Region) -> int:
        """Let `region` show the pages of `source`, of process `endpoint`; EINVAL if it cannot.

        MINIX: shared_setsource.
        """
        quirks = memory.quirks
        if "remap-ep0-id0" in quirks and not (endpoint and source.vaddr and source.id):
            return OK
        region.param = Source(endpoint, source.vaddr, source.id)
        if self.source(memory, region) is None:
            if "remap-not-anon" in quirks:
                raise Panic(
                    "the source of a shared region is no anonymous one", quirk="remap-not-anon"
                )
            return EINVAL
        source.remaps += 1
        return OK

    def source(self, memory: Memory, region: Region) -> Region | None:
        """The region whose pages `region` shows, if it is still there.  MINIX: getsrc."""
        param = region.param
        if param is None:
            return None
        process = memory.process(param.endpoint)
        if process is None:
            return None
        source = process.regions.at(param.vaddr)
        if source is None or source.kind is not ANON or source.id != param.id:
            return None
        return source

    def delete(self, memory: Memory, region: Region) -> None:
        """The source has one sharer less."""
        source = self.source(memory, region)
        if source is not None and source.remaps > 0:
            source.remaps -= 1

    def fault(
        self, memory: Memory, region: Region, page: int, write: bool, may_ask: bool
    ) -> Outcome:
        """The source's page, which is made there first if need be."""
        source = self.source(memory, region)
        present = memory.blocks.phys[region.table()[page]] != NO_FRAME
        if present and (source is not None or "shared-source-gone" not in memory.quirks):
            return MAPPED
        if source is None:
            return NO_SOURCE
        if page >= source.pages:
            if "shared-source-shrunk" in memory.quirks:
                raise Panic("a page behind the end of its region", quirk="shared-source-shrunk")
            return NO_SOURCE
        if not source.block(page):
            outcome = memory.map_page(source, page, write, may_ask=False)
            if type(outcome) is Failed:
                if "shared-enomem" in memory.quirks:
                    raise Panic("a block has no references", quirk="shared-enomem")
                return outcome
        memory.relink(region, page, source.table()[page])
        return MAPPED

    def writable(self, memory: Memory, region: Region, block: int) -> bool:
        """Always, once it is there."""
        return memory.blocks.phys[block] != NO_FRAME

    def writable_pages(self, region: Region, present: Any, refs: Any) -> Any:
        """As `writable`."""
        return present

    def copy(self, memory: Memory, region: Region, new: Region) -> int:
        """The copy shows the same source; if that is gone, only the pages that there are."""
        source = self.source(memory, region)
        if source is None:
            if "shared-split" in memory.quirks:
                raise Panic("the source of a shared region is gone", quirk="shared-split")
            new.param = region.param
            return OK
        return self.set_source(memory, new, region.param.endpoint, source)

    def region_id(self, memory: Memory, region: Region) -> int | None:
        """The source's number, 0 if it is gone."""
        source = self.source(memory, region)
        return 0 if source is None else source.id

    def sharers(self, memory: Memory, region: Region) -> int | None:
        """How many share the source, itself included."""
        if "getref-shared" in memory.quirks:
            return 1 + region.remaps
        source = self.source(memory, region)
        return 1 if source is None else 1 + source.remaps


SHARED_MEMORY = SharedMemory()
