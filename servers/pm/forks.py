"""Making processes.  Source: MINIX ``servers/pm/forkexit.c`` do_fork, do_srv_fork."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.endpoint import KERNEL, NONE, RS, SCHED
from ipc.errors import EAGAIN, EPERM, OK
from ipc.message import Message, Reply
from ipc.pm import PmFork, PmSrvFork
from ipc.pm_vfs import VfsPmFork, VfsPmSrvFork
from servers.lib.kernel_calls import vm_fork
from servers.lib.loop import Refused
from servers.pm.exits import exit_proc
from servers.pm.mproc import (
    IN_USE,
    PRIV_PROC,
    SUPER_USER,
    TAINTED,
    Mproc,
    child_of,
)
from servers.pm.schedule import start_user
from servers.pm.vfs import ask_vfs

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

UNUSED_ID = -1  # VFS_PM_FORK has fields for users, which only VFS_PM_SRV_FORK uses


async def do_fork(pm: ProcessManager, _source: int, _message: PmFork) -> Message:
    """PM_FORK: VM copies the memory, VFS the files, SCHED takes over; then both processes go on.

    The parent gets the child's pid, the child 0.  EAGAIN: no slot; ENOMEM: no memory.
    """
    parent = pm.caller
    child = await _copy(pm, parent, "fork")
    if parent.flags & PRIV_PROC:
        child.scheduler = SCHED
    child.flags &= IN_USE | TAINTED
    request = VfsPmFork(
        endpt=child.endpoint,
        pendpt=parent.endpoint,
        cpid=child.pid,
        reuid=UNUSED_ID,
        regid=UNUSED_ID,
    )
    await ask_vfs(pm, child, request)

    result = OK
    if child.scheduler not in (KERNEL, NONE):
        result = await start_user(pm, child, child.scheduler)
    if result != OK:
        child.scheduler = NONE
        await exit_proc(pm, child, -1, dump_core=False)
        return Reply(-1)
    await pm.reply(child.endpoint, Reply(OK))
    return Reply(child.pid)


async def do_srv_fork(pm: ProcessManager, _source: int, message: PmSrvFork) -> Message:
    """PM_SRV_FORK: RS makes a system process, which does not wait for VFS.  Others: EPERM."""
    parent = pm.caller
    if parent.endpoint != RS:
        raise Refused(EPERM)
    child = await _copy(pm, parent, "srv_fork")
    child.flags &= IN_USE | PRIV_PROC
    child.realuid = child.effuid = child.svuid = message.uid
    child.realgid = child.effgid = child.svgid = message.gid
    request = VfsPmSrvFork(
        endpt=child.endpoint,
        pendpt=parent.endpoint,
        cpid=child.pid,
        reuid=message.uid,
        regid=message.gid,
    )
    await pm.begin(_tell_vfs(pm, child, request), child.endpoint, request)
    await pm.reply(child.endpoint, Reply(OK))
    return Reply(child.pid)


async def _copy(pm: ProcessManager, parent: Mproc, kind: str) -> Mproc:
    """A child of `parent` in the kernel, VM and PM."""
    if pm.table.is_full(superuser=parent.effuid == SUPER_USER):
        raise Refused(EAGAIN)
    slot = pm.table.free_slot(kind)
    endpoint = await vm_fork(parent.endpoint, slot)
    if endpoint < 0:
        raise Refused(endpoint)
    # Differs: MINIX's child also inherits DELAY_CALL.  Nobody would ever clear it, because the
    # kernel's SIGSNDELAY is for the parent alone, and signals that it catches would not reach it.
    child = child_of(parent, slot)
    child.endpoint = endpoint
    child.started = pm.clock.ticks
    child.pid = pm.table.new_pid()
    pm.table.add(child)
    return child


async def _tell_vfs(pm: ProcessManager, child: Mproc, request: Message) -> None:
    await ask_vfs(pm, child, request)
