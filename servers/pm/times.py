"""What time it is, and how much of it processes have used.

Source: MINIX ``servers/pm/time.c``, ``utility.c`` set_rusage_times, ``misc.c`` do_getrusage.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.errors import EINVAL, EPERM, OK
from ipc.flags import CLOCK_MONOTONIC, CLOCK_REALTIME
from ipc.message import Message, Reply
from ipc.pm import (
    PmClockGetres,
    PmClockGetresReply,
    PmClockGettime,
    PmClockGettimeReply,
    PmClockSettime,
    PmGetrusage,
    PmGettimeofday,
    PmGettimeofdayReply,
    PmStime,
)
from ipc.traps import Load, Store, trap
from kernel.clock import HZ, NANOSECONDS
from servers.lib.kernel_calls import sys_settime, sys_stime, sys_times, vm_getrusage
from servers.lib.loop import Refused
from servers.lib.memory import SCRATCH, copy_out
from servers.pm.mproc import SUPER_USER

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

RUSAGE_SELF: Final = 0
RUSAGE_CHILDREN: Final = -1

RUSAGE: Final = struct.Struct("<qiqi14i")  # MINIX: struct rusage
MICROSECONDS: Final = 1_000_000


def rusage(user_ticks: int, system_ticks: int) -> bytes:
    """A `struct rusage` in which only the times are filled in."""
    times: list[int] = []
    for ticks in (user_ticks, system_ticks):
        times += divmod(ticks * MICROSECONDS // HZ, MICROSECONDS)
    return RUSAGE.pack(*times, *[0] * 14)


async def do_getrusage(pm: ProcessManager, source: int, message: PmGetrusage) -> Message:
    """PM_GETRUSAGE: what the caller, or its dead children, have used.  EINVAL, EFAULT."""
    if message.who not in (RUSAGE_SELF, RUSAGE_CHILDREN):
        raise Refused(EINVAL)
    children = message.who == RUSAGE_CHILDREN
    if children:
        user_time, system_time = pm.caller.child_utime, pm.caller.child_stime
    else:
        user_time, system_time = await sys_times(source)
    await trap(Store(SCRATCH, rusage(user_time, system_time)))
    result = await vm_getrusage(source, SCRATCH, children=children)
    if result != OK:
        raise Refused(result)
    usage = await trap(Load(SCRATCH, RUSAGE.size))
    return Reply(await copy_out(usage, source, message.addr))


async def do_gettime(pm: ProcessManager, _source: int, message: PmClockGettime) -> Message:
    """PM_CLOCK_GETTIME: the time since 1970, or since boot.  EINVAL: no such clock."""
    clock = pm.clock
    if message.clk_id == CLOCK_REALTIME:
        ticks = clock.ticks + clock.realtime_offset
    elif message.clk_id == CLOCK_MONOTONIC:
        ticks = clock.ticks
    else:
        raise Refused(EINVAL)
    nanoseconds = ticks % HZ * NANOSECONDS // HZ
    return PmClockGettimeReply(OK, clock.boot_time + ticks // HZ, nanoseconds)


async def do_getres(_pm: ProcessManager, _source: int, message: PmClockGetres) -> Message:
    """PM_CLOCK_GETRES: how fine a clock is.  EINVAL: no such clock."""
    if message.clk_id not in (CLOCK_REALTIME, CLOCK_MONOTONIC):
        raise Refused(EINVAL)
    return PmClockGetresReply(OK, 0, NANOSECONDS // HZ)


async def do_settime(pm: ProcessManager, _source: int, message: PmClockSettime) -> Message:
    """PM_CLOCK_SETTIME: EPERM for all but the superuser; EINVAL for clocks that cannot be set."""
    if pm.caller.effuid != SUPER_USER:
        raise Refused(EPERM)
    if message.clk_id != CLOCK_REALTIME:
        raise Refused(EINVAL)
    return Reply(await sys_settime(message.now, message.clk_id, message.sec, message.nsec))


async def do_time(pm: ProcessManager, _source: int, _message: PmGettimeofday) -> Message:
    """PM_GETTIMEOFDAY: the time since 1970."""
    clock = pm.clock
    ticks = clock.ticks + clock.realtime_offset
    nanoseconds = ticks % HZ * NANOSECONDS // HZ
    return PmGettimeofdayReply(OK, clock.boot_time + ticks // HZ, nanoseconds)


async def do_stime(pm: ProcessManager, _source: int, message: PmStime) -> Message:
    """PM_STIME: say what time it is.  EPERM for all but the superuser."""
    if pm.caller.effuid != SUPER_USER:
        raise Refused(EPERM)
    ticks = pm.clock.ticks + pm.clock.realtime_offset
    return Reply(await sys_stime(message.sec - ticks // HZ))
