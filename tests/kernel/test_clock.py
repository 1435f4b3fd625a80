"""Virtual time: what is due, alarms, accounts, ticks, costs."""

from __future__ import annotations

import pytest

from ipc.endpoint import CLOCK, NONE, SELF
from ipc.errors import EINVAL, EPERM, OK
from ipc.flags import VT_PROF, VT_VIRTUAL
from ipc.kernelcalls import SysSetalarm, SysSettime, SysStime, SysTimes, SysVtimer
from ipc.message import Reply
from ipc.signals import SIGPROF, SIGVTALRM
from ipc.traps import Compute, Receive, Send, SendRec, trap
from kernel.calls.time import TMR_NEVER
from kernel.clock import ALARM, DEVICE, NEVER, Clock, tick_time
from kernel.costs import MODELS, CostError, Costs, parse_duration
from kernel.flags import RTS_PROC_STOP
from kernel.machine import Configuration, Machine
from tests.kernel.machines import Small, call

TICK = 1_000_000_000 // 60
FREE = Configuration(costs=MODELS["free"])


def test_what_is_due_happens_by_time_then_priority_then_order() -> None:
    clock = Clock()
    happened: list[str] = []
    for name, time, priority in (
        ("late", 20, DEVICE), ("alarm", 10, ALARM), ("first", 10, DEVICE), ("second", 10, DEVICE),
        ("past", -5, ALARM),
    ):  # fmt: skip
        clock.schedule(time, lambda name=name: happened.append(name), priority)  # type: ignore[misc]
    clock.happen()
    assert happened == ["past"]
    clock.now = 20
    clock.happen()
    assert happened == ["past", "first", "second", "alarm", "late"]
    assert clock.next_due() == NEVER
    assert not clock.expected


def test_what_is_cancelled_does_not_happen_and_is_not_expected() -> None:
    clock = Clock()
    due = clock.schedule(5, lambda: pytest.fail("it was cancelled"))
    clock.schedule(7, lambda: None, background=True)
    assert clock.expected
    clock.cancel(due)
    clock.cancel(due)
    assert not clock.expected
    assert clock.happen() == clock.next_due() == 7


def test_time_passes_while_something_is_expected_and_nobody_stops_the_run() -> None:
    machine = Machine()
    clock = machine.clock
    quiet: list[int] = []
    machine.inspectors.append(lambda: quiet.append(clock.now))
    clock.schedule(5, lambda: None)
    clock.schedule(6, machine.dispatcher.stop)
    clock.schedule(7, lambda: None)
    clock.schedule(8, lambda: pytest.fail("nobody waits for it"), background=True)
    machine.run_nowait()
    assert quiet == [0]
    machine.run_quiet_nowait()
    assert quiet == [0, 0, 5, 6]
    machine.run_quiet_nowait()
    assert quiet == [0, 0, 5, 6, 6, 7]


@pytest.mark.parametrize("tick", [0, 1, 2, 59, 60, 61, 3600])
def test_a_tick_comes_when_the_clock_shows_it(tick: int) -> None:
    clock = Clock()
    clock.now = tick_time(tick)
    assert clock.ticks == tick
    clock.now -= 1
    assert clock.ticks == tick - 1 or tick == 0


def test_an_alarm_notifies_when_its_tick_comes() -> None:
    small = Small(FREE)

    async def sleeper() -> list[object]:
        first = await call(SysSetalarm(exp_time=30))
        source, message, _ = await trap(Receive())
        second = await call(SysSetalarm(exp_time=100, abs_time=1))
        third = await call(SysSetalarm())
        return [first.time_left, source, message.timestamp, second.time_left, third.time_left]

    assert small.result(sleeper) == [TMR_NEVER, CLOCK, 30, TMR_NEVER, 70]
    assert small.machine.clock.now == tick_time(30)


def test_a_user_process_has_no_alarm() -> None:
    small = Small(FREE)
    small.machine.table.privileges[16].kernel_calls = (1 << 58) - 1

    async def user() -> int:
        return int((await call(SysSetalarm(exp_time=1))).type)

    assert small.result(user, system=False) == EPERM


