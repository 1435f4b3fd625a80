"""Pipes: who writes waits for room, who reads waits for data; their bytes are kept by PFS.

A process that has to wait hangs in VFS without a worker.  What happens at the other end revives
it; the main loop then starts what is left of its call.

Source: MINIX ``servers/vfs/pipe.c``, ``read.c`` rw_pipe, ``main.c`` do_pending_pipe, unblock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ipc.endpoint import NONE, PFS
from ipc.errors import EAGAIN, EINTR, EIO, ENXIO, EPIPE, OK
from ipc.flags import O_ACCMODE, O_CLOEXEC, O_NONBLOCK, O_NOSIGPIPE, O_RDONLY, O_WRONLY, S_IFIFO
from ipc.message import Message, Reply
from ipc.signals import SIGPIPE
from ipc.vfs import VfsPipe2, VfsPipe2Reply
from servers.lib.kernel_calls import sys_kill
from servers.lib.loop import Refused
from servers.vfs.filp import R_BIT, W_BIT, Filp
from servers.vfs.fproc import BlockedOn, Fproc, PipeCall
from servers.vfs.lock import READ, SERIAL, WRITE
from servers.vfs.nodes import new_vnode, truncate_vnode
from servers.vfs.requests import req_newnode, req_read_write

if TYPE_CHECKING:
    from servers.vfs.server import Vfs
    from servers.vfs.vnode import Vnode
    from servers.vfs.worker import Worker

PIPE_BUF: Final = 32768  # bytes that a pipe holds, and that are written in one piece


async def do_pipe2(worker: Worker, request: VfsPipe2) -> Message | None:
    """pipe2."""
    vfs, who = worker.vfs, worker.fp
    flags = request.flags | request.oflags
    mount = vfs.mounts.find(PFS)
    if mount is None:
        raise Refused(EIO)  # Differs: MINIX panics when PFS is gone
    await mount.lock.acquire(worker, READ)
    made: list[tuple[int, Filp]] = []
    try:
        vfs.vnodes.require_room()
        for bits in (R_BIT, W_BIT):
            fd = who.free_fd()
            filp = await vfs.filps.new(worker, bits)
            who.filps[fd] = filp
            made.append((fd, filp))
        details = await req_newnode(worker, PFS, who, S_IFIFO, 0)
    except Refused:
        for fd, filp in made:
            who.filps[fd] = None
            vfs.filps.drop(filp)
            filp.mutex.release(worker)
        mount.lock.release(worker)
        raise
    vnode = new_vnode(worker, details)
    vnode.references, vnode.size, vnode.mount, vnode.device = 2, 0, None, 0
    vnode.map_endpoint, vnode.map_inode, vnode.map_count = PFS, vnode.inode, 1
    for (fd, filp), access in zip(made, (O_RDONLY, O_WRONLY), strict=True):
        filp.count, filp.vnode = 1, vnode
        filp.flags = access | flags & ~O_ACCMODE
        if flags & O_CLOEXEC:
            who.close_on_exec.add(fd)
        filp.mutex.release(worker)
    mount.lock.release(worker)
    return VfsPipe2Reply(OK, made[0][0], made[1][0])


async def transfer(worker: Worker, filp: Filp, call: PipeCall) -> int | None:
    """Read or write a locked pipe as far as can be; None if the caller now waits.

    How many bytes all parts of the call together moved is returned.  Raises Refused.
    MINIX: rw_pipe.
    """
    vnode = filp.vnode
    size = _possible(worker, filp, call)
    if size is None:
        suspend(worker.fp, BlockedOn.PIPE, call)
        return None
    if size == 0:
        return 0
    partial = size < call.length
    if not call.writing:
        size = min(size, vnode.size)
    user = (worker.fp.endpoint, call.buffer, size)
    _position, moved = await req_read_write(
        worker, vnode.map_endpoint, vnode.map_inode, 0, user, call.writing
    )
    vnode.size += moved if call.writing else -moved
    call = attrs.evolve(
        call, buffer=call.buffer + moved, length=call.length - moved, done=call.done + moved
    )
    if partial and not filp.flags & O_NONBLOCK:
        suspend(worker.fp, BlockedOn.PIPE, call)
        return None
    return call.done


def _possible(worker: Worker, filp: Filp, call: PipeCall) -> int | None:
    """How many bytes may be moved now; 0: the other end is closed; None: wait.

    Raises Refused (EAGAIN, EPIPE).  MINIX: pipe_check.
    """
    vfs, vnode = worker.vfs, filp.vnode
    waits = not filp.flags & O_NONBLOCK
    if not call.writing:
        if vnode.size:
            return call.length
        if not vfs.filps.anyone(vnode, W_BIT):
            return 0
        release(vfs, vnode, writers=True)
        if not waits:
            raise Refused(EAGAIN)
        return None
    if not vfs.filps.anyone(vnode, R_BIT):
        raise Refused(EPIPE)
    if vnode.size + call.length <= PIPE_BUF:
        if vnode.size == 0:
            release(vfs, vnode, writers=False)
        return call.length
    room = PIPE_BUF - vnode.size
    if call.length > PIPE_BUF and room > 0:
        # What does not fit in a pipe at all is written piece by piece.
        release(vfs, vnode, writers=False)
        return room
    if not waits:
        raise Refused(EAGAIN)
    return None


async def signal_broken_pipe(who: Fproc, filp: Filp, errno: int, writing: bool) -> None:
    """Nobody will read what `who` wants to write: a signal, beside the error."""
    if errno == EPIPE and writing and not filp.flags & O_NOSIGPIPE:
        await sys_kill(who.endpoint, SIGPIPE)


def suspend(who: Fproc, reason: BlockedOn, call: PipeCall) -> None:
    """`who` gets no answer until it is revived."""
    who.blocked_on, who.call = reason, call


def release(vfs: Vfs, vnode: Vnode, writers: bool) -> None:
    """Revive all that wait to write to a pipe, or to read from it.  MINIX: release."""
    for who in vfs.processes.all():
        call = who.call
        if who.blocked_on is BlockedOn.PIPE and not who.revived and call is not None:
            filp = who.filps[call.fd]
            if call.writing == writers and filp is not None and filp.mode and filp.vnode is vnode:
                who.revived = True
                vfs.revived += 1


async def open_named(worker: Worker, fd: int, filp: Filp, vnode: Vnode) -> bool:
    """Open a FIFO; True if the caller must wait for somebody to open the other end."""
    await vnode.lock.upgrade(worker)
    await _map(worker, vnode)
    if vnode.references == 1 and vnode.size:
        await truncate_vnode(worker, vnode, 0)
    both = R_BIT | W_BIT
    if filp.mode & both == both:
        raise Refused(ENXIO)
    if worker.vfs.filps.anyone(vnode, R_BIT if filp.mode & W_BIT else W_BIT):
        await _release_openers(worker.vfs, vnode)
        return False
    if filp.flags & O_NONBLOCK:
        if filp.mode & W_BIT:
            raise Refused(ENXIO)
        return False
    suspend(worker.fp, BlockedOn.PIPE_OPEN, PipeCall(bool(filp.mode & W_BIT), fd))
    return True


async def _map(worker: Worker, vnode: Vnode) -> None:
    """Have PFS keep the data of a FIFO that lies on another file system.  MINIX: map_vnode."""
    if vnode.map_endpoint != NONE:
        return
    mount = worker.vfs.mounts.find(PFS)
    if mount is None:
        raise Refused(EIO)  # Differs: MINIX panics when PFS is gone
    locked = await mount.lock.acquire(worker, SERIAL)
    try:
        details = await req_newnode(worker, PFS, worker.fp, S_IFIFO, vnode.device)
    finally:
        if locked:
            mount.lock.release(worker)
    vnode.map_endpoint, vnode.map_inode, vnode.map_count = PFS, details.inode, 1


async def _release_openers(vfs: Vfs, vnode: Vnode) -> None:
    for who in vfs.processes.all():
        call = who.call
        if who.blocked_on is BlockedOn.PIPE_OPEN and call is not None:
            filp = who.filps[call.fd]
            if filp is not None and filp.mode and filp.vnode is vnode:
                who.blocked_on, who.call = BlockedOn.NOTHING, None
                await vfs.reply(who.endpoint, Reply(call.fd))


async def resume(worker: Worker, call: PipeCall) -> Message | None:
    """Go on with a pipe call whose process was revived.  MINIX: do_pending_pipe."""
    filp = worker.fp.filp(call.fd)
    await filp.lock(worker, WRITE if call.writing else READ)
    try:
        done = await transfer(worker, filp, call)
        return None if done is None else Reply(done)
    except Refused as refusal:
        await signal_broken_pipe(worker.fp, filp, refusal.errno, call.writing)
        raise
    finally:
        filp.unlock(worker)


async def unpause(worker: Worker, who: Fproc) -> None:
    """A signal came to `who`, or it dies: end the call in which it hangs.  MINIX: unpause."""
    if who.blocked_on is BlockedOn.NOTHING:
        return
    call, was = who.call, who.blocked_on
    who.blocked_on, who.call = BlockedOn.NOTHING, None
    if who.revived:
        who.revived = False
        worker.vfs.revived -= 1
    done = call.done if call is not None and was is BlockedOn.PIPE else 0
    await worker.vfs.reply(who.endpoint, Reply(done or EINTR))
