"""The end of processes.

A process is gone when two things have happened, in either order: VFS (and then the kernel and VM)
have let go of it, and its parent has been told.

Source: MINIX ``servers/pm/forkexit.c`` do_exit, exit_proc, exit_restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.endpoint import INIT, NONE, VFS, slot_of
from ipc.errors import OK
from ipc.flags import PROC_EVENT_EXIT
from ipc.pm import PmExit
from ipc.pm_vfs import VfsPmCoreReply, VfsPmDumpcore, VfsPmExit
from ipc.signals import SIGHUP, SIGKILL
from kernel.panic import Panic
from servers.lib.kernel_calls import (
    sys_clear,
    sys_diagctl_stacktrace,
    sys_kill,
    sys_stop,
    sys_times,
    vm_exit,
    vm_willexit,
)
from servers.pm import alarms, signals, vfs, waits
from servers.pm.events import publish_event
from servers.pm.mproc import (
    EXITING,
    IN_USE,
    PRIV_PROC,
    PROC_STOPPED,
    TOLD_PARENT,
    VFS_CALL,
    ZOMBIE,
    Mproc,
)
from servers.pm.schedule import stop_scheduling

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

WCOREFLAG = 0x80


async def do_exit(pm: ProcessManager, _source: int, message: PmExit) -> None:
    """PM_EXIT: the caller is done and gets no answer.  A server that tries is killed instead."""
    caller = pm.caller
    if caller.flags & PRIV_PROC:
        await sys_kill(caller.endpoint, SIGKILL)
    else:
        await exit_proc(pm, caller, message.status, dump_core=False)


async def exit_proc(pm: ProcessManager, process: Mproc, status: int, *, dump_core: bool) -> None:
    """Begin the end of `process`: stop it, tell VM, VFS, its parent, its children and its group.

    With `dump_core` VFS first writes its memory to a file, and the parent hears of it only then.
    The rest follows when VFS has answered.
    """
    dump_core = dump_core and process.realuid == process.effuid
    dump_core = dump_core and not process.flags & PRIV_PROC
    # MINIX looks at the group of whoever called PM, so only a leader's own exit, or a signal from
    # within its group, hangs the group up.
    leads_group = process.pid == pm.caller.procgrp

    await _stop(pm, process)
    if process.endpoint == INIT:
        # Nobody could inherit its children.  It stays, stopped, for whoever wants to look at it.
        await sys_diagctl_stacktrace(INIT)
        return
    if process.endpoint == VFS:
        raise Panic("VFS died")

    pm.cancel(process.endpoint)
    request: VfsPmExit | VfsPmDumpcore = VfsPmExit(endpt=process.endpoint)
    if dump_core:
        request = VfsPmDumpcore(endpt=process.endpoint, term_sig=process.signal_status)
    await pm.begin(_finish(pm, process, request), process.endpoint, request)
    if process.flags & PRIV_PROC:
        # VFS may be waiting for this very process, so the kernel forgets it without asking VFS.
        await sys_clear(process.endpoint)

    process.flags &= IN_USE | VFS_CALL | PRIV_PROC | PROC_STOPPED
    process.flags |= EXITING
    process.wait = process.suspension = None
    process.exit_status = status
    if not dump_core:
        await waits.zombify(pm, process)
    await _disinherit(pm, process)
    if leads_group:
        await signals.check_sig(pm, -process.pid, SIGHUP, from_kernel=False)


async def _stop(pm: ProcessManager, process: Mproc) -> None:
    """Stop the clock and the execution of `process`, and warn VM."""
    if process.alarm is not None:
        await alarms.set_alarm(pm, process, 0)
    user_time, system_time = await sys_times(process.endpoint)
    process.child_utime += user_time
    process.child_stime += system_time
    if not process.flags & PROC_STOPPED:
        if await sys_stop(process.endpoint) != OK:
            raise Panic("the kernel does not stop an exiting process")
        process.flags |= PROC_STOPPED
    # Differs: MINIX panics if VM refuses this, and VM_EXIT.  Whatever VM's reason is, the process
    # is to end all the same; at worst VM keeps its memory.
    await vm_willexit(process.endpoint)


async def _disinherit(pm: ProcessManager, process: Mproc) -> None:
    """Give the children of `process` to INIT, which hears of those that are dead already."""
    for child in pm.table:
        if child.parent != process.slot:
            continue
        child.parent = slot_of(INIT)
        if child.flags & ZOMBIE:
            await waits.check_parent(pm, child, may_clean_up=True)


async def _finish(pm: ProcessManager, process: Mproc, request: VfsPmExit | VfsPmDumpcore) -> None:
    """VFS lets go of `process`; then subscribers, the scheduler, the kernel and VM do."""
    reply = await vfs.ask_vfs(pm, process, request)
    if isinstance(reply, VfsPmCoreReply) and reply.status == OK:
        process.signal_status |= WCOREFLAG
    await publish_event(pm, process, PROC_EVENT_EXIT)

    await stop_scheduling(process)
    process.scheduler = NONE
    if not process.flags & (ZOMBIE | TOLD_PARENT):
        await waits.zombify(pm, process)
    if not process.flags & PRIV_PROC and await sys_clear(process.endpoint) != OK:
        raise Panic("the kernel does not know an exiting process")
    if await vm_exit(process.endpoint) != OK:
        # VM ends nobody whose end was not announced to it.
        await vm_willexit(process.endpoint)
        await vm_exit(process.endpoint)
    if process.flags & TOLD_PARENT:
        pm.table.remove(process)
