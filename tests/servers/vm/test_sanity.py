"""Each invariant notices when it does not hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from ipc.flags import VMVFSREQ_FDLOOKUP
from kernel.memory.frames import PAGE_SIZE
from servers.vm.memory import Memory
from servers.vm.memtypes import ANON
from servers.vm.process import VmProcess
from servers.vm.region import Region
from servers.vm.sanity import INVARIANTS, Violation, check
from tests.servers.vm.kit import FIXED, cached, mapped_file, op, run

OPERATIONS: Final = [
    op("pagefault", addr=0x8048000, flags=6),
    op("pagefault", addr=0x804A000, flags=6),
    *cached(),
    *mapped_file(1, 0x20000000),
    op("pagefault", addr=0x20000000, flags=4),
    op("mmap", 6, addr=0x10000000, len=PAGE_SIZE, flags=FIXED),
    op("remap", 6, source=6, destination=11, src_addr=0x10000000, dest_addr=0x30000000,
       size=PAGE_SIZE),
    op("pagefault", addr=0x30000000, flags=6),
    op("fork", 0, endpoint=11, slot=12, msgaddr=0x8048000),
]  # fmt: skip


def init(memory: Memory) -> VmProcess:
    return memory.processes[11]


def text(memory: Memory) -> Region:
    region = init(memory).regions.exact(0x8048000)
    assert region is not None
    return region


def block_of(memory: Memory, page: int = 0) -> int:
    return text(memory).table()[page]


def forget_process(memory: Memory) -> None:
    del memory.alive[11]


def find_the_dead(memory: Memory) -> None:
    memory.enter(memory.slot(20), 20)


def move_region(memory: Memory) -> None:
    text(memory).vaddr += 1


def steal_region(memory: Memory) -> None:
    text(memory).owner = memory.processes[5]


def overlap(memory: Memory) -> None:
    init(memory).regions.insert(memory.new_region(init(memory), 0x8049000, PAGE_SIZE, 0, ANON))


def above_user(memory: Memory) -> None:
    init(memory).regions.insert(memory.new_region(init(memory), 0xF0000000, PAGE_SIZE, 0, ANON))


def short_array(memory: Memory) -> None:
    text(memory).table().pop()


def lean(memory: Memory) -> None:
    root = init(memory).regions.root
    assert root is not None
    root.factor += 1


def forget_region(memory: Memory) -> None:
    init(memory).regions.regions.pop()


def misplace_start(memory: Memory) -> None:
    init(memory).regions.starts[0] += PAGE_SIZE


def miscount(memory: Memory) -> None:
    memory.blocks.refs[block_of(memory)] += 1


def invent_block(memory: Memory) -> None:
    text(memory).table()[1] = memory.blocks.used + 5


def lose_frame(memory: Memory) -> None:
    memory.allocator.take(1, 0)


def free_used(memory: Memory) -> None:
    memory.allocator.give_back(memory.blocks.phys[block_of(memory)] >> 12)


def same_frame(memory: Memory) -> None:
    memory.blocks.phys[block_of(memory)] = memory.blocks.phys[block_of(memory, 2)]


def miscount_free(memory: Memory) -> None:
    memory.allocator.free_count -= 1


def stray_entry(memory: Memory) -> None:
    init(memory).space.set(0x50000000, 0x5007)


def too_many_rights(memory: Memory) -> None:
    space = init(memory).space
    space.set(0x804A000, space.lookup(0x804A000) | 2)


def other_frame(memory: Memory) -> None:
    init(memory).space.set(0x8048000, 0x5007)


def miscount_memory(memory: Memory) -> None:
    init(memory).total -= PAGE_SIZE


def forget_mark(memory: Memory) -> None:
    memory.blocks.cached[next(iter(memory.cache.by_use)).block] = 0


def mark_too_much(memory: Memory) -> None:
    memory.blocks.cached[block_of(memory)] = 1


def lose_from_list(memory: Memory) -> None:
    memory.cache.by_use.popitem()


def lose_from_file(memory: Memory) -> None:
    memory.cache.by_inode.clear()


def wrong_offset(memory: Memory) -> None:
    next(iter(memory.cache.by_use)).offset += 1


def miscount_file(memory: Memory) -> None:
    next(iter(memory.files.by_age)).count += 1


def forget_file(memory: Memory) -> None:
    memory.files.by_age.clear()


def miscount_sharers(memory: Memory) -> None:
    text(memory).remaps = 1


def idle_queue(memory: Memory) -> None:
    memory.vfs.ask(VMVFSREQ_FDLOOKUP, 3, 11)
    memory.vfs.ask(VMVFSREQ_FDLOOKUP, 4, 11)
    memory.vfs.active = None


def same_number(memory: Memory) -> None:
    memory.vfs.ask(VMVFSREQ_FDLOOKUP, 3, 11)
    memory.vfs.last_id -= 1
    memory.vfs.ask(VMVFSREQ_FDLOOKUP, 4, 11)


BREAKS: Final[list[tuple[Callable[[Memory], None], str]]] = [
    (forget_process, "processes"),
    (find_the_dead, "processes"),
    (move_region, "region order"),
    (steal_region, "region order"),
    (overlap, "region order"),
    (above_user, "region order"),
    (short_array, "region order"),
    (lean, "tree balance"),
    (forget_region, "tree balance"),
    (misplace_start, "tree balance"),
    (miscount, "reference counts"),
    (invent_block, "reference counts"),
    (lose_frame, "frames"),
    (free_used, "frames"),
    (same_frame, "frames"),
    (miscount_free, "frames"),
    (stray_entry, "page tables"),
    (too_many_rights, "page tables"),
    (other_frame, "page tables"),
    (miscount_memory, "memory counts"),
    (forget_mark, "cache indexes"),
    (mark_too_much, "cache indexes"),
    (lose_from_list, "cache indexes"),
    (lose_from_file, "cache indexes"),
    (wrong_offset, "cache indexes"),
    (miscount_file, "file references"),
    (forget_file, "file references"),
    (miscount_sharers, "sharers"),
    (idle_queue, "VFS queue"),
    (same_number, "VFS queue"),
]


@pytest.mark.parametrize(("break_it", "invariant"), BREAKS)
def test_violation(break_it: Callable[[Memory], None], invariant: str) -> None:
    machine, _ = run(OPERATIONS)
    memory = machine.vm.memory
    check(memory)
    break_it(memory)
    # Some breaches show in more than one place; the first is told, each by its own name.
    seen = set()
    for name, test in INVARIANTS.items():
        try:
            test(memory)
        except Exception:
            seen.add(name)
    assert invariant in seen
    with pytest.raises(Violation) as caught:
        check(memory, "VM_BRK from INIT")
    assert str(caught.value).startswith("sanity: ")
    assert "after VM_BRK from INIT" in str(caught.value)


def test_every_invariant_is_tested() -> None:
    assert {invariant for _, invariant in BREAKS} == set(INVARIANTS)
