"""Making, growing, cutting and ending regions.

Source: MINIX ``servers/vm/region.c``.
"""

from __future__ import annotations

from array import array
from typing import Final

from ipc.errors import EINVAL, ENOMEM, OK
from kernel.panic import Panic
from servers.vm.alloc import allocation_flags
from servers.vm.config import MMAP_BASE
from servers.vm.memory import Memory
from servers.vm.memtypes import ANON, CACHE, FILE, MemoryType
from servers.vm.outcome import MAPPED, Failed
from servers.vm.process import PAGE, WORD, VmProcess
from servers.vm.region import ANON as ANON_FLAG
from servers.vm.region import UNINITIALIZED, WRITABLE, Region, not_aligned
from servers.vm.slots import find_slot

_NO_BLOCK: Final = array("I", (0,))  # the table of a region of one page that has none


def round_up(length: int) -> int:
    """`length` bytes as whole pages, cut to 32 bits as C does."""
    return (length + 0xFFF) & 0xFFFFF000


def map_region(
    memory: Memory,
    process: VmProcess,
    low: int,
    high: int,
    length: int,
    flags: int,
    kind: MemoryType,
    preallocate: bool = False,
) -> Region | None:
    """A new region of `length` bytes between `low` and `high` (0: at `low`), in the process's tree.

    None if there is no room, or no memory for one that needs it at once.  MINIX: map_page_region.
    """
    vaddr = find_slot(memory, process, low, high, length)
    if vaddr is None:
        return None
    region: Region | None
    if preallocate and length == PAGE and kind is ANON and not vaddr % PAGE:
        # As `build_region` does, and mapped at once: file systems make one for each block.
        region = Region(process, vaddr, PAGE, flags, ANON, next(memory.region_ids))
        region.blocks = _NO_BLOCK[:]
        if ANON.touch(memory, region, 0, write=True, may_ask=False) is not MAPPED:
            return None
        if flags & UNINITIALIZED:
            region.flags = flags & ~UNINITIALIZED
    else:
        region = build_region(memory, process, vaddr, length, flags, kind, preallocate)
        if region is not None and region.blocks is not None:
            memory.write_entries(region)
    if region is not None:
        process.regions.insert(region)
    return region


def map_nothing(memory: Memory, process: VmProcess, length: int) -> bool:
    """Make a new region of cache memory, wherever there is room, and end it at once.

    Only for what this leaves: the next region gets another number and is looked for near by, and
    the tree may stand differently.  False if there is no room.
    """
    vaddr = find_slot(memory, process, MMAP_BASE, memory.config.user_end, length)
    if vaddr is None:
        return False
    number = next(memory.region_ids)
    if vaddr % PAGE:
        raise not_aligned(Region(process, vaddr, length, ANON_FLAG | WRITABLE, CACHE, number))
    process.regions.visit(vaddr)
    return True


def build_region(
    memory: Memory,
    process: VmProcess,
    vaddr: int,
    length: int,
    flags: int,
    kind: MemoryType,
    preallocate: bool,
) -> Region | None:
    """A new region at `vaddr` with what memory it needs at once, in no tree and not mapped yet.

    None if there is no memory for it.
    """
    region = Region(process, vaddr, length, flags, kind, next(memory.region_ids))
    result = kind.new(memory, region)
    if result == OK and preallocate:
        _demand_aligned(region, length)
        if kind is FILE:
            raise Panic("a mapped file without a file", quirk="file-prealloc")
        if kind is ANON and not _fill(memory, region):
            result = ENOMEM
            if "prealloc-enomem-stale-pte" in memory.quirks:
                memory.write_entries(region)
    if result != OK:
        free_region(memory, region)
        return None
    if flags & UNINITIALIZED:
        region.flags = flags & ~UNINITIALIZED
    return region


def link_region(memory: Memory, region: Region) -> None:
    """Put a new region into the tree of its process, and map the memory that it has."""
    if region.blocks is not None:
        memory.write_entries(region)
    region.owner.regions.insert(region)


