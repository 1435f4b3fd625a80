"""Kernel calls: time.

Source: MINIX ``kernel/system/{do_times,do_setalarm,do_vtimer,do_stime,do_settime}.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import NONE, SELF
from ipc.errors import EINVAL, EPERM, OK
from ipc.flags import CLOCK_REALTIME, VT_PROF, VT_VIRTUAL
from ipc.kernelcalls import (
    SysSetalarm,
    SysSetalarmReply,
    SysSettime,
    SysStime,
    SysTimes,
    SysTimesReply,
    SysVtimer,
    SysVtimerReply,
)
from ipc.message import Message
from kernel.clock import HZ, NANOSECONDS, tick_time

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

TMR_NEVER: Final = 1 << 31
_TICK_MASK: Final = 0xFFFFFFFF
_LONG_MAX: Final = 0x7FFFFFFF  # i386


def do_times(machine: Machine, caller: Process, request: SysTimes) -> Message | int:
    """The times (ticks) that a process has used, and the machine's."""
    endpoint = caller.endpoint if request.endpt == SELF else request.endpt
    machine.dispatcher.account()
    clock = machine.clock
    user = system = 0
    process = None if endpoint == NONE else machine.table.lookup(endpoint)
    if process is not None:
        user = _ticks(process.user_time)
        system = _ticks(process.system_time)
    ticks = clock.ticks
    realtime = (ticks + clock.realtime_offset) & _TICK_MASK
    return SysTimesReply(OK, realtime, ticks & _TICK_MASK, user, system, clock.boot_time)


def _ticks(duration: int) -> int:
    return duration * HZ // NANOSECONDS & _TICK_MASK


def do_setalarm(machine: Machine, caller: Process, request: SysSetalarm) -> Message | int:
    """Set the caller's alarm for a tick, or after so many; 0 ticks from now clears it."""
    privilege = caller.privilege
    if not privilege.system:
        return EPERM
    now = machine.clock.ticks
    left = TMR_NEVER
    if privilege.alarm is not None:
        left = max(0, _tick_of(privilege.alarm.time) - now)
    if not request.abs_time and request.exp_time == 0:
        machine.timers.clear_alarm(caller)
    else:
        tick = request.exp_time if request.abs_time else now + request.exp_time
        machine.timers.set_alarm(caller, tick)
    return SysSetalarmReply(OK, left, now)


def _tick_of(time: int) -> int:
    """The tick whose virtual time is `time`."""
    tick = time * HZ // NANOSECONDS
    return tick if tick_time(tick) >= time else tick + 1


def do_vtimer(machine: Machine, caller: Process, request: SysVtimer) -> Message | int:
    """Get, and set if asked, one of a process's virtual timers (ticks)."""
    if not caller.privilege.system:
        return EPERM
    if request.which not in (VT_VIRTUAL, VT_PROF):
        return EINVAL
    endpoint = caller.endpoint if request.endpt == SELF else request.endpt
    process = machine.table.lookup(endpoint)
    if process is None:
        return EINVAL
    machine.dispatcher.account()
    virtual = request.which == VT_VIRTUAL
    before = process.virtual_left if virtual else process.profile_left
    if request.set:
        machine.dispatcher.careful = True
        left = max(0, request.value) * NANOSECONDS // HZ
        if virtual:
            process.virtual_left = left
        else:
            process.profile_left = left
    return SysVtimerReply(OK, -(-before * HZ // NANOSECONDS))


def do_stime(machine: Machine, _caller: Process, request: SysStime) -> Message | int:
    """Say when (seconds since 1970) the machine was booted."""
    machine.clock.boot_time = request.boot_time
    return OK


def do_settime(machine: Machine, _caller: Process, request: SysSettime) -> Message | int:
    """Set the time of day, at once."""
    if request.clock_id != CLOCK_REALTIME:
        return EINVAL
    clock = machine.clock
    fraction = request.nsec * HZ // NANOSECONDS
    if request.now == 0:
        # Differs: MINIX spreads the correction over many ticks.
        clock.realtime_offset += request.sec * HZ + fraction
        return OK
    since_boot = (request.sec - clock.boot_time) * HZ
    if request.sec <= clock.boot_time or since_boot > _LONG_MAX // 2:
        clock.boot_time = request.sec
        clock.realtime_offset = 1 - clock.ticks
        return OK
    clock.realtime_offset = since_boot + fraction - clock.ticks
    return OK
