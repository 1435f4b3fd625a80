"""The scheduling policy of users' processes.

The kernel runs whoever is ready in the best queue; SCHED says which queue that is.  A process that
has used up its quantum drops by one queue.  Every five seconds each that is below its best queue
rises by one.

Source: MINIX ``servers/sched``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import attrs

from ipc.endpoint import CLOCK, NR_PROCS, PM, RS, SCHED, slot_of
from ipc.errors import EBADEPT, EDEADEPT, EINVAL, EPERM, OK
from ipc.message import Message, Reply
from ipc.sched import (
    SchedulingInherit,
    SchedulingInheritReply,
    SchedulingNoQuantum,
    SchedulingSetNice,
    SchedulingStart,
    SchedulingStartReply,
    SchedulingStop,
)
from ipc.traps import FROM_KERNEL
from kernel.clock import HZ
from kernel.panic import Panic
from servers.lib.kernel_calls import UNCHANGED, sys_schedctl, sys_schedule, sys_setalarm
from servers.lib.loop import Handler, Refused, Server

NR_SCHED_QUEUES: Final = 16
MIN_USER_Q: Final = 15
USER_Q: Final = 7
BALANCE_TIMEOUT: Final = 5 * HZ  # ticks
THE_ONLY_CPU: Final = 0


@attrs.define(eq=False)
class Scheduled:
    """A process that SCHED schedules: queues count from 0, the best; `time_slice` is in ms."""

    endpoint: int
    max_priority: int
    priority: int
    time_slice: int


async def do_start(
    sched: Scheduler, source: int, message: SchedulingStart | SchedulingInherit
) -> Message:
    """SCHEDULING_START, SCHEDULING_INHERIT: schedule a process from now on.

    EPERM: only PM and RS may; EBADEPT, EINVAL, EDEADEPT: no such process, parent or queue.
    """
    _accept(source)
    slot = sched.empty_slot(message.endpoint)
    if not 0 <= message.maxprio < NR_SCHED_QUEUES:
        raise Refused(EINVAL)
    if isinstance(message, SchedulingStart):
        priority, time_slice = message.maxprio, message.quantum
    else:
        parent = sched.lookup(message.parent)
        if isinstance(parent, int):
            raise Refused(parent)
        priority, time_slice = parent.priority, parent.time_slice
    process = Scheduled(message.endpoint, message.maxprio, priority, time_slice)
    result = await sys_schedctl(0, process.endpoint, 0, 0, 0)
    if result != OK:
        raise Refused(result)
    sched.slots[slot] = process
    result = await schedule(process, THE_ONLY_CPU)
    if result != OK:
        raise Refused(result)
    if isinstance(message, SchedulingStart):
        return SchedulingStartReply(OK, SCHED)
    return SchedulingInheritReply(OK, SCHED)


async def do_stop(sched: Scheduler, source: int, message: SchedulingStop) -> Message:
    """SCHEDULING_STOP: schedule a process no more.  EPERM, EBADEPT."""
    _accept(source)
    if isinstance(sched.lookup(message.endpoint), int):
        raise Refused(EBADEPT)
    del sched.slots[slot_of(message.endpoint)]
    return Reply(OK)


async def do_nice(sched: Scheduler, source: int, message: SchedulingSetNice) -> Message:
    """SCHEDULING_SET_NICE: change the best queue of a process.  EPERM, EBADEPT, EINVAL."""
    _accept(source)
    process = sched.lookup(message.endpoint)
    if isinstance(process, int):
        raise Refused(EBADEPT)
    if message.maxprio >= NR_SCHED_QUEUES:
        raise Refused(EINVAL)
    before = process.max_priority, process.priority
    process.max_priority = process.priority = message.maxprio
    result = await schedule(process)
    if result != OK:
        process.max_priority, process.priority = before
    return Reply(result)


async def do_noquantum(
    sched: Scheduler, source: int, _message: SchedulingNoQuantum
) -> Message | None:
    """SCHEDULING_NO_QUANTUM: the sender has used up its quantum, says the kernel in its name.

    EPERM: the kernel does not say so.
    """
    if not sched.status & FROM_KERNEL:
        raise Refused(EPERM)
    process = sched.lookup(source)
    if not isinstance(process, int):
        if process.priority < MIN_USER_Q:
            process.priority += 1
        await schedule(process)
    return None


async def balance_queues(sched: Scheduler, _source: int, _message: Message) -> None:
    """The alarm went off: let all rise that are below their best queue."""
    for slot in sorted(sched.slots):
        process = sched.slots[slot]
        if process.priority > process.max_priority:
            process.priority -= 1
            await schedule(process)
    await _set_alarm()


async def schedule(process: Scheduled, cpu: int = UNCHANGED) -> int:
    """Tell the kernel the queue and the quantum of `process`."""
    niced = process.max_priority > USER_Q
    return await sys_schedule(process.endpoint, process.priority, process.time_slice, cpu, niced)


async def _set_alarm() -> None:
    if await sys_setalarm(BALANCE_TIMEOUT, abs_time=False) != OK:
        raise Panic("SCHED gets no alarm")


def _accept(source: int) -> None:
    if source not in (PM, RS):
        raise Refused(EPERM)


@attrs.define(eq=False)
class Scheduler(Server):
    """SCHED: the processes that it schedules, by slot, of which there are `size`."""

    CALLS: ClassVar[Mapping[int, Handler]] = {
        SchedulingStart.type: do_start,
        SchedulingInherit.type: do_start,
        SchedulingStop.type: do_stop,
        SchedulingSetNice.type: do_nice,
        SchedulingNoQuantum.type: do_noquantum,
    }
    NOTIFIED: ClassVar[Mapping[int, Handler]] = {CLOCK: balance_queues}

    name: str = "sched"
    size: int = NR_PROCS
    slots: dict[int, Scheduled] = attrs.field(factory=dict)

    async def start(self) -> None:
        """Begin to balance the queues.  MINIX: init_scheduling."""
        await _set_alarm()

    def lookup(self, endpoint: int) -> Scheduled | int:
        """The process that `endpoint` names, or EBADEPT, EINVAL, EDEADEPT."""
        slot = slot_of(endpoint)
        if slot < 0:
            return EBADEPT
        if slot >= self.size:
            return EINVAL
        process = self.slots.get(slot)
        return process if process is not None and process.endpoint == endpoint else EDEADEPT

    def empty_slot(self, endpoint: int) -> int:
        """The slot of `endpoint`, which nobody is scheduled in.  Raises Refused."""
        slot = slot_of(endpoint)
        if slot < 0:
            raise Refused(EBADEPT)
        if slot >= self.size:
            raise Refused(EINVAL)
        if slot in self.slots:
            raise Refused(EDEADEPT)
        return slot

    def check(self) -> None:
        """State the invariants of the table."""
        for slot, process in self.slots.items():
            assert slot_of(process.endpoint) == slot, "a process is in its own slot"
            assert 0 <= process.priority < NR_SCHED_QUEUES, "a queue exists"
