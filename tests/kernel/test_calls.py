"""Kernel calls: lives of processes, scheduling, privileges, devices, information, live update."""

from __future__ import annotations

import struct
from typing import Any

import attrs
import pytest

from ipc import kernelcalls
from ipc.endpoint import ANY, HARDWARE, INIT, NONE, PM, SELF, VM, make_endpoint
from ipc.errors import (
    E2BIG,
    EBADREQUEST,
    EBUSY,
    ECALLDENIED,
    EINVAL,
    ENOMEM,
    ENOSPC,
    EPERM,
    OK,
)
from ipc.flags import (
    DIAGCTL_CODE_DIAG,
    DIAGCTL_CODE_REGISTER,
    DIAGCTL_CODE_STACKTRACE,
    GET_HZ,
    GET_IDLETSC,
    GET_IMAGE,
    GET_MACHINE,
    GET_WHOAMI,
    IRQ_DISABLE,
    IRQ_ENABLE,
    IRQ_REENABLE,
    IRQ_RMPOLICY,
    IRQ_SETPOLICY,
    PFF_VMINHIBIT,
    SCHEDCTL_FLAG_KERNEL,
    SYS_PRIV_ADD_IO,
    SYS_PRIV_ADD_IRQ,
    SYS_PRIV_ADD_MEM,
    SYS_PRIV_ALLOW,
    SYS_PRIV_DISALLOW,
    SYS_PRIV_QUERY_MEM,
    SYS_PRIV_SET_SYS,
    SYS_PRIV_SET_USER,
    SYS_PRIV_UPDATE_SYS,
    SYS_PRIV_YIELD,
    SYS_STATE_ADD_IPC_BL_FILTER,
    SYS_STATE_CLEAR_IPC_FILTERS,
    SYS_STATE_CLEAR_IPC_REFS,
)
from ipc.kernelcalls import (
    SysAbort,
    SysClear,
    SysDevio,
    SysDiagctl,
    SysEndksig,
    SysExec,
    SysFork,
    SysGetinfo,
    SysGetksig,
    SysGetksigReply,
    SysIrqctl,
    SysPrivctl,
    SysSchedctl,
    SysSchedule,
    SysStatectl,
    SysUpdate,
)
from ipc.message import RawMessage, Reply
from ipc.pm import PmExit
from ipc.registry import BY_NUMBER
from ipc.sched import SchedulingNoQuantum
from ipc.signals import SIGILL
from ipc.traps import SENDA_CALL, Compute, ForkingSendRec, Load, Receive, Send, SendRec, Store, trap
from kernel.calls.signals import do_endksig, do_getksig
from kernel.calls.state import do_update
from kernel.calls.table import CALLS, KERNEL_CALL, NR_SYS_CALLS
from kernel.costs import MODELS
from kernel.flags import RTS_NO_PRIV, RTS_NO_QUANTUM, RTS_RECEIVING, RTS_VMINHIBIT
from kernel.machine import Configuration, Machine, TooManyServers
from kernel.panic import Panic
from kernel.privilege import ALL_TRAPS, NR_STATIC_PRIV_IDS, NR_SYS_PROCS
from kernel.process import Process
from tests.kernel.machines import Small, call

NOT_HERE = {"SYS_SPROF", "SYS_READBIOS", "SYS_IOPENABLE", "SYS_SDEVIO", "SYS_VDEVIO", "SYS_PADCONF"}


async def idle() -> None:
    while True:
        await trap(Receive())


