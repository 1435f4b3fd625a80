"""Signals on their way through the kernel, stopping processes, and signal handlers."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from ipc.endpoint import NONE, PM, SELF, VM
from ipc.errors import EBUSY, EINVAL, EPERM, OK
from ipc.flags import RC_DELAY, RC_RESUME, RC_STOP
from ipc.kernelcalls import (
    SysEndksig,
    SysExit,
    SysGetksig,
    SysKill,
    SysRunctl,
    SysSigreturn,
    SysSigsend,
    SysTrace,
)
from ipc.message import Reply
from ipc.notification import Notification
from ipc.pm import PmSigreturn
from ipc.signals import SIGABRT, SIGKSIG, SIGKSIGSM, SIGSNDELAY, SIGTERM, SIGUSR1, signal_name
from ipc.traps import Load, Receive, Send, SendRec, Store, trap
from kernel.flags import MF_SIG_DELAY, RTS_PROC_STOP, RTS_SENDING, RTS_SIG_PENDING, RTS_SIGNALED
from kernel.machine import Configuration, Machine
from kernel.panic import Panic
from kernel.probes import SignalRaised
from tests.kernel.machines import Small, call

HANDLER = 0x8048100


async def idle() -> None:
    while True:
        await trap(Receive())


def test_a_signal_goes_by_notification_to_the_manager_and_blocks_the_process() -> None:
    machine = Machine()
    machine.table.privileges[16].trap_mask = (1 << 17) - 1
    seen: list[Any] = []

    async def manager() -> None:
        source, message, _ = await trap(Receive())
        seen.append((source, message.sigset))
        first = await call(SysGetksig())
        seen.append((first.endpt, first.map))
        seen.append((await call(SysGetksig())).endpt)
        seen.append(user.rts & (RTS_SIGNALED | RTS_SIG_PENDING))
        seen.append((await call(SysEndksig(first.endpt))).type)
        seen.append(user.rts & (RTS_SIGNALED | RTS_SIG_PENDING))
        seen.append((await call(SysEndksig(first.endpt))).type)
        await idle()

    async def killer() -> None:
        for signal in (SIGTERM, SIGUSR1, SIGTERM):
            await call(SysKill(user.endpoint, signal))
        await idle()

    machine.spawn(PM, "pm", manager, system=True)
    user = machine.spawn(30, "user", idle)
    machine.run_nowait()
    machine.spawn(20, "killer", killer, system=True)
    machine.run_nowait()
    machine.check()
    assert seen == [
        (-2, 1 << SIGKSIG - 1),
        (user.endpoint, 1 << SIGTERM - 1 | 1 << SIGUSR1 - 1),
        NONE,
        RTS_SIG_PENDING,
        OK,
        0,
        EINVAL,
    ]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (SysKill(99, SIGTERM), EINVAL),
        (SysKill(12, 64), EINVAL),
        (SysKill(12, 0), EINVAL),
        (SysKill(-2, SIGTERM), EPERM),
        (SysEndksig(99), EINVAL),
        (SysEndksig(8), EPERM),  # VM manages itself
        (SysTrace(), EINVAL),
        (SysRunctl(99, RC_STOP), EINVAL),
        (SysRunctl(-1, RC_STOP), EPERM),
        (SysRunctl(8, RC_RESUME), EINVAL),
        (SysRunctl(8, 7), EINVAL),
        (SysSigsend(99, 0), EINVAL),
        (SysSigsend(-1, 0), EPERM),
        (SysSigsend(8, 0), EINVAL),  # no such handler
        (SysSigreturn(99, 0), EINVAL),
        (SysSigreturn(-1, 0), EPERM),
        (SysSigreturn(8, 0), EINVAL),  # nothing is interrupted
    ],
)
def test_refusals(request_: Any, code: int) -> None:
    async def server() -> int:
        return int((await call(request_)).type)

    assert Small().result(server) == code


def test_a_manager_gets_its_own_signals_directly_and_may_not_die() -> None:
    machine = Machine()
    seen: list[int] = []

    async def manager() -> None:
        while True:
            _, message, _ = await trap(Receive())
            assert isinstance(message, Notification)
            seen.append(message.sigset)

    process = machine.spawn(VM, "vm", manager, system=True)
    machine.signals.cause(process, SIGTERM)
    machine.run_nowait()
    assert seen == [1 << SIGTERM - 1 | 1 << SIGKSIGSM - 1]
    with pytest.raises(Panic, match="gets lethal signal SIGABRT for itself"):
        machine.signals.cause(process, SIGABRT)


def test_a_backup_manager_takes_over() -> None:
    machine = Machine()
    first = machine.spawn(20, "first", idle, system=True)
    second = machine.spawn(21, "second", idle, system=True)
    first.privilege.signal_manager = SELF
    first.privilege.backup_signal_manager = second.endpoint
    machine.run_nowait()
    machine.signals.cause(first, SIGABRT)
    assert first.privilege.signal_manager == second.endpoint
    assert first.rts & RTS_SIGNALED
    machine.run_nowait()
    machine.check()


def test_a_service_that_exits_gets_sigabrt_and_no_answer() -> None:
    small = Small()
    events: list[Any] = []
    small.machine.probes.listen(events.append)

    async def service() -> None:
        await call(SysExit())
        pytest.fail("it went on after sys_exit")

    process = small.server("service", service, 20)
    small.run()
    raised = [event for event in events if isinstance(event, SignalRaised)]
    assert [(each.process, signal_name(each.signal)) for each in raised] == [
        (process.endpoint, "SIGABRT")
    ]
    assert small.machine.table.lookup(process.endpoint) is None


def test_a_sender_is_stopped_only_when_it_has_sent() -> None:
    machine = Machine()
    told: list[Any] = []

    async def pm() -> None:
        told.append((await call(SysRunctl(21, RC_STOP, RC_DELAY))).type)
        await trap(Receive(-2))
        told.append(signal_name((await call(SysGetksig())).map.bit_length()))
        told.append((await call(SysRunctl(21, RC_STOP, RC_DELAY))).type)
        await call(SysEndksig(21))
        told.append(sender.rts)
        await call(SysRunctl(21, RC_RESUME))
        await idle()

    async def busy() -> None:
        await trap(Receive(VM))

    async def send() -> None:
        await trap(Send(20, Reply(1)))
        await idle()

    machine.spawn(VM, "vm", idle, system=True)
    receiver = machine.spawn(20, "receiver", busy, system=True)
    sender = machine.spawn(21, "sender", send, system=True)
    machine.run_nowait()
    assert sender.rts == RTS_SENDING
    machine.spawn(PM, "pm", pm, system=True)
    machine.run_nowait()
    assert told == [EBUSY]
    assert sender.misc & MF_SIG_DELAY
    machine.start(receiver, idle)
    machine.ready.unblock(receiver, 0x8)
    machine.run_nowait()
    machine.check()
    assert told == [EBUSY, signal_name(SIGSNDELAY), OK, RTS_PROC_STOP]


class Handled:
    """A PM that lets its one child run a handler, however the child is blocked."""

    def __init__(self) -> None:
        self.small = Small(Configuration())
        self.log: list[Any] = []
        self.machine = self.small.machine
        pm = self.machine.table.lookup(PM)
        assert pm is not None
        self.machine.start(pm, self.pm)

    async def pm(self) -> None:
        while True:
            source, message, _ = await trap(Receive())
            if isinstance(message, PmSigreturn):
                self.log.append(("sigreturn", (await call(SysSigreturn(source, 0))).type))
                await trap(Send(source, Reply(OK)))
            elif isinstance(message, Reply):
                await call(SysRunctl(source, RC_STOP))
                frame = struct.pack("<i16sIII", SIGUSR1, bytes(16), HANDLER, 0, 0)
                await trap(Store(0x1000, frame))
                self.log.append(("sigsend", (await call(SysSigsend(source, 0x1000))).type))
                await trap(Send(source, Reply(message.type)))
                await call(SysRunctl(source, RC_RESUME))


def test_a_handler_runs_in_place_of_the_process_which_then_goes_on() -> None:
    handled = Handled()

    async def handler(signal: int) -> None:
        handled.log.append(("handler", signal))
        await trap(Store(0x9000, b"handled"))

    async def user() -> bytes:
        answer = await trap(SendRec(PM, Reply(-4)))
        handled.log.append(("answer", answer.type))
        return bytes(await trap(Load(0x9000, 7)))

    process = handled.small.user("user", user, 30)
    process.context.handlers[HANDLER] = handler
    handled.small.run()
    assert handled.small.results["user"] == b"handled"
    assert handled.log == [
        ("sigsend", OK), ("handler", SIGUSR1), ("sigreturn", OK), ("answer", -4)
    ]  # fmt: skip
    assert process.interrupted == []


def test_an_access_that_a_handler_interrupts_is_done_again_after_it() -> None:
    small = Small()
    machine = small.machine
    vm = machine.table.lookup(VM)
    assert vm is not None
    order: list[str] = []

    async def handler(_signal: int) -> None:
        order.append("handler")

    async def user() -> bytes:
        value = bytes(await trap(Load(0x5000, 2)))
        order.append("loaded")
        return value

    async def pm() -> None:
        frame = struct.pack("<i16sIII", SIGUSR1, bytes(16), HANDLER, 0, 0)
        await trap(Store(0x1000, frame))
        await call(SysSigsend(30, 0x1000))
        while True:
            source, message, _ = await trap(Receive())
            if isinstance(message, PmSigreturn):
                await trap(Send(source, Reply(OK)))

    machine.run_nowait()
    machine.ready.block(vm, RTS_PROC_STOP)
    process = small.user("user", user, 30)
    process.context.handlers[HANDLER] = handler
    machine.run_nowait()
    server = machine.table.lookup(PM)
    assert server is not None
    machine.ready.unblock(server, server.rts)
    machine.start(server, pm)
    machine.run_nowait()
    assert order == []
    machine.ready.unblock(vm, RTS_PROC_STOP)
    small.run()
    assert order == ["handler", "loaded"]
    assert small.results["user"] == bytes(2)
