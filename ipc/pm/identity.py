"""Calls to PM: users, groups, sessions and priorities.

Source: MINIX ``minix/callnr.h``, ``servers/pm``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, message, u32


@message
class PmSetuid(Message, number=5, call="PM_SETUID"):
    """Set the caller's user ids: libc setuid."""

    uid: int = u32(0)


@message
class PmGetuid(Message, number=6, call="PM_GETUID"):
    """Get the caller's user ids: libc getuid and geteuid."""


@message
class PmGetuidReply(Reply):
    """The real user id is the result; the effective one."""

    euid: int = u32(0)


@message
class PmSetgroups(Message, number=9, call="PM_SETGROUPS"):
    """Set the caller's supplementary groups: libc setgroups."""

    num: int = i32(0)
    ptr: int = u32(4, "address")


@message
class PmGetgroups(Message, number=10, call="PM_GETGROUPS"):
    """Get the caller's supplementary groups: libc getgroups."""

    num: int = i32(0)
    ptr: int = u32(4, "address")


@message
class PmSetgid(Message, number=12, call="PM_SETGID"):
    """Set the caller's group ids: libc setgid."""

    gid: int = u32(0)


@message
class PmGetgid(Message, number=13, call="PM_GETGID"):
    """Get the caller's group ids: libc getgid and getegid."""


@message
class PmGetgidReply(Reply):
    """The real group id is the result; the effective one."""

    egid: int = u32(0)


@message
class PmSetsid(Message, number=15, call="PM_SETSID"):
    """Make the caller lead a new session: libc setsid."""


@message
class PmGetpgrp(Message, number=16, call="PM_GETPGRP"):
    """Get the caller's process group: libc getpgrp."""


@message
class PmGetpriority(Message, number=26, call="PM_GETPRIORITY"):
    """Get a process's nice value: libc getpriority."""

    which: int = i32(0)
    who: int = i32(4)


@message
class PmSetpriority(Message, number=27, call="PM_SETPRIORITY"):
    """Set a process's nice value: libc setpriority."""

    which: int = i32(0)
    who: int = i32(4)
    prio: int = i32(8)


@message
class PmSeteuid(Message, number=29, call="PM_SETEUID"):
    """Set the caller's effective user id: libc seteuid."""

    uid: int = u32(0)


@message
class PmSetegid(Message, number=30, call="PM_SETEGID"):
    """Set the caller's effective group id: libc setegid."""

    gid: int = u32(0)


@message
class PmIssetugid(Message, number=31, call="PM_ISSETUGID"):
    """Say whether the caller's program changed its ids: libc issetugid."""


@message
class PmGetsid(Message, number=32, call="PM_GETSID"):
    """Get a process's session: libc getsid."""

    pid: int = i32(0)


MESSAGES = (
    PmSetuid, PmGetuid, PmSetgroups, PmGetgroups, PmSetgid, PmGetgid, PmSetsid, PmGetpgrp,
    PmGetpriority, PmSetpriority, PmSeteuid, PmSetegid, PmIssetugid, PmGetsid,
)  # fmt: skip
