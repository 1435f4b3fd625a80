"""Interval timers: SIGALRM by PM's own clock, SIGVTALRM and SIGPROF by the kernel's.

Source: MINIX ``servers/pm/alarm.c``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.endpoint import PM, slot_of
from ipc.errors import EINVAL, OK
from ipc.flags import ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL
from ipc.message import Message, Reply
from ipc.notification import Notification
from ipc.pm import PmItimer
from ipc.signals import SIGALRM, SIGVTALRM
from kernel.clock import HZ
from kernel.panic import Panic
from servers.lib.kernel_calls import sys_vtimer
from servers.lib.loop import Refused
from servers.lib.memory import copy_in, copy_out
from servers.lib.timers import TMRDIFF_MAX
from servers.pm import signals
from servers.pm.mproc import NR_ITIMERS, Mproc

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

ITIMERVAL: Final = struct.Struct("<qiqi")  # MINIX: struct itimerval, interval before value
MICROSECONDS: Final = 1_000_000
MAX_SECONDS: Final = TMRDIFF_MAX // HZ


def ticks_from_timeval(seconds: int, microseconds: int) -> int:
    """A time in ticks, rounded up."""
    return seconds * HZ + -(-microseconds * HZ // MICROSECONDS)


def timeval_from_ticks(ticks: int) -> tuple[int, int]:
    """Ticks as seconds and microseconds."""
    return ticks // HZ, ticks % HZ * MICROSECONDS // HZ


async def do_itimer(pm: ProcessManager, source: int, message: PmItimer) -> Message:
    """PM_ITIMER: get and set an interval timer.  EINVAL: no such timer or time; EFAULT."""
    caller = pm.caller
    which = message.which
    if not 0 <= which < NR_ITIMERS or not (message.value or message.ovalue):
        raise Refused(EINVAL)
    new: tuple[int, int] | None = None
    if message.value:
        new = await _fetch(source, message.value)
    old = (
        await _real(pm, caller, new) if which == ITIMER_REAL else await _virtual(caller, which, new)
    )
    if message.ovalue:
        left, interval = old
        data = ITIMERVAL.pack(*timeval_from_ticks(interval), *timeval_from_ticks(left))
        result = await copy_out(data, source, message.ovalue)
        if result != OK:
            raise Refused(result)
    return Reply(OK)


async def _fetch(source: int, address: int) -> tuple[int, int]:
    """The new time and interval, in ticks, from the caller's memory."""
    data = await copy_in(source, address, ITIMERVAL.size)
    if isinstance(data, int):
        raise Refused(data)
    interval_s, interval_us, value_s, value_us = ITIMERVAL.unpack(data)
    if not _is_sane(value_s, value_us) or not _is_sane(interval_s, interval_us):
        raise Refused(EINVAL)
    value = ticks_from_timeval(value_s, value_us)
    return value, ticks_from_timeval(interval_s, interval_us) if value else 0


def _is_sane(seconds: int, microseconds: int) -> bool:
    return 0 <= seconds <= MAX_SECONDS and 0 <= microseconds < MICROSECONDS


async def _real(pm: ProcessManager, process: Mproc, new: tuple[int, int] | None) -> tuple[int, int]:
    """Set the timer of SIGALRM; what was left of it, and its interval before."""
    interval = process.intervals[ITIMER_REAL]
    left = 0
    if process.alarm is not None:
        left = process.alarm.expires - pm.clock.ticks
        if left <= 0:
            left = interval
    if new is not None:
        await set_alarm(pm, process, min(new[0], TMRDIFF_MAX))
        process.intervals[ITIMER_REAL] = new[1]
    return left, interval


async def _virtual(process: Mproc, which: int, new: tuple[int, int] | None) -> tuple[int, int]:
    """Set a timer that the kernel keeps; what was left of it, and its interval before."""
    interval = process.intervals[which]
    if new is not None:
        process.intervals[which] = new[1]
    result, left = await sys_vtimer(process.endpoint, which, None if new is None else new[0])
    if result != OK:
        raise Panic(f"the kernel keeps no timer for {process.name}")
    return (left if left > 0 else interval), interval


async def check_vtimer(process: Mproc, signal: int) -> None:
    """The timer of `signal` has gone off: start it again if it repeats."""
    which = ITIMER_VIRTUAL if signal == SIGVTALRM else ITIMER_PROF
    if process.intervals[which]:
        await sys_vtimer(process.endpoint, which, process.intervals[which])


async def set_alarm(pm: ProcessManager, process: Mproc, ticks: int) -> None:
    """Have `process` get SIGALRM in that many ticks; 0: not at all."""
    if process.alarm is not None:
        await pm.timers.cancel(process.alarm)
        process.alarm = None
    if ticks:
        process.alarm = await pm.timers.set(
            pm.clock.ticks, ticks, pm.cause_sigalrm, process.endpoint
        )


async def cause_sigalrm(pm: ProcessManager, endpoint: int) -> None:
    """The alarm of a process goes off.  MINIX: cause_sigalrm."""
    process = pm.table.lookup(endpoint)
    if process is None or not process.alive or process.alarm is None:
        return
    process.alarm = None
    await set_alarm(pm, process, process.intervals[ITIMER_REAL])
    pm.caller = pm.table.slots[slot_of(PM)]
    await signals.check_sig(pm, process.pid, SIGALRM, from_kernel=False)


async def do_clock_notify(pm: ProcessManager, _source: int, message: Notification) -> None:
    """PM's alarm in the kernel went off."""
    await pm.timers.expire(message.timestamp)
