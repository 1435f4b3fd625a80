"""What the calls answer without quirks, and what they leave behind."""

from __future__ import annotations

from typing import Any, Final

import pytest

from ipc import vm
from ipc.message import Reply
from scenarios.campaign.vm_operations import PAGE
from servers.vm.sanity import check
from servers.vm.server import CALLERS, VmServer
from tests.servers.vm.kit import (
    ANON,
    FIXED,
    PREALLOC,
    TEXT,
    cached,
    carry_on,
    last_reply,
    mapped_file,
    op,
    run,
)

Json = dict[str, Any]
CONTIG: Final = PREALLOC | 0x100000

# What is done before, the call, and its result.
ANSWERS: Final[dict[str, tuple[list[Json], Json, int | None]]] = {
    "mmap of nothing": ([], op("mmap", len=0, flags=ANON), -22),
    "mmap of too much": ([], op("mmap", len=0xF0000000, flags=ANON), -12),
    "mmap with length that wraps": ([], op("mmap", len=0xFFFFFFFF, flags=ANON), -12),
    "mmap unaligned": ([], op("mmap", addr=0x10000123, len=PAGE, flags=ANON), -22),
    "mmap anonymous with a file": ([], op("mmap", len=PAGE, flags=ANON, fd=3), -22),
    "mmap contiguous on demand": ([], op("mmap", len=PAGE, flags=ANON | 0x100000), -22),
    "mmap for another": ([], op("mmap", len=PAGE, flags=ANON | 0x800000, forwhom=5), -1),
    "mmap for another by VFS": ([], op("mmap", 1, len=PAGE, flags=ANON | 0x800000, forwhom=5), 0),
    "mmap for nobody": ([], op("mmap", 1, len=PAGE, flags=ANON | 0x800000, forwhom=99), -3),
    "mmap uninitialized": ([], op("mmap", len=PAGE, flags=ANON | 0x40000), -12),
    "mmap of too many frames": ([], op("mmap", len=300 * PAGE, flags=PREALLOC), -12),
    "mmap of too many frames in a row": ([], op("mmap", len=200 * PAGE, flags=CONTIG), -12),
    "mmap shared file to write": ([], op("mmap", len=PAGE, flags=1, prot=3, fd=3), -6),
    "mmap fixed above the top": ([], op("mmap", addr=0xF0000000, len=PAGE, flags=FIXED), -12),
    "munmap of nothing": ([], op("munmap", addr=0x50000000, len=PAGE), 0),
    "munmap of no length": ([], op("munmap", addr=TEXT, len=0), -22),
    "munmap unaligned": ([], op("munmap", addr=TEXT + 1, len=PAGE), -14),
    "munmap of part of contiguous memory": (
        [op("mmap", 3, addr=0x10000000, len=3 * PAGE, flags=0x181012)],
        op("munmap", 3, addr=0x10000000, len=PAGE),
        -22,
    ),
    "brk above user memory": ([], op("brk", addr=0xF8000000), -12),
    "brk below all": ([op("munmap", addr=0, len=TEXT)], op("brk", addr=0x1000), -12),
    "brk into the next region": (
        [op("mmap", addr=TEXT + 5 * PAGE, len=PAGE, flags=FIXED)],
        op("brk", addr=TEXT + 6 * PAGE),
        0,
    ),
    "fork of nobody": ([], op("fork", 0, endpoint=99, slot=12), -22),
    "fork into no slot": ([], op("fork", 0, endpoint=11, slot=256), -22),
    "fork into a busy slot": ([], op("fork", 0, endpoint=11, slot=7), -22),
    "fork by a user": ([], op("fork", endpoint=11, slot=12), -1),
    "exit unannounced": ([], op("exit", 0, endpoint=11), -22),
    "exit of VM": ([], op("willexit", 0, endpoint=8), -1),
    "procctl of a strange kind": ([], op("procctl", 1, who=11, param=7), -22),
    "procctl clear by a user": ([], op("procctl", who=11, param=1), -1),
    "procctl memory by PM": ([], op("procctl", 0, who=11, param=2), -1),
    "procctl clear": ([], op("procctl", 1, who=11, param=1), 0),
    "remap of nothing": ([], op("remap", 6, source=11, destination=6, src_addr=TEXT), -22),
    "remap of part": ([], op("remap", 6, source=11, destination=6, src_addr=TEXT, size=PAGE), -14),
    "remap of no region": (
        [], op("remap", 6, source=11, destination=6, src_addr=PAGE, size=PAGE), -22,
    ),
    "remap of the dead": (
        [], op("remap", 6, source=99, destination=6, src_addr=TEXT, size=4 * PAGE), -22,
    ),
    "getphys inside a region": ([], op("getphys", 6, endpt=11, addr=TEXT + PAGE), -22),
    "getref of device memory": (
        [op("map_phys", 5, phaddr=0xB8000, len=PAGE)],
        op("getref", 6, endpt=5, addr=0xEFFFE000),
        -22,
    ),
    "map_phys of nothing": ([], op("map_phys", 5, len=0), -22),
    "map_phys that wraps": ([], op("map_phys", 5, phaddr=0xFFFFF000, len=2 * PAGE), -22),
    "map_phys not permitted": ([], op("map_phys", phaddr=0xB8000, len=PAGE), -1),
    "map_phys permitted": ([], op("map_phys", phaddr=0xB8000, len=PAGE, privquery=0), 0),
    "map_phys for the dead": ([], op("map_phys", 5, ep=99, phaddr=0xB8000, len=PAGE), -22),
    "unmap_phys of text": ([], op("unmap_phys", vaddr=TEXT), -22),
    "unmap_phys of another's": ([], op("unmap_phys", ep=0, vaddr=TEXT), -1),
    "unmap_phys unaligned": ([], op("unmap_phys", vaddr=0x10000001), -14),
    "unmap_phys of nothing": ([], op("unmap_phys", vaddr=0x10000000), -14),
    "info of a strange kind": ([], op("info", what=9), -22),
    "info into nothing": ([], op("info", what=1, ptr=0x50000000), -14),
    "info of the dead": ([], op("info", what=2, ep=99, ptr=TEXT), -22),
    "info of no regions": ([], op("info", what=3, count=0, ptr=TEXT), 0),
    "mapcache of nothing": ([], op("mapcache", 10, dev=1, pages=1), -2),
    "mapcache of no pages": ([], op("mapcache", 10, dev=1), -22),
    "mapcache unaligned": ([], op("mapcache", 10, dev=1, dev_offset=5, pages=1), -14),
    "setcache of no memory": ([], op("setcache", 10, dev=1, block=0x50000000, pages=1), -14),
    "setcache of untouched memory": ([], op("setcache", 10, dev=1, block=TEXT, pages=1), -14),
    "setcache of no device": ([], op("setcache", 10, block=TEXT, pages=1), -22),
    "setcache of another file's page": (
        [*cached(), *mapped_file(1, 0x20000000)],
        op("setcache", dev=1, block=0x20000000, pages=1),
        -14,
    ),
    "forgetcache of nothing": ([], op("forgetcache", 10, dev=1, pages=1), 0),
    "forgetcache unaligned": ([], op("forgetcache", 10, dev=1, dev_offset=1, pages=1), -14),
    "getrusage by a user": ([], op("getrusage", endpt=99), 0),
    "getrusage of the dead": ([], op("getrusage", 0, endpt=99, addr=TEXT), -3),
    "getrusage that cannot be copied": (
        [], op("getrusage", 0, endpt=11, addr=TEXT, copy_result=-14), -14,
    ),
    "set_priv of the dead": ([], op("rs_set_priv", 2, nr=99), -22),
    "set_priv of a service without a mask": ([], op("rs_set_priv", 2, nr=6, sys=1), -22),
    "prepare without a heap": ([], op("rs_prepare", 2, src_e=4, dst_e=5), -22),
    "update of the dead": ([], op("rs_update", 2, src_e=4, dst_e=99), -22),
    "update that the kernel refuses": (
        [], op("rs_update", 2, src_e=4, dst_e=5, update_result=-1), -1,
    ),
    "memctl of a strange kind": ([], op("rs_memctl", 2, ep=4, req=9), -22),
    "memctl of the dead": ([], op("rs_memctl", 2, ep=99), -22),
    "a third VM": (
        [op("rs_memctl", 2, ep=4, req=1)], op("rs_memctl", 2, ep=5, req=1), -1,
    ),
    "an unknown call": ([], {"op": "raw", "src": 11, "type": 3076}, -78),
    "a page fault that is none": ([], op("pagefault", addr=TEXT, flags=6, faked=1), -1),
    "an answer of VFS from a user": ([], op("vfs_reply", reqid=1), -1),
    "an answer that nobody waits for": ([], op("vfs_reply", 1, reqid=1), None),
    "a notification": ([], op("notify"), None),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_answer(case: str) -> None:
    before, call, result = ANSWERS[case]
    machine, out = run([*before, call])
    assert last_reply(out) == result
    check(machine.vm.memory)


def test_every_message_to_vm_has_a_handler() -> None:
    requests = {each.name: each.type for each in vm.MESSAGES if not issubclass(each, Reply)}
    # A page fault is no call; the others have a number, but MINIX's table has no entry for them.
    for name in ("VM_PAGEFAULT", "VM_EXEC_NEWMEM", "VM_ADDDMA", "VM_DELDMA", "VM_GETDMA"):
        del requests[name]
    assert set(VmServer.CALLS) == set(requests.values())
    assert set(CALLERS) <= set(VmServer.CALLS)


def test_access_control() -> None:
    masked = [op("rs_set_priv", 2, nr=6, sys=1, buf=TEXT, calls=[2])]
    machine, out = run([*masked, op("brk", 6, addr=TEXT + 5 * PAGE)])
    assert last_reply(out) == 0
    assert last_reply(carry_on(machine, [op("mmap", 6, len=PAGE, flags=ANON)])) == -78
    # A child of a user has the users' list, a child of a service none.
    carry_on(machine, [op("rs_set_priv", 2, nr=11, sys=0, buf=TEXT, calls=[2, 10])])
    carry_on(machine, [op("fork", 0, endpoint=11, slot=12, msgaddr=TEXT)])
    assert last_reply(carry_on(machine, [op("munmap", 0x800C, addr=TEXT, len=PAGE)])) == -78
    carry_on(machine, [op("fork", 0, endpoint=6, slot=13, msgaddr=TEXT)])
    assert last_reply(carry_on(machine, [op("munmap", 0x800D, addr=TEXT, len=PAGE)])) == 0
    # There are only so many lists; who comes too late may do everything.
    acls = machine.vm.acls
    for slot in range(11):
        for further in range(8):
            acls.set(machine.vm.memory.slot(100 + slot * 8 + further), 0, system=True)
    late = machine.vm.memory.slot(100 + 87)
    assert late.acl == -1
    assert acls.allow(late, 3)


def test_fork_shares_until_one_writes() -> None:
    machine, out = run(
        [
            op("pagefault", addr=TEXT, flags=6),
            op("pagefault", addr=TEXT + PAGE, flags=6),
            op("fork", 0, endpoint=11, slot=12, msgaddr=TEXT),
        ]
    )
    memory = machine.vm.memory
    parent, child = memory.processes[11], memory.processes[12]
    assert out[-1]["child"] == child.endpoint == 0x800C
    assert parent.space.lookup(TEXT + PAGE) == child.space.lookup(TEXT + PAGE)
    assert parent.space.translate(TEXT + PAGE, write=True) == -1
    assert (child.total, child.minor_faults) == (2 * PAGE, 0)
    carry_on(machine, [op("pagefault", 0x800C, addr=TEXT + PAGE, flags=7)])
    assert parent.space.lookup(TEXT + PAGE) & ~2 != child.space.lookup(TEXT + PAGE) & ~2
    # The parent has it alone now, and needs no copy.
    free = memory.allocator.free_count
    carry_on(machine, [op("pagefault", 11, addr=TEXT + PAGE, flags=7)])
    assert memory.allocator.free_count == free
    carry_on(machine, [op("willexit", 0, endpoint=0x800C), op("exit", 0, endpoint=0x800C)])
    assert memory.allocator.free_count == free + 2
    check(memory)


def test_a_file_page_is_fetched_once() -> None:
    machine, _ = run([*mapped_file(1, 0x20000000), op("pagefault", addr=0x20000000, flags=4)])
    memory = machine.vm.memory
    assert memory.processes[11].major_faults == 1
    out = carry_on(machine, [*cached(), op("vfs_reply", 1, endpoint=11, reqid=2)])
    assert [event["ev"] for event in out] == ["sys_vmctl", "sys_vmctl"]
    assert memory.processes[11].minor_faults == 0
    # The second one to map the file gets the page at once.
    carry_on(machine, [op("fork", 0, endpoint=11, slot=12, msgaddr=TEXT)])
    carry_on(machine, mapped_file(3, 0x30000000, src=0x800C))
    assert memory.processes[12].space.lookup(0x30000000) & 1
    # A writer gets a copy, which is anonymous.
    writable = op("mmap", addr=0x40000000, len=PAGE, prot=3, flags=2, fd=3)
    carry_on(machine, [writable, op("vfs_reply", 1, endpoint=11, reqid=4, dev=769, ino=7, fd=20)])
    carry_on(machine, [op("pagefault", addr=0x40000000, flags=7)])
    region = memory.processes[11].regions.exact(0x40000000)
    assert region is not None
    assert region.kind_of(0).name == "anon"
    check(memory)


def test_a_page_that_cannot_be_fetched() -> None:
    machine, _ = run([*mapped_file(1, 0x20000000), op("pagefault", addr=0x20000000, flags=4)])
    out = carry_on(machine, [op("vfs_reply", 1, endpoint=11, reqid=2, result=-5)])
    assert [event["ev"] for event in out] == ["sys_kill", "sys_vmctl"]
    region = machine.vm.memory.processes[11].regions.exact(0x20000000)
    assert region is not None
    assert not region.resident()


def test_memory_for_the_kernel_waits_for_vfs() -> None:
    wanted = {"op": "kmem", "reqs": [
        {"who": 11, "mem": 0x20000000, "len": 1, "wrflag": 0, "requestor": 6},
        {"who": 11, "mem": TEXT, "len": 2 * PAGE, "wrflag": 1, "requestor": 5},
    ]}  # fmt: skip
    machine, out = run([*mapped_file(1, 0x20000000), wanted])
    replies = [(event["ep"], event["val"]) for event in out if event.get("what") == "MEMREQ_REPLY"]
    assert replies == [(5, 0)]
    out = carry_on(machine, [op("vfs_reply", 1, endpoint=11, reqid=2, result=-5)])
    assert [(event["ep"], event["val"]) for event in out] == [(6, -5)]
    # VFS itself does not wait for VFS.
    wanted["reqs"] = [{"who": 11, "mem": 0x20000000, "len": 1, "requestor": 1}]
    out = carry_on(machine, [wanted])
    assert [event["val"] for event in out if event["ev"] == "sys_vmctl"] == [-14, 0]


def test_a_transaction_is_answered_in_it() -> None:
    _, out = run([op("procctl", 1, param=2, who=11, m1=TEXT, len=1, transid=0xB05)])
    assert [(event["transid"], event["result"], event["flags"]) for event in out[-1:]] == [
        (0xB05, 0, 8)
    ]
    _, out = run([op("procctl", 1, param=2, who=99, transid=0xB05)])
    assert (out[-1]["transid"], out[-1]["result"]) == (0xB05, -22)


def test_contiguous_memory_is_in_a_row() -> None:
    machine, _ = run([op("mmap", 3, addr=0x10000000, len=8 * PAGE, flags=0x181012)])
    space = machine.vm.memory.processes[3].space
    first = space.translate(0x10000000, write=True)
    assert [space.translate(0x10000000 + page * PAGE) for page in range(8)] == [
        first + page * PAGE for page in range(8)
    ]
    assert last_reply(carry_on(machine, [op("fork", 0, endpoint=3, slot=12, msgaddr=TEXT)])) == -12
    assert not machine.vm.memory.processes[12].flags
    check(machine.vm.memory)


def test_fixed_keeps_what_was_there_if_it_fails() -> None:
    machine, _ = run([op("pagefault", addr=TEXT, flags=6)])
    before = machine.vm.memory.processes[11].space.lookup(TEXT)
    out = carry_on(machine, [op("mmap", addr=TEXT, len=300 * PAGE, flags=PREALLOC | 0x10)])
    assert last_reply(out) == -12
    assert machine.vm.memory.processes[11].space.lookup(TEXT) == before
    assert (
        last_reply(carry_on(machine, [op("mmap", addr=TEXT, len=PAGE, flags=PREALLOC | 16)])) == 0
    )
    assert machine.vm.memory.processes[11].space.lookup(TEXT) != before
    check(machine.vm.memory)


def shown_in(process: int) -> Json:
    """INIT's text shown in another process."""
    return op(
        "remap", 6, source=11, destination=process, src_addr=TEXT, size=4 * PAGE,
        dest_addr=0x20000000,
    )  # fmt: skip


def test_a_shared_region_that_forks_gives_the_child_copies() -> None:
    machine, _ = run(
        [
            op("pagefault", addr=TEXT, flags=6),
            shown_in(6),
            op("pagefault", 6, addr=0x20000000, flags=6),
            op("fork", 0, endpoint=11, slot=12, msgaddr=TEXT),
        ]
    )  # fmt: skip
    memory = machine.vm.memory
    owner, sharer, child = memory.processes[11], memory.processes[6], memory.processes[12]
    frame = owner.space.translate(TEXT, write=True)
    assert frame == sharer.space.translate(0x20000000, write=True)
    assert child.space.translate(TEXT) != frame
    check(memory)


def test_usage() -> None:
    machine, _ = run(
        [
            op("pagefault", addr=TEXT, flags=6),
            op("pagefault", addr=TEXT + PAGE, flags=6),
            shown_in(11),
            op("pagefault", addr=0x20000000, flags=6),
            op("pagefault", addr=TEXT + 3 * PAGE, flags=6),
        ]
    )  # fmt: skip
    out = carry_on(machine, [op("info", what=2, ep=11, ptr=TEXT)])
    assert out[0]["data"] == {
        "total": 4 * PAGE, "common": 2 * PAGE, "shared": PAGE, "virtual": (4 << 20) + 8 * PAGE,
        "mvirtual": 8 * PAGE, "maxrss": 16, "minflt": 4, "majflt": 0,
    }  # fmt: skip
    out = carry_on(machine, [op("info", what=3, ep=11, count=9, ptr=TEXT)])
    assert out[0]["data"] == [[TEXT, 4 * PAGE, 3], [0x20000000, PAGE, 3]]
    out = carry_on(machine, [op("info", what=3, ep=11, count=1, next=TEXT + PAGE, ptr=TEXT)])
    assert (out[0]["data"][0][0], out[-1]["next"]) == (0x20000000, 0x20004000)
    out = carry_on(machine, [op("info", what=1, ptr=TEXT)])
    assert out[0]["data"]["free"] == machine.vm.memory.allocator.free_count
    for endpoint in (8, -2):
        out = carry_on(machine, [op("info", what=2, ep=endpoint, ptr=TEXT)])
        assert out[0]["data"]["total"] == 0
