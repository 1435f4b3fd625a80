"""What PM tells: who was forked, who exits, who someone is now, who got a signal.

What may have to wait (the process may be in the middle of a call of its own) is done by a worker;
the rest at once.  Each gets its answer by name.

Source: MINIX ``servers/vfs/main.c`` service_pm, service_pm_postponed; ``misc.c`` pm_*.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import attrs

from ipc.endpoint import PM, slot_of
from ipc.errors import EIO, ENOSYS
from ipc.message import Message
from ipc.pm_vfs import (
    VfsPmCoreReply,
    VfsPmDumpcore,
    VfsPmExec,
    VfsPmExecReply,
    VfsPmExit,
    VfsPmExitReply,
    VfsPmFork,
    VfsPmForkReply,
    VfsPmReboot,
    VfsPmRebootReply,
    VfsPmSetgid,
    VfsPmSetgidReply,
    VfsPmSetgroups,
    VfsPmSetgroupsReply,
    VfsPmSetsid,
    VfsPmSetsidReply,
    VfsPmSetuid,
    VfsPmSetuidReply,
    VfsPmSrvFork,
    VfsPmSrvForkReply,
    VfsPmUnpause,
    VfsPmUnpauseReply,
)  # fmt: skip
from ipc.traps import Send, trap
from kernel.panic import Panic
from servers.lib.loop import Refused
from servers.vfs import pipes
from servers.vfs.comm import copy_from_user, give_up
from servers.vfs.descriptors import sync_all
from servers.vfs.fproc import OPEN_MAX, PID_FREE, BlockedOn, Fproc
from servers.vfs.lock import SERIAL
from servers.vfs.nodes import put_vnode
from servers.vfs.opening import close_fd, close_filp, take_out

if TYPE_CHECKING:
    from servers.vfs.server import Vfs
    from servers.vfs.vnode import Vnode
    from servers.vfs.worker import Worker


async def tell_pm(answer: Message) -> None:
    """Send `answer` to PM, which will take it."""
    await trap(Send(PM, answer))


# --- at once


def do_fork(vfs: Vfs, request: VfsPmFork) -> Message:
    """A child shares its parent's files and directories."""
    fork(vfs, request.pendpt, request.endpt, request.cpid)
    return VfsPmForkReply(request.endpt)


def do_srv_fork(vfs: Vfs, request: VfsPmSrvFork) -> Message:
    """The same for a service, which becomes somebody else."""
    child = fork(vfs, request.pendpt, request.endpt, request.cpid)
    child.uid = child.real_uid = request.reuid
    child.gid = child.real_gid = request.regid
    return VfsPmSrvForkReply(request.endpt)


def fork(vfs: Vfs, parent_endpoint: int, endpoint: int, pid: int) -> Fproc:
    """Make the entry of a child.  Source: MINIX pm_fork."""
    parent = _require(vfs, parent_endpoint)
    slot = slot_of(endpoint)
    if vfs.processes.at(slot).pid != PID_FREE:
        raise Panic(f"PM forks into slot {slot}, which is in use")
    child = attrs.evolve(
        parent, slot=slot, endpoint=endpoint, pid=pid, filps=list(parent.filps),
        close_on_exec=set(parent.close_on_exec), is_service=False, session_leader=False,
        blocked_on=BlockedOn.NOTHING, call=None, revived=False, worker=None, pending=False,
        job=None, resumes=False, pm_job=None,
    )  # fmt: skip
    vfs.processes.enter(child)
    for filp in child.filps:
        if filp is not None:
            filp.count += 1
    for vnode in (child.root, child.directory):
        if vnode is not None:
            vnode.references += 1
    return child


def do_setuid(vfs: Vfs, request: VfsPmSetuid) -> Message:
    """A process has other user ids."""
    who = _require(vfs, request.endpt)
    who.uid, who.real_uid = request.eid, request.rid
    return VfsPmSetuidReply(request.endpt)


def do_setgid(vfs: Vfs, request: VfsPmSetgid) -> Message:
    """A process has other group ids."""
    who = _require(vfs, request.endpt)
    who.gid, who.real_gid = request.eid, request.rid
    return VfsPmSetgidReply(request.endpt)


def do_setsid(vfs: Vfs, request: VfsPmSetsid) -> Message:
    """A process leads a session."""
    _require(vfs, request.endpt).session_leader = True
    return VfsPmSetsidReply(request.endpt)


def _require(vfs: Vfs, endpoint: int) -> Fproc:
    who = vfs.processes.lookup(endpoint)
    if who is None:
        raise Panic(f"PM names {endpoint}, which VFS does not know")
    return who


AT_ONCE: Final[dict[int, Callable[[Any, Any], Message]]] = {
    VfsPmSetuid.type: do_setuid,
    VfsPmSetgid.type: do_setgid,
    VfsPmSetsid.type: do_setsid,
    VfsPmFork.type: do_fork,
    VfsPmSrvFork.type: do_srv_fork,
}


