"""The state of VM: processes, regions, blocks, frames, the page cache, mapped files.

Everything here is synchronous, and so is all that works on it (`mapping`, `forking`, the kinds of
memory): nothing in it waits for another server.

Source: MINIX ``servers/vm/glo.h``, ``region.c``, ``pb.c``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy as np

from ipc.flags import VMVFSREQ_FDCLOSE
from kernel.memory.mmu import Mmu
from kernel.memory.space import PTE_PRESENT, PTE_USER, PTE_WRITE, Entries
from kernel.panic import Panic
from servers.vm.alloc import Allocator
from servers.vm.blocks import NO_FRAME, Blocks, Numbers
from servers.vm.config import BootConfig
from servers.vm.fileref import FileRefs
from servers.vm.memtypes.base import MemoryType
from servers.vm.outcome import MAPPED, NO_SOURCE, Failed, Outcome
from servers.vm.pagecache import PageCache
from servers.vm.process import WORD, VmProcess
from servers.vm.region import WRITABLE, Region, not_aligned
from servers.vm.vfsqueue import VfsQueue

READ_ONLY: Final = PTE_PRESENT | PTE_USER
READ_WRITE: Final = PTE_PRESENT | PTE_USER | PTE_WRITE

_READ_ONLY: Final = np.uint32(READ_ONLY)
_WRITE: Final = np.uint32(PTE_WRITE)
_EIGHT_BITS: Final = 0xFF
_ALL_BITS: Final = 0x7FFFFFFF


@attrs.define(eq=False)
class Memory:
    """All that VM knows, and the operations on one page or block that everything else uses."""

    mmu: Mmu
    config: BootConfig
    quirks: frozenset[str]
    processes: dict[int, VmProcess] = attrs.field(factory=dict)  # by slot
    alive: dict[int, VmProcess] = attrs.field(factory=dict)  # those in use, by endpoint
    vm_instances: int = 1
    region_ids: Iterator[int] = attrs.field(factory=itertools.count)
    blocks: Blocks = attrs.field(init=False)
    allocator: Allocator = attrs.field(init=False)
    cache: PageCache = attrs.field(init=False)
    files: FileRefs = attrs.field(init=False)
    vfs: VfsQueue = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        quirks = self.quirks
        self.blocks = Blocks(_EIGHT_BITS if "refcount-wrap" in quirks else _ALL_BITS)
        self.cache = PageCache(self.blocks, quirks, self.free_frame)
        self.allocator = Allocator(self.mmu, quirks, self.cache.evict)
        self.vfs = VfsQueue(quirks)
        self.files = FileRefs(quirks, self._close_file)

    # Looking things up.

    def process(self, endpoint: int) -> VmProcess | None:
        """The process with that endpoint, if it is alive.  MINIX: vm_isokendpt."""
        return self.alive.get(endpoint)  # kernel tasks are not known here

    def enter(self, process: VmProcess, endpoint: int) -> None:
        """Give `process`, which is in use, its endpoint: under this it is found from now on."""
        process.endpoint = endpoint
        self.alive[endpoint] = process

    def slot(self, number: int) -> VmProcess:
        """The slot with that number, made if it was never used."""
        process = self.processes.get(number)
        if process is None:
            process = self.processes[number] = VmProcess(number)
        return process

    def new_region(
        self, owner: VmProcess, vaddr: int, length: int, flags: int, kind: MemoryType
    ) -> Region:
        """A region with the next number, in no process's tree yet."""
        return Region(owner, vaddr, length, flags, kind, next(self.region_ids))

    # What pages refer to.

    def link(self, region: Region, page: int, block: int, kind: MemoryType) -> None:
        """Let page `page`, which has no block, be `block`, memory of kind `kind`."""
        self.blocks.reference(block)
        table = region.blocks
        if table is None:
            table = region.table()
        table[page] = block
        if region.kinds is not None or kind is not region.kind:
            region.set_kind(page, kind)
        region.owner.gain(1)

    def link_pending(self, region: Region, page: int) -> None:
        """Let page `page`, which has no block, be a new one that has no frame yet."""
        assert region.blocks is not None, "there is a table"
        region.blocks[page] = self.blocks.new(NO_FRAME, refs=1)
        if region.kinds is not None:
            region.set_kind(page, region.kind)
        region.owner.gain(1)

    def link_new(self, region: Region, first: int, blocks: Numbers) -> None:
        """Let the pages from `first` on, which have no blocks, be new blocks of one reference."""
        region.table()
        region.numbers(first, len(blocks))[:] = blocks
        region.owner.gain(len(blocks))

    def relink(self, region: Region, page: int, block: int) -> None:
        """Let page `page` be `block` instead of the block that it was."""
        table, blocks = region.blocks, self.blocks
        assert table is not None, "the page has a block"
        phys = blocks.unreference(table[page])
        if phys != NO_FRAME and region.kind_of(page).owns_frames:
            self.free_frame(phys)
        blocks.reference(block)
        table[page] = block

    def unlink(self, region: Region, page: int) -> None:
        """Let page `page` have no block any more.  MINIX: pb_unreferenced."""
        table = region.table()
        block = table[page]
        table[page] = 0
        region.owner.lose(1)
        phys = self.blocks.unreference(block)
        if phys != NO_FRAME and region.kind_of(page).owns_frames:
            self.free_frame(phys)

    def unlink_many(self, region: Region, first: int, count: int) -> None:
        """Let none of `count` pages from `first` on have a block any more.  MINIX: map_subfree."""
        if region.blocks is None:
            return
        if count == 1:
            if region.blocks[first]:
                self.unlink(region, first)
            return
        view = region.numbers(first, count)
        where = view != 0
        numbers = view[where]
        if not len(numbers):
            return
        if region.kind.repeats and len(np.unique(numbers)) < len(numbers):
            for page in (first + np.flatnonzero(where)).tolist():
                self.unlink(region, page)
            return
        view[:] = 0
        region.owner.lose(len(numbers))
        if self.blocks.mask == _EIGHT_BITS and not self.blocks.views[numbers].all():
            raise Panic("a block has no references", quirk="refcount-wrap")
        dead = self.blocks.unreference_many(numbers)
        if not len(dead):
            return
        frames = self.blocks.view[dead]
        owned = frames != NO_FRAME
        if region.kinds is not None:
            kinds = region.codes(first, count)[where][self.blocks.views[numbers] == 0]
            owned &= kinds != _DIRECT_CODE
        elif not region.kind.owns_frames:
            owned[:] = False
        self.allocator.give_back_many((frames[owned] >> 12).astype(np.int64))
        self.blocks.release_many(dead)

    def free_frame(self, phys: int) -> None:
        """Give the frame at `phys` back."""
        self.allocator.give_back(phys >> 12)

    # Page tables.

    def map_page(self, region: Region, page: int, write: bool, may_ask: bool) -> Outcome:
        """Put memory behind page `page` of `region` and map it, for a read or a `write`.

        This is what a page fault comes to.  `may_ask`: whether the caller can wait for VFS.
        MINIX: map_pf.
        """
        if region.vaddr & 0xFFF:
            raise not_aligned(region)
        if write and not region.flags & WRITABLE:
            raise Panic("a write to a region that is not writable", quirk="pin-readonly")
        table = region.blocks
        if table is None:
            table = region.table()
        block = table[page]
        kind = region.kind
        if not block:
            touched = kind.touch(self, region, page, write, may_ask)
            if touched is not None:
                return touched
        else:
            if region.kinds is not None:
                kind = region.kind_of(page)
            if write and kind.writable(self, region, block):
                self.write_entry(region, page)
                return MAPPED
        outcome = kind.fault(self, region, page, write, may_ask)
        if outcome is MAPPED:
            self.write_entry(region, page)
        elif type(outcome) is Failed and self._drops(region, page, outcome):
            self.unlink(region, page)
        return outcome

    def _drops(self, region: Region, page: int, failure: Failed) -> bool:
        """Whether a page that could not be had is taken out of its region.

        One that was there before, but for which there is no memory to copy it, stays as it was.
        """
        if failure is NO_SOURCE or "cow-enomem-stale-pte" in self.quirks:
            return True
        return self.blocks.phys[region.table()[page]] == NO_FRAME or not region.owner.space.lookup(
            region.vaddr + (page << 12)
        )

    def write_entry(self, region: Region, page: int) -> None:
        """Write the page table entry of page `page`.  MINIX: map_ph_writept."""
        table, blocks = region.blocks, self.blocks
        assert table is not None, "the page has a block"
        block = table[page]
        if not blocks.refs[block]:
            raise Panic("a mapped block has no references", quirk="refcount-wrap")
        flags = READ_ONLY
        if region.flags & WRITABLE:
            kind = region.kind if region.kinds is None else region.kind_of(page)
            if kind.writable(self, region, block):
                flags = READ_WRITE
        vaddr = region.vaddr + (page << 12)
        self.mmu.map_page(region.owner.space, vaddr, blocks.phys[block] | flags)

    def write_entries(self, region: Region) -> None:
        """Write the page table entries of all pages of `region` that are there."""
        table = region.blocks
        if table is None:
            return
        if self.quirks:
            self._demand_mappable(region)
        if len(table) == 1:
            block = table[0]
            if block and self.blocks.phys[block] != NO_FRAME:
                self.write_entry(region, 0)
            return
        first, count = region.span()
        vaddr = region.vaddr + (first << 12)
        self.mmu.map_range(region.owner.space, vaddr, self.entries_of(region, first, count))

    def entries_of(self, region: Region, first: int, count: int) -> Entries:
        """The entries that `count` pages of `region` from page `first` on should have, 0: none."""
        numbers = region.numbers(first, count).astype(np.intp)
        refs = self.blocks.views.take(numbers)
        phys = self.blocks.view.take(numbers)
        present = phys != NO_FRAME
        entries: Entries = phys | _READ_ONLY
        if region.flags & WRITABLE:
            codes = region.codes(first, count)
            writable = self._writable_pages(region, codes, present, refs)
            np.bitwise_or(entries, _WRITE, out=entries, where=writable)
        entries[~present] = 0
        return entries

    def _demand_mappable(self, region: Region) -> None:
        """With two quirks there are pages that an assertion of the real page tables refuses."""
        if not self.quirks & {"refcount-wrap", "fork-pending-page"}:
            return
        numbers = region.numbers()
        used = numbers[numbers != 0]
        if (self.blocks.view[used] == NO_FRAME).any() and "fork-pending-page" in self.quirks:
            raise Panic("a page without a frame is to be mapped", quirk="fork-pending-page")
        if not self.blocks.views[used].all():
            raise Panic("a mapped block has no references", quirk="refcount-wrap")

    def _writable_pages(self, region: Region, codes: Any, present: Any, refs: Any) -> Any:
        if region.kinds is None:
            return region.kind.writable_pages(region, present, refs)
        writable = np.zeros_like(present)
        for code in np.unique(codes[present]).tolist():
            kind = region.kind.of_code(code)
            writable |= (codes == code) & kind.writable_pages(region, present, refs)
        return writable

    def _close_file(self, fd: int, user: VmProcess) -> None:
        self.vfs.ask(VMVFSREQ_FDCLOSE, fd, user.endpoint)


_DIRECT_CODE: Final = 3

__all__ = ["READ_ONLY", "READ_WRITE", "WORD", "Memory"]
