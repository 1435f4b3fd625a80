"""Kernel calls: processes, privileges, signals and scheduling.

Source: MINIX ``minix/com.h``, ``kernel/system``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, message, sigset, u32


@message
class SysFork(Message, number=1536, call="SYS_FORK"):
    """Make a new process in a slot as a copy of another: VM."""

    endpt: int = i32(0, "endpoint")
    slot: int = i32(4)
    flags: int = u32(8, "fork")


@message
class SysForkReply(Reply):
    """The child, and where in its memory the fork's reply goes."""

    endpt: int = i32(0, "endpoint")
    msgaddr: int = u32(4, "address")


@message
class SysExec(Message, number=1537, call="SYS_EXEC"):
    """Start a process anew at the entry of its new program: PM."""

    endpt: int = i32(0, "endpoint")
    ip: int = u32(4, "address")
    stack: int = u32(8, "address")
    name_: int = u32(12, "address")
    ps_str: int = u32(16, "address")


@message
class SysClear(Message, number=1538, call="SYS_CLEAR"):
    """Free a process's slot after its exit: PM."""

    endpt: int = i32(0, "endpoint")


@message
class SysSchedule(Message, number=1539, call="SYS_SCHEDULE"):
    """Let a process run with that priority and quantum: SCHED."""

    endpoint: int = i32(0, "endpoint")
    quantum: int = i32(4)
    priority: int = i32(8)
    cpu: int = i32(12)
    niced: int = i32(16)


@message
class SysPrivctl(Message, number=1540, call="SYS_PRIVCTL"):
    """Set a process's privileges, or let it run: RS, and drivers to ask."""

    request: int = i32(0, "privctl")
    endpt: int = i32(4, "endpoint")
    arg_ptr: int = u32(8, "address")
    phys_start: int = u32(12, "address")
    phys_len: int = u32(16, "size")


@message
class SysTrace(Message, number=1541, call="SYS_TRACE"):
    """Read, write, or step a traced process: PM."""

    request: int = i32(0, "ptrace")
    endpt: int = i32(4, "endpoint")
    address: int = u32(8, "address")
    data: int = i32(12)


@message
class SysTraceReply(Reply):
    """The value read."""

    data: int = i32(0)


@message
class SysKill(Message, number=1542, call="SYS_KILL"):
    """Send a signal to a process through PM: services."""

    endpt: int = i32(16, "endpoint")
    sig: int = i32(20, "signal")


@message
class SysGetksig(Message, number=1543, call="SYS_GETKSIG"):
    """Get a process with signals of the kernel: PM."""


@message
class SysGetksigReply(Reply):
    """A process and its signals; NONE if there is none."""

    map: int = sigset(0)
    endpt: int = i32(16, "endpoint")


@message
class SysEndksig(Message, number=1544, call="SYS_ENDKSIG"):
    """The signals of a process are dealt with: PM."""

    endpt: int = i32(16, "endpoint")


@message
class SysSigsend(Message, number=1545, call="SYS_SIGSEND"):
    """Let a process enter its signal handler: PM."""

    endpt: int = i32(16, "endpoint")
    sigctx: int = u32(24, "address")


@message
class SysSigreturn(Message, number=1546, call="SYS_SIGRETURN"):
    """Let a process return from its signal handler: PM."""

    endpt: int = i32(16, "endpoint")
    sigctx: int = u32(24, "address")


@message
class SysRunctl(Message, number=1582, call="SYS_RUNCTL"):
    """Stop or resume a process: PM."""

    endpt: int = i32(8, "endpoint")
    action: int = i32(12, "runctl")
    flags: int = i32(16)


@message
class SysGetmcontext(Message, number=1586, call="SYS_GETMCONTEXT"):
    """Get a process's machine context: PM."""

    endpt: int = i32(0, "endpoint")
    ctx_ptr: int = u32(4, "address")


@message
class SysSetmcontext(Message, number=1587, call="SYS_SETMCONTEXT"):
    """Set a process's machine context: PM."""

    endpt: int = i32(0, "endpoint")
    ctx_ptr: int = u32(4, "address")


@message
class SysUpdate(Message, number=1588, call="SYS_UPDATE"):
    """Exchange two process slots for a live update: RS."""

    src_endpt: int = i32(8, "endpoint")
    dst_endpt: int = i32(12, "endpoint")
    flags: int = i32(16)


@message
class SysExit(Message, number=1589, call="SYS_EXIT"):
    """End the calling service: any service."""


@message
class SysSchedctl(Message, number=1590, call="SYS_SCHEDCTL"):
    """Become a process's scheduler, or leave it to the kernel: SCHED."""

    flags: int = u32(0, "schedctl")
    endpoint: int = i32(4, "endpoint")
    priority: int = i32(8)
    quantum: int = i32(12)
    cpu: int = i32(16)


@message
class SysStatectl(Message, number=1591, call="SYS_STATECTL"):
    """Change how others reach the caller: filters, references: services."""

    request: int = i32(0, "statectl")
    address: int = u32(4, "address")
    length: int = i32(8, "size")


MESSAGES = (
    SysFork, SysExec, SysClear, SysSchedule, SysPrivctl, SysTrace, SysKill, SysGetksig, SysEndksig,
    SysSigsend, SysSigreturn, SysRunctl, SysGetmcontext, SysSetmcontext, SysUpdate, SysExit,
    SysSchedctl, SysStatectl,
)  # fmt: skip