# --- by a worker


async def do_exit(worker: Worker, request: VfsPmExit) -> Message:
    """A process is gone: close what it had."""
    await free_process(worker, worker.fp, exiting=True)
    return VfsPmExitReply(request.endpt)


async def do_dumpcore(worker: Worker, request: VfsPmDumpcore) -> Message:
    """A process died of a signal.  Differs: no core file is written, and PM is told so."""
    await pipes.unpause(worker, worker.fp)
    await free_process(worker, worker.fp, exiting=True)
    return VfsPmCoreReply(request.endpt, EIO)


async def do_unpause(worker: Worker, request: VfsPmUnpause) -> Message:
    """A signal waits for a process: it must not hang in a call.

    Differs: MINIX leaves a process the descriptor of a FIFO that it was still opening.
    """
    who = worker.fp
    opening = who.call if who.blocked_on is BlockedOn.PIPE_OPEN else None
    filp = take_out(who, opening.fd) if opening is not None else None
    await pipes.unpause(worker, who)
    if filp is not None:
        await filp.lock(worker, SERIAL)
        await close_filp(worker, filp)
    return VfsPmUnpauseReply(request.endpt)


async def do_exec(_worker: Worker, request: VfsPmExec) -> Message:
    """Load a program.  Differs: programs are not files here, so there is none to load."""
    return VfsPmExecReply(request.endpt, ENOSYS)


async def do_setgroups(worker: Worker, request: VfsPmSetgroups) -> Message:
    """A process has other supplementary groups, which are in PM's memory."""
    who = _require(worker.vfs, request.endpt)
    data = await copy_from_user(worker, PM, request.group_addr, 4 * request.group_no)
    groups = range(request.group_no)
    who.groups = tuple(int.from_bytes(data[4 * i : 4 * i + 4], "little") for i in groups)
    return VfsPmSetgroupsReply(request.endpt)


async def do_reboot(worker: Worker, _request: VfsPmReboot) -> Message:
    """The machine goes down: close everything.  Differs: nothing is unmounted."""
    vfs = worker.vfs
    await sync_all(worker)
    for who in vfs.processes.all():
        if who is not worker.fp and vfs.mounts.find(who.endpoint) is None:
            await free_process(worker, who, exiting=False)
    await sync_all(worker)
    return VfsPmRebootReply()


async def free_process(worker: Worker, who: Fproc, exiting: bool) -> None:
    """Close all files of a process; with `exiting`, forget it.  Source: MINIX free_proc."""
    vfs = worker.vfs
    lost = _lose_files(vfs, who.endpoint) if exiting else []
    await pipes.unpause(worker, who)
    for fd in range(OPEN_MAX):
        if who.filps[fd] is not None:
            await close_fd(worker, who, fd)
    root, who.root = who.root, None
    directory, who.directory = who.directory, None
    for vnode in (root, directory):
        if vnode is not None:
            await put_vnode(worker, vnode)
    if not exiting:
        return
    for vnode in lost:
        await put_vnode(worker, vnode)
    vfs.processes.free(who)
    who.is_service = who.session_leader = False


def _lose_files(vfs: Vfs, endpoint: int) -> list[Vnode]:
    """If a process that has died was a file system, its files are lost.

    Returns the vnodes that the mount was using: its root, and what it was mounted on.

    Source: MINIX vmnt_unmap_by_endpt.  Differs: MINIX does this last.  Who waits for an answer of
    the dead may have locked what is to be closed, and would ask it again if it were still mounted.
    """
    mount = vfs.mounts.find(endpoint)
    give_up(vfs, endpoint)
    if mount is None:
        return []
    vfs.mounts.remove(mount)
    vfs.filps.invalidate(endpoint)
    return [vnode for vnode in (mount.root, mount.mounted_on) if vnode is not None]


BY_WORKER: Final[dict[int, Callable[[Any, Any], Awaitable[Message]]]] = {
    VfsPmExit.type: do_exit,
    VfsPmDumpcore.type: do_dumpcore,
    VfsPmExec.type: do_exec,
    VfsPmUnpause.type: do_unpause,
}

# These are about a process but done on behalf of PM itself.
AS_PM: Final[dict[int, Callable[[Any, Any], Awaitable[Message]]]] = {
    VfsPmSetgroups.type: do_setgroups,
    VfsPmReboot.type: do_reboot,
}


async def do_postponed(worker: Worker, request: Any) -> None:
    """Do what PM asked and answer it.  Source: MINIX service_pm_postponed."""
    handler = BY_WORKER.get(request.type) or AS_PM[request.type]
    try:
        answer = await handler(worker, request)
    except Refused as refusal:
        raise Panic(f"{request.name} failed with {refusal.errno}") from refusal
    await tell_pm(answer)
