"""Calls about priorities, names and the machine as a whole.

Source: MINIX ``servers/pm/misc.c``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.endpoint import INIT, RS, VFS, slot_of
from ipc.errors import EACCES, EINVAL, EPERM, ESRCH, OK
from ipc.message import Message, Reply
from ipc.pm import (
    PmGetepinfo,
    PmGetepinfoReply,
    PmGetpriority,
    PmGetprocnr,
    PmGetprocnrReply,
    PmReboot,
    PmSetpriority,
    PmSysuname,
)
from ipc.pm_vfs import VfsPmReboot
from ipc.signals import SIGKILL
from servers.lib.kernel_calls import sys_abort, sys_stop
from servers.lib.loop import Refused
from servers.lib.memory import copy_out
from servers.pm.mproc import SUPER_USER, Mproc
from servers.pm.schedule import PRIO_MIN, set_nice
from servers.pm.signals import check_sig
from servers.pm.vfs import ask_vfs

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

PRIO_PROCESS: Final = 0

# By field of PM_SYSUNAME; None where there is nothing to say.
UNAME: Final = ("i386", None, "i386", None, "noname", "3.4.0", "sendrec", "Minix", None)


async def do_sysuname(pm: ProcessManager, _source: int, message: PmSysuname) -> Message:
    """PM_SYSUNAME: a name of the system; the answer is its length.  EINVAL, EFAULT."""
    if message.req or not 0 <= message.field < len(UNAME):
        raise Refused(EINVAL)
    text = UNAME[message.field]
    if text is None:
        raise Refused(EINVAL)
    data = (text.encode() + b"\0")[: message.len]
    result = await copy_out(data, pm.caller.endpoint, message.value)
    return Reply(result if result < 0 else len(data))


async def do_getpriority(pm: ProcessManager, _source: int, message: PmGetpriority) -> Message:
    """PM_GETPRIORITY: a process's nice value, counted from the lowest.  EINVAL, ESRCH, EPERM."""
    return Reply(_whose(pm, message.which, message.who).nice - PRIO_MIN)


async def do_setpriority(pm: ProcessManager, _source: int, message: PmSetpriority) -> Message:
    """PM_SETPRIORITY: change a nice value.  EINVAL, ESRCH, EPERM; EACCES: only down, for users."""
    process = _whose(pm, message.which, message.who)
    if process.nice > message.prio and pm.caller.effuid != SUPER_USER:
        raise Refused(EACCES)
    result = await set_nice(process, message.prio)
    if result == OK:
        process.nice = message.prio
    return Reply(result)


def _whose(pm: ProcessManager, which: int, who: int) -> Mproc:
    """The process that a caller may ask the priority of."""
    if which != PRIO_PROCESS:
        raise Refused(EINVAL)
    process = pm.table.find(who) if who else pm.caller
    if process is None:
        raise Refused(ESRCH)
    effuid = pm.caller.effuid
    if effuid not in (SUPER_USER, process.effuid, process.realuid):
        raise Refused(EPERM)
    return process


async def do_getprocnr(pm: ProcessManager, source: int, message: PmGetprocnr) -> Message:
    """PM_GETPROCNR: the endpoint of a pid, for RS.  EPERM, ESRCH."""
    if source != RS:
        raise Refused(EPERM)
    process = pm.table.find(message.pid)
    if process is None:
        raise Refused(ESRCH)
    return PmGetprocnrReply(OK, process.endpoint)


async def do_getepinfo(pm: ProcessManager, source: int, message: PmGetepinfo) -> Message:
    """PM_GETEPINFO: pid, users and groups of an endpoint.  ESRCH, EFAULT."""
    process = pm.table.lookup(message.endpt)
    if process is None:
        raise Refused(ESRCH)
    groups = process.groups[: max(0, message.ngroups)]
    if groups:
        data = struct.pack(f"<{len(groups)}I", *groups)
        result = await copy_out(data, source, message.groups)
        if result != OK:
            raise Refused(result)
    return PmGetepinfoReply(
        process.pid,
        process.realuid,
        process.effuid,
        process.realgid,
        process.effgid,
        len(process.groups),
    )


async def do_reboot(pm: ProcessManager, _source: int, message: PmReboot) -> None:
    """PM_REBOOT: kill all users' processes, have VFS close everything, and stop.  EPERM."""
    if pm.caller.effuid != SUPER_USER:
        raise Refused(EPERM)
    await check_sig(pm, -1, SIGKILL, from_kernel=False)
    await sys_stop(INIT)
    await ask_vfs(pm, pm.table.slots[slot_of(VFS)], VfsPmReboot())
    await sys_abort(message.how)
