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
from tests.servers.vm.kit import (
    ANON,
    FIXED,
    TEXT,
    cached,
    carry_on,
    last_reply,
    mapped_file,
    op,
    run,
)

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
    "setcache-unaligned": (
        [
            op("mmap", 10, addr=0x30000000, len=2 * PAGE, flags=FIXED),
            op("setcache", 10, dev=769, ino=7, block=0x30000123, pages=1),
        ],
        -14,
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


@pytest.mark.parametrize("source", [1, 2, 11])
@pytest.mark.parametrize("number", [3117, 0xA01])  # VM_PROCCTL, and a call of file systems
def test_a_known_call_in_a_transaction(source: int, number: int) -> None:
    raw = {"op": "raw", "src": source, "type": number << 16 | 0xB01, "u32": [0] * 9}
    # From VFS it is VM_PROCCTL, for a dead process, which is answered at once.
    quirk = "type-0xbXX" if source != 1 else "transid-not-suspend"
    _, out = run([raw], Quirks(frozenset({"type-0xbXX", "transid-not-suspend"})))
    assert f"(quirk {quirk})" in out[-1]["msg"]
    _, out = run([raw])
    if source == 1 and number == 3117:
        assert out[-1]["ev"] == "asynsend"
    else:
        assert last_reply(out) == -78


def test_a_transaction_of_others_is_no_call_that_a_list_could_forbid() -> None:
    # DS has a call mask, which permits nothing.
    mask = op("rs_set_priv", 2, nr=6, sys=1, buf=TEXT, calls=[])
    raw = {"op": "raw", "src": 6, "type": 3117 << 16 | 0xB01, "u32": [0] * 9}
    (_, out), (_, after) = both("type-0xbXX", [mask, raw])
    assert "(quirk type-0xbXX)" in out[-1]["msg"]
    assert last_reply(after) == -78


def test_a_count_that_wrapped_cannot_come_down() -> None:
    operations = cached(pages=2)
    for number in range(1, 129):
        operations += mapped_file(number, 0x10000000 + number * 2 * PAGE)
    operations += [
        op("munmap", 10, addr=0x30000000, len=2 * PAGE),
        op("fork", 0, endpoint=11, slot=12),
        op("munmap", addr=0x10000000 + 2 * PAGE, len=PAGE),
    ]
    (_, out), (machine, after) = both("refcount-wrap", operations)
    assert "(quirk refcount-wrap)" in out[-1]["msg"]
    assert last_reply(after) == 0
    assert machine.vm.memory.blocks.views.max() == 256


def test_a_region_on_top_of_another_takes_that_one_away() -> None:
    operations = [
        op("munmap", addr=0, len=0xF0000000),
        op("mmap", addr=0, len=PAGE, flags=FIXED),
        op("mmap", addr=PAGE, len=0xF0000000 - PAGE, flags=FIXED),
        op("mmap", addr=0, len=PAGE, flags=ANON),
        op("mapcache", dev=769, pages=1),
        op("willexit", 0, endpoint=11),
        op("exit", 0, endpoint=11),
    ]
    (machine, out), _ = both("slot-wrap", operations)
    assert last_reply(out) == 0
    assert machine.vm.memory.process(11) is None


def test_cut_keeps_clearend() -> None:
    operations = [
        op("vfs_mmap", 1, who=11, dev=769, ino=7, vaddr=0x10000000, len=3 * PAGE, fd=20,
           clearend=100, flags=0x8000),
        *cached(pages=3),
        op("munmap", addr=0x10002000, len=PAGE),
        op("pagefault", addr=0x10001000, flags=4),
    ]  # fmt: skip
    (machine, _), (without, _) = both("cut-keeps-clearend", operations)
    for each, copied in ((machine, True), (without, False)):
        region = each.vm.memory.processes[11].regions.exact(0x10000000)
        assert region is not None
        assert (each.vm.memory.blocks.refs[region.block(1)] == 1) is copied


def test_a_file_mapping_whose_length_wraps() -> None:
    operations = mapped_file(1)
    operations[0] |= {"len": 0xFFFFFFFF, "offset": 2}
    (_, out), (_, after) = both("mmap-len-wrap", operations)
    assert last_reply(out) == 0
    assert last_reply(after) == -12
    assert [event["fd"] for event in after if event["ev"] == "asynsend"] == [20]


def test_shm_unmap_of_others_is_of_shared_memory_only() -> None:
    (_, out), (_, after) = both(
        "unmap-phys-any-proc", [op("shm_unmap", forwhom=1, addr=TEXT)]
    )  # fmt: skip
    assert last_reply(out) == 0
    assert last_reply(after) == -22
    shared = op("shm_unmap", 7, forwhom=11, addr=0x20000000)
    assert last_reply(run([*SHARED, shared])[1]) == 0


def test_heap_prealloc_wrap() -> None:
    operations = [
        op("mmap", 7, addr=0, len=PAGE, flags=FIXED),
        op("rs_memctl", 2, ep=7, req=2, len=0xFFFFF800),
    ]
    (_, out), (_, after) = both("heap-prealloc-wrap", operations)
    assert last_reply(out) == 0
    assert last_reply(after) == -12


def test_shared_source_gone() -> None:
    operations = [
        *SHARED,
        op("pagefault", addr=0x20000000, flags=6),
        op("munmap", 6, addr=0x10000000, len=2 * PAGE),
        op("procctl", 1, param=2, who=11, m1=0x20000000, len=1, flags=0),
    ]
    (machine, out), (without, after) = both("shared-source-gone", operations)
    assert [event["type"] for event in out + after if event["ev"] == "asynsend"] == [-22, 0]
    for each, stays in ((machine, False), (without, True)):
        region = each.vm.memory.processes[11].regions.exact(0x20000000)
        assert region is not None
        assert bool(region.block(0)) is stays


def test_asynsend_full() -> None:
    for quirks, panics in ((Quirks(frozenset({"asynsend-full"})), True), (NO_QUIRKS, False)):
        machine, _ = run([], quirks)
        machine.vm.table.capacity = 0
        out = carry_on(machine, [op("rs_init", 2)])
        assert (out[-1]["ev"] == "panic") is panics
        assert not panics or "(quirk asynsend-full)" in out[-1]["msg"]


def test_vfs_reply_no_error() -> None:
    operations = [
        *mapped_file(1, 0x10000000),
        {"op": "kmem", "reqs": [{"who": 11, "mem": 0x10000000, "len": 1, "requestor": 5}]},
        op("vfs_reply", 1, endpoint=11, reqid=2, result=5),
    ]
    (_, out), (_, after) = both("vfs-reply-no-error", operations)
    assert [event["val"] for event in out + after] == [5, -14]


# What an early return left behind, with quirks or without.


def test_a_fork_that_fails_keeps_the_parents_list() -> None:
    operations = [
        op("rs_set_priv", 2, nr=7, sys=1, buf=TEXT, calls=[10]),
        op("mmap", 7, addr=0x10000000, len=PAGE, flags=0x181012),
        op("fork", 0, endpoint=7, slot=12),
    ]
    machine, out = run(operations)
    assert last_reply(out) == -12
    vm = machine.vm
    parent = vm.memory.processes[7]
    assert vm.acls.used[parent.acl]
    assert vm.memory.slot(12).acl != parent.acl


@pytest.mark.parametrize(
    ("start", "length", "result"),
    [(0xFFF, 0xFFFFE002, -22), (0xFFFF0000, 0x10000, 0), (0xFFFF0000, 0x10001, -22)],
)
def test_the_end_of_physical_memory(start: int, length: int, result: int) -> None:
    machine, out = run([op("map_phys", 3, ep=3, phaddr=start, len=length)])
    assert last_reply(out) == result
    check(machine.vm.memory)


def test_a_third_party_hears_that_the_target_died() -> None:
    operations = [
        op("mmap", 2, addr=0x10000000, len=PAGE, flags=0x800002, fd=3, forwhom=11),
        op("willexit", 0, endpoint=11),
        op("exit", 0, endpoint=11),
        op("vfs_reply", 1, endpoint=11, reqid=1, dev=769, ino=7, fd=20, size_pages=4),
    ]
    _, out = run(operations)
    assert [(event["ev"], event.get("to")) for event in out if event["ev"] == "reply"] == [
        ("reply", 2)
    ]
    assert last_reply(out) == -3


def test_a_new_vm_that_cannot_be_pinned_does_not_count() -> None:
    operations = [
        op("mmap", 7, addr=0x10000000, len=400 * PAGE, flags=FIXED),
        op("rs_memctl", 2, ep=7, req=1),
    ]
    machine, out = run(operations)
    assert last_reply(out) == -12
    assert machine.vm.memory.vm_instances == 1
    out = carry_on(
        machine,
        [op("munmap", 7, addr=0x10000000, len=400 * PAGE), op("rs_memctl", 2, ep=7, req=1)],
    )
    assert last_reply(out) == 0


@pytest.mark.parametrize("flags", [0x80, 0x100])
def test_an_update_that_shares_nothing_may_be_of_an_empty_service(flags: int) -> None:
    operations = [
        op("munmap", 4, addr=TEXT, len=4 * PAGE),
        op("rs_update", 2, src_e=4, dst_e=5, flags=flags),
    ]
    (_, out), (_, after) = both("rs-update-empty", operations)
    assert last_reply(out) == last_reply(after) == 0


def test_a_fault_of_a_process_that_vm_does_not_know() -> None:
    _, out = run([op("pagefault", 4321, addr=TEXT, flags=4)])
    done = [(event["ev"], event["ep"]) for event in out[-2:]]
    assert done == [("sys_kill", 4321), ("sys_vmctl", 4321)]


def test_vfs_finds_a_file_for_another_than_who_asked() -> None:
    operations = mapped_file(1)
    operations[-1]["endpoint"] = 0
    _, out = run(operations)
    assert [event["fd"] for event in out if event["ev"] == "asynsend"] == [20]
    assert last_reply(out) == -22
