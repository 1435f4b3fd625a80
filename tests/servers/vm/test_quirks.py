"""What each defect does that the recordings do not show, and what happens without it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from kernel.quirks import NO_QUIRKS, Quirks
from scenarios.campaign.vm_operations import PAGE
from scenarios.conform.vm import VmReplay
from servers.vm.quirks import VM_QUIRKS
from servers.vm.sanity import check
from tests.scenarios.conform.test_vm import SHOWN_BY
from tests.servers.vm.kit import ANON, FIXED, TEXT, cached, last_reply, mapped_file, op, run

Json = dict[str, Any]

SHARED: Final = [
    op("mmap", 6, addr=0x10000000, len=2 * PAGE, flags=FIXED),
    op("remap", 6, source=6, destination=11, src_addr=0x10000000, dest_addr=0x20000000,
       size=2 * PAGE),
]  # fmt: skip

# Quirk: what is done, and the type of the last answer without the quirk (None: there is none).
# With the quirk VM panics at the last operation.
PANICS: Final[dict[str, tuple[list[Json], int | None]]] = {
    "lowshrink-overread": (
        [
            op("mmap", addr=0x10000000, len=0x4000000, flags=FIXED),
            op("munmap", addr=0x10000000, len=0x2B3C000),
        ],
        0,
    ),
    "unknown-caller": ([op("brk", 4321, addr=0)], -3),
    "vfs-mmap-bad-ep": ([op("vfs_mmap", 1, who=4321, dev=769, len=PAGE, vaddr=0x10000000)], -22),
    "setcache-nodev": (
        [
            op("mmap", 10, addr=0x30000000, len=PAGE, flags=0x81012),
            op("setcache", 10, dev=0, block=0x30000000, pages=1),
        ],
        -22,
    ),
    "file-prealloc": (
        [
            op("mmap", addr=0x10000000, len=PAGE, flags=0x80002, fd=3),
            op("vfs_reply", 1, endpoint=11, reqid=1, dev=769, ino=7, fd=20, size_pages=4),
        ],
        0,
    ),
    "rs-update-empty": (
        [op("munmap", 4, addr=TEXT, len=4 * PAGE), op("rs_update", 2, src_e=4, dst_e=5)],
        -22,
    ),
    "shared-source-shrunk": (
        [*SHARED, op("munmap", 6, addr=0x10001000, len=PAGE),
         op("pagefault", addr=0x20001000, flags=6)],
        None,
    ),
    "pin-readonly": (
        [
            op("mmap", 6, addr=0x10000000, len=PAGE, flags=FIXED),
            op("remap", 6, ro=1, source=6, destination=7, src_addr=0x10000000, size=PAGE),
            op("rs_memctl", 2, ep=7, req=1),
        ],
        0,
    ),
    "pin-enomem": (
        [op("mmap", 7, addr=0x10000000, len=400 * PAGE, flags=FIXED),
         op("rs_memctl", 2, ep=7, req=1)],
        -12,
    ),
    "reply-to-dead": ([op("kclear", ep=11), op("brk", addr=0x8050000)], 0),
    "memreq-bad-ep": (
        [{"op": "kmem", "reqs": [{"who": 4321, "mem": 0, "len": 1, "requestor": 11}]}],
        None,
    ),
    "fork-empty": (
        [op("munmap", addr=0, len=0xF0000000), op("fork", 0, endpoint=11, slot=12)],
        0,
    ),
    "vm-exits": (
        [op("willexit", 0, endpoint=8), op("exit", 0, endpoint=8), op("rs_memctl", 2, ep=7, req=1)],
        0,
    ),
    "clearend-too-big": (
        [
            *cached(),
            op("vfs_mmap", 1, who=11, dev=769, ino=7, vaddr=0x10000000, len=PAGE, fd=20,
               clearend=5000),
            op("pagefault", addr=0x10000000, flags=4),
        ],
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PANICS)
def test_panic(name: str) -> None:
    operations, without = PANICS[name]
    others = {"shared-split"} if name == "shared-source-shrunk" else set()
    _, out = run(operations, Quirks(frozenset({name} | others)))
    assert out[-1]["ev"] == "panic"
    assert f"(quirk {name})" in out[-1]["msg"]
    machine, out = run(operations, NO_QUIRKS)
    assert last_reply(out) == without
    assert not [event for event in out if event["ev"] == "panic"]
    check(machine.vm.memory)


def test_every_quirk_is_shown_somewhere() -> None:
    others = {name[5:].replace("_", "-") for name in globals() if name.startswith("test_")}
    assert set(VM_QUIRKS) <= set(SHOWN_BY) | set(PANICS) | others


def both(name: str, operations: list[Json], **options: Any) -> list[tuple[VmReplay, list[Json]]]:
    """The operations with the quirk alone, and without; the latter leaves VM in order."""
    with_quirk = run(operations, Quirks(frozenset({name})), **options)
    without = run(operations, NO_QUIRKS, **options)
    check(without[0].vm.memory)
    return [with_quirk, without]


def test_refcount_wrap() -> None:
    operations = cached()
    for number in range(1, 255):
        operations += mapped_file(number, 0x10000000 + number * 2 * PAGE)
    (_, out), (machine, after) = both("refcount-wrap", operations[:-2])
    assert last_reply(out) == last_reply(after) == 0
    (_, out), (machine, after) = both("refcount-wrap", operations)
    assert "(quirk refcount-wrap)" in out[-1]["msg"]
    assert last_reply(after) == 0
    assert machine.vm.memory.blocks.views.max() == 256


def test_slot_wrap() -> None:
    full = [
        op("munmap", addr=0, len=0xF0000000),
        op("mmap", addr=0, len=PAGE, flags=FIXED),
        op("mmap", addr=PAGE, len=0xF0000000 - PAGE, flags=FIXED),
        op("mmap", addr=0, len=PAGE, flags=ANON),
    ]
    (machine, out), (_, after) = both("slot-wrap", full)
    assert last_reply(after) == -12
    assert last_reply(out) == 0
    made = machine.vm.memory.processes[11].regions.greatest()
    assert made is not None
    assert made.vaddr == 0xF0000000 - PAGE


def test_unmap_overrun() -> None:
    operations = [
        op("mmap", addr=0x10000000, len=2 * PAGE, flags=FIXED),
        op("mmap", addr=0x10002000, len=PAGE, flags=FIXED),
        op("shm_unmap", forwhom=11, addr=0x10001000),
    ]
    (machine, out), (_, after) = both("unmap-overrun", operations)
    assert last_reply(out) == 0
    assert machine.vm.memory.processes[11].regions.exact(0x10002000) is None
    assert last_reply(after) == -22


def test_unchecked_callers() -> None:
    (_, out), (_, after) = both("unchecked-callers", [op("fork", endpoint=11, slot=12)])
    assert last_reply(out) == 0
    assert last_reply(after) == -1


def test_failed_mmap_keeps_fd() -> None:
    operations = mapped_file(1)
    operations[0]["len"] = 0xF0000000
    (_, out), (_, after) = both("failed-mmap-keeps-fd", operations)
    assert last_reply(out) == last_reply(after) == -12
    assert not [event for event in out if event["ev"] == "asynsend"]
    assert [event["fd"] for event in after if event["ev"] == "asynsend"] == [20]


def test_file_mmap_third_party() -> None:
    operations = [
        op("mmap", 2, addr=0x10000000, len=PAGE, flags=0x800002, fd=3, forwhom=11),
        op("vfs_reply", 1, endpoint=11, reqid=1, dev=769, ino=7, fd=20, size_pages=4),
    ]
    (_, out), (_, after) = both("file-mmap-third-party", operations)
    assert [event["to"] for event in out] == [11]
    assert [event["to"] for event in after] == [2]


def test_update_overlap() -> None:
    operations = [
        op("mmap", 4, addr=0x10000000, len=2 * PAGE, flags=FIXED | 0x80000),
        op("mmap", 5, addr=0x10001000, len=PAGE, flags=FIXED),
        op("munmap", 5, addr=TEXT, len=4 * PAGE),
        op("rs_update", 2, src_e=5, dst_e=4),
    ]
    (machine, out), (_, after) = both("update-overlap", operations)
    assert last_reply(out) == last_reply(after) == 0
    ends = [region.end for region in machine.vm.memory.processes[5].regions]
    starts = [region.vaddr for region in machine.vm.memory.processes[5].regions]
    assert any(end > start for end, start in zip(ends, starts[1:], strict=False))


def test_update_loses_sharers() -> None:
    operations = [
        op("mmap", 4, addr=0x10000000, len=PAGE, flags=FIXED),
        op("remap", 6, source=4, destination=11, src_addr=0x10000000, dest_addr=0x20000000,
           size=PAGE),
        op("rs_update", 2, src_e=5, dst_e=4, flags=0x100),
        op("pagefault", addr=0x20000000, flags=6),
    ]  # fmt: skip
    (_, out), (_, after) = both("update-loses-sharers", operations)
    assert "sys_kill" in [event["ev"] for event in out]
    assert "sys_kill" not in [event["ev"] for event in after]


def test_any_number_of_vfs_in_a_transaction() -> None:
    # The words are those of VM_PROCCTL: four of other calls, then HANDLEMEM of INIT's text.
    words = [0, 0, 0, 0, 2, 11, TEXT, 1, 0]
    raw = {"op": "raw", "src": 1, "type": 0xB42, "u32": words}
    (_, out), (_, after) = both("type-0xbXX", [raw])
    assert [(event["ev"], event["transid"]) for event in out[-1:]] == [("asynsend", 0xB42)]
    assert last_reply(after) == -78
