"""A region: a range of a process's addresses, and the blocks behind its pages.

Page-level state is in arrays, made when the first page gets a block: `blocks[i]` is the block of
page i (0: none), `kinds[i]` the kind of memory of that page, where it is not the region's own.
A region that changes its length gets new arrays: one that numpy looks at cannot be resized, and
when Python drops the last view of it is not for us to say.

Source: MINIX ``servers/vm/region.h``, ``phys_region.h``, ``region.c``.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np

from kernel.panic import Panic
from servers.vm.blocks import Numbers
from servers.vm.process import VmProcess

if TYPE_CHECKING:
    from servers.vm.memtypes.base import MemoryType

WRITABLE: Final = 0x001
PHYS64K: Final = 0x004  # its frames start at multiples of 64 KiB
LOWER16MB: Final = 0x008
LOWER1MB: Final = 0x010
SHARED: Final = 0x040
UNINITIALIZED: Final = 0x080  # its frames are not cleared
ANON: Final = 0x100
DIRECT: Final = 0x200
PREALLOC_MAP: Final = 0x400

_NO_NUMBERS: Final[Numbers] = np.empty(0, dtype=np.uint32)


def not_aligned(region: Region) -> Panic:
    """The end of VM by a region that does not start at a page."""
    quirk = "remap-unaligned" if region.flags & SHARED else "unaligned-mmap"
    return Panic("a region does not start at a page", quirk=quirk)


@attrs.define(eq=False)
class Region:
    """A range of addresses of `owner`: `length` bytes from `vaddr` on, of one kind of memory.

    `remaps` counts the shared regions whose source this is.  `param` is what the kind of memory
    needs to remember: the physical address of device memory, the source of a shared region, the
    file of a mapped one, the cache block that is being mapped.
    """

    owner: VmProcess
    vaddr: int
    length: int
    flags: int
    kind: MemoryType
    id: int
    remaps: int = 0
    param: Any = None
    blocks: array[int] | None = None
    kinds: bytearray | None = None

    # The tree that the region is in, as it says when the region is inserted.
    lower: Region | None = attrs.field(init=False)
    higher: Region | None = attrs.field(init=False)
    parent: Region | None = attrs.field(init=False)
    factor: int = attrs.field(init=False)

    @property
    def end(self) -> int:
        """The first address behind the region."""
        return self.vaddr + self.length

    @property
    def pages(self) -> int:
        """How many pages of addresses there are."""
        return self.length >> 12

    def block(self, page: int) -> int:
        """The block of page `page`, 0 if it has none."""
        return 0 if self.blocks is None else self.blocks[page]

    def kind_of(self, page: int) -> MemoryType:
        """What kind of memory page `page` is."""
        kind = self.kind
        return kind if self.kinds is None else kind.of_code(self.kinds[page])

    def set_kind(self, page: int, kind: MemoryType) -> None:
        """Say that page `page` is memory of kind `kind`."""
        kinds = self.kinds
        if kinds is None:
            if kind is self.kind:
                return
            kinds = self.kinds = bytearray((self.kind.code,)) * (self.length >> 12)
        kinds[page] = kind.code

    def table(self) -> array[int]:
        """The array of blocks, made if there was none."""
        if self.blocks is None:
            self.blocks = array("I", bytes(4 * self.pages))
        return self.blocks

    def numbers(self, first: int = 0, count: int | None = None) -> Numbers:
        """The blocks of `count` pages from page `first` on (all pages by default), as a view."""
        if self.blocks is None:
            return _NO_NUMBERS
        view = np.frombuffer(self.blocks, dtype=np.uint32)
        return view[first : None if count is None else first + count]

    def codes(self, first: int = 0, count: int | None = None) -> Any:
        """The codes of the kinds of those pages: an array, or one number if all are the same."""
        if self.kinds is None:
            return self.kind.code
        view = np.frombuffer(self.kinds, dtype=np.uint8)
        return view[first : None if count is None else first + count]

    def span(self) -> tuple[int, int]:
        """The first page that has a block, and how many there are to the last that has one."""
        used = np.flatnonzero(self.numbers())
        if not len(used):
            return 0, 0
        first = int(used[0])
        return first, int(used[-1]) + 1 - first

    def resident(self) -> int:
        """How many pages have a block."""
        return int(np.count_nonzero(self.numbers()))

    def grow(self, length: int) -> None:
        """Make the region `length` bytes long, which is more than it was."""
        more = (length - self.length) >> 12
        if self.blocks is not None:
            self.blocks = self.blocks + array("I", bytes(4 * more))
        if self.kinds is not None:
            self.kinds = self.kinds + bytes([self.kind.code]) * more
        self.length = length

    def cut_end(self, length: int) -> None:
        """Take `length` bytes, whose pages have no blocks any more, off the end."""
        self.length -= length
        if self.blocks is not None:
            self.blocks = self.blocks[: self.pages]
        if self.kinds is not None:
            self.kinds = self.kinds[: self.pages]

    def cut_start(self, length: int) -> None:
        """Take `length` bytes, whose pages have no blocks any more, off the start."""
        self.vaddr += length
        self.length -= length
        if self.blocks is not None:
            self.blocks = self.blocks[length >> 12 :]
        if self.kinds is not None:
            self.kinds = self.kinds[length >> 12 :]
