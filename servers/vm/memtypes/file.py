"""Mapped files: pages come from the page cache, read-only; one that is written becomes anonymous.

Source: MINIX ``servers/vm/mem_file.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np

from ipc.errors import OK
from kernel.panic import Panic
from servers.vm.blocks import NO_FRAME
from servers.vm.fileref import FileRef
from servers.vm.memtypes.anon import copy_on_write
from servers.vm.memtypes.base import MemoryType
from servers.vm.outcome import BAD_ADDRESS, MAPPED, NO_MEMORY, NeedsPage, Outcome
from servers.vm.pagecache import NO_DEVICE, ONCE
from servers.vm.region import not_aligned

if TYPE_CHECKING:
    from servers.vm.memory import Memory
    from servers.vm.region import Region


_LONG: Final = 0xFFFFFFFFFFFFFFFF


@attrs.define(eq=False)
class FilePart:
    """Which part of a file a region shows, from `offset` on; `clearend` bytes at the end of its
    last page are zeros instead.
    """

    ref: FileRef
    offset: int
    clearend: int


class MappedFile(MemoryType):
    """Pages of a file; `param` of a region is its `FilePart`."""

    code = 5
    name = "file"
    splits = True
    shrinks_low = True
    repeats = True  # a page of the cache can be said to be at another offset, and mapped again

    def set_file(
        self, memory: Memory, region: Region, ref: FileRef, offset: int, clearend: int
    ) -> None:
        """Let `region` show a part of a file.  MINIX: mappedfile_setfile."""
        if ref.device == NO_DEVICE:
            raise Panic("a mapped file needs a device", quirk="vfs-mmap-nodev")
        ref.count += 1
        region.param = FilePart(ref, offset, clearend)

    def prefill(self, memory: Memory, region: Region) -> None:
        """Map the pages that are in the page cache already; the last one only if it is whole."""
        part: FilePart = region.param
        file = part.ref
        for page in range(region.pages):
            if _is_last(region, page):
                break
            offset = (part.offset + (page << 12)) & _LONG
            cached = memory.cache.find_in_file(file.device, file.inode, offset)
            if cached is None or cached.flags & ONCE:
                continue
            memory.link(region, page, cached.block, self)
            if region.vaddr & 0xFFF:
                raise not_aligned(region)
            memory.write_entry(region, page)

    def delete(self, memory: Memory, region: Region) -> None:
        """The file has one reference less, and is closed when it has none."""
        if region.param is not None:
            memory.files.drop(region.param.ref, region.owner)
            region.param = None

    def touch(
        self, memory: Memory, region: Region, page: int, write: bool, may_ask: bool
    ) -> Outcome | None:
        """The page from the cache, or one that is still to be fetched."""
        part: FilePart | None = region.param
        if part is not None and may_ask:
            file, offset = part.ref, (part.offset + (page << 12)) & _LONG
            cached = memory.cache.find_in_file(file.device, file.inode, offset)
            if cached is None:
                memory.link_pending(region, page)
                return NeedsPage(file.fd, offset)
            if not (cached.flags & ONCE or _is_last(region, page)):
                memory.link(region, page, cached.block, self)
                return None
        return super().touch(memory, region, page, write, may_ask)

    def fault(
        self, memory: Memory, region: Region, page: int, write: bool, may_ask: bool
    ) -> Outcome:
        """The page from the cache, or a copy of it for a writer; VFS brings what is not cached."""
        part: FilePart | None = region.param
        if part is None:
            raise Panic("a mapped file without a file", quirk="file-prealloc")
        assert region.blocks is not None, "the page has a block"
        if memory.blocks.phys[region.blocks[page]] != NO_FRAME:
            return _copied(memory, region, page, 0) if write else MAPPED
        file, offset = part.ref, (part.offset + (page << 12)) & _LONG
        cached = memory.cache.find_in_file(file.device, file.inode, offset)
        if cached is None or (may_ask and cached.flags & ONCE):
            return NeedsPage(file.fd, offset) if may_ask else BAD_ADDRESS
        memory.relink(region, page, cached.block)
        outcome: Outcome = MAPPED
        if part.clearend and _is_last(region, page):
            outcome = _copied(memory, region, page, part.clearend)
        elif write:
            outcome = _copied(memory, region, page, 0)
        if outcome is MAPPED and cached.flags & ONCE:
            memory.cache.remove(cached)
        return outcome

    def writable(self, memory: Memory, region: Region, block: int) -> bool:
        """Never: who writes gets a copy."""
        return False

    def writable_pages(self, region: Region, present: Any, refs: Any) -> Any:
        """As `writable`."""
        return np.zeros_like(present)

    def copy(self, memory: Memory, region: Region, new: Region) -> int:
        """The copy shows the same part of the same file."""
        part: FilePart = region.param
        ref = memory.files.find(new.owner, part.ref.inode, part.ref.device, part.ref.fd, False)
        self.set_file(memory, new, ref, part.offset, part.clearend)
        return OK

    def split(self, memory: Memory, region: Region, low: Region, high: Region) -> None:
        """Each half shows its part; only the higher has the end of the file."""
        part: FilePart = region.param
        part.ref.count += 2
        low.param = FilePart(part.ref, part.offset, 0)
        high.param = FilePart(part.ref, part.offset + low.length, part.clearend)

    def shrink_low(self, memory: Memory, region: Region, length: int) -> None:
        """What is left starts later in the file."""
        region.param.offset += length

    def shrink_high(self, memory: Memory, region: Region) -> None:
        """The last page of the file is gone, and so is what was to be cleared of it."""
        if "cut-keeps-clearend" not in memory.quirks:
            region.param.clearend = 0


def _is_last(region: Region, page: int) -> bool:
    """Whether the end of page `page` is to be cleared: of none if `clearend` is 0."""
    clearend: int = region.param.clearend
    reach = ((page << 12) + clearend + 4095) & 0xFFFFF000
    return reach >= region.length


def _copied(memory: Memory, region: Region, page: int, clearend: int) -> Outcome:
    """A copy of the page, with `clearend` bytes of zeros at its end.  MINIX: cow_block."""
    if not copy_on_write(memory, region, page):
        return NO_MEMORY
    if clearend:
        if clearend >= 4096:
            raise Panic("more than a page is to be cleared", quirk="clearend-too-big")
        phys = memory.blocks.phys[region.table()[page]]
        memory.mmu.fill(phys + 4096 - clearend, 0, clearend)
    return MAPPED


FILE = MappedFile()