def test_the_table_has_every_call_but_those_of_real_hardware() -> None:
    numbers = range(KERNEL_CALL, KERNEL_CALL + NR_SYS_CALLS)
    known = {each.name for number, each in BY_NUMBER.items() if number in numbers}
    assert known - {each.name for each in CALLS} == NOT_HERE
    assert all(each in vars(kernelcalls).values() for each in CALLS)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (RawMessage(KERNEL_CALL - 1), EBADREQUEST),
        (RawMessage(KERNEL_CALL + NR_SYS_CALLS), EBADREQUEST),
        (RawMessage(1572), EBADREQUEST),  # SYS_SPROF
        (RawMessage(1542, struct.pack("<16xii", 99, 15)), EINVAL),  # SYS_KILL
        (SysClear(99), EINVAL),
        (SysFork(99, 30), EINVAL),
        (SysFork(PM, PM), EINVAL),
        (SysFork(PM, 100_000), EINVAL),
        (SysExec(99), EINVAL),
        (SysSchedule(99), EINVAL),
        (SysSchedule(VM, 1, 1), EPERM),
        (SysSchedctl(2, VM), EINVAL),
        (SysSchedctl(0, 99), EINVAL),
        (SysSchedctl(SCHEDCTL_FLAG_KERNEL, VM, 99, 1), EINVAL),
        (SysSchedctl(SCHEDCTL_FLAG_KERNEL, VM, 3, 0), EINVAL),
        (SysSchedctl(SCHEDCTL_FLAG_KERNEL, VM, -1, -1), OK),
        (SysPrivctl(99, VM), EINVAL),
        (SysPrivctl(SYS_PRIV_ALLOW, 99), EINVAL),
        (SysPrivctl(SYS_PRIV_ALLOW, VM), EPERM),
        (SysPrivctl(SYS_PRIV_YIELD, VM), EPERM),
        (SysPrivctl(SYS_PRIV_SET_SYS, VM), EPERM),
        (SysPrivctl(SYS_PRIV_SET_USER, VM), EPERM),
        (SysPrivctl(SYS_PRIV_UPDATE_SYS, VM), EINVAL),
        (SysPrivctl(SYS_PRIV_QUERY_MEM, VM, 0, 0, 4), EPERM),
        (SysGetinfo(999), EINVAL),
        (SysGetinfo(GET_MACHINE, 0, 0x1000, 3), E2BIG),
        (SysDiagctl(9), EINVAL),
        (SysDiagctl(DIAGCTL_CODE_DIAG, 0x1000, 0), EINVAL),
        (SysDiagctl(DIAGCTL_CODE_DIAG, 0x1000, 2001), EINVAL),
        (SysDiagctl(DIAGCTL_CODE_STACKTRACE, endpt=99), EINVAL),
        (SysIrqctl(9, 1, 0, 1), EINVAL),
        (SysIrqctl(IRQ_ENABLE, 1, 0, 1), EINVAL),
        (SysIrqctl(IRQ_SETPOLICY, 16, 0, 1), EINVAL),
        (SysIrqctl(IRQ_SETPOLICY, 1, 0, 32), EINVAL),
        (SysDevio(0x13, 0x60), EINVAL),
        (SysStatectl(99), EINVAL),
        (SysStatectl(SYS_STATE_ADD_IPC_BL_FILTER, 0x1000, 13), EINVAL),
        (SysStatectl(SYS_STATE_ADD_IPC_BL_FILTER, 0x1000, 0), E2BIG),
        (SysStatectl(SYS_STATE_CLEAR_IPC_REFS), OK),
        (SysUpdate(99, VM), EINVAL),
        (SysUpdate(VM, 99), EINVAL),
        (SysUpdate(20, VM), EBUSY),  # the caller runs
    ],
)
def test_what_bad_requests_get(request_: Any, code: int) -> None:
    async def server() -> int:
        return int((await call(request_)).type)

    assert Small().result(server) == code


def test_a_call_needs_its_bit() -> None:
    small = Small()

    async def user() -> int:
        return int((await call(SysGetinfo(GET_WHOAMI))).type)

    assert small.result(user, system=False) == ECALLDENIED


# Fork and exec.


class Forking:
    """A machine whose PM forks whoever asks, into slot 40."""

    def __init__(self, flags: int = 0) -> None:
        self.small = Small()
        self.machine = self.small.machine
        self.flags = flags
        self.fork: Any = None
        pm = self.machine.table.lookup(PM)
        assert pm is not None
        self.machine.start(pm, self.pm)
        self.said: list[str] = []

    async def pm(self) -> None:
        while True:
            source, message, _ = await trap(Receive())
            if isinstance(message, PmExit):
                continue
            self.fork = await call(SysFork(source, 40, self.flags))
            await call(SysSchedctl(SCHEDCTL_FLAG_KERNEL, self.fork.endpt, 7, 200))
            await trap(Send(self.fork.endpt, Reply(0)))
            await trap(Send(source, Reply(self.fork.endpt)))

    async def child(self) -> None:
        self.said.append("child")
        await trap(SendRec(VM, Reply(1)))

    async def parent(self) -> int:
        answer = await trap(ForkingSendRec(PM, Reply(1), self.child))
        self.said.append("parent")
        return int(answer.type)


