"""Loads and stores, page faults, and kernel calls that meet missing memory."""

from __future__ import annotations

from typing import Any

import pytest

from ipc.endpoint import NONE, SELF, VM
from ipc.errors import EDOM, EFAULT, EINVAL, ESRCH, OK
from ipc.flags import (
    CP_FLAG_TRY,
    VMCTL_CLEAR_PAGEFAULT,
    VMCTL_CLEARMAPCACHE,
    VMCTL_FLUSHTLB,
    VMCTL_GET_PDBR,
    VMCTL_I386_INVLPG,
    VMCTL_MEMREQ_GET,
    VMCTL_MEMREQ_REPLY,
    VMCTL_SETADDRSPACE,
    VMCTL_VMINHIBIT_CLEAR,
    VMCTL_VMINHIBIT_SET,
)
from ipc.kernelcalls import SysMemset, SysPhyscopy, SysVircopy, SysVmctl
from ipc.signals import SIGSEGV
from ipc.traps import Compute, Load, Receive, Store, trap
from kernel.faults import FAULT_PROTECTION, FAULT_USER, FAULT_WRITE
from kernel.flags import RTS_PROC_STOP
from kernel.memory.frames import PAGE_SIZE
from kernel.panic import Panic
from kernel.probes import KernelCalled, MemoryRequested, PageFaulted
from tests.kernel.machines import LIMIT, READABLE, Small, call

BASE = 0x10000
EDGE = BASE + PAGE_SIZE - 3


def faults(small: Small) -> list[tuple[int, int]]:
    """The faults that VM was told of."""
    return [(each.addr, each.flags) for each in small.vm.asked if hasattr(each, "addr")]


def test_a_store_faults_page_by_page_and_goes_on() -> None:
    small = Small()

    async def user() -> bytes:
        await trap(Store(EDGE, b"straddles"))
        return bytes(await trap(Load(EDGE, 9)))

    assert small.result(user, system=False) == b"straddles"
    write = FAULT_USER | FAULT_WRITE
    assert faults(small) == [(EDGE, write), (BASE + PAGE_SIZE, write)]


def test_a_load_of_what_nobody_wrote_reads_zeros() -> None:
    small = Small()

    async def user() -> bytes:
        return bytes(await trap(Load(BASE + PAGE_SIZE - 2, 4 + PAGE_SIZE)))

    assert small.result(user, system=False) == bytes(4 + PAGE_SIZE)
    assert [flags for _, flags in faults(small)] == [FAULT_USER] * 3


def test_a_write_to_a_page_for_reading_is_a_protection_fault() -> None:
    small = Small()

    async def user() -> None:
        await trap(Load(BASE, 1))
        space = small.machine.table.at(12).space
        space.set(BASE, space.lookup(BASE) & ~7 | READABLE)
        await trap(Store(BASE, b"x"))

    small.result(user, system=False)
    assert faults(small) == [
        (BASE, FAULT_USER), (BASE, FAULT_USER | FAULT_WRITE | FAULT_PROTECTION)
    ]  # fmt: skip


def test_what_was_stored_before_the_fault_stays_when_the_process_dies() -> None:
    small = Small()
    start = LIMIT - 2

    async def user() -> None:
        await trap(Store(start, b"abcd"))

    process = small.user("user", user, 30)
    space = process.space
    small.run()
    assert small.pm.signaled == [(process.endpoint, SIGSEGV)]
    assert small.machine.frames.read(space.translate(start), 2) == b"ab"


@pytest.mark.parametrize("length", [0, -5])
def test_an_access_of_nothing_does_nothing(length: int) -> None:
    small = Small()

    async def user() -> tuple[Any, Any]:
        return await trap(Load(BASE, length)), await trap(Store(BASE, b""))

    assert small.result(user, system=False) == (b"", None)
    assert small.vm.asked == []


def test_addresses_wrap_as_on_the_processor() -> None:
    small = Small()

    async def user() -> None:
        await trap(Store((1 << 32) + BASE, b"low"))
        await trap(Load(-1, 1))

    process = small.user("user", user, 30)
    small.run()
    assert faults(small)[0] == (BASE, FAULT_USER | FAULT_WRITE)
    assert faults(small)[-1] == (0xFFFFFFFF, FAULT_USER)
    assert small.pm.signaled == [(process.endpoint, SIGSEGV)]


def test_a_page_fault_of_vm_is_a_panic() -> None:
    small = Small()
    vm = small.machine.table.lookup(VM)
    assert vm is not None
    vm.space = small.machine.mmu.new()
    vm.coroutine.close()  # type: ignore[union-attr]

    async def touch() -> None:
        await trap(Load(BASE, 1))

    small.machine.start(vm, touch)
    with pytest.raises(Panic, match="pagefault in VM at 0x10000"):
        small.machine.run_quiet_nowait()


def test_a_system_process_without_page_tables_has_memory_of_its_own() -> None:
    small = Small()

    async def server() -> bytes:
        await trap(Store(BASE, b"mine"))
        return bytes(await trap(Load(BASE, 4)))

    assert small.result(server) == b"mine"
    assert small.machine.frames.contents == {}


# Kernel calls that copy.


async def idle() -> None:
    await trap(Receive())


def copying(small: Small) -> int:
    """A user process with an empty address space; its endpoint."""
    small.machine.table.privileges[16].trap_mask = (1 << 17) - 1
    return small.user("target", idle, 30).endpoint


