"""Where a run ends: limits, and programs that do not give control back."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any

import attrs
import pytest

from ipc.message import Reply
from ipc.signals import SIGABRT, SIGILL, SIGKILL, SIGSEGV
from ipc.traps import Compute, KernelCall, Receive, Send, SendRec, trap
from ipc.vm import VmBrk
from kernel.limits import LimitReached, Limits
from kernel.machine import Configuration, Machine, MachineStopped
from kernel.panic import Panic
from tests.kernel.machines import Small

QUICK = Configuration(limits=Limits(host_seconds=0.3, host_memory=5 << 20))


async def compute_for_ever() -> None:
    while True:
        await trap(Compute(1000))


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        (Limits(steps=1000), "made 1000 steps, which is its limit"),
        (Limits(time=10_000_000), "which is its limit"),
    ],
)
def test_a_run_ends_at_its_limit_and_leaves_the_machine_whole(
    limits: Limits, complaint: str
) -> None:
    def run() -> tuple[int, int]:
        machine = Machine(Configuration(limits=limits))
        machine.spawn(20, "busy", compute_for_ever, system=True)
        with pytest.raises(LimitReached, match=complaint):
            machine.run_quiet_nowait()
        machine.check()
        return machine.dispatcher.steps, machine.clock.now

    assert run() == run()


def test_a_run_that_ends_just_at_the_limit_is_no_failure() -> None:
    machine = Machine(Configuration(limits=Limits(steps=3)))

    async def three() -> None:
        await trap(Compute(1))
        await trap(Compute(1))
        await trap(Receive())

    machine.spawn(20, "three", three, system=True)
    machine.run_quiet_nowait()
    assert machine.dispatcher.steps == 3


async def _spin() -> None:
    while True:
        pass


async def _spin_stubbornly() -> None:
    while True:
        try:
            while True:
                pass
        except Exception:
            continue


async def _allocate() -> None:
    hoard = []
    while True:
        hoard.append(b"\1" * (1 << 20))


async def _recurse() -> None:
    await _recurse()


async def _raise() -> None:
    raise ValueError("what a user program may do")


async def _exhaust() -> None:
    raise MemoryError


async def _yield_rubbish() -> None:
    await _Rubbish()


async def _send_rubbish() -> None:
    await trap(SendRec([0], Reply(0)))  # type: ignore[arg-type]


async def _send_no_message() -> None:
    await trap(SendRec(0, 17))  # type: ignore[arg-type]


async def _send_too_much() -> None:
    await trap(SendRec(0, VmBrk(1 << 32)))


async def _send_text() -> None:
    await trap(SendRec(0, VmBrk("here")))  # type: ignore[arg-type]


async def _call_with_no_message() -> None:
    await trap(KernelCall(Reply(None)))  # type: ignore[arg-type]


async def _compute_half() -> None:
    await trap(Compute(1.5))  # type: ignore[arg-type]


class _Rubbish:
    def __await__(self) -> Any:
        yield "no trap at all"


Program = Callable[[], Coroutine[Any, Any, None]]


@pytest.mark.parametrize(
    ("program", "signal", "said"),
    [
        (_spin, SIGKILL, "ran too long without giving control back"),
        (_spin_stubbornly, SIGKILL, "ran too long"),
        (_allocate, SIGKILL, "allocated too much memory"),
        (_recurse, SIGSEGV, "RecursionError"),
        (_raise, SIGABRT, "ValueError: what a user program may do"),
        (_exhaust, SIGKILL, "MemoryError"),
        (_yield_rubbish, SIGILL, "'no trap at all', which is no trap"),
        (_send_rubbish, SIGILL, "made a SendRec whose dest is [0]"),
        (_send_no_message, SIGILL, "made a SendRec whose message is 17"),
        (_send_too_much, SIGILL, "VM_BRK.addr is 4294967296"),
        (_send_text, SIGILL, "VM_BRK.addr is 'here'"),
        (_call_with_no_message, SIGILL, "sent what is no message: Reply.type is None"),
        (_compute_half, SIGILL, "made a Compute whose duration is 1.5"),
    ],
)
def test_what_a_user_program_does_is_its_own_end(program: Program, signal: int, said: str) -> None:
    small = Small(QUICK)
    process = small.user("bad", program, 30)
    small.run()
    assert small.pm.signaled == [(process.endpoint, signal)]
    assert any(said in line for line in small.machine.log)
    assert small.machine.table.lookup(process.endpoint) is None
    # The machine goes on as if nothing had happened.
    assert small.result(_answer) == 42


async def _answer() -> int:
    await trap(Compute(1))
    return 42


@pytest.mark.parametrize(("program", "said"), [(_raise, "ValueError"), (_spin, "too long")])
def test_a_server_that_fails_is_a_panic_that_says_in_which_message(
    program: Program, said: str
) -> None:
    machine = Machine(QUICK)

    async def server() -> None:
        await trap(Receive())
        await program()

    async def client() -> None:
        await trap(Send(20, Reply(1234)))
        await trap(Receive())

    machine.spawn(20, "broken", server, system=True)
    machine.spawn(21, "client", client, system=True)
    with pytest.raises(Panic) as caught:
        machine.run_quiet_nowait()
    assert caught.value.process == "broken"
    assert "1234" in caught.value.message
    assert said in caught.value.reason
    assert caught.value.__cause__ is not None
    with pytest.raises(MachineStopped, match="broken"):
        machine.run_quiet_nowait()


def test_a_server_that_returns_is_a_panic() -> None:
    machine = Machine()
    machine.spawn(20, "server", _answer, system=True)
    with pytest.raises(Panic, match="its main loop returned"):
        machine.run_quiet_nowait()


@pytest.mark.parametrize(
    ("value", "status"),
    [(None, 0), (0, 0), (7, 7), (SystemExit(3), 3), (SystemExit(), 0), (SystemExit("no"), 1)],
)
def test_a_user_program_that_returns_exits_through_pm(value: Any, status: int) -> None:
    small = Small()

    async def program() -> Any:
        if isinstance(value, SystemExit):
            raise value
        return value

    process = small.machine.spawn(30, "user", program)
    small.run()
    assert small.pm.exited == [(process.endpoint, status)]


def test_a_user_program_ends_even_where_there_is_no_pm() -> None:
    for program in (_answer, _raise):
        machine = Machine()
        process = machine.spawn(30, "user", program)
        machine.run_quiet_nowait()
        assert machine.table.lookup(process.endpoint) is None
        machine.check()


def test_a_dead_program_cannot_hold_up_the_machine() -> None:
    small = Small(QUICK)

    async def clings() -> None:
        try:
            await trap(SendRec(0, Reply(1)))
            await trap(SendRec(8, Reply(1)))
        finally:
            while True:
                pass

    process = small.user("clings", clings, 30)
    small.run()
    began = time.monotonic()
    small.machine.bury(process)
    assert time.monotonic() - began < 5


def test_the_person_at_the_keyboard_stops_the_run_and_not_a_process() -> None:
    machine = Machine()

    async def interrupted() -> None:
        raise KeyboardInterrupt

    machine.spawn(30, "user", interrupted)
    with pytest.raises(KeyboardInterrupt):
        machine.run_quiet_nowait()


def test_limits_are_data() -> None:
    assert attrs.evolve(Limits(), steps=5).steps == 5
