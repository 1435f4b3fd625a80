"""Where in an address space there is room for a region.

Rules.  The highest gap that is large enough is taken, at its upper end, and with a page to spare
on both sides if it is large enough for that.  The search begins at the end of the region placed
last, and only if there is nothing below that at the top.

Source: MINIX ``servers/vm/region.c`` region_find_slot, region_find_slot_range.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from kernel.panic import Panic
from servers.vm.memory import Memory
from servers.vm.process import PAGE, WORD, VmProcess

_NO_WRAP: Final = -1


def find_slot(memory: Memory, process: VmProcess, low: int, high: int, length: int) -> int | None:
    """The address for `length` bytes between `low` and `high`, or None if there is no room.

    `high` 0 stands for exactly at `low`.
    """
    if not 0 < length <= WORD:
        if "mmap-len-wrap" in memory.quirks:
            raise Panic("a region needs a length", quirk="mmap-len-wrap")
        return None
    if high == 0:
        high = (low + length) & WORD
        return _search(memory, process, low, high, length) if high > low else None
    hint = process.region_top
    if low <= hint < high:
        if hint == low:
            if "region-top-eq-minv" in memory.quirks:
                raise Panic("the range to search is empty", quirk="region-top-eq-minv")
        elif (found := _search(memory, process, low, hint, length)) is not None:
            return found
    return _search(memory, process, low, high, length)


def _search(memory: Memory, process: VmProcess, low: int, high: int, length: int) -> int | None:
    """The highest fitting place between `low` and `high`, the end of which is the next hint."""
    if (low + length) & WORD > high:
        return None
    # Differs: C computes with 32 bits, so that the range below a region at address 0 seems huge.
    mask = WORD if "slot-wrap" in memory.quirks else _NO_WRAP
    tree = process.regions
    regions = tree.regions
    index = bisect_right(tree.starts, -high)  # the last region that starts below `high`
    end = regions[index - 1].vaddr if index else memory.config.user_end
    while True:
        below = regions[index] if index < len(regions) else None
        start = 0 if below is None else (below.vaddr + below.length) & mask
        if start + length <= high or mask == WORD:  # what begins later is no use
            for spare in (PAGE, 0):  # rather with a page to spare on both sides than without
                bottom = (start + spare) & mask
                if bottom < low:
                    bottom = low
                top = (end - spare) & mask
                if top > high:
                    top = high
                if top - bottom >= length:
                    process.region_top = top
                    return top - length
        if below is None or (below.vaddr <= low and mask == _NO_WRAP):
            return None
        end = below.vaddr
        index += 1
