"""How PM has processes scheduled, and what `nice` means to a scheduler.

Source: MINIX ``servers/pm/schedule.c``, ``lib/libsys/sched_start.c``, ``sched_stop.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import INIT, KERNEL, NONE
from ipc.errors import EINVAL, OK
from ipc.sched import SchedulingInherit, SchedulingSetNice, SchedulingStart, SchedulingStop
from servers.lib.kernel_calls import ask, taskcall
from servers.pm.mproc import PRIV_PROC, Mproc

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

PRIO_MIN: Final = -20
PRIO_MAX: Final = 20
MAX_USER_Q: Final = 0
MIN_USER_Q: Final = 15
USER_Q: Final = 7
USER_QUANTUM: Final = 200  # ms


def nice_to_priority(nice: int) -> int:
    """The queue for a nice value, 0 the best; negative (EINVAL) if there is no such value."""
    if not PRIO_MIN <= nice <= PRIO_MAX:
        return EINVAL
    queues = MIN_USER_Q - MAX_USER_Q + 1
    queue = MAX_USER_Q + (nice - PRIO_MIN) * queues // (PRIO_MAX - PRIO_MIN + 1)
    return min(max(queue, MAX_USER_Q), MIN_USER_Q)


async def start_init(process: Mproc, scheduler: int) -> int:
    """Have INIT, from which all users' processes come, scheduled.  MINIX: sched_init."""
    request = SchedulingStart(process.endpoint, process.endpoint, USER_Q, USER_QUANTUM)
    reply = await ask(scheduler, request)
    if reply.type == OK:
        process.scheduler = reply.scheduler
    return int(reply.type)


async def start_user(pm: ProcessManager, process: Mproc, scheduler: int) -> int:
    """Have a new process scheduled as its parent is.  MINIX: sched_start_user."""
    priority = nice_to_priority(process.nice)
    if priority < 0:
        return priority
    parent = pm.table.slots[process.parent]
    # A server is not scheduled as users are, and cannot be the model.
    heir_of = INIT if parent.flags & PRIV_PROC else parent.endpoint
    reply = await ask(scheduler, SchedulingInherit(process.endpoint, heir_of, priority))
    if reply.type == OK:
        process.scheduler = reply.scheduler
    return int(reply.type)


async def stop_scheduling(process: Mproc) -> int:
    """Have `process` scheduled no more.  MINIX: sched_stop."""
    if process.scheduler in (KERNEL, NONE):
        return OK
    return await taskcall(process.scheduler, SchedulingStop(process.endpoint))


async def set_nice(process: Mproc, nice: int) -> int:
    """Change the best queue that `process` may be in; EINVAL if no server schedules it."""
    if process.scheduler in (KERNEL, NONE):
        return EINVAL
    priority = nice_to_priority(nice)
    if priority < 0:
        return priority
    return await taskcall(process.scheduler, SchedulingSetNice(process.endpoint, priority))
