"""Which frames are free, and which one is given out next.

Rules.  A single frame comes from the frames freed last, of which at most 10,000 are remembered;
entries that have been taken meanwhile in another way are skipped.  Anything else comes from the
highest addresses below the frame given out last, or from the top if there is nothing below.  When
memory is short, pages that only the page cache refers to are thrown out.

Frames are numbers (address / 4096) here.  Source: MINIX ``servers/vm/alloc.c``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kernel.memory.mmu import Mmu
from servers.vm.region import LOWER1MB, LOWER16MB, PHYS64K, UNINITIALIZED

CLEAR: Final = 0x01
ALIGN64K: Final = 0x04
BELOW_16MB: Final = 0x08
BELOW_1MB: Final = 0x10

NOTHING: Final = -1
RECENT_MAX: Final = 10_000
PAGES_64K: Final = 16
_LAST_FRAME: Final = (1 << 20) - 1
_FREE: Final = b"\x01"
_SPECIAL: Final = UNINITIALIZED | PHYS64K | LOWER16MB | LOWER1MB


def allocation_flags(region_flags: int) -> int:
    """What a region wants of its frames.  MINIX: vrallocflags."""
    flags = 0 if region_flags & UNINITIALIZED else CLEAR
    if region_flags & (PHYS64K | LOWER16MB | LOWER1MB):
        if region_flags & PHYS64K:
            flags |= ALIGN64K
        if region_flags & LOWER16MB:
            flags |= BELOW_16MB
        if region_flags & LOWER1MB:
            flags |= BELOW_1MB
    return flags


def memory_chunks(chunks: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The whole frames, `(first, count)`, in each `(base, size)` of the memory map.

    MINIX: get_mem_chunks, which looks at the first sixteen.
    """
    whole = []
    for base, size in list(chunks)[:16]:
        limit = (base + size) & 0xFFFFFFFF
        first, end = (base + 4095 & 0xFFFFFFFF) >> 12, limit >> 12
        whole.append((first, max(0, end - first)))
    return whole


