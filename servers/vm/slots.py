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

_SPARE: Final = (PAGE, 0)  # rather with a page to spare on both sides than without


def find_slot(memory: Memory, process: VmProcess, low: int, high: int, length: int) -> int | None:
    """The address for `length` bytes between `low` and `high`, or None if there is no room.

    `high` 0 stands for exactly at `low`.  The end of the place is where the next search begins.
    """
    if not 0 < length <= WORD:
        if "mmap-len-wrap" in memory.quirks:
            raise Panic("a region needs a length", quirk="mmap-len-wrap")
        return None
    hint = process.region_top
    limits: tuple[int, ...] = hint, high
    if high == 0:
        limits = ((low + length) & WORD,)
    elif not low < hint < high:
        if hint == low < high and "region-top-eq-minv" in memory.quirks:
            raise Panic("the range to search is empty", quirk="region-top-eq-minv")
        limits = (high,)
    if "slot-wrap" in memory.quirks:
        return _find_wrapping(memory, process, low, limits, length)
    regions, starts = process.regions.regions, process.regions.starts
    for limit in limits:
        # Of two neighbours the lower must start so low that there is room above it below `limit`.
        index = bisect_right(starts, length - limit)
        end = regions[index - 1].vaddr if index else memory.config.user_end
        while True:
            below = regions[index] if index < len(regions) else None
            start = 0 if below is None else below.vaddr + below.length
            for spare in _SPARE:
                top = end - spare
                if top > limit:
                    top = limit
                vaddr = top - length
                if vaddr >= start + spare and vaddr >= low:
                    process.region_top = top
                    return vaddr
            if below is None or below.vaddr <= low:
                break
            end = below.vaddr
            index += 1
    return None


def _find_wrapping(
    memory: Memory, process: VmProcess, low: int, limits: tuple[int, ...], length: int
) -> int | None:
    """As `find_slot` below one of the limits after the other, with the quirk slot-wrap.

    C computes with 32 bits, so that the range below a region at address 0 seems huge.
    """
    regions = process.regions.regions
    for limit in limits:
        if (low + length) & WORD > limit:
            continue
        index = bisect_right(process.regions.starts, -limit)
        end = regions[index - 1].vaddr if index else memory.config.user_end
        for below in (*regions[index:], None):
            start = 0 if below is None else (below.vaddr + below.length) & WORD
            for spare in _SPARE:
                bottom, top = max((start + spare) & WORD, low), min((end - spare) & WORD, limit)
                if top - bottom >= length:
                    process.region_top = top
                    return top - length
            if below is not None:
                end = below.vaddr
    return None