def test_fork_makes_a_child_that_runs_when_its_answer_comes() -> None:
    forking = Forking()
    parent = forking.small.user("init", forking.parent, 30)
    parent.message_address = 0xBEEF
    forking.small.run()
    child = forking.machine.table.at(40)
    assert forking.said == ["child", "parent"]
    assert forking.fork.endpt == make_endpoint(1, 40) == child.endpoint
    assert forking.fork.msgaddr == 0xBEEF
    assert forking.small.results["init"] == child.endpoint
    assert child.name == "init*F"
    assert child.privilege is parent.privilege


def test_a_child_without_page_tables_does_not_run() -> None:
    forking = Forking(PFF_VMINHIBIT)
    forking.small.user("init", forking.parent, 30)
    forking.small.run()
    child = forking.machine.table.at(40)
    assert child.rts == RTS_VMINHIBIT
    assert forking.said == ["parent"]
    forking.machine.mmu.bind(child.endpoint, forking.machine.mmu.new())
    forking.small.run()
    assert forking.said == ["parent", "child"]


def test_the_child_of_a_system_process_needs_privileges() -> None:
    forking = Forking()
    forking.small.server("service", forking.parent, 30)
    forking.small.run()
    child = forking.machine.table.at(40)
    assert child.rts == RTS_NO_PRIV
    assert child.privilege is forking.machine.table.privileges[16]

    async def rs() -> list[int]:
        requests = (SYS_PRIV_SET_SYS, SYS_PRIV_ALLOW, SYS_PRIV_DISALLOW, SYS_PRIV_DISALLOW)
        codes = [(await call(SysPrivctl(each, child.endpoint))).type for each in requests]
        codes.append((await call(SysPrivctl(SYS_PRIV_SET_USER, child.endpoint))).type)
        return codes

    forking.small.server("rs", rs, 31)
    forking.small.run()
    assert forking.small.results["rs"] == [OK, OK, OK, EPERM, OK]


def test_exec_runs_another_program_by_name() -> None:
    small = Small()
    machine = small.machine
    ran: list[str] = []

    def make(process: Process) -> Any:
        async def hello() -> None:
            ran.append(process.name)

        return hello

    machine.programs["hello"] = make

    async def pm() -> None:
        await trap(Receive())
        for name in (b"hello\0", b"missing\0"):
            await trap(Store(0x1000, name.ljust(16, b"\0")))
            await call(SysExec(30, 0x8048000, 0, 0x1000))
            await trap(Receive(ANY))
        await idle()

    async def user() -> None:
        await trap(SendRec(PM, Reply(1)))
        pytest.fail("it went on after exec")

    server = machine.table.lookup(PM)
    assert server is not None
    machine.start(server, pm)
    process = small.user("user", user, 30)
    machine.run_nowait()
    assert ran == ["hello"]
    assert process.name == "missing"
    assert process.signals_pending == 1 << SIGILL - 1
    assert any("there is no program 'missing'" in line for line in machine.log)


# Scheduling.


def test_a_scheduler_hears_of_ended_quanta_and_gives_new_ones() -> None:
    machine = Machine(Configuration(policy="priority"))
    heard: list[int] = []

    async def sched() -> None:
        heard.append((await call(SysSchedctl(0, 30))).type)
        heard.append((await call(SysSchedule(30, 100, 9))).type)
        while True:
            source, message, _ = await trap(Receive())
            assert isinstance(message, SchedulingNoQuantum)
            heard.append(source)
            if len(heard) < 5:
                await call(SysSchedule(source, 100, 9))

    async def user() -> None:
        for _ in range(100):
            await trap(Compute(30_000_000))

    machine.spawn(4, "sched", sched, system=True)
    machine.run_nowait()
    process = machine.spawn(30, "user", user, held=RTS_NO_QUANTUM)
    machine.start(machine.table.at(4), sched)
    machine.ready.unblock(machine.table.at(4), 0x8)
    heard.clear()
    machine.run_nowait()
    assert heard == [OK, OK, 30, 30, 30]
    assert process.rts == RTS_NO_QUANTUM
    assert process.priority == 9
    # Three quanta of 100 ms, each overdrawn by less than one step of 30 ms.
    assert 300_000_000 <= process.user_time < 390_000_000


