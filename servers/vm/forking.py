"""Copies of regions in another process, which share their pages until one of them writes.

Source: MINIX ``servers/vm/region.c`` map_copy_region, map_proc_copy_range, map_writept.
"""

from __future__ import annotations

import numpy as np

from ipc.errors import ENOMEM, OK
from servers.vm.alloc import CLEAR, allocation_flags
from servers.vm.blocks import NO_FRAME
from servers.vm.mapping import free_region, free_regions
from servers.vm.memory import Memory
from servers.vm.memtypes import CACHE, CONTIG
from servers.vm.process import VmProcess
from servers.vm.region import Region


def copy_all(memory: Memory, child: VmProcess, parent: VmProcess) -> int:
    """Give `child`, which has no regions, copies of all regions of `parent`.

    OK, or ENOMEM, after which `child` has none again.  MINIX: map_proc_copy.
    """
    copies = []
    for region in parent.regions:
        copy = copy_region(memory, child, region)
        if copy is None:
            break
        copies.append(copy)
    child.regions.fill(copies)
    if len(copies) < len(parent.regions):
        free_regions(memory, child)
        return ENOMEM
    write_page_tables(memory, parent)
    write_page_tables(memory, child)
    return OK


def copy_regions(memory: Memory, dest: VmProcess, regions: list[Region]) -> int:
    """Give `dest` copies of all `regions`; page tables stay as they are.

    OK, or ENOMEM, after which it has none of them.  MINIX would then end all regions of `dest`; but
    only memory of VM's own can be short there.  Source: map_proc_copy_range.
    """
    copies: list[Region] = []
    for region in regions:
        copy = copy_region(memory, dest, region)
        if copy is None:
            for each in copies:
                free_region(memory, each)
            return ENOMEM
        copies.append(copy)
    for copy in copies:
        dest.regions.insert(copy)
    return OK


def copy_region(memory: Memory, dest: VmProcess, region: Region) -> Region | None:
    """A copy of `region` in `dest`, in no tree yet; None if it cannot be.

    MINIX: map_copy_region.
    """
    if region.kind is CONTIG and "contig-fork" not in memory.quirks:
        return None
    new = memory.new_region(dest, region.vaddr, region.length, region.flags, region.kind)
    if region.kind.copy(memory, region, new) != OK:
        free_region(memory, new)
        return None
    if region.blocks is None:
        return new
    new.blocks = region.blocks[:]
    if region.kinds is not None and "copy-def-memtype" not in memory.quirks:
        new.kinds = region.kinds[:]
    if "fork-pending-page" not in memory.quirks:
        view = new.numbers()
        view[memory.blocks.view.take(view.astype(np.intp)) == NO_FRAME] = 0
        del view
    numbers = new.numbers()
    numbers = numbers[numbers != 0]
    memory.blocks.reference_many(numbers, region.kind.repeats)
    dest.gain(len(numbers))
    if not _make_private(memory, region, new):
        free_region(memory, new)
        return None
    return new


def _make_private(memory: Memory, region: Region, new: Region) -> bool:
    """Give `new` its own copies of pages that stay writable for others; False without memory.

    These are all pages of a region that others share, and pages that a file system has put into
    the page cache.  Copy-on-write cannot protect them.
    """
    pages = np.empty(0, dtype=np.int64)
    if region.remaps and "remaps-fork-cow" not in memory.quirks:
        (pages,) = new.numbers().nonzero()
    elif new.kinds is not None and region.kind is not CACHE:
        (pages,) = ((new.codes() == CACHE.code) & (new.numbers() != 0)).nonzero()
    return all(_own_copy(memory, new, page) for page in pages.tolist())


def _own_copy(memory: Memory, region: Region, page: int) -> bool:
    frame = memory.allocator.take(1, allocation_flags(region.flags) & ~CLEAR)
    if frame < 0:
        return False
    blocks = memory.blocks
    memory.mmu.copy(blocks.phys[region.table()[page]], frame << 12, 4096)
    memory.relink(region, page, blocks.new(frame << 12))
    region.set_kind(page, region.kind)
    return True


def write_page_tables(memory: Memory, process: VmProcess) -> None:
    """Write the page tables of `process` anew, as its regions are.  MINIX: map_writept."""
    for region in process.regions:
        memory.write_entries(region)