def _fill(memory: Memory, region: Region) -> bool:
    """Give each page of `region`, which has none, a frame; False if there are not so many."""
    pages = region.length >> 12
    frames = memory.allocator.take_many(pages, allocation_flags(region.flags))
    memory.link_new(region, 0, memory.blocks.new_many(frames << 12))
    if len(frames) == pages:
        return True
    # The page that could not be had was counted before it was looked for.
    region.owner.gain(1)
    region.owner.lose(1)
    return False


def populate(memory: Memory, region: Region, write: bool) -> int:
    """Put memory behind every page of `region`, and map it.  OK or why not.

    MINIX: map_handle_memory.
    """
    for page in range(region.pages):
        outcome = memory.map_page(region, page, write, may_ask=False)
        if outcome is not MAPPED:
            assert type(outcome) is Failed, "nobody was asked"
            return outcome.errno
    return OK


def free_region(memory: Memory, region: Region) -> None:
    """End `region`, which is in no tree any more.  Page tables stay.  MINIX: map_free."""
    if region.blocks is not None:
        memory.unlink_many(region, 0, region.length >> 12)
    region.kind.delete(memory, region)
    region.blocks = None
    region.kinds = None


def free_regions(memory: Memory, process: VmProcess) -> None:
    """End all regions of `process`.  MINIX: map_free_proc."""
    while (region := process.regions.root) is not None:
        process.regions.remove(region)
        free_region(memory, region)


def extend(memory: Memory, process: VmProcess, vaddr: int) -> int:
    """Let the region below `vaddr` reach up to it.  OK or ENOMEM.

    MINIX: map_region_extend_upto_v.
    """
    end = round_up(vaddr)
    if vaddr > memory.config.user_end and "brk-above-user-end" not in memory.quirks:
        return ENOMEM
    region = process.regions.below(end)
    if region is None:
        return ENOMEM
    if region.end >= vaddr:
        return OK
    _demand_aligned(region, end)
    if region.kind.grows:
        region.grow(end - region.vaddr)
        return OK
    if region.kind.refuses_to_grow:
        return ENOMEM
    rest = end - region.end
    made = map_region(memory, process, region.end, 0, rest, WRITABLE | ANON_FLAG, ANON)
    return OK if made is not None else ENOMEM


def unmap_range(memory: Memory, process: VmProcess, start: int, length: int) -> int:
    """Unmap all that lies in `length` bytes from `start` on.  OK, or EINVAL if that cannot be.

    MINIX: map_unmap_range.
    """
    offset = start % PAGE
    start -= offset
    length = round_up((length + offset) & WORD)
    limit = (start + length) & WORD
    if length < PAGE or limit <= start:
        return EINVAL
    whole = process.regions.exact(start)
    if whole is not None and whole.length == length and not memory.quirks:
        _end(memory, process, whole)
        return OK
    pieces = _pieces(memory, process, start, limit)
    if not _may_cut(memory, pieces):
        return EINVAL
    for region, first, last in pieces:
        part = region
        if first > region.vaddr and last < region.end:
            low = split(memory, process, region, last - region.vaddr)
            if low is None:
                return EINVAL
            part = low
        result = cut(memory, process, part, first - part.vaddr, last - first)
        if result != OK:
            return result
    return OK


def _pieces(
    memory: Memory, process: VmProcess, start: int, limit: int
) -> list[tuple[Region, int, int]]:
    """What lies between `start` and `limit`: regions, and from where to where."""
    found = []
    regions = process.regions
    region = regions.floor(start)
    if region is None:
        region = regions.above(start)
    while region is not None and region.vaddr < limit:
        vaddr = region.vaddr
        end = vaddr + region.length
        if start < end:
            first, last = max(start, vaddr), min(limit, end)
            found.append((region, first, last))
        if end >= limit and not memory.quirks:  # with quirks, regions can overlap
            break
        region = regions.above(vaddr)
    return found


def may_unmap(memory: Memory, process: VmProcess, start: int, limit: int) -> bool:
    """Whether all that lies between `start` and `limit` can be unmapped."""
    return _may_cut(memory, _pieces(memory, process, start, limit))


