"""What PM tells VFS about processes, and VFS's answers.

Source: MINIX ``minix/com.h``.
"""

from __future__ import annotations

from ipc.message import Message, i32, message, u32


@message
class VfsPmInit(Message, number=2304, call="VFS_PM_INIT"):
    """One process of the boot image; endpoint NONE ends the list: PM, at the start."""

    endpt: int = i32(0, "endpoint")
    slot: int = i32(4)
    pid: int = i32(8)


@message
class VfsPmSetuid(Message, number=2305, call="VFS_PM_SETUID"):
    """A process has other user ids: PM."""

    endpt: int = i32(0, "endpoint")
    eid: int = i32(4)
    rid: int = i32(8)


@message
class VfsPmSetgid(Message, number=2306, call="VFS_PM_SETGID"):
    """A process has other group ids: PM."""

    endpt: int = i32(0, "endpoint")
    eid: int = i32(4)
    rid: int = i32(8)


@message
class VfsPmSetsid(Message, number=2307, call="VFS_PM_SETSID"):
    """A process leads a new session: PM."""

    endpt: int = i32(0, "endpoint")


@message
class VfsPmExit(Message, number=2308, call="VFS_PM_EXIT"):
    """A process exits; close its files: PM."""

    endpt: int = i32(0, "endpoint")


@message
class VfsPmDumpcore(Message, number=2309, call="VFS_PM_DUMPCORE"):
    """A process dies of a signal; write its core file, then as for VFS_PM_EXIT: PM."""

    endpt: int = i32(0, "endpoint")
    term_sig: int = i32(4, "signal")
    path: int = u32(20, "address")


@message
class VfsPmExec(Message, number=2310, call="VFS_PM_EXEC"):
    """Load a new program into a process: PM, for exec."""

    endpt: int = i32(0, "endpoint")
    path_len: int = i32(4, "size")
    frame_len: int = i32(8, "size")
    ps_str: int = u32(16, "address")
    path: int = u32(20, "address")
    frame: int = u32(24, "address")


@message
class VfsPmFork(Message, number=2311, call="VFS_PM_FORK"):
    """A process has a new child, which shares its files: PM."""

    endpt: int = i32(0, "endpoint")
    pendpt: int = i32(4, "endpoint")
    cpid: int = i32(8)
    reuid: int = i32(12)
    regid: int = i32(16)


@message
class VfsPmSrvFork(Message, number=2312, call="VFS_PM_SRV_FORK"):
    """A system service was forked: PM, for RS."""

    endpt: int = i32(0, "endpoint")
    pendpt: int = i32(4, "endpoint")
    cpid: int = i32(8)
    reuid: int = i32(12)
    regid: int = i32(16)


@message
class VfsPmUnpause(Message, number=2313, call="VFS_PM_UNPAUSE"):
    """A signal waits for the process; end the call that it hangs in with EINTR: PM."""

    endpt: int = i32(0, "endpoint")


@message
class VfsPmReboot(Message, number=2314, call="VFS_PM_REBOOT"):
    """Close everything; the machine goes down: PM."""


@message
class VfsPmSetgroups(Message, number=2315, call="VFS_PM_SETGROUPS"):
    """A process has other supplementary groups: PM."""

    endpt: int = i32(0, "endpoint")
    group_no: int = i32(4)
    group_addr: int = u32(20, "address")


@message
class VfsPmSetuidReply(Message, number=2433, call="VFS_PM_SETUID_REPLY"):
    """The user ids are set: VFS."""

    endpt: int = i32(0, "endpoint")


@message
class VfsPmSetgidReply(Message, number=2434, call="VFS_PM_SETGID_REPLY"):
    """The group ids are set: VFS."""

    endpt: int = i32(0, "endpoint")


@message
class VfsPmSetsidReply(Message, number=2435, call="VFS_PM_SETSID_REPLY"):
    """The session leader is set: VFS."""

    endpt: int = i32(0, "endpoint")


@message
class VfsPmExitReply(Message, number=2436, call="VFS_PM_EXIT_REPLY"):
    """The files of the process are closed: VFS."""

    endpt: int = i32(0, "endpoint")


@message
class VfsPmCoreReply(Message, number=2437, call="VFS_PM_CORE_REPLY"):
    """The core file is written, or not; the files are closed: VFS."""

    endpt: int = i32(0, "endpoint")
    status: int = i32(4, "result")


@message
class VfsPmExecReply(Message, number=2438, call="VFS_PM_EXEC_REPLY"):
    """The new program is loaded, or not; where it starts: VFS."""

    endpt: int = i32(0, "endpoint")
    status: int = i32(4, "result")
    newps_str: int = u32(16, "address")
    pc: int = u32(20, "address")
    newsp: int = u32(24, "address")


@message
class VfsPmForkReply(Message, number=2439, call="VFS_PM_FORK_REPLY"):
    """The child has its files and may run: VFS."""

    endpt: int = i32(0, "endpoint")


@message
class VfsPmSrvForkReply(Message, number=2440, call="VFS_PM_SRV_FORK_REPLY"):
    """The service has its files: VFS."""

    endpt: int = i32(0, "endpoint")


@message
class VfsPmUnpauseReply(Message, number=2441, call="VFS_PM_UNPAUSE_REPLY"):
    """The process hangs in no call of VFS any more: VFS."""

    endpt: int = i32(0, "endpoint")


@message
class VfsPmRebootReply(Message, number=2442, call="VFS_PM_REBOOT_REPLY"):
    """Everything is closed: VFS."""


@message
class VfsPmSetgroupsReply(Message, number=2443, call="VFS_PM_SETGROUPS_REPLY"):
    """The groups are set: VFS."""

    endpt: int = i32(0, "endpoint")


MESSAGES = (
    VfsPmInit, VfsPmSetuid, VfsPmSetgid, VfsPmSetsid, VfsPmExit, VfsPmDumpcore, VfsPmExec,
    VfsPmFork, VfsPmSrvFork, VfsPmUnpause, VfsPmReboot, VfsPmSetgroups, VfsPmSetuidReply,
    VfsPmSetgidReply, VfsPmSetsidReply, VfsPmExitReply, VfsPmCoreReply, VfsPmExecReply,
    VfsPmForkReply, VfsPmSrvForkReply, VfsPmUnpauseReply, VfsPmRebootReply, VfsPmSetgroupsReply,
)  # fmt: skip
