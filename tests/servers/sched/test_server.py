"""SCHED: what it answers, and how processes sink and rise."""

from __future__ import annotations

import pytest

from ipc.endpoint import INIT, PM, SCHED
from ipc.errors import EBADEPT, EDEADEPT, EINVAL, ENOSYS, EPERM
from ipc.message import Message, RawMessage
from ipc.sched import (
    SchedulingInherit,
    SchedulingNoQuantum,
    SchedulingSetNice,
    SchedulingStart,
    SchedulingStop,
)
from ipc.signals import SIGKILL
from servers.lib.driven import Command, Returned
from servers.lib.libc import Libc
from tests.servers.systems import booted, check, tell

FROM_PM: list[tuple[Message, int]] = [
    (SchedulingStop(endpoint=77), EBADEPT),
    (SchedulingStop(endpoint=-2), EBADEPT),
    (SchedulingSetNice(endpoint=77, maxprio=3), EBADEPT),
    (SchedulingStart(endpoint=-2, parent=11, maxprio=3, quantum=9), EBADEPT),
    (SchedulingStart(endpoint=1000, parent=11, maxprio=3, quantum=9), EINVAL),
    (SchedulingStart(endpoint=13, parent=11, maxprio=16, quantum=9), EINVAL),
    (SchedulingStart(endpoint=13, parent=11, maxprio=-1, quantum=9), EINVAL),
    (SchedulingStart(endpoint=13, parent=11, maxprio=3, quantum=9), EINVAL),  # no such process
    (SchedulingInherit(endpoint=13, parent=77, maxprio=3), EDEADEPT),
    (SchedulingInherit(endpoint=13, parent=-2, maxprio=3), EBADEPT),
    (SchedulingInherit(endpoint=13, parent=1000, maxprio=3), EINVAL),
    (SchedulingNoQuantum(), EPERM),  # not from the kernel
    (RawMessage(type=3840), ENOSYS),
]


@pytest.mark.parametrize(("request_", "expected"), FROM_PM, ids=lambda each: str(each)[:50])
def test_bad_requests(request_: Message, expected: int) -> None:
    system = booted(driven={"pm": PM})
    outcomes: list[object] = []

    async def ask(libc: Libc) -> int:
        return (await libc.sendrec(SCHED, request_)).type

    pm = system.machine.table.lookup(PM)
    assert pm is not None
    # VFS waits to hear of the boot image, which SCHED does not need.
    system.machine.driven.inject(pm, Command(ask, "ask"), outcomes.append)
    system.machine.run_quiet_nowait()
    assert outcomes == [Returned(expected)]
    system.sched.check()


REQUESTS: list[Message] = [
    SchedulingStart(endpoint=INIT),
    SchedulingInherit(endpoint=INIT),
    SchedulingStop(endpoint=INIT),
    SchedulingSetNice(endpoint=INIT),
    SchedulingNoQuantum(),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: each.name)
def test_only_pm_and_rs_may_ask(request_: Message) -> None:
    async def ask(libc: Libc) -> int:
        return (await libc.sendrec(SCHED, request_)).type

    assert tell(booted(), ask) == EPERM


async def compute_for_ever(libc: Libc) -> None:
    while True:
        await libc.compute(1_000_000)


def test_who_uses_up_quanta_sinks() -> None:
    system = booted(policy="priority")

    async def look(libc: Libc) -> list[int]:
        pid = await libc.fork(compute_for_ever)
        await libc.nanosleep(2 * 10**9)
        known = next(each for slot, each in system.sched.slots.items() if slot != INIT)
        process = system.process(pid)
        assert process is not None
        await libc.kill(pid, SIGKILL)
        await libc.wait()
        return [known.max_priority, known.priority, process.priority]

    best, now, in_kernel = tell(system, look)
    assert best == 7
    assert 7 < now <= 15
    assert in_kernel == now, "the kernel knows"
    assert system.sched.slots.keys() == {INIT}
    check(system)


def test_a_process_alone_in_its_queue_rises_every_five_seconds() -> None:
    async def sink(libc: Libc) -> None:
        await libc.compute(10**9)
        await libc.sigsuspend()

    system = booted(policy="priority")
    tell(system, lambda libc: libc.fork(sink))
    known = next(each for slot, each in system.sched.slots.items() if slot != INIT)
    low = known.priority
    assert low > 7
    levels = []
    for _ in range(low - 7 + 1):
        system.machine.advance_nowait(5 * 10**9)
        levels.append(known.priority)
    assert levels == [max(7, low - 1 - count) for count in range(low - 7 + 1)]


def test_the_machine_is_at_rest_although_sched_has_an_alarm() -> None:
    system = booted(policy="priority")
    alarm = system.machine.table.privileges[SCHED + 5].alarm
    assert alarm is not None
    before = system.machine.clock.now
    system.machine.run_quiet_nowait()
    assert system.machine.clock.now == before


def test_a_child_starts_where_its_parent_stands() -> None:
    async def nice(libc: Libc) -> None:
        await libc.setpriority(0, 0, 10)

        async def rest(child: Libc) -> None:
            await child.sigsuspend()

        await libc.fork(rest)
        await libc.sigsuspend()

    system = booted()
    tell(system, lambda libc: libc.fork(nice))
    queues = [each.priority for slot, each in system.sched.slots.items() if slot != INIT]
    assert queues == [11, 11]
    assert system.sched.slots[INIT].priority == 7