def test_advance_lets_time_pass_and_no_more() -> None:
    machine = Machine(FREE)
    rung: list[int] = []

    async def clockwork() -> None:
        while True:
            await call(SysSetalarm(exp_time=60))
            await trap(Receive(CLOCK))
            rung.append(machine.clock.now)

    machine.spawn(20, "clockwork", clockwork, system=True)
    machine.table.privileges[17].background = True
    machine.run_quiet_nowait()
    assert rung == []  # a background alarm keeps nobody waiting
    machine.advance_nowait(2_500_000_000)
    assert rung == [1_000_000_000, 2_000_000_000]
    assert machine.clock.now == 2_500_000_000


def test_times_are_charged_to_who_ran_and_to_who_was_served() -> None:
    small = Small(FREE)
    user = small.machine.table.privileges[16]
    user.trap_mask = (1 << 17) - 1

    async def server() -> None:
        while True:
            source, _, _ = await trap(Receive())
            await trap(Compute(5 * TICK))
            await trap(Send(source, Reply(0)))

    async def client() -> None:
        await trap(Compute(3 * TICK))
        await trap(SendRec(20, Reply(0)))
        await trap(Compute(TICK))
        await trap(Receive())

    small.server("server", server, 20)
    process = small.user("client", client, 30)
    small.run()

    async def ask() -> list[int]:
        times = await call(SysTimes(process.endpoint))
        nobody = await call(SysTimes(NONE))
        return [times.user_time, times.system_time, nobody.user_time, times.boot_ticks]

    assert process.user_time == 4 * TICK
    assert process.system_time == 5 * TICK
    small.server("ask", ask, 21)
    small.run()
    assert small.results["ask"] == [3, 4, 0, 8]  # ticks that have passed entirely


@pytest.mark.parametrize(("which", "signal"), [(VT_VIRTUAL, SIGVTALRM), (VT_PROF, SIGPROF)])
def test_a_virtual_timer_runs_with_its_process(which: int, signal: int) -> None:
    small = Small(FREE)

    async def user() -> None:
        for _ in range(100):
            await trap(Compute(TICK))

    process = small.user("user", user, 30)
    small.machine.ready.block(process, RTS_PROC_STOP)

    async def set_timer() -> list[int]:
        return [
            (await call(SysVtimer(which, 1, 10, process.endpoint))).type,
            (await call(SysVtimer(which, 0, 0, process.endpoint))).value,
            (await call(SysVtimer(9, 0, 0, SELF))).type,
        ]

    assert small.result(set_timer) == [OK, 10, EINVAL]
    small.machine.ready.unblock(process, RTS_PROC_STOP)
    small.run()
    assert small.pm.signaled == [(process.endpoint, signal)]
    assert process.user_time >= 10 * TICK - 10  # a tick is not a whole number of nanoseconds


def test_the_time_of_day_can_be_set() -> None:
    small = Small(FREE)

    async def set_time() -> list[int]:
        await call(SysStime(1000))
        codes = [(await call(SysSettime(sec=1060, now=1))).type]
        times = await call(SysTimes(SELF))
        codes += [times.boot_time, times.real_ticks]
        codes.append((await call(SysSettime(clock_id=3))).type)
        await call(SysSettime(sec=2, now=0))  # two seconds more
        codes.append((await call(SysTimes(SELF))).real_ticks)
        await call(SysSettime(sec=500, now=1))  # before the machine was booted
        times = await call(SysTimes(SELF))
        return [*codes, times.boot_time, times.real_ticks]

    assert small.result(set_time) == [OK, 1000, 3600, EINVAL, 3720, 500, 1]


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("250", 250),
        ("250ns", 250),
        ("2us", 2000),
        ("1.5ms", 1_500_000),
        ("3s", 3 * 10**9),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "x", "1h", "-1", "1e3", "1.5.2ms", "ms", "inf.s"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(CostError):
        parse_duration(text)


def test_costs_can_be_overridden_one_by_one() -> None:
    assert Costs.parse("trap=10, fault=2us") == Costs(trap=10, fault=2000)
    assert Costs.parse("free") is MODELS["free"]
    with pytest.raises(CostError, match="unknown cost 'magic=3'; there are access,"):
        Costs.parse("magic=3")


def test_every_trap_costs_what_the_table_says() -> None:
    machine = Machine(Configuration(costs=Costs(trap=7, delivery=100, access=3)))

    async def main() -> None:
        await trap(Compute(1000))
        await trap(Receive())

    machine.spawn(20, "main", main, system=True)
    machine.run_nowait()
    assert machine.clock.now == 1000 + 107