# Privileges.


def test_set_sys_with_a_structure_sets_what_it_says() -> None:
    small = Small()
    machine = small.machine
    target = machine.spawn(30, "service", idle, held=RTS_NO_PRIV)
    data = bytearray(884)
    struct.pack_into("<hhi", data, 4, 0, 0x1A, 5)
    struct.pack_into("<H2xQQii", data, 24, 0x7, (1 << 5) | (1 << 13), 1 << 6, PM, VM)
    struct.pack_into("<iII", data, 632, 1, 0xA0000, 0xBFFFF)
    struct.pack_into("<ii", data, 796, 1, 7)
    struct.pack_into("<h", data, 6, 0x1A | 0x40 | 0x80)

    async def rs() -> list[int]:
        await trap(Store(0x2000, bytes(data)))
        codes = [(await call(SysPrivctl(SYS_PRIV_SET_SYS, 30, 0x2000))).type]
        for first, size in ((0xA0000, 0x1000), (0xA0000, 0x20001)):
            request = SysPrivctl(SYS_PRIV_QUERY_MEM, 30, 0, first, size)
            codes.append((await call(request)).type)
        return codes

    assert small.result(rs) == [OK, OK, EPERM]
    privilege = target.privilege
    assert privilege.slot == 30
    assert privilege.trap_mask == 7
    assert privilege.kernel_calls == 1 << 6
    assert (privilege.signal_manager, privilege.backup_signal_manager) == (PM, VM)
    assert privilege.interrupt_lines == [7]
    pm = machine.table.privileges[5]
    assert privilege.ipc_to & pm.bit
    assert pm.ipc_to & privilege.bit  # who may be sent to may answer


def test_all_traps_are_all_traps_whoever_allows_them() -> None:
    small = Small()
    machine = small.machine
    targets = [machine.spawn(slot, "service", idle, held=RTS_NO_PRIV) for slot in (30, 31)]
    data = bytearray(884)
    struct.pack_into("<hh", data, 4, 0, 0x1A)
    struct.pack_into("<h", data, 24, ~0)

    async def rs() -> None:
        await trap(Store(0x2000, bytes(data)))
        await call(SysPrivctl(SYS_PRIV_SET_SYS, 30))
        await call(SysPrivctl(SYS_PRIV_SET_SYS, 31, 0x2000))

    small.result(rs)
    masks = {each.privilege.trap_mask for each in (machine.table.at(PM), *targets)}
    assert masks == {ALL_TRAPS}
    assert ALL_TRAPS >> SENDA_CALL == 1


def test_memory_and_lines_can_be_added_but_not_without_end() -> None:
    small = Small()
    small.machine.spawn(30, "driver", idle, system=True)
    inhibited = small.machine.spawn(31, "new", idle, held=RTS_NO_PRIV)

    async def rs() -> list[int]:
        codes = []
        for number in range(21):
            await trap(Store(0x2000, struct.pack("<II", number << 16, (number << 16) + 0xFFF)))
            codes.append((await call(SysPrivctl(SYS_PRIV_ADD_MEM, 30, 0x2000))).type)
        for line in (*range(17), 16):
            await trap(Store(0x2000, struct.pack("<i", line)))
            codes.append((await call(SysPrivctl(SYS_PRIV_ADD_IRQ, 30, 0x2000))).type)
        kinds = (SYS_PRIV_ADD_MEM, SYS_PRIV_ADD_IRQ, SYS_PRIV_ADD_IO)
        codes += [(await call(SysPrivctl(each, 31, 0x2000))).type for each in kinds]
        codes.append((await call(SysPrivctl(SYS_PRIV_ADD_IO, 30, 0x2000))).type)
        codes.append((await call(SysPrivctl(SYS_PRIV_QUERY_MEM, 30, 0, 3 << 16, 0x1000))).type)
        return codes

    full = [OK] * 20 + [ENOMEM] + [OK] * 16 + [ENOMEM] * 2
    assert small.result(rs) == [*full, EPERM, EPERM, EPERM, OK, OK]
    assert inhibited.privilege.memory_ranges == []


