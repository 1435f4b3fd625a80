"""Calls to PM: the time, and what services ask.

Source: MINIX ``minix/callnr.h``, ``servers/pm``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, i64, message, u32


@message
class PmStime(Message, number=7, call="PM_STIME"):
    """Set the time of day in seconds: libc stime."""

    sec: int = i64(0)
    clk_id: int = i32(8)
    now: int = i32(12)
    nsec: int = i32(16)


@message
class PmSysuname(Message, number=25, call="PM_SYSUNAME"):
    """Obsolete: get or set a string that names the system."""

    req: int = i32(0)
    field: int = i32(4)
    len: int = u32(8, "size")
    value: int = u32(12, "address")


@message
class PmGettimeofday(Message, number=28, call="PM_GETTIMEOFDAY"):
    """Get the time of day: libc gettimeofday."""


@message
class PmGettimeofdayReply(Reply):
    """The time."""

    sec: int = i64(0)
    nsec: int = i32(8)


@message
class PmClockGetres(Message, number=33, call="PM_CLOCK_GETRES"):
    """Get the resolution of a clock: libc clock_getres."""

    sec: int = i64(0)
    clk_id: int = i32(8, "clock")
    now: int = i32(12)
    nsec: int = i32(16)


@message
class PmClockGetresReply(Reply):
    """The resolution."""

    sec: int = i64(0)
    nsec: int = i32(8)


@message
class PmClockGettime(Message, number=34, call="PM_CLOCK_GETTIME"):
    """Get the time of a clock: libc clock_gettime."""

    sec: int = i64(0)
    clk_id: int = i32(8, "clock")
    now: int = i32(12)
    nsec: int = i32(16)


@message
class PmClockGettimeReply(Reply):
    """The time."""

    sec: int = i64(0)
    nsec: int = i32(8)


@message
class PmClockSettime(Message, number=35, call="PM_CLOCK_SETTIME"):
    """Set a clock, at once or slowly: libc clock_settime and adjtime."""

    sec: int = i64(0)
    clk_id: int = i32(8, "clock")
    now: int = i32(12)
    nsec: int = i32(16)


@message
class PmSvrctl(Message, number=38, call="PM_SVRCTL"):
    """Read or write a parameter of PM: libc svrctl."""

    request: int = u32(0, "hex")
    arg: int = u32(4, "address")


@message
class PmSprof(Message, number=39, call="PM_SPROF"):
    """Start or stop statistical profiling: profile."""

    action: int = i32(0)
    freq: int = i32(4)
    intr_type: int = i32(8)
    ctl_ptr: int = u32(12, "address")
    mem_ptr: int = u32(16, "address")
    mem_size: int = u32(20, "size")


@message
class PmGetepinfo(Message, number=45, call="PM_GETEPINFO"):
    """Get the ids of the process with that endpoint: services."""

    endpt: int = i32(0, "endpoint")
    groups: int = u32(4, "address")
    ngroups: int = i32(8)


@message
class PmGetepinfoReply(Reply):
    """The process id is the result; its user and group ids."""

    uid: int = u32(0)
    euid: int = u32(4)
    gid: int = u32(8)
    egid: int = u32(12)
    ngroups: int = i32(16)


@message
class PmGetprocnr(Message, number=46, call="PM_GETPROCNR"):
    """Get the endpoint of the process with that id: services."""

    pid: int = i32(0)


@message
class PmGetprocnrReply(Reply):
    """The endpoint."""

    endpt: int = i32(0, "endpoint")


@message
class PmGetsysinfo(Message, number=47, call="PM_GETSYSINFO"):
    """Copy one of PM's tables to the caller: IS and others."""

    what: int = i32(0)
    where: int = u32(4, "address")
    size: int = u32(8, "size")


MESSAGES = (
    PmStime, PmSysuname, PmGettimeofday, PmClockGetres, PmClockGettime, PmClockSettime, PmSvrctl,
    PmSprof, PmGetepinfo, PmGetprocnr, PmGetsysinfo,
)  # fmt: skip
