"""The page cache: pages of files and devices, found by device offset and by file offset.

A page is in it under one (device, offset); an (inode, offset) may be known as well.  The list of
use has the oldest first; what only the cache refers to is thrown out from there when memory is
short.

Source: MINIX ``servers/vm/cache.c``, ``cache.h``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import attrs

from kernel.panic import Panic
from servers.vm.blocks import NO_FRAME, Blocks

NO_INODE: Final = 0
NO_DEVICE: Final = 0
ONCE: Final = 1  # the page is to be used once, then forgotten

_WORD: Final = 0xFFFFFFFF


@attrs.define(eq=False)
class CachedPage:
    """A page of the cache: where its contents come from, and the block that holds them."""

    device: int
    offset: int
    inode: int
    inode_offset: int
    flags: int
    block: int


@attrs.define(eq=False)
class PageCache:
    """All cached pages.  `free_frame(address)` gives a frame back to the allocator.

    Devices, inodes and offsets are numbers of 64 bits without a sign.
    """

    blocks: Blocks
    quirks: frozenset[str]
    free_frame: Callable[[int], None]
    by_device: dict[tuple[int, int], CachedPage] = attrs.field(factory=dict)  # the oldest first
    by_inode: dict[tuple[int, int, int], list[CachedPage]] = attrs.field(factory=dict)
    by_use: OrderedDict[CachedPage, None] = attrs.field(factory=OrderedDict)

    def __len__(self) -> int:
        return len(self.by_use)

    def find(
        self,
        device: int,
        offset: int,
        inode: int = NO_INODE,
        inode_offset: int = 0,
        touch: bool = True,
    ) -> CachedPage | None:
        """The page at `offset` of `device`; an inode that is given becomes the page's.

        `touch` makes it the page used last.  MINIX: find_cached_page_bydev.
        """
        page = self.by_device.get((device, offset))
        if page is None:
            return None
        if inode and (page.inode != inode or page.inode_offset != inode_offset):
            self.set_inode(page, inode, inode_offset)
        if touch:
            self.by_use.move_to_end(page)
        return page

    def find_in_file(self, device: int, inode: int, offset: int) -> CachedPage | None:
        """The page at `offset` of a file, or with NO_INODE of the device that the file is.

        It becomes the page used last.  MINIX: find_cached_page_byino.
        """
        if inode == NO_INODE:
            return self.find(device, offset)
        pages = self.by_inode.get((device, inode, offset))
        if pages is None:
            return None
        page = pages[-1]
        self.by_use.move_to_end(page)
        return page

    def set_inode(self, page: CachedPage, inode: int, inode_offset: int) -> None:
        """Say which file `page` belongs to, or with NO_INODE that none is known."""
        if page.inode != NO_INODE:
            self._leave_file(page)
        page.inode = inode
        page.inode_offset = inode_offset
        if inode != NO_INODE:
            self.by_inode.setdefault((page.device, inode, inode_offset), []).append(page)

    def add(self, page: CachedPage) -> bool:
        """Put `page` into the cache; False if its block is there already.  MINIX: addcache."""
        blocks, block, device = self.blocks, page.block, page.device
        if blocks.cached[block]:
            return False
        if device == NO_DEVICE:
            raise Panic("a cached page needs a device", quirk="setcache-nodev")
        blocks.reference(block)
        blocks.cached[block] = 1
        self.by_device[device, page.offset] = page
        if page.inode != NO_INODE:
            key = device, page.inode, page.inode_offset
            self.by_inode.setdefault(key, []).append(page)
        self.by_use[page] = None
        return True

    def remove(self, page: CachedPage) -> None:
        """Take `page` out; its frame is free if nobody else refers to it.  MINIX: rmcache."""
        blocks, block = self.blocks, page.block
        blocks.cached[block] = 0
        del self.by_device[page.device, page.offset]
        if page.inode != NO_INODE:
            self._leave_file(page)
        del self.by_use[page]
        if not blocks.refs[block]:
            raise Panic("a cached page has no references", quirk="refcount-wrap")
        phys = blocks.unreference(block)
        if phys != NO_FRAME:
            self.free_frame(phys)

    def evict(self, count: int) -> int:
        """Remove up to `count` pages that only the cache refers to, the oldest first.

        Returns how many.  MINIX: cache_freepages.
        """
        refs = self.blocks.refs
        victims: list[CachedPage] = []
        for page in self.by_use:
            if len(victims) >= count:
                break
            if refs[page.block] == 1:
                victims.append(page)
        for page in victims:
            self.remove(page)
        return len(victims)

    def clear_device(self, device: int) -> None:
        """Remove all pages of `device`, in MINIX's order: by hash, the youngest first.

        MINIX: clear_cache_bydev.
        """
        pages = [page for page in reversed(self.by_device.values()) if page.device == device]
        pages.sort(key=lambda page: _hash(page.device, page.offset))
        for page in pages:
            self.remove(page)

    def _leave_file(self, page: CachedPage) -> None:
        key = (page.device, page.inode, page.inode_offset)
        pages = self.by_inode[key]
        pages.remove(page)
        if not pages:
            del self.by_inode[key]


def _rotated(word: int, count: int) -> int:
    return (word << count | word >> (32 - count)) & _WORD


# Rounds of Bob Jenkins's lookup3: the rotations of its mixing and of its final step.
_MIX: Final = (4, 6, 8, 16, 19, 4)
_FINAL: Final = (14, 11, 25, 16, 4, 14, 24)


def _hash(device: int, offset: int) -> int:
    """MINIX: makehash."""
    a, b, c = device & _WORD, offset & _WORD, offset >> 32 & _WORD
    for count in _MIX:
        a = (a - c) & _WORD ^ _rotated(c, count)
        c = (c + b) & _WORD
        a, b, c = b, c, a
    a, b, c = b, c, 0x12345678
    for count in _FINAL:
        c ^= b
        c = (c - _rotated(b, count)) & _WORD
        a, b, c = b, c, a
    return b % 65536
