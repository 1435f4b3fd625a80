"""Blocks: the pages of physical memory that regions refer to, and how often.

A block is a number, an index into arrays; 0 is no block.  Several pages of regions may refer to
one block (after a fork, or through the page cache), which is what copy-on-write looks at.  A block
without a frame (`phys` is NO_FRAME) stands for a page that is still being fetched.

Source: MINIX ``servers/vm/pb.c``, ``region.h`` phys_block.
"""

from __future__ import annotations

from array import array
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernel.panic import Panic

NO_FRAME: Final = 0xFFFFFFFE  # MINIX: MAP_NONE

Numbers: TypeAlias = NDArray[np.uint32]

_ALL_BITS: Final = 0x7FFFFFFF
_FIRST_CAPACITY: Final = 1024
_HANDFUL: Final = 256


class Blocks:
    """All blocks.  `phys[b]` is the address of the frame, `refs[b]` counts the references.

    `mask` is what a reference count is cut to: eight bits in MINIX.  `wrapped` are the blocks whose
    count has gone beyond that: it cannot come down to 0 again without an assertion there.
    """

    __slots__ = (
        "cached",
        "capacity",
        "free",
        "heaps",
        "mask",
        "phys",
        "refs",
        "used",
        "view",
        "views",
        "wrapped",
    )

    def __init__(self, mask: int = _ALL_BITS) -> None:
        self.mask = mask
        self.capacity = 0
        self.used = 1  # numbers from here on are neither used nor free
        self.free: list[int] = []
        self.heaps: list[Numbers] = []  # more free ones, as they came
        self.phys = array("I")
        self.refs = array("i")
        self.cached = bytearray()  # 1: the page cache has it
        self.wrapped: set[int] = set()
        self._grow(_FIRST_CAPACITY)
        self.phys[0] = NO_FRAME

    def new(self, phys: int, refs: int = 0) -> int:
        """A new block for the frame at `phys` (or NO_FRAME), with `refs` references."""
        free = self.free
        block = free.pop() if free else self._unused()
        self.phys[block] = phys
        self.refs[block] = refs
        self.cached[block] = 0
        return block

    def _unused(self) -> int:
        """The number of a block, when no free one is at hand; more are then."""
        if self.heaps:
            heap = self.heaps.pop()
            self.free = heap[-_HANDFUL:].tolist()
            if len(heap) > _HANDFUL:
                self.heaps.append(heap[:-_HANDFUL])
            return self.free.pop()
        block = self.used
        self.used = end = block + _HANDFUL
        while end > self.capacity:
            self._grow(2 * self.capacity)
        self.free = list(range(end - 1, block, -1))
        return block

    def new_many(self, phys: NDArray[Any]) -> Numbers:
        """As many new blocks as there are frames in `phys`, each with one reference."""
        count = len(phys)
        parts: list[Numbers] = []
        while self.heaps and count:
            heap = self.heaps.pop()
            parts.append(heap[:count])
            if len(heap) > count:
                self.heaps.append(heap[count:])
            count -= len(parts[-1])
        while self.used + count > self.capacity:
            self._grow(2 * self.capacity)
        parts.append(np.arange(self.used, self.used + count, dtype=np.uint32))
        self.used += count
        numbers = np.concatenate(parts)
        self.view[numbers] = phys
        self.views[numbers] = 1
        np.frombuffer(self.cached, dtype=np.uint8)[numbers] = 0
        return numbers

    def reference(self, block: int) -> None:
        """Count one more reference."""
        count = self.refs[block] + 1
        if count > self.mask:
            self.wrapped.add(block)
            count = 0
        self.refs[block] = count

    def unreference(self, block: int) -> int:
        """Count one reference less.  A block without any is forgotten: whose frame is returned.

        NO_FRAME if it has none, or references are left.
        """
        refs = self.refs
        left = refs[block] - 1
        if left:
            if left < 0:
                raise _lost_count()
            refs[block] = left
            return NO_FRAME
        if block in self.wrapped:
            raise _lost_count()
        phys = self.phys[block]
        refs[block] = 0
        self.phys[block] = NO_FRAME
        self.free.append(block)
        return phys

    def reference_many(self, numbers: Numbers, repeats: bool = False) -> None:
        """Count one more reference to each of the blocks, which are all different.

        With `repeats` they need not be: each is counted as often as it is there.
        """
        if repeats:
            np.add.at(self.views, numbers, 1)
        else:
            index = numbers.astype(np.intp)  # numpy would do it for each use
            self.views[index] = self.views.take(index) + 1
        if self.mask != _ALL_BITS:
            self.wrapped.update(numbers[self.views[numbers] > self.mask].tolist())
            self.views[numbers] &= self.mask

    def unreference_many(self, numbers: Numbers) -> Numbers:
        """Count one reference less to each of the blocks, all different; returns those at zero."""
        index = numbers.astype(np.intp)
        left = self.views.take(index) - 1
        if self.wrapped and ((left < 0).any() or not self.wrapped.isdisjoint(numbers[left == 0])):
            raise _lost_count()
        self.views[index] = left
        dead: Numbers = numbers[left == 0]
        return dead

    def release_many(self, numbers: Numbers) -> None:
        """Forget blocks without references."""
        self.view[numbers] = NO_FRAME
        if len(numbers) > _HANDFUL:
            self.heaps.append(numbers)
        else:
            self.free.extend(numbers.tolist())

    def _grow(self, capacity: int) -> None:
        # Arrays that numpy looks at cannot be extended in place.
        more = capacity - self.capacity
        self.phys = array("I", self.phys.tobytes() + bytes(4 * more))
        self.refs = array("i", self.refs.tobytes() + bytes(4 * more))
        self.cached = bytearray(self.cached + bytes(more))
        self.view: Numbers = np.frombuffer(self.phys, dtype=np.uint32)
        self.views: NDArray[np.int32] = np.frombuffer(self.refs, dtype=np.int32)
        self.capacity = capacity


def _lost_count() -> Panic:
    """The end of VM by a count that does not say how many references there are."""
    return Panic("a block has no references, or more than it counts", quirk="refcount-wrap")