def _may_cut(memory: Memory, pieces: list[tuple[Region, int, int]]) -> bool:
    """Whether all the pieces can be cut out of their regions.

    One that others share can only be unmapped as a whole: they would lose track of it.
    """
    quirks = memory.quirks
    for region, first, last in pieces:
        starts, ends = first == region.vaddr, last == region.vaddr + region.length
        if starts and ends:
            continue
        if region.remaps and "shared-split" not in quirks:
            return False
        if "contig-partial-unmap" in quirks:
            continue
        if not (region.kind.shrinks_low if starts else ends or region.kind.splits):
            return False
    return True


def cut(memory: Memory, process: VmProcess, region: Region, offset: int, length: int) -> int:
    """Unmap `length` bytes at the start or the end of `region`, or all of it.

    OK, or EINVAL if its start cannot be cut off.  MINIX: map_unmap_region.
    """
    _demand_aligned(region, length)
    if offset + length > region.length:
        return EINVAL
    if region.length == length:
        _end(memory, process, region)
        return OK
    vaddr = region.vaddr + offset
    memory.unlink_many(region, offset >> 12, length >> 12)
    if offset == 0:
        if not region.kind.shrinks_low:
            return EINVAL
        _check_overread(memory, region, length)
        region.kind.shrink_low(memory, region, length)
        process.regions.remove(region)
        region.cut_start(length)
        process.regions.insert(region)
    elif offset + length == region.length:
        region.cut_end(length)
        region.kind.shrink_high(memory, region)
    memory.mmu.unmap(process.space, vaddr, length >> 12)
    return OK


def _end(memory: Memory, process: VmProcess, region: Region) -> None:
    """Unmap `region` as a whole."""
    # What has no pages can be mapped all the same, where a quirk has left it so.
    mapped = region.blocks is not None or memory.quirks
    process.regions.remove(region)
    free_region(memory, region)
    if mapped:
        memory.mmu.unmap(process.space, region.vaddr, region.length >> 12)


def _check_overread(memory: Memory, region: Region, length: int) -> None:
    """Crash if the quirk would read far behind an array of the C program's.

    Differs: how far is too far depends on what lies there in its memory; half of what malloc takes
    from the system at a time is a guess.
    """
    if "lowshrink-overread" in memory.quirks and (length >> 12) * 4 > _OVERREAD_LIMIT:
        raise Panic("a read behind the end of an array", quirk="lowshrink-overread")


_OVERREAD_LIMIT = 32 << 10


def _demand_aligned(region: Region, length: int) -> None:
    if (region.vaddr | length) % PAGE:
        raise not_aligned(region)


def split(memory: Memory, process: VmProcess, region: Region, length: int) -> Region | None:
    """Replace `region` by two, the first of `length` bytes, which is returned.

    None if its kind of memory cannot be split.  MINIX: split_region.
    """
    _demand_aligned(region, length)
    if not region.kind.splits:
        return None
    low = memory.new_region(process, region.vaddr, length, region.flags, region.kind)
    high = memory.new_region(
        process, region.vaddr + length, region.length - length, region.flags, region.kind
    )
    for half, first in ((low, 0), (high, length >> 12)):
        _copy_pages(memory, region, half, first)
    region.kind.split(memory, region, low, high)
    process.regions.remove(region)
    free_region(memory, region)
    process.regions.insert(low)
    process.regions.insert(high)
    return low


def _copy_pages(memory: Memory, region: Region, half: Region, first: int) -> None:
    """Let `half` have the pages of `region` from page `first` on, as many as it is long."""
    if region.blocks is None:
        return
    count = half.pages
    half.blocks = region.blocks[first : first + count]
    if region.kinds is not None:
        half.kinds = region.kinds[first : first + count]
    numbers = half.numbers()
    numbers = numbers[numbers != 0]
    memory.blocks.reference_many(numbers, region.kind.repeats)
    half.owner.gain(len(numbers))
