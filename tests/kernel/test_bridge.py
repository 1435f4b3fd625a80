"""Driven processes, and trio tasks that drive them."""

from __future__ import annotations

from typing import Any, Self

import attrs
import pytest
import trio
import trio.testing

from ipc.endpoint import ANY
from ipc.message import Reply
from ipc.traps import Compute, NextCommand, Receive, Send, trap
from kernel.bridge import Bridge
from kernel.driven import Busy, ProcessEnded
from kernel.hang import Hang
from kernel.limits import LimitReached, Limits
from kernel.machine import Configuration, Machine, MachineStopped
from kernel.panic import Panic
from kernel.probes import CommandInjected


@attrs.frozen
class Value:
    value: Any


@attrs.frozen
class Failed:
    error: Exception


async def drive() -> None:
    outcome: Any = None
    while True:
        command = await trap(NextCommand(outcome))
        try:
            outcome = Value(await command())
        except Exception as error:
            outcome = Failed(error)


class Driven:
    """A machine with a few driven processes of all privileges, and its bridge."""

    def __init__(self, configuration: Configuration | None = None) -> None:
        self.machine = Machine(configuration)
        self.bridge = Bridge(self.machine)
        self.processes = [
            self.machine.spawn(slot, f"p{slot}", drive, system=True) for slot in (20, 21, 22)
        ]
        self.machine.run_nowait()

    async def __aenter__(self) -> Self:
        self.nursery_manager = trio.open_nursery()
        self.nursery = await self.nursery_manager.__aenter__()
        self.nursery.start_soon(self.bridge.run)
        return self

    async def __aexit__(self, *failure: Any) -> None:  # noqa: PYI036
        self.nursery.cancel_scope.cancel()
        await self.nursery_manager.__aexit__(*failure)

    async def do(self, which: int, command: Any) -> Any:
        return await self.bridge.command(self.processes[which], command)


async def compute() -> int:
    await trap(Compute(1000))
    return 42


async def wait_for_ever() -> None:
    await trap(Receive(21))


async def fail() -> None:
    raise ValueError("no")


def sending(dest: int, number: int) -> Any:
    async def send() -> None:
        await trap(Send(dest, Reply(number)))

    return send


async def receive() -> int:
    _, message, _ = await trap(Receive(ANY))
    return int(message.type)


async def test_a_command_returns_what_it_returns_and_raises_what_it_raises() -> None:
    async with Driven() as driven:
        assert await driven.do(0, compute) == 42
        with pytest.raises(ValueError, match="no"):
            await driven.do(0, fail)
        assert await driven.do(0, compute) == 42
    assert [each.command for each in driven.machine.driven.injections] == [
        "compute", "fail", "compute"
    ]  # fmt: skip


async def test_tasks_that_inject_at_once_are_served_by_slot_whatever_trio_does() -> None:
    orders = set()
    for _ in range(10):
        async with Driven() as driven:
            events: list[Any] = []
            driven.machine.probes.listen(events.append)
            async with trio.open_nursery() as nursery:
                for which in (2, 0, 1):
                    nursery.start_soon(driven.do, which, compute)
            injected = [e.process for e in events if isinstance(e, CommandInjected)]
            orders.add(tuple(injected))
    assert orders == {(20, 21, 22)}


async def test_processes_talk_while_their_tasks_wait() -> None:
    async with Driven() as driven:
        got: list[int] = []

        async def take() -> None:
            got.append(await driven.do(1, receive))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(take)
            nursery.start_soon(driven.do, 0, sending(21, 7))
        assert got == [7]


async def test_virtual_time_passes_only_while_somebody_waits() -> None:
    async with Driven() as driven:
        machine = driven.machine
        fired: list[int] = []
        machine.clock.schedule(10**9, lambda: fired.append(machine.clock.now))
        await trio.testing.wait_all_tasks_blocked()
        assert fired == []
        machine.clock.schedule(10**9, lambda: machine.ready.unblock(driven.processes[0], 0x8))
        driven.processes[0].result = (0, Reply(3), 0)

        async def sleep() -> None:
            await trap(Receive(21))

        await driven.do(0, sleep)
        assert machine.clock.now >= 10**9
        assert len(fired) == 1


async def test_tasks_that_let_time_pass_at_once_each_get_their_own() -> None:
    for _ in range(10):  # trio runs them in any order
        async with Driven() as driven:
            clock = driven.machine.clock
            began = clock.now
            clock.schedule(began + 4, lambda: None)
            over: list[tuple[str, int]] = []

            async def wait(name: str, passes: Any, over: Any = over, began: int = began) -> None:
                await passes
                over.append((name, driven.machine.clock.now - began))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait, "until quiet", driven.bridge.until_quiet())
                for time in (10, 1, 3):
                    nursery.start_soon(wait, f"{time} ns", driven.bridge.advance(time))
            assert over == [("1 ns", 1), ("3 ns", 3), ("until quiet", 4), ("10 ns", 10)]


