"""Memory maps, for people: what a process has mapped, page by page.

`memory_map` gives it as data, `printed_map` as MINIX's VM prints it on its console.

Source: MINIX ``servers/vm/region.c`` map_printmap, map_printregion.
"""

from __future__ import annotations

from typing import Final

import attrs

from kernel.memory.space import PTE_WRITE
from servers.vm.blocks import NO_FRAME
from servers.vm.memory import Memory
from servers.vm.memtypes import SHARED_MEMORY
from servers.vm.process import PAGE, VmProcess
from servers.vm.region import SHARED, WRITABLE, Region

# What MINIX calls the kinds of memory.
TITLES: Final = {
    "anon": "anonymous memory",
    "contig": "anonymous memory (physically contiguous)",
    "directphys": "physical memory mapping",
    "file": "file-mapped memory",
    "shared": "shared memory",
    "cache": "cache memory",
}


@attrs.frozen
class PageMap:
    """A resident page: its address, its frame's address, and how many refer to that frame.

    `copied_on_write`: a write would get a copy.  `pending`: it is still being fetched.
    """

    address: int
    frame: int
    references: int
    kind: str
    writable: bool
    cached: bool
    copied_on_write: bool
    pending: bool


@attrs.frozen
class RegionMap:
    """A region: its addresses (bytes), what kind of memory, its rights, and its resident pages.

    `shared` tells that other processes see what is written in it.
    """

    address: int
    length: int
    kind: str
    number: int
    writable: bool
    shared: bool
    pages: tuple[PageMap, ...]


def memory_map(memory: Memory, process: VmProcess) -> list[RegionMap]:
    """The regions of `process` in order of address, with their resident pages."""
    return [_region_map(memory, region) for region in process.regions]


def _region_map(memory: Memory, region: Region) -> RegionMap:
    (resident,) = region.numbers().nonzero()
    return RegionMap(
        region.vaddr,
        region.length,
        region.kind.name,
        region.id,
        bool(region.flags & WRITABLE),
        region.remaps > 0 or region.kind is SHARED_MEMORY or bool(region.flags & SHARED),
        tuple(_page_map(memory, region, page) for page in resident.tolist()),
    )


def _page_map(memory: Memory, region: Region, page: int) -> PageMap:
    blocks = memory.blocks
    block = region.table()[page]
    address = region.vaddr + page * PAGE
    writable = bool(region.owner.space.lookup(address) & PTE_WRITE)
    pending = blocks.phys[block] == NO_FRAME
    return PageMap(
        address,
        0 if pending else blocks.phys[block],
        blocks.refs[block],
        region.kind_of(page).name,
        writable,
        bool(blocks.cached[block]),
        bool(region.flags & WRITABLE) and not writable and not pending,
        pending,
    )


def printed_map(memory: Memory, process: VmProcess) -> str:
    """The map as MINIX's VM prints it, line by line."""
    lines = [f"memory regions in process {process.endpoint}:"]
    for region in memory_map(memory, process):
        title = TITLES[region.kind]
        rights = "writable" if region.writable else "readonly"
        size = f"len {region.length:#x}, {region.length // 1024}kB"
        lines += [
            f"map_printmap: map_name: {title}",
            f"\t{region.address:x} ({size}), {title}, {rights}",
            "\t\tphysblocks:",
        ]
        lines += [_printed_page(page) for page in region.pages]
    return "\n".join(lines) + "\n"


def _printed_page(page: PageMap) -> str:
    right = "W" if page.writable else "R"
    return f"\t\t@ {page.address:x} (refs {page.references}): phys {page.frame:#x}, {right}"