@attrs.define(eq=False)
class Allocator:
    """The free frames.

    `free` has a byte for each frame up to the highest there is, 1 if it is free; `total` counts
    all frames, free or not.  `evict(n)` frees up to n frames of the page cache and says how many.
    """

    mmu: Mmu
    quirks: frozenset[str]
    evict: Callable[[int], int]
    free: bytearray = attrs.field(factory=bytearray)
    view: NDArray[np.uint8] = attrs.field(init=False)
    free_count: int = 0
    total: int = 0
    recent: list[int] = attrs.field(factory=list)
    last: int = NOTHING  # the frame given out last

    def add_memory(self, chunks: list[tuple[int, int]]) -> None:
        """Take over the machine's memory, `(first frame, count)` each.  MINIX: mem_init."""
        self.free = bytearray(max((first + count for first, count in chunks), default=0))
        self.view = np.frombuffer(self.free, dtype=np.uint8)
        for first, count in reversed(chunks):
            if count:
                self.give_back(first, count)
                self.total += count

    def take(self, count: int, flags: int) -> int:
        """Take `count` frames in a row; the first of them, or NOTHING.

        MINIX: alloc_mem.
        """
        if flags & ALIGN64K:
            return self._take_aligned(count, flags)
        first = self._take(count, flags)
        while first < 0 and self.evict(count) > 0:
            first = self._take(count, flags)
        return first

    def take_page(self, region_flags: int) -> int:
        """Take a frame for a page of a region with these flags; its number, or NOTHING."""
        if region_flags & _SPECIAL:
            return self.take(1, allocation_flags(region_flags))
        free, recent = self.free, self.recent
        if not recent or not free[frame := recent.pop()]:
            frame = self._take_recent()
            if frame < 0:
                frame = free.rfind(1, 0, self.last + 1)
                if frame < 0:
                    return self.take(1, CLEAR)
        self.last = frame
        free[frame] = 0
        self.free_count -= 1
        self.mmu.clear_page(frame)
        return frame

    def take_many(self, count: int, flags: int) -> NDArray[np.int64]:
        """Take frames as `count` calls for one frame each would, as many as there are."""
        if flags & ~CLEAR:
            return self._one_by_one(count, flags)
        got: list[int] = []
        free, recent = self.free, self.recent
        while recent and len(got) < count:
            frame = recent.pop()
            if free[frame]:
                free[frame] = 0
                got.append(frame)
        self.free_count -= len(got)
        if got:
            self.last = got[-1]
        taken = np.array(got, dtype=np.int64)
        for limit in (self.last if self.last >= 0 else _LAST_FRAME, _LAST_FRAME):
            wanted = count - len(taken)
            if wanted:
                taken = np.concatenate((taken, self._scan(wanted, limit)))
        if flags & CLEAR and len(taken):
            self.mmu.clear_frames(taken << 12)
        if len(taken) < count:
            taken = np.concatenate((taken, self._one_by_one(count - len(taken), flags)))
        return taken

    def give_back(self, first: int, count: int = 1) -> None:
        """Free `count` frames in a row.  MINIX: free_mem."""
        if count == 1:
            if not self.free[first]:
                self.free[first] = 1
                self.free_count += 1
            if len(self.recent) < RECENT_MAX:
                self.recent.append(first)
            return
        self.give_back_many(np.arange(first, first + count, dtype=np.int64))

    def give_back_many(self, frames: NDArray[np.int64]) -> None:
        """Free these frames, in this order."""
        self.free_count += len(frames) - int(np.count_nonzero(self.view[frames]))
        self.view[frames] = 1
        room = RECENT_MAX - len(self.recent)
        if room > 0:
            self.recent.extend(frames[:room].tolist())

    def largest(self) -> int:
        """How many free frames in a row there are at most."""
        used = np.flatnonzero(self.view == 0)
        if not len(used):
            return len(self.view)
        between = int(np.diff(used).max(initial=1)) - 1
        return max(int(used[0]), between, len(self.view) - 1 - int(used[-1]))

    def _take(self, count: int, flags: int) -> int:
        """MINIX: alloc_pages."""
        limit = _LAST_FRAME
        first = NOTHING
        if flags & BELOW_16MB:
            limit = (16 << 20 >> 12) - 1
        elif flags & BELOW_1MB:
            limit = (1 << 20 >> 12) - 1
        elif count == 1:
            first = self._take_recent()
        if first < 0:
            first = self._highest_run(count, self.last if 0 <= self.last < limit else limit)
            if first < 0:
                first = self._highest_run(count, limit)
                if first < 0:
                    return NOTHING
        self.last = first
        if count == 1:
            self.free[first] = 0
        else:
            self.view[first : first + count] = 0
        self.free_count -= count
        if flags & CLEAR:
            self.mmu.fill(first << 12, 0, count << 12)
        return first

    def _take_recent(self) -> int:
        """The free frame that was freed last, if it is remembered."""
        recent, free = self.recent, self.free
        while recent:
            frame = recent.pop()
            if free[frame]:
                return frame
        return NOTHING

    def _take_aligned(self, count: int, flags: int) -> int:
        """As `take`, at a multiple of 64 KiB: too many are taken, and those around given back."""
        first = self.take(count + PAGES_64K, flags & ~ALIGN64K)
        if first < 0:
            return first
        before = -first % PAGES_64K
        if before:
            self.give_back(first, before)
        if "align64k-leak" not in self.quirks:
            self.give_back(first + before + count, PAGES_64K - before)
        return first + before

    def _highest_run(self, count: int, limit: int) -> int:
        """The highest run of `count` free frames that ends at or below frame `limit`."""
        if count == 1:
            return self.free.rfind(1, 0, limit + 1)
        if count > self.free_count:
            return NOTHING
        return self.free.rfind(_FREE * count, 0, limit + 1)

    def _scan(self, count: int, limit: int) -> NDArray[np.int64]:
        """Take up to `count` free frames from frame `limit` downwards."""
        found = np.flatnonzero(self.view[: limit + 1])[::-1][:count]
        if len(found):
            self.view[found] = 0
            self.free_count -= len(found)
            self.last = int(found[-1])
        return found

    def _one_by_one(self, count: int, flags: int) -> NDArray[np.int64]:
        frames = []
        for _ in range(count):
            frame = self.take(1, flags)
            if frame < 0:
                break
            frames.append(frame)
        return np.array(frames, dtype=np.int64)
