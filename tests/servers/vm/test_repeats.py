"""One page of the cache, mapped twice in one region.

A file system can say that a page it has put into the cache lies elsewhere in its file.  Who had
mapped it where it was and maps it where it is now has it twice, and everything that works on many
pages at once must count it twice.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from scenarios.campaign.vm_operations import PAGE
from scenarios.conform.vm import VmReplay
from servers.vm.sanity import check
from tests.servers.vm.kit import TEXT, cached, carry_on, mapped_file, op, run

Json = dict[str, Any]

FILE: Final = 0x20000000
CHILD: Final = 0x800C
FORK: Final = op("fork", 0, endpoint=11, slot=12, msgaddr=TEXT)


def twice() -> VmReplay:
    """Process 11 has pages 0 and 1 of its mapping, which are the same frame."""
    moved = op("mapcache", 10, dev=769, dev_offset=0, ino=7, ino_offset=PAGE, pages=1)
    fault = op("pagefault", addr=FILE + PAGE, flags=4)
    # The file system keeps no page of its own, so that the last mapping is the last reference.
    gone = op("munmap", 10, addr=0x30000000, len=PAGE)
    machine, _ = run([*cached(), gone, *mapped_file(1, FILE, pages=3), moved, fault])
    return machine


def end(endpoint: int) -> list[Json]:
    return [op("willexit", 0, endpoint=endpoint), op("exit", 0, endpoint=endpoint)]


def test_the_page_is_there_twice() -> None:
    space = twice().vm.memory.processes[11].space
    assert space.translate(FILE) == space.translate(FILE + PAGE) >= 0


AFTERWARDS: Final[dict[str, list[Json]]] = {
    "fork": [FORK],
    "fork, and the child ends": [FORK, *end(CHILD)],
    "fork, and the parent ends": [FORK, *end(11)],
    "both unmapped": [op("munmap", addr=FILE, len=2 * PAGE)],
    "all unmapped": [op("munmap", addr=FILE, len=3 * PAGE)],
    "split in the middle": [op("munmap", addr=FILE + PAGE, len=PAGE)],
    "split in a child": [FORK, op("munmap", CHILD, addr=FILE + PAGE, len=PAGE)],
}


@pytest.mark.parametrize("name", AFTERWARDS)
def test_what_is_there_twice_is_counted_twice(name: str) -> None:
    machine = twice()
    for operation in AFTERWARDS[name]:
        carry_on(machine, [operation])
        check(machine.vm.memory)


def test_no_frame_is_lost_and_none_is_freed_twice() -> None:
    machine = twice()
    memory = machine.vm.memory
    carry_on(machine, [op("forgetcache", 10, dev=769, dev_offset=0, pages=1), *end(10), FORK])
    free = memory.allocator.free_count
    carry_on(machine, [op("munmap", CHILD, addr=FILE, len=3 * PAGE)])
    assert memory.allocator.free_count == free
    carry_on(machine, [op("munmap", addr=FILE, len=3 * PAGE)])
    assert memory.allocator.free_count == free + 1
    check(memory)