def test_a_copy_into_missing_memory_waits_for_vm_and_is_done_again() -> None:
    small = Small()
    events: list[Any] = []
    small.machine.probes.listen(events.append)
    target = copying(small)

    async def server() -> tuple[int, bytes]:
        await trap(Store(BASE, b"from server"))
        there = SysVircopy(SELF, BASE, target, EDGE, 11)
        back = SysVircopy(target, EDGE, SELF, BASE + 100, 11)
        codes = (await call(there)).type or (await call(back)).type
        return codes, bytes(await trap(Load(BASE + 100, 11)))

    assert small.result(server) == (OK, b"from server")
    requests = [event for event in events if isinstance(event, MemoryRequested)]
    assert [(each.target, each.address, each.length, each.write) for each in requests] == [
        (target, EDGE, 11, True)
    ]
    results = [e.result for e in events if isinstance(e, KernelCalled) and e.process == 20]
    assert results[0] is None  # told once that it waits, and once what came of it
    assert not any(isinstance(event, PageFaulted) for event in events)


@pytest.mark.parametrize(
    ("flags", "address", "code"),
    [
        (CP_FLAG_TRY, BASE, EFAULT),  # tries only
        (0, LIMIT, EFAULT),  # VM refuses
        (0, BASE, OK),
    ],
)
def test_what_a_copy_answers(flags: int, address: int, code: int) -> None:
    small = Small()
    target = copying(small)

    async def server() -> int:
        request = SysVircopy(SELF, BASE, target, address, 4, flags)
        return int((await call(request)).type)

    assert small.result(server) == code
    asked_vm = any(hasattr(each, "requestor") for each in small.vm.asked)
    assert asked_vm == (not flags)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (SysVircopy(SELF, BASE, SELF, BASE, 0), EDOM),
        (SysVircopy(99, BASE, SELF, BASE, 4), EINVAL),
        (SysVircopy(SELF, BASE, 99, BASE, 4), EINVAL),
        (SysPhyscopy(NONE, 0, NONE, PAGE_SIZE, 4), OK),
        (SysMemset(BASE, 10, 7, 99), ESRCH),
        (SysMemset(BASE, 10, 7, 20), OK),
        (SysMemset(BASE, 10, 7, NONE), OK),
    ],
)
def test_bad_copies_and_good_ones(request_: Any, code: int) -> None:
    async def server() -> int:
        return int((await call(request_)).type)

    assert Small().result(server) == code


def test_physical_memory_is_named_none() -> None:
    small = Small()

    async def server() -> bytes:
        await call(SysMemset(0x5000, 6, ord("x"), NONE))
        await call(SysPhyscopy(NONE, 0x5000, SELF, BASE, 6))
        return bytes(await trap(Load(BASE, 6)))

    assert small.result(server) == b"xxxxxx"
    assert small.machine.frames.read(0x5000, 7) == b"xxxxxx\0"


def test_requests_for_memory_are_served_latest_first_and_only_the_first_rings() -> None:
    small = Small()
    target = copying(small)
    codes: list[int] = []

    def server(address: int) -> Any:
        async def main() -> None:
            codes.append((await call(SysMemset(address, 4, 1, target))).type)

        return main

    for slot in (20, 21, 22):
        small.server(f"server{slot}", server(BASE + slot * PAGE_SIZE), slot)
    small.run()
    assert codes == [OK] * 3
    wanted = [each for each in small.vm.asked if hasattr(each, "requestor")]
    assert [each.requestor for each in wanted] == [22, 21, 20]
    assert len(small.vm.asked) == len(wanted) + 1


def test_a_process_that_dies_waiting_for_memory_is_not_asked_for() -> None:
    small = Small()
    machine = small.machine
    target = copying(small)
    machine.run_nowait()
    vm = machine.table.lookup(VM)
    assert vm is not None
    machine.ready.block(vm, RTS_PROC_STOP)

    async def server() -> None:
        await call(SysMemset(BASE, 4, 1, target))

    process = small.server("server", server, 20)
    machine.run_nowait()
    assert machine.copier.requests == [process]
    machine.bury(process)
    machine.ready.unblock(vm, RTS_PROC_STOP)
    small.run()
    assert not any(hasattr(each, "requestor") for each in small.vm.asked)


@pytest.mark.parametrize(
    ("parameter", "code"),
    [
        (VMCTL_CLEAR_PAGEFAULT, EINVAL),  # it has none
        (VMCTL_MEMREQ_REPLY, EINVAL),
        (VMCTL_VMINHIBIT_CLEAR, EINVAL),
        (VMCTL_SETADDRSPACE, EINVAL),  # it has no page tables
        (VMCTL_CLEARMAPCACHE, OK),
        (VMCTL_FLUSHTLB, OK),
        (VMCTL_I386_INVLPG, OK),
        (VMCTL_GET_PDBR, OK),
        (999, EINVAL),
    ],
)
def test_vmctl_refuses_what_makes_no_sense(parameter: int, code: int) -> None:
    async def server() -> int:
        return int((await call(SysVmctl(SELF, parameter))).type)

    assert Small().result(server) == code


def test_vm_can_keep_a_process_from_running() -> None:
    small = Small()
    ran: list[str] = []

    async def user() -> None:
        ran.append("user")

    async def inhibit() -> list[Any]:
        codes = [(await call(SysVmctl(30, VMCTL_VMINHIBIT_SET))).type]
        await trap(Compute(1))
        codes.append(list(ran))
        codes.append((await call(SysVmctl(30, VMCTL_VMINHIBIT_CLEAR))).type)
        return codes

    small.server("inhibit", inhibit, 20)
    small.user("user", user, 30)
    small.run()
    assert small.results["inhibit"] == [OK, [], OK]
    assert ran == ["user"]


def test_memreq_get_without_requests_is_enoent() -> None:
    async def server() -> int:
        return int((await call(SysVmctl(SELF, VMCTL_MEMREQ_GET))).type)

    assert Small().result(server) == -2
