"""Memory maps tell what a process has, page by page."""

from __future__ import annotations

from scenarios.campaign.vm_operations import PAGE
from servers.vm.maps import memory_map, printed_map
from tests.servers.vm.kit import cached, mapped_file, op, run


def test_map_of_a_parent() -> None:
    machine, _ = run(
        [
            op("pagefault", addr=0x8048000, flags=6),
            op("pagefault", addr=0x8049000, flags=6),
            *cached(),
            *mapped_file(1, 0x20000000, pages=2),
            op("fork", 0, endpoint=11, slot=12, msgaddr=0x8048000),
        ]
    )
    memory = machine.vm.memory
    text, file, stack = memory_map(memory, memory.processes[11])
    assert (text.address, text.length, text.kind, text.writable) == (
        0x8048000,
        4 * PAGE,
        "anon",
        True,
    )
    assert [page.copied_on_write for page in text.pages] == [False, True]
    assert [page.references for page in text.pages] == [1, 2]
    assert (file.kind, file.writable, file.shared) == ("file", False, False)
    assert [(page.address, page.cached, page.references) for page in file.pages] == [
        (0x20000000, True, 4)
    ]
    assert not stack.pages


def test_shared_and_pending() -> None:
    machine, _ = run(
        [
            op("remap", 6, source=11, destination=6, src_addr=0x8048000, size=4 * PAGE),
            op("pagefault", 11, addr=0x8048000, flags=6),
            *mapped_file(1, 0x20000000),
            op("pagefault", addr=0x20000000, flags=4),
        ]
    )
    memory = machine.vm.memory
    text, file, _ = memory_map(memory, memory.processes[11])
    assert text.shared
    assert text.pages[0].writable
    assert [(page.pending, page.frame) for page in file.pages] == [(True, 0)]
    assert [region.shared for region in memory_map(memory, memory.processes[6])] == [True, False]


def test_as_minix_prints_it() -> None:
    machine, _ = run([op("pagefault", addr=0x8048000, flags=6)])
    memory = machine.vm.memory
    frame = memory_map(memory, memory.processes[11])[0].pages[0].frame
    assert printed_map(memory, memory.processes[11]) == (
        "memory regions in process 11:\n"
        "map_printmap: map_name: anonymous memory\n"
        "\t8048000 (len 0x4000, 16kB), anonymous memory, writable\n"
        "\t\tphysblocks:\n"
        f"\t\t@ 8048000 (refs 1): phys {frame:#x}, W\n"
        "map_printmap: map_name: anonymous memory\n"
        "\tefc00000 (len 0x400000, 4096kB), anonymous memory, writable\n"
        "\t\tphysblocks:\n"
    )