async def test_a_hang_is_told_to_the_task_and_the_machine_goes_on() -> None:
    async with Driven() as driven:
        with pytest.raises(Hang, match="p20 waits for p21") as caught:
            await driven.do(0, wait_for_ever)
        assert [each.process for each in caught.value.report.waiting] == [20]
        assert await driven.do(1, compute) == 42
        with pytest.raises(Hang):
            await driven.do(0, compute)  # it is still busy with the first
        await driven.do(1, sending(20, 5))
        assert await driven.do(0, compute) == 42
        driven.machine.check()


async def test_each_of_several_tasks_hears_of_the_hang_that_it_waited_for() -> None:
    async with Driven() as driven:
        started = driven.bridge.start(driven.processes[0], receive)
        hangs: list[Hang] = []
        got: list[int] = []

        async def ask(nursery: trio.Nursery) -> None:
            with pytest.raises(Hang) as caught:
                await started.result()
            hangs.append(caught.value)
            if len(hangs) == 3:
                nursery.start_soon(driven.do, 1, sending(20, 5))
            got.append(await started.result())

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask, nursery)
        assert got == [5, 5, 5]
        assert len(set(map(id, hangs))) == 3


async def test_a_task_with_a_time_limit_of_its_own_is_left_to_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with Driven() as driven:
        with pytest.raises(trio.TooSlowError), trio.fail_after(5):
            await driven.do(0, wait_for_ever)
        await driven.do(1, sending(20, 5))
        assert await driven.do(0, compute) == 42


async def test_a_command_given_up_before_it_was_injected_is_forgotten() -> None:
    async with Driven() as driven:
        with trio.CancelScope() as scope:
            scope.cancel()
            await driven.do(0, compute)
        assert await driven.do(0, compute) == 42
        assert len(driven.machine.driven.injections) == 1


async def test_a_process_that_ends_ends_its_command_and_refuses_the_next() -> None:
    async with Driven() as driven:
        process = driven.processes[0]

        async def bury_other() -> None:
            driven.machine.bury(process)

        async with trio.open_nursery() as nursery:

            async def expect_end() -> None:
                with pytest.raises(ProcessEnded, match="p20"):
                    await driven.do(0, wait_for_ever)

            nursery.start_soon(expect_end)
            nursery.start_soon(driven.do, 1, bury_other)
        with pytest.raises(ProcessEnded, match="p20 has ended"):
            await driven.do(0, compute)


async def server_that_fails() -> None:
    await trap(Receive(ANY))
    raise LookupError("a bug")


@pytest.mark.parametrize(
    ("configuration", "cause"),
    [
        (Configuration(), Panic),
        (Configuration(limits=Limits(steps=500)), LimitReached),
    ],
)
async def test_when_the_machine_stops_every_waiting_task_is_told(
    configuration: Configuration, cause: type[Exception]
) -> None:
    told: list[BaseException] = []
    async with Driven(configuration) as driven:
        driven.machine.spawn(30, "broken", server_that_fails, system=True)

        async def spin_or_break() -> None:
            if cause is Panic:
                await trap(Send(30, Reply(1)))
                await trap(Receive(21))
            while True:
                await trap(Compute(1))

        async def expect(which: int, command: Any) -> None:
            with pytest.raises(MachineStopped) as caught:
                await driven.do(which, command)
            told.append(caught.value)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(expect, 0, wait_for_ever)
            nursery.start_soon(expect, 1, spin_or_break)
        with pytest.raises(MachineStopped):
            await driven.do(2, compute)
    assert len(set(map(id, told))) == 2
    assert all(isinstance(error.__cause__, cause) for error in told)


async def test_a_failure_that_nobody_waits_for_comes_out_of_run() -> None:
    driven = Driven()
    driven.machine.spawn(30, "broken", fail, system=True)
    with pytest.raises(Panic, match="ValueError: no"):
        await driven.bridge.run()
    with pytest.raises(MachineStopped, match="ValueError: no"):
        await driven.do(0, compute)


def test_a_busy_process_takes_no_command_directly() -> None:
    driven = Driven()
    machine, process = driven.machine, driven.processes[0]
    outcomes: list[Any] = []
    machine.driven.inject(process, wait_for_ever, outcomes.append)
    with pytest.raises(Busy, match="p20"):
        machine.driven.inject(process, compute, outcomes.append)
    machine.run_nowait()
    assert machine.driven.unfinished() == [process]
    machine.bury(process)
    assert isinstance(outcomes[0], ProcessEnded)


def test_a_run_injected_the_same_way_is_the_same_run() -> None:
    def run(policy: str) -> list[str]:
        driven = Driven(Configuration(policy=policy))
        events: list[Any] = []
        driven.machine.probes.listen(events.append)
        for _ in range(5):
            for process, command in zip(
                driven.processes, (receive, sending(20, 1), compute), strict=True
            ):
                driven.machine.driven.inject(process, command, lambda _: None)
            driven.machine.run_quiet_nowait()
        return [repr(event) for event in events]

    for policy in ("fifo", "priority", "random:3"):
        first = run(policy)
        assert run(policy) == first
        assert any("MessageSent" in line for line in first)
