"""Scheduling: the kernel's and PM's calls to the scheduler.

Source: MINIX ``minix/com.h``, ``libsys/sched_start.c``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, i64, message, u32


@message
class SchedulingNoQuantum(Message, number=3841, call="SCHEDULING_NO_QUANTUM"):
    """The sender has used up its quantum: the kernel, in the name of the process."""

    acnt_queue: int = i64(0)
    acnt_deqs: int = u32(8)
    acnt_ipc_sync: int = u32(12)
    acnt_ipc_async: int = u32(16)
    acnt_preempt: int = u32(20)
    acnt_cpu: int = u32(24)
    acnt_cpu_load: int = u32(28)


@message
class SchedulingStart(Message, number=3842, call="SCHEDULING_START"):
    """Schedule a new system process from now on: RS, through sched_start."""

    endpoint: int = i32(0, "endpoint")
    parent: int = i32(4, "endpoint")
    maxprio: int = i32(8)
    quantum: int = i32(12)


@message
class SchedulingStartReply(Reply):
    """Who schedules the process."""

    scheduler: int = i32(0, "endpoint")


@message
class SchedulingStop(Message, number=3843, call="SCHEDULING_STOP"):
    """Schedule a process no more: PM, when it exits."""

    endpoint: int = i32(0, "endpoint")


@message
class SchedulingSetNice(Message, number=3844, call="SCHEDULING_SET_NICE"):
    """Change the best priority that a process may have: PM, for setpriority."""

    endpoint: int = i32(0, "endpoint")
    maxprio: int = u32(4)


@message
class SchedulingInherit(Message, number=3845, call="SCHEDULING_INHERIT"):
    """Schedule a new process with its parent's quantum: PM, after a fork."""

    endpoint: int = i32(0, "endpoint")
    parent: int = i32(4, "endpoint")
    maxprio: int = i32(8)


@message
class SchedulingInheritReply(Reply):
    """Who schedules the process."""

    scheduler: int = i32(0, "endpoint")


MESSAGES = (
    SchedulingNoQuantum, SchedulingStart, SchedulingStop, SchedulingSetNice, SchedulingInherit,
)  # fmt: skip
