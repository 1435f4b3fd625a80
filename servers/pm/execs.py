"""A process becomes another program.

Source: MINIX ``servers/pm/exec.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.endpoint import RS, VFS
from ipc.errors import EPERM, OK
from ipc.message import Message, Reply
from ipc.pm import PmExec, PmExecNew, PmExecNewReply, PmExecRestart
from ipc.pm_vfs import VfsPmExec
from ipc.signals import SIGKILL
from ipc.traps import Store, trap
from kernel.panic import Panic
from servers.lib.exec_info import EXEC_INFO_SIZE, ExecInfo
from servers.lib.kernel_calls import sys_exec, sys_kill
from servers.lib.loop import Refused
from servers.lib.memory import SCRATCH, copy_in
from servers.pm.mproc import PARTIAL_EXEC, PROC_NAME_LEN, TAINTED, Mproc, SigAction
from servers.pm.vfs import ask_vfs

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager


async def do_exec(pm: ProcessManager, _source: int, message: PmExec) -> Message | None:
    """PM_EXEC: VFS loads the program; then the caller starts anew.

    There is an answer, an error, only if its old program is still there.
    """
    caller = pm.caller
    request = VfsPmExec(
        endpt=caller.endpoint,
        path=message.name_,
        path_len=message.namelen,
        frame=message.frame,
        frame_len=message.framelen,
        ps_str=message.ps_str,
    )
    reply = await ask_vfs(pm, caller, request)
    return await _restart(caller, reply.status, reply.pc, reply.newsp, reply.newps_str)


async def do_newexec(pm: ProcessManager, source: int, message: PmExecNew) -> Message:
    """PM_EXEC_NEW: VFS has emptied a process's memory for a new program, which PM takes note of.

    EPERM: only VFS and RS may.  The answer says whether the program runs as its owner.
    """
    if source not in (VFS, RS):
        raise Refused(EPERM)
    process = pm.table.lookup(message.endpt)
    if process is None:
        raise Panic(f"a new program for {message.endpt}, which PM does not know")
    data = await copy_in(source, message.ptr, EXEC_INFO_SIZE)
    if isinstance(data, int):
        raise Panic(f"PM cannot read what VFS says of a program: {data}")
    info = ExecInfo.unpack(data)
    if info.allow_setuid:
        process.effuid, process.effgid = info.new_uid, info.new_gid
    process.svuid, process.svgid = process.effuid, process.effgid
    process.flags &= ~TAINTED
    borrowed = (process.effuid, process.effgid) != (process.realuid, process.realgid)
    if info.allow_setuid or borrowed:
        process.flags |= TAINTED
    process.name = info.progname[: PROC_NAME_LEN - 1]
    process.frame_address = info.stack_high - info.frame_len
    process.frame_length = info.frame_len
    process.flags |= PARTIAL_EXEC
    return PmExecNewReply(OK, int(info.allow_setuid))


async def do_execrestart(pm: ProcessManager, _source: int, message: PmExecRestart) -> Message:
    """PM_EXEC_RESTART: RS has loaded a program itself.  Others: EPERM."""
    if pm.caller.endpoint != RS:
        raise Refused(EPERM)
    process = pm.table.lookup(message.endpt)
    if process is None:
        raise Panic(f"a new program for {message.endpt}, which PM does not know")
    reply = await _restart(
        process, message.result, message.pc, process.frame_address, message.ps_str
    )
    if reply is not None:
        await pm.reply(process.endpoint, reply)
    return Reply(OK)


async def _restart(
    process: Mproc, result: int, entry: int, stack: int, strings: int
) -> Message | None:
    """Start `process` anew, or say why not; without a program to go back to it is killed."""
    if result != OK:
        if not process.flags & PARTIAL_EXEC:
            return Reply(result)
        await sys_kill(process.endpoint, SIGKILL)
        return None
    process.flags &= ~PARTIAL_EXEC
    for signal, action in process.actions.items():
        if process.catch & 1 << (signal - 1):
            process.actions[signal] = SigAction(flags=action.flags)
    process.catch = 0
    await trap(
        Store(SCRATCH, process.name.encode()[: PROC_NAME_LEN - 1].ljust(PROC_NAME_LEN, b"\0"))
    )
    if await sys_exec(process.endpoint, stack, SCRATCH, entry, strings) != OK:
        raise Panic(f"the kernel does not start the new program of {process.name}")
    return None
