"""Kernel calls: devices, time, and the machine as a whole.

Source: MINIX ``minix/com.h``, ``kernel/system``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, i64, message, raw, u32


@message
class SysIrqctl(Message, number=1555, call="SYS_IRQCTL"):
    """Subscribe to an interrupt, or enable it: drivers."""

    request: int = i32(0, "irqctl")
    vector: int = i32(4)
    policy: int = i32(8)
    hook_id: int = i32(12)


@message
class SysIrqctlReply(Reply):
    """The hook by which to name the subscription."""

    hook_id: int = i32(0)


@message
class SysDevio(Message, number=1557, call="SYS_DEVIO"):
    """Read or write an I/O port: drivers."""

    request: int = i32(0)
    port: int = i32(4)
    value: int = u32(8)


@message
class SysDevioReply(Reply):
    """The value read."""

    value: int = u32(0)


@message
class SysSdevio(Message, number=1558, call="SYS_SDEVIO"):
    """Read or write many values at one I/O port: drivers."""

    request: int = i32(0)
    port: int = i32(4)
    vec_endpt: int = i32(8, "endpoint")
    vec_addr: int = u32(12, "address")
    vec_size: int = u32(16)
    offset: int = u32(20)


@message
class SysVdevio(Message, number=1559, call="SYS_VDEVIO"):
    """Read or write a vector of I/O ports: drivers."""

    request: int = i32(0)
    vec_size: int = i32(4)
    vec_addr: int = u32(8, "address")


@message
class SysSetalarm(Message, number=1560, call="SYS_SETALARM"):
    """Notify the caller at a time: services."""

    exp_time: int = u32(0)
    abs_time: int = i32(12)


@message
class SysSetalarmReply(Reply):
    """What was left of the alarm before, and the time now."""

    time_left: int = u32(4)
    uptime: int = u32(8)


@message
class SysTimes(Message, number=1561, call="SYS_TIMES"):
    """Get a process's times and the machine's: PM and others."""

    endpt: int = i32(0, "endpoint")


@message
class SysTimesReply(Reply):
    """The times."""

    real_ticks: int = u32(0)
    boot_ticks: int = u32(4)
    user_time: int = u32(8)
    system_time: int = u32(12)
    boot_time: int = i64(16)


@message
class SysGetinfo(Message, number=1562, call="SYS_GETINFO"):
    """Copy one of the kernel's tables to the caller: services."""

    request: int = i32(0, "getinfo")
    endpt: int = i32(4, "endpoint")
    val_ptr: int = u32(8, "address")
    val_len: int = i32(12, "size")
    val_ptr2: int = u32(16, "address")
    val_len2_e: int = i32(20)


@message
class SysGetinfoReply(Reply):
    """Who the caller is; only for GET_WHOAMI."""

    endpt: int = i32(0, "endpoint")
    privflags: int = i32(4)
    initflags: int = i32(8)
    name_: bytes = raw(12, 44)


@message
class SysAbort(Message, number=1563, call="SYS_ABORT"):
    """Stop the machine: PM and others."""

    how: int = i32(0)


@message
class SysIopenable(Message, number=1564, call="SYS_IOPENABLE"):
    """Let a process use I/O ports by itself: drivers."""

    endpt: int = i32(0, "endpoint")


@message
class SysReadbios(Message, number=1571, call="SYS_READBIOS"):
    """Copy from the BIOS area: drivers."""

    size: int = u32(0, "size")
    addr: int = u32(4, "address")
    buf: int = u32(8, "address")


@message
class SysSprof(Message, number=1572, call="SYS_SPROF"):
    """Start or stop statistical profiling: PM."""

    action: int = i32(0)
    freq: int = i32(4)
    intr_type: int = i32(8)
    endpt: int = i32(12, "endpoint")
    ctl_ptr: int = u32(16, "address")
    mem_ptr: int = u32(20, "address")
    mem_size: int = u32(24, "size")


@message
class SysStime(Message, number=1575, call="SYS_STIME"):
    """Set when the machine was booted: PM."""

    boot_time: int = i64(0)


@message
class SysSettime(Message, number=1576, call="SYS_SETTIME"):
    """Set the clock, at once or slowly: PM."""

    sec: int = i64(0)
    nsec: int = i32(8)
    now: int = i32(12)
    clock_id: int = i32(16, "clock")


@message
class SysDiagctl(Message, number=1580, call="SYS_DIAGCTL"):
    """Print a diagnostic message, or a stack: services."""

    code: int = i32(0, "diagctl")
    buf: int = u32(4, "address")
    len: int = i32(8, "size")
    endpt: int = i32(12, "endpoint")


@message
class SysVtimer(Message, number=1581, call="SYS_VTIMER"):
    """Set or get a process's virtual timer: PM."""

    which: int = i32(8, "vtimer")
    set: int = i32(12)
    value: int = i32(20)
    endpt: int = i32(24, "endpoint")


@message
class SysVtimerReply(Reply):
    """What was left of the timer before."""

    value: int = i32(20)


@message
class SysPadconf(Message, number=1593, call="SYS_PADCONF"):
    """Configure a pad of an ARM machine: drivers."""

    padconf: int = i32(8)
    mask: int = i32(12)
    value: int = i32(16)


MESSAGES = (
    SysIrqctl, SysDevio, SysSdevio, SysVdevio, SysSetalarm, SysTimes, SysGetinfo, SysAbort,
    SysIopenable, SysReadbios, SysSprof, SysStime, SysSettime, SysDiagctl, SysVtimer, SysPadconf,
)  # fmt: skip
