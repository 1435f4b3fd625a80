"""Who processes are: pids, users, groups, sessions.  VFS is told of every change.

Source: MINIX ``servers/pm/getset.c``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.errors import EFAULT, EINVAL, EPERM, ESRCH, OK
from ipc.message import Message, Reply
from ipc.pm import (
    PmGetgid,
    PmGetgidReply,
    PmGetgroups,
    PmGetpgrp,
    PmGetpid,
    PmGetpidReply,
    PmGetsid,
    PmGetuid,
    PmGetuidReply,
    PmIssetugid,
    PmSetegid,
    PmSeteuid,
    PmSetgid,
    PmSetgroups,
    PmSetsid,
    PmSetuid,
)
from ipc.pm_vfs import VfsPmSetgid, VfsPmSetgroups, VfsPmSetsid, VfsPmSetuid
from ipc.traps import Store, trap
from servers.lib.loop import Refused
from servers.lib.memory import BUFFERS, copy_in, copy_out
from servers.pm.mproc import NGROUPS_MAX, SUPER_USER, TAINTED
from servers.pm.vfs import ask_vfs

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

GID_MAX: Final = 0x7FFFFFFF
GID_SIZE: Final = 4


async def do_getpid(pm: ProcessManager, _source: int, _message: PmGetpid) -> Message:
    """PM_GETPID: the caller's pid, and its parent's."""
    caller = pm.caller
    return PmGetpidReply(caller.pid, pm.table.slots[caller.parent].pid)


async def do_getuid(pm: ProcessManager, _source: int, _message: PmGetuid) -> Message:
    """PM_GETUID: the real and the effective user."""
    return PmGetuidReply(pm.caller.realuid, pm.caller.effuid)


async def do_getgid(pm: ProcessManager, _source: int, _message: PmGetgid) -> Message:
    """PM_GETGID: the real and the effective group."""
    return PmGetgidReply(pm.caller.realgid, pm.caller.effgid)


async def do_getpgrp(pm: ProcessManager, _source: int, _message: PmGetpgrp) -> Message:
    """PM_GETPGRP: the caller's process group."""
    return Reply(pm.caller.procgrp)


async def do_getsid(pm: ProcessManager, _source: int, message: PmGetsid) -> Message:
    """PM_GETSID: the process group of a process, or of the caller (0).  ESRCH: no such process."""
    process = pm.table.find(message.pid) if message.pid else pm.caller
    if process is None:
        raise Refused(ESRCH)
    return Reply(process.procgrp)


async def do_issetugid(pm: ProcessManager, _source: int, _message: PmIssetugid) -> Message:
    """PM_ISSETUGID: 1 if the caller's program runs as somebody else."""
    return Reply(int(bool(pm.caller.flags & TAINTED)))


async def do_getgroups(pm: ProcessManager, source: int, message: PmGetgroups) -> Message:
    """PM_GETGROUPS: the supplementary groups, or with a `num` of 0 how many.  EINVAL, EFAULT."""
    groups = pm.caller.groups
    if not 0 <= message.num <= NGROUPS_MAX or 0 < message.num < len(groups):
        raise Refused(EINVAL)
    if message.num:
        padded = (*groups, *[0] * (NGROUPS_MAX - len(groups)))[: message.num]
        data = struct.pack(f"<{message.num}I", *padded)
        result = await copy_out(data, source, message.ptr)
        if result != OK:
            raise Refused(result)
    return Reply(len(groups))


async def do_setuid(pm: ProcessManager, _source: int, message: PmSetuid) -> Message:
    """PM_SETUID: become another user for good.  EPERM for all but the superuser."""
    caller = pm.caller
    if caller.realuid != message.uid and caller.effuid != SUPER_USER:
        raise Refused(EPERM)
    caller.realuid = caller.effuid = caller.svuid = message.uid
    await ask_vfs(pm, caller, VfsPmSetuid(caller.endpoint, caller.effuid, caller.realuid))
    return Reply(OK)


async def do_seteuid(pm: ProcessManager, _source: int, message: PmSeteuid) -> Message:
    """PM_SETEUID: act as another user.  EPERM unless it was one, or is the superuser."""
    caller = pm.caller
    if message.uid not in (caller.realuid, caller.svuid) and caller.effuid != SUPER_USER:
        raise Refused(EPERM)
    caller.effuid = message.uid
    await ask_vfs(pm, caller, VfsPmSetuid(caller.endpoint, caller.effuid, caller.realuid))
    return Reply(OK)


async def do_setgid(pm: ProcessManager, _source: int, message: PmSetgid) -> Message:
    """PM_SETGID: change to another group for good.  EPERM for all but the superuser."""
    caller = pm.caller
    if caller.realgid != message.gid and caller.effuid != SUPER_USER:
        raise Refused(EPERM)
    caller.realgid = caller.effgid = caller.svgid = message.gid
    await ask_vfs(pm, caller, VfsPmSetgid(caller.endpoint, caller.effgid, caller.realgid))
    return Reply(OK)


async def do_setegid(pm: ProcessManager, _source: int, message: PmSetegid) -> Message:
    """PM_SETEGID: act in another group.  EPERM unless it was in it, or is the superuser."""
    caller = pm.caller
    if message.gid not in (caller.realgid, caller.svgid) and caller.effuid != SUPER_USER:
        raise Refused(EPERM)
    caller.effgid = message.gid
    await ask_vfs(pm, caller, VfsPmSetgid(caller.endpoint, caller.effgid, caller.realgid))
    return Reply(OK)


async def do_setgroups(pm: ProcessManager, source: int, message: PmSetgroups) -> Message:
    """PM_SETGROUPS: set the supplementary groups.  EPERM, EINVAL, EFAULT."""
    caller = pm.caller
    if caller.effuid != SUPER_USER:
        raise Refused(EPERM)
    if not 0 <= message.num <= NGROUPS_MAX:
        raise Refused(EINVAL)
    if message.num and not message.ptr:
        raise Refused(EFAULT)
    data = await copy_in(source, message.ptr, message.num * GID_SIZE)
    if isinstance(data, int):
        raise Refused(data)
    groups = struct.unpack(f"<{message.num}I", data)
    if any(group > GID_MAX for group in groups):
        raise Refused(EINVAL)
    caller.groups = groups
    # VFS copies them from here before it answers.
    await trap(Store(BUFFERS, data))
    await ask_vfs(pm, caller, VfsPmSetgroups(caller.endpoint, message.num, BUFFERS))
    return Reply(OK)


async def do_setsid(pm: ProcessManager, _source: int, _message: PmSetsid) -> Message:
    """PM_SETSID: lead a session of one's own.  EPERM: the caller leads a group already."""
    caller = pm.caller
    if caller.procgrp == caller.pid:
        raise Refused(EPERM)
    pm.table.regroup(caller, caller.pid)
    await ask_vfs(pm, caller, VfsPmSetsid(caller.endpoint))
    return Reply(caller.procgrp)