def test_privilege_structures_run_out() -> None:
    small = Small()
    for privilege in small.machine.table.privileges[17:]:
        if privilege.slot == NONE:
            privilege.slot = 99
    small.machine.table.privileges[17].slot = NONE
    small.machine.spawn(30, "service", idle, held=RTS_NO_PRIV)

    async def rs() -> int:
        return int((await call(SysPrivctl(SYS_PRIV_SET_SYS, 30))).type)

    assert small.result(rs) == ENOSPC


# Devices.


def test_a_server_that_would_be_one_too_many_is_refused() -> None:
    machine = Machine()
    dynamic = NR_SYS_PROCS - NR_STATIC_PRIV_IDS
    for slot in range(100, 100 + dynamic):
        machine.spawn(slot, "server", idle, system=True)
    with pytest.raises(TooManyServers, match="no privilege structure is left"):
        machine.spawn(99, "server", idle, system=True)
    machine.spawn(99, "user", idle)


class Disk:
    """A device that answers a write with an interrupt a while later."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.last = 0

    def read(self, port: int) -> int:
        return self.last + port

    def write(self, port: int, value: int) -> None:
        self.last = value
        time = self.machine.clock.now + 1_000_000
        self.machine.clock.schedule(time, lambda: self.machine.interrupts.raise_line(14))


def test_a_driver_hears_from_its_device() -> None:
    small = Small()
    machine = small.machine
    machine.interrupts.ports[0x60] = Disk(machine)

    async def driver() -> list[Any]:
        hook = await call(SysIrqctl(IRQ_SETPOLICY, 14, 0, 3))
        await call(SysDevio(0x12, 0x60, 0x105))
        source, message, _ = await trap(Receive())
        value = await call(SysDevio(0x11, 0x60))
        nothing = await call(SysDevio(0x21, 0x99))
        machine.interrupts.raise_line(14)  # disabled until the driver enables it
        enabled = (await call(SysIrqctl(IRQ_ENABLE, hook_id=hook.hook_id))).type
        again, _, _ = await trap(Receive(HARDWARE))
        ended = [
            (await call(SysIrqctl(kind, hook_id=hook.hook_id))).type
            for kind in (IRQ_DISABLE, IRQ_RMPOLICY, IRQ_RMPOLICY)
        ]
        return [
            hook.hook_id, source, message.interrupts, value.value, nothing.value, enabled, again,
            ended,
        ]  # fmt: skip

    assert small.result(driver) == [
        1, HARDWARE, 1 << 3, 0x65, 0xFFFF, OK, HARDWARE, [OK, OK, EINVAL]
    ]  # fmt: skip
    assert machine.clock.now >= 1_000_000


def test_hooks_end_with_their_driver_and_are_limited() -> None:
    small = Small()
    machine = small.machine

    async def driver() -> list[int]:
        answers = [
            await call(SysIrqctl(IRQ_SETPOLICY, 5, IRQ_REENABLE, each)) for each in range(17)
        ]
        return [answer.type for answer in answers]

    process = small.server("driver", driver, 20)
    small.run()
    assert small.results["driver"] == [OK] * 16 + [ENOSPC]
    machine.bury(process)
    machine.interrupts.raise_line(5)
    assert all(hook.owner == NONE for hook in machine.interrupts.hooks)


def test_a_driver_gets_only_the_lines_it_may_have() -> None:
    small = Small()
    process = small.machine.spawn(30, "driver", idle, system=True)
    process.privilege.checks_interrupts = True
    process.privilege.interrupt_lines = [3]
    codes: list[int] = []

    async def driver() -> None:
        codes.extend(
            [(await call(SysIrqctl(IRQ_SETPOLICY, each, 0, each))).type for each in (3, 4)]
        )
        await idle()

    small.machine.start(process, driver)
    small.run()
    assert codes == [OK, EPERM]


# Information.


def test_getinfo_and_diagctl() -> None:
    small = Small()
    told: list[Any] = []

    async def log() -> None:
        await call(SysDiagctl(DIAGCTL_CODE_REGISTER))
        while True:
            told.append((await trap(Receive()))[1].sigset)

    async def server() -> list[Any]:
        who = await call(SysGetinfo(GET_WHOAMI))
        await call(SysGetinfo(GET_HZ, val_ptr=0x1000))
        await call(SysGetinfo(GET_IMAGE, val_ptr=0x2000))
        await trap(Store(0x3000, b"hello, kernel"))
        code = (await call(SysDiagctl(DIAGCTL_CODE_DIAG, 0x3000, 13))).type
        await call(SysDiagctl(DIAGCTL_CODE_STACKTRACE, endpt=VM))
        return [who.endpt, who.name_, code]

    small.server("log", log, 21)
    assert small.result(server) == [20, b"probe", OK]
    process = small.machine.table.at(20)
    assert process.private is not None
    assert process.private.read(0x1000, 4) == struct.pack("<I", 60)
    assert process.private.read(0x2004, 6) == b"asyncm"
    assert small.machine.log == ["hello, kernel", "VM: waits for anybody"]
    assert told == [1 << 71]


def test_only_the_time_in_which_nobody_ran_was_idle() -> None:
    small = Small(Configuration(costs=MODELS["free"]))

    async def user() -> None:
        await trap(Compute(5_000_000))

    small.user("one that ends", user, INIT)
    small.run()
    small.machine.advance_nowait(1000)

    async def server() -> bytes:
        await trap(Compute(50_000_000))
        await call(SysGetinfo(GET_IDLETSC, val_ptr=0x2000))
        return bytes(await trap(Load(0x2000, 8)))

    assert small.result(server) == struct.pack("<Q", 1000)


def test_abort_stops_the_machine() -> None:
    async def server() -> None:
        await call(SysAbort(1))

    with pytest.raises(Panic, match="probe aborted the machine"):
        Small().result(server)


# Live update.


def test_filters_come_and_go() -> None:
    small = Small()

    async def server() -> list[int]:
        await trap(Store(0x1000, struct.pack("<iii", 2, 0, 77)))
        codes = [(await call(SysStatectl(SYS_STATE_ADD_IPC_BL_FILTER, 0x1000, 12))).type]
        codes.append(len(small.machine.table.at(20).privilege.filters))
        codes.append((await call(SysStatectl(SYS_STATE_CLEAR_IPC_FILTERS))).type)
        codes.append(len(small.machine.table.at(20).privilege.filters))
        return codes

    assert small.result(server) == [OK, 1, OK, 0]


def test_update_lets_two_services_change_places() -> None:
    small = Small()
    machine = small.machine
    heard: list[tuple[str, int]] = []

    def service(name: str) -> Any:
        async def main() -> None:
            while True:
                _, message, _ = await trap(Receive())
                heard.append((name, message.type))

        return main

    old = machine.spawn(30, "old", service("old"), system=True)
    new = machine.spawn(31, "new", service("new"), system=True)
    machine.run_nowait()

    # The first message has to be taken before the old one is at rest again.
    machine.spawn(32, "before", lambda: _send(30, 1), system=True)
    machine.run_nowait()

    async def update() -> int:
        code = (await call(SysUpdate(30, 31))).type
        await trap(Send(30, Reply(2)))
        await trap(Send(31, Reply(3)))
        return int(code)

    assert small.result(update) == OK
    assert heard == [("old", 1), ("new", 2), ("old", 3)]
    assert (old.endpoint, old.name, new.endpoint, new.name) == (30, "new", 31, "old")


def test_a_signal_that_nobody_has_fetched_changes_places_too() -> None:
    machine = Machine()
    manager, old, _new = (
        machine.spawn(slot, f"p{slot}", idle, system=True) for slot in (PM, 30, 31)
    )
    machine.run_nowait()
    machine.signals.cause(old, SIGILL)
    assert do_update(machine, manager, SysUpdate(30, 31)) == OK
    assert do_getksig(machine, manager, SysGetksig()) == SysGetksigReply(OK, 1 << SIGILL - 1, 31)
    assert do_getksig(machine, manager, SysGetksig()) == SysGetksigReply(OK, 0, NONE)
    assert do_endksig(machine, manager, SysEndksig(31)) == OK
    machine.run_nowait()
    assert machine.table.at(30).rts == machine.table.at(31).rts == RTS_RECEIVING


async def _send(dest: int, number: int) -> None:
    await trap(Send(dest, Reply(number)))
    await idle()


def test_configuration_is_data() -> None:
    configuration = attrs.evolve(Configuration(), slots=300)
    assert Machine(configuration).table.slots == 300
    assert SELF != NONE
