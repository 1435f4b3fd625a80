"""Calls to PM: life and death of processes.

Source: MINIX ``minix/callnr.h``, ``servers/pm``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, message, u32


@message
class PmExit(Message, number=1, call="PM_EXIT"):
    """End the caller: libc _exit."""

    status: int = i32(0)


@message
class PmFork(Message, number=2, call="PM_FORK"):
    """Make a copy of the caller: libc fork."""


@message
class PmWait4(Message, number=3, call="PM_WAIT4"):
    """Wait for a child to end or stop: libc wait4 and its kin."""

    pid: int = i32(0)
    options: int = i32(4, "wait")
    addr: int = u32(8, "address")


@message
class PmWait4Reply(Reply):
    """Its process id is the result; how it ended or stopped."""

    status: int = i32(0, "status")


@message
class PmGetpid(Message, number=4, call="PM_GETPID"):
    """Get the caller's process id: libc getpid and getppid."""


@message
class PmGetpidReply(Reply):
    """The process id is the result; the parent's."""

    parent_pid: int = i32(0)


@message
class PmPtrace(Message, number=8, call="PM_PTRACE"):
    """Trace a process: debuggers."""

    pid: int = i32(0)
    req: int = i32(4, "ptrace")
    addr: int = u32(8, "address")
    data: int = i32(12)


@message
class PmPtraceReply(Reply):
    """The value read."""

    data: int = i32(0)


@message
class PmExec(Message, number=14, call="PM_EXEC"):
    """Replace the caller's program: libc execve."""

    name_: int = u32(0, "address")
    namelen: int = u32(4, "size")
    frame: int = u32(8, "address")
    framelen: int = u32(12, "size")
    ps_str: int = u32(16, "address")


@message
class PmGetrusage(Message, number=36, call="PM_GETRUSAGE"):
    """Get the resource usage of the caller or of its children: libc getrusage."""

    who: int = i32(0)
    addr: int = u32(4, "address")


@message
class PmReboot(Message, number=37, call="PM_REBOOT"):
    """Stop the machine: reboot and halt."""

    how: int = i32(0)


@message
class PmSrvFork(Message, number=41, call="PM_SRV_FORK"):
    """Fork a service with those ids: RS."""

    uid: int = u32(0)
    gid: int = u32(4)


@message
class PmExecNew(Message, number=43, call="PM_EXEC_NEW"):
    """A process gets a new program; set its ids and say whether it is set-id: VFS, RS."""

    endpt: int = i32(0, "endpoint")
    ptr: int = u32(4, "address")


@message
class PmExecNewReply(Reply):
    """Whether the program changes the ids."""

    suid: int = i32(0)


@message
class PmExecRestart(Message, number=44, call="PM_EXEC_RESTART"):
    """The new program is in place; start it: RS."""

    endpt: int = i32(0, "endpoint")
    result: int = i32(4, "result")
    pc: int = u32(8, "address")
    ps_str: int = u32(12, "address")


MESSAGES = (
    PmExit, PmFork, PmWait4, PmGetpid, PmPtrace, PmExec, PmGetrusage, PmReboot, PmSrvFork,
    PmExecNew, PmExecRestart,
)  # fmt: skip
