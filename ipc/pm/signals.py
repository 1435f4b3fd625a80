"""Calls to PM: signals and timers.

Source: MINIX ``minix/callnr.h``, ``servers/pm``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, message, sigset, u32


@message
class PmKill(Message, number=11, call="PM_KILL"):
    """Send a signal to processes: libc kill."""

    pid: int = i32(0)
    nr: int = i32(4, "signal")


@message
class PmItimer(Message, number=17, call="PM_ITIMER"):
    """Set or get an interval timer: libc setitimer."""

    which: int = i32(0, "itimer")
    value: int = u32(4, "address")
    ovalue: int = u32(8, "address")


@message
class PmGetmcontext(Message, number=18, call="PM_GETMCONTEXT"):
    """Get the caller's machine context: libc getcontext."""

    ctx: int = u32(0, "address")


@message
class PmSetmcontext(Message, number=19, call="PM_SETMCONTEXT"):
    """Set the caller's machine context: libc setcontext."""

    ctx: int = u32(0, "address")


@message
class PmSigaction(Message, number=20, call="PM_SIGACTION"):
    """Say what a signal does to the caller: libc sigaction."""

    nr: int = i32(4, "signal")
    act: int = u32(8, "address")
    oact: int = u32(12, "address")
    ret: int = u32(16, "address")


@message
class PmSigsuspend(Message, number=21, call="PM_SIGSUSPEND"):
    """Wait for a signal with another mask: libc sigsuspend."""

    set: int = sigset(8)


@message
class PmSigpending(Message, number=22, call="PM_SIGPENDING"):
    """Get the blocked signals that wait: libc sigpending."""


@message
class PmSigpendingReply(Reply):
    """The signals that wait."""

    set: int = sigset(0)


@message
class PmSigprocmask(Message, number=23, call="PM_SIGPROCMASK"):
    """Change the mask of blocked signals: libc sigprocmask."""

    how: int = i32(0, "sigmask")
    set: int = sigset(8)


@message
class PmSigprocmaskReply(Reply):
    """The mask before."""

    set: int = sigset(0)


@message
class PmSigreturn(Message, number=24, call="PM_SIGRETURN"):
    """Go back from a signal handler: the trampoline."""

    ctx: int = u32(4, "address")
    set: int = sigset(8)


@message
class PmProceventmask(Message, number=40, call="PM_PROCEVENTMASK"):
    """Subscribe to process events: services."""

    mask: int = u32(0, "procevents")


@message
class PmSrvKill(Message, number=42, call="PM_SRV_KILL"):
    """Send a signal to a service: RS."""

    pid: int = i32(0)
    nr: int = i32(4, "signal")


MESSAGES = (
    PmKill, PmItimer, PmGetmcontext, PmSetmcontext, PmSigaction, PmSigsuspend, PmSigpending,
    PmSigprocmask, PmSigreturn, PmProceventmask, PmSrvKill,
)  # fmt: skip
