"""read, write, lseek, getdents.

Source: MINIX ``servers/vfs/read.c``, ``write.c``, ``open.c`` actual_lseek.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from ipc.errors import EBADF, EINVAL, EIO, EOVERFLOW, ESPIPE, OK
from ipc.flags import O_APPEND, SEEK_CUR, SEEK_END, SEEK_SET
from ipc.message import Message, Reply
from ipc.vfs import VfsGetdents, VfsLseek, VfsLseekReply, VfsRead, VfsWrite
from servers.lib.loop import Refused
from servers.vfs import pipes
from servers.vfs.comm import ask_fs
from servers.vfs.filp import R_BIT, W_BIT, Filp
from servers.vfs.fproc import PipeCall
from servers.vfs.lock import READ, WRITE
from servers.vfs.requests import inhibread_request, req_getdents, req_read_write

if TYPE_CHECKING:
    from servers.vfs.worker import Worker

SSIZE_MAX: Final = 0x7FFFFFFF
OFF_MAX: Final = (1 << 63) - 1
OFF_MIN: Final = -1 << 63


def do_read(worker: Worker, request: VfsRead) -> Coroutine[Any, Any, Message | None]:
    """read."""
    return _transfer(worker, request.fd, request.buf, request.len, writing=False)


def do_write(worker: Worker, request: VfsWrite) -> Coroutine[Any, Any, Message | None]:
    """write."""
    return _transfer(worker, request.fd, request.buf, request.len, writing=True)


async def _transfer(
    worker: Worker, fd: int, address: int, length: int, writing: bool
) -> Message | None:
    who = worker.fp
    mode = WRITE if writing else READ
    filp = who.take_filp(worker, fd, mode) or await who.lock_filp(worker, fd, mode)
    try:
        if not filp.mode & (W_BIT if writing else R_BIT):
            raise Refused(EBADF)
        if length == 0:
            return Reply(0)
        done = await read_write(worker, filp, fd, address, length, writing)
        return None if done is None else Reply(done)
    finally:
        filp.unlock(worker)


async def read_write(
    worker: Worker, filp: Filp, fd: int, address: int, length: int, writing: bool
) -> int | None:
    """Copy between the caller and an open file, locked; how many bytes (None: the caller waits)."""
    vnode = filp.vnode
    who = worker.fp
    if length > SSIZE_MAX:
        raise Refused(EINVAL)
    if vnode.is_pipe:
        call = PipeCall(writing, fd, address, length)
        try:
            return await pipes.transfer(worker, filp, call)
        except Refused as refusal:
            await pipes.signal_broken_pipe(who, filp, refusal.errno, writing)
            raise
    if not (vnode.is_regular or vnode.is_directory):
        raise Refused(EIO)
    position = filp.position
    if writing and filp.flags & O_APPEND:
        position = vnode.size
    position, done = await req_read_write(
        worker, vnode.fs, vnode.inode, position, (who.endpoint, address, length), writing
    )
    if writing and position > vnode.size:
        vnode.size = position
    filp.position = position
    return done


async def do_lseek(worker: Worker, request: VfsLseek) -> Message | None:
    """lseek.

    The file system is told, so that it does not read ahead at the old place.
    """
    who, fd = worker.fp, request.fd
    filp = who.take_filp(worker, fd, READ) or await who.lock_filp(worker, fd, READ)
    try:
        if set_position(filp, request.whence, request.offset):
            vnode = filp.vnode
            asked = inhibread_request(vnode.inode, worker.transid)
            answer = await ask_fs(worker, vnode.fs, asked)
            if answer.type != OK:
                raise Refused(answer.type)
        return VfsLseekReply(OK, filp.position)
    finally:
        filp.unlock(worker)


def set_position(filp: Filp, whence: int, offset: int) -> bool:
    """Set the position of an open file, locked; whether it was another before.

    Raises Refused (ESPIPE, EINVAL, EOVERFLOW).
    """
    vnode = filp.vnode
    if vnode.is_pipe:
        raise Refused(ESPIPE)
    position = offset
    if whence != SEEK_SET:
        if whence == SEEK_CUR:
            position += filp.position
        elif whence == SEEK_END:
            position += vnode.size
        else:
            raise Refused(EINVAL)
    if not OFF_MIN <= position <= OFF_MAX:
        raise Refused(EOVERFLOW)
    if position == filp.position:
        return False
    filp.position = position
    return True


async def do_getdents(worker: Worker, request: VfsGetdents) -> Message | None:
    """getdents."""
    filp = await worker.fp.lock_filp(worker, request.fd, READ)
    try:
        vnode = filp.vnode
        if not filp.mode & R_BIT or not vnode.is_directory:
            raise Refused(EBADF)
        user = (worker.fp.endpoint, request.buf, request.len)
        position, done = await req_getdents(worker, vnode.fs, vnode.inode, filp.position, user)
        if done > 0:
            filp.position = position
        return Reply(done)
    finally:
        filp.unlock(worker)
