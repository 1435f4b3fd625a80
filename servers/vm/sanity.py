"""What must be true of VM's state between two messages.

`check` looks at everything; `Violation` names the invariant that does not hold and the objects.
With quirks, which lose memory and leave stale mappings, some do not hold.

Source: MINIX ``servers/vm/region.c`` map_sanitycheck, ``cache.c`` cache_sanitycheck_internal,
``fdref.c`` fdref_sanitycheck, ``alloc.c`` mem_sanitycheck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

import attrs
import numpy as np
from numpy.typing import NDArray

from kernel.memory.space import PTE_PRESENT, PTE_WRITE
from kernel.panic import Panic
from servers.vm.blocks import NO_FRAME
from servers.vm.memory import READ_ONLY, READ_WRITE, Memory
from servers.vm.memtypes import DIRECT, FILE, SHARED_MEMORY
from servers.vm.process import INUSE, PAGE, VmProcess
from servers.vm.region import WRITABLE, Region

_FEW_PAGES: Final = 16


@attrs.define(eq=False)
class Violation(Panic):
    """An invariant does not hold: which, of what, and after which message it was first seen."""

    invariant: str = ""
    objects: str = ""
    after: str = ""

    def __str__(self) -> str:
        after = f" after {self.after}" if self.after else ""
        return f"sanity: {self.invariant}{after}: {self.objects}"


def check(memory: Memory, after: str = "") -> None:
    """Check every invariant.  Raises Violation for the first that does not hold."""
    for name, test in INVARIANTS.items():
        try:
            test(memory)
        except _Broken as broken:
            raise Violation(str(broken), invariant=name, objects=str(broken), after=after) from None


class _Broken(Exception):
    """What is wrong; `check` adds the name of the invariant."""


def _broken(text: str) -> NoReturn:
    raise _Broken(text)


def _regions(memory: Memory) -> Iterator[tuple[VmProcess, Region]]:
    for _, process in sorted(memory.processes.items()):
        if process.flags & INUSE:
            for region in process.regions:
                yield process, region


def _named(process: VmProcess, region: Region) -> str:
    where = f"{region.vaddr:#x}..{region.end:#x}"
    return f"the {region.kind.name} region {region.id} of {process.endpoint} at {where}"


def processes(memory: Memory) -> None:
    """Those that are in use, and no others, are found by their endpoints."""
    used = {each.endpoint: each for each in memory.processes.values() if each.flags & INUSE}
    for endpoint in sorted(used.keys() | memory.alive.keys()):
        if used.get(endpoint) is not memory.alive.get(endpoint):
            _broken(f"{endpoint} is not both in use and found")


def region_order(memory: Memory) -> None:
    """Regions are whole pages, do not overlap, and know whose they are."""
    last: Region | None = None
    for process, region in _regions(memory):
        name = _named(process, region)
        if region.owner is not process:
            _broken(f"{name} belongs to {region.owner.endpoint}")
        if region.vaddr % PAGE or region.length % PAGE or region.length <= 0:
            _broken(f"{name} is not whole pages")
        if last is not None and last.owner is process and last.end > region.vaddr:
            _broken(f"{name} overlaps region {last.id}")
        if region.end > memory.config.user_end:
            _broken(f"{name} reaches beyond the user's part")
        for array in (region.blocks, region.kinds):
            if array is not None and len(array) != region.pages:
                _broken(f"{name} has {len(array)} entries for {region.pages} pages")
        last = region


def tree_balance(memory: Memory) -> None:
    """The trees of regions are balanced, and say so; the lists beside them have the same order."""
    for process in memory.processes.values():
        if not process.flags & INUSE:
            continue
        tree = process.regions
        if tree.root is not None:
            _depth(process, tree.root)
        if list(_in_order(tree.root)) != list(tree):
            _broken(f"the tree and the list of the regions of {process.endpoint} differ")
        if [-region.vaddr for region in tree.regions] != tree.starts:
            _broken(f"the regions of {process.endpoint} do not start where they are said to")


def _in_order(root: Region | None) -> Iterator[Region]:
    """The regions of the tree below `root`, by address."""
    if root is not None:
        yield from _in_order(root.lower)
        yield root
        yield from _in_order(root.higher)


def _depth(process: VmProcess, region: Region) -> int:
    lower = 0 if region.lower is None else _depth(process, region.lower)
    higher = 0 if region.higher is None else _depth(process, region.higher)
    if region.factor != higher - lower or abs(region.factor) > 1:
        _broken(f"{_named(process, region)} stands {lower}:{higher}, noted {region.factor}")
    return 1 + max(lower, higher)


def reference_counts(memory: Memory) -> None:
    """A block is referred to by as many pages and cache entries as it counts."""
    found = _references(memory)
    counted = memory.blocks.views[: len(found)]
    (wrong,) = np.nonzero(found != counted)
    if len(wrong):
        block = int(wrong[0])
        frame = memory.blocks.phys[block]
        _broken(f"block {block} (frame {frame:#x}) counts {counted[block]}, has {found[block]}")


def _references(memory: Memory) -> NDArray[np.int64]:
    used = memory.blocks.used
    numbers = [region.numbers() for _, region in _regions(memory)]
    numbers.append(np.array([page.block for page in memory.cache.by_use], dtype=np.uint32))
    found = np.bincount(np.concatenate(numbers), minlength=used)
    found[0] = 0
    if len(found) > used:
        _broken(f"block {len(found) - 1} does not exist")
    return found


def frames(memory: Memory) -> None:
    """Every frame is either free or in exactly one block; none is lost."""
    blocks, allocator = memory.blocks, memory.allocator
    owned = np.zeros(blocks.used, dtype=bool)
    for _, region in _regions(memory):
        numbers = region.numbers()
        owned[numbers[(numbers != 0) & (region.codes() != DIRECT.code)]] = True
    for page in memory.cache.by_use:
        owned[page.block] = True
    owned &= blocks.view[: blocks.used] != NO_FRAME
    taken = np.sort(blocks.view[: blocks.used][owned] >> 12)
    (twice,) = np.nonzero(taken[1:] == taken[:-1])
    if len(twice):
        _broken(f"frame {int(taken[twice[0]]) << 12:#x} is in two blocks")
    free = allocator.view[taken]
    if free.any():
        _broken(f"frame {int(taken[free.nonzero()[0][0]]) << 12:#x} is in use and free")
    if int(np.count_nonzero(allocator.view)) != allocator.free_count:
        _broken(f"{allocator.free_count} frames are said to be free")
    lost = _frame_count(memory) - allocator.free_count - len(taken)
    if lost:
        _broken(f"{lost} frames are neither free nor in use")


def _frame_count(memory: Memory) -> int:
    config = memory.config
    own = (config.kernel_dynamic_bytes + (config.kernel_bytes + 4095 & ~4095)) // PAGE
    return memory.allocator.total - own


def page_tables(memory: Memory) -> None:
    """What is mapped is what the regions have, with no more rights than they allow."""
    for process in memory.processes.values():
        if not process.flags & INUSE:
            continue
        mapped = sum(
            int(np.count_nonzero(entries & PTE_PRESENT)) for _, entries in process.space.present()
        )
        for region in process.regions:
            mapped -= _check_entries(memory, process, region)
        if mapped:
            _broken(f"{mapped} pages of {process.endpoint} are mapped where no region has any")


def _check_entries(memory: Memory, process: VmProcess, region: Region) -> int:
    """Check the entries of `region`; how many there are."""
    first, count = region.span()
    if count <= _FEW_PAGES:
        pages = range(first, first + count)
        return sum(_check_entry(memory, process, region, page) for page in pages)
    entries = process.space.read(region.vaddr + first * PAGE, count)
    present = (entries & PTE_PRESENT) != 0
    allowed = memory.entries_of(region, first, count)
    wrong = present & ((entries & ~np.uint32(PTE_WRITE)) != (allowed & ~np.uint32(PTE_WRITE)))
    wrong |= present & ((entries & PTE_WRITE) > (allowed & PTE_WRITE))
    if wrong.any():
        page = int(wrong.nonzero()[0][0])
        _wrong_entry(process, region, first + page, int(entries[page]), int(allowed[page]))
    return int(np.count_nonzero(present))


def _check_entry(memory: Memory, process: VmProcess, region: Region, page: int) -> int:
    """Check the entry of one page; 1 if it is present, else 0.  Faster than arrays for a few."""
    entry = process.space.lookup(region.vaddr + page * PAGE)
    if not entry & PTE_PRESENT:
        return 0
    block = region.block(page)
    phys = memory.blocks.phys[block]
    allowed = 0
    if block and phys != NO_FRAME:
        writable = region.flags & WRITABLE and region.kind_of(page).writable(memory, region, block)
        allowed = phys | (READ_WRITE if writable else READ_ONLY)
    if (entry ^ allowed) & ~PTE_WRITE or entry & PTE_WRITE > allowed & PTE_WRITE:
        _wrong_entry(process, region, page, entry, allowed)
    return 1


def _wrong_entry(
    process: VmProcess, region: Region, page: int, entry: int, allowed: int
) -> NoReturn:
    name = f"page {page} of {_named(process, region)}"
    _broken(f"{name} is mapped as {entry:#x}, not {allowed:#x}")


def memory_counts(memory: Memory) -> None:
    """A process has as much memory as it is said to have."""
    for process in memory.processes.values():
        if process.flags & INUSE:
            pages = sum(region.resident() for region in process.regions)
            if pages * PAGE != process.total or process.total > process.total_max:
                _broken(f"{process.endpoint} has {pages} pages, noted {process.total} bytes")


def cache_indexes(memory: Memory) -> None:
    """Each cached page is under its device offset, its file offset if it has one, and in use."""
    cache, blocks = memory.cache, memory.blocks
    if set(cache.by_device.values()) != set(cache.by_use) or len(cache.by_device) != len(cache):
        _broken("the index by device and the list of use differ")
    in_files = [page for pages in cache.by_inode.values() for page in pages]
    if Counter(in_files) != Counter(page for page in cache.by_use if page.inode):
        _broken("the index by file and the list of use differ")
    for (device, offset), page in cache.by_device.items():
        if (page.device, page.offset) != (device, offset):
            _broken(f"the page at {offset:#x} of device {device:#x} is under another")
        if not blocks.cached[page.block] or blocks.phys[page.block] == NO_FRAME:
            _broken(f"the page at {offset:#x} of device {device:#x} is not marked as cached")
    marked = sum(blocks.cached[: blocks.used])
    if marked != len({page.block for page in cache.by_use}):
        _broken(f"{marked} blocks are marked as cached, {len(cache)} are")


def file_references(memory: Memory) -> None:
    """A descriptor counts the regions that use it, and is forgotten with the last."""
    used = Counter(
        region.param.ref for _, region in _regions(memory) if region.kind is FILE and region.param
    )
    for ref in memory.files.by_age:
        if ref.count != used[ref] or not ref.count:
            _broken(f"descriptor {ref.fd} counts {ref.count} regions, has {used[ref]}")
    if set(used) - set(memory.files.by_age):
        _broken("a region has a file that is closed")


def sharers(memory: Memory) -> None:
    """A region counts those that show it."""
    shown: Counter[Region] = Counter()
    for _, region in _regions(memory):
        if region.kind is SHARED_MEMORY and (source := SHARED_MEMORY.source(memory, region)):
            shown[source] += 1
    for process, region in _regions(memory):
        if region.remaps != shown[region]:
            _broken(f"{_named(process, region)} counts {region.remaps}, has {shown[region]}")


def vfs_queue(memory: Memory) -> None:
    """A request waits only for an active one, and each has its own number."""
    queue = memory.vfs
    if queue.waiting and queue.active is None:
        _broken("requests wait although VFS has none")
    numbers = [request.asked.reqid for request in (*queue.waiting, *filter(None, (queue.active,)))]
    if len(set(numbers)) != len(numbers) or any(each > queue.last_id for each in numbers):
        _broken(f"the requests have the numbers {numbers}")


INVARIANTS: Final[dict[str, Callable[[Memory], None]]] = {
    "processes": processes,
    "region order": region_order,
    "tree balance": tree_balance,
    "reference counts": reference_counts,
    "frames": frames,
    "page tables": page_tables,
    "memory counts": memory_counts,
    "cache indexes": cache_indexes,
    "file references": file_references,
    "sharers": sharers,
    "VFS queue": vfs_queue,
}

__all__ = ["INVARIANTS", "Violation", "check"]
