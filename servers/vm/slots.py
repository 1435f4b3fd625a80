"""Where in an address space there is room for a region.

Rules.  The highest gap that is large enough is taken, at its upper end, and with a page to spare
on both sides if it is large enough for that.  The search begins at the end of the region placed
last, and only if there is nothing below that at the top.

Source: MINIX ``servers/vm/region.c`` region_find_slot, region_find_slot_range.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kernel.panic import Panic
from servers.vm.memory import Memory
from servers.vm.process import PAGE, WORD, VmProcess

_NO_WRAP: Final = -1


def find_slot(memory: Memory, process: VmProcess, low: int, high: int, length: int) -> int | None:
    """The address for `length` bytes between `low` and `high`, or None if there is no room.

    `high` 0 stands for exactly at `low`.
    """
    quirks = memory.quirks
    if length <= 0 or length & WORD != length:
        if "mmap-len-wrap" in quirks:
            raise Panic("a region needs a length", quirk="mmap-len-wrap")
        return None
    if high == 0:
        high = (low + length) & WORD
        return _search(memory, process, low, high, length) if high > low else None
    hint = process.region_top
    if low <= hint < high:
        if hint == low:
            if "region-top-eq-minv" in quirks:
                raise Panic("the range to search is empty", quirk="region-top-eq-minv")
        elif (found := _search(memory, process, low, hint, length)) is not None:
            return found
    return _search(memory, process, low, high, length)


def _search(memory: Memory, process: VmProcess, low: int, high: int, length: int) -> int | None:
    """The highest fitting place between `low` and `high`, which becomes the next hint."""
    if (low + length) & WORD > high:
        return None
    # Differs: C computes with 32 bits, so that the range below a region at address 0 seems huge.
    mask = WORD if "slot-wrap" in memory.quirks else _NO_WRAP
    for start, end in _gaps(memory, process, low, high, mask):
        for lowest, highest in (((start + PAGE) & mask, (end - PAGE) & mask), (start, end)):
            first, last = max(lowest, low), min(highest, high)
            if last > first and last - first >= length:
                process.region_top = last
                return last - length
    return None


def _gaps(
    memory: Memory, process: VmProcess, low: int, high: int, mask: int
) -> Iterator[tuple[int, int]]:
    """The gaps between regions, `(start, end)`, from `high` downwards."""
    regions = process.regions
    above = regions.ceiling(high)
    if above is None:
        above = regions.below(high)
        if above is None:
            yield 0, memory.config.user_end
            return
        yield above.end & mask, memory.config.user_end
    for below in regions.descending(above.vaddr - 1):
        yield below.end & mask, above.vaddr
        above = below
        if above.vaddr <= low and mask == _NO_WRAP:
            return
    yield 0, above.vaddr
