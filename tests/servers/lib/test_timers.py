"""Watchdog timers: their order, and how seldom the kernel is told."""

from __future__ import annotations

from typing import Any

from ipc.kernelcalls import SysSetalarm
from ipc.traps import Receive, trap
from kernel.clock import HZ
from kernel.machine import Machine
from kernel.probes import KernelCalled
from servers.lib.timers import Timers


def run(program: Any) -> list[tuple[int, int]]:
    """Run a service's program that uses timers; the alarms that it set: (ticks, absolute)."""
    machine = Machine()
    calls: list[tuple[int, int]] = []

    def listen(event: Any) -> None:
        if isinstance(event, KernelCalled) and isinstance(event.request, SysSetalarm):
            calls.append((event.request.exp_time, event.request.abs_time))

    machine.probes.listen(listen)
    timers = Timers()

    async def main() -> None:
        await program(machine, timers)
        while True:
            _source, message, _status = await trap(Receive())
            await timers.expire(message.timestamp)

    machine.spawn(20, "service", main, system=True)
    machine.run_quiet_nowait()
    assert not timers.pending
    return calls


def test_timers_go_off_in_order_and_each_alarm_is_set_once() -> None:
    seen: list[tuple[int, int]] = []

    async def program(machine: Machine, timers: Timers) -> None:
        async def watchdog(argument: int) -> None:
            seen.append((argument, machine.clock.ticks))

        for number, ticks in enumerate((30, 10, 20, 10)):
            await timers.set(0, ticks, watchdog, number)

    calls = run(program)
    assert seen == [(1, 10), (3, 10), (2, 20), (0, 30)]
    assert calls == [(30, 1), (10, 1), (20, 1), (30, 1)]


def test_cancelling_the_first_moves_the_alarm_and_the_last_ends_it() -> None:
    async def program(_machine: Machine, timers: Timers) -> None:
        async def watchdog(_argument: int) -> None:
            raise AssertionError("cancelled")

        first = await timers.set(0, 10, watchdog, 0)
        second = await timers.set(0, 20, watchdog, 0)
        third = await timers.set(0, 20, watchdog, 0)
        await timers.cancel(first)
        await timers.cancel(first)
        await timers.cancel(third)
        await timers.cancel(second)

    assert run(program) == [(10, 1), (20, 1), (0, 0)]


def test_a_watchdog_may_set_timers() -> None:
    seen: list[int] = []

    async def program(machine: Machine, timers: Timers) -> None:
        async def watchdog(left: int) -> None:
            seen.append(machine.clock.ticks)
            if left:
                await timers.set(machine.clock.ticks, HZ, watchdog, left - 1)

        await timers.set(0, HZ, watchdog, 2)

    assert run(program) == [(60, 1), (120, 1), (180, 1)]
    assert seen == [60, 120, 180]
