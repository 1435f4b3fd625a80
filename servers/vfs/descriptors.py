"""fcntl, sync and fsync.

Source: MINIX ``servers/vfs/misc.c``.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from ipc.errors import EBADF, EINVAL, OK
from ipc.flags import (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_FREESP,
    F_GETFD,
    F_GETFL,
    F_GETNOSIGPIPE,
    F_SETFD,
    F_SETFL,
    F_SETNOSIGPIPE,
    FD_CLOEXEC,
    O_ACCMODE,
    O_APPEND,
    O_NONBLOCK,
    O_NOSIGPIPE,
    SEEK_CUR,
    SEEK_END,
    SEEK_SET,
)
from ipc.message import Message, Reply
from ipc.vfs import VfsFcntl, VfsFsync, VfsSync
from servers.lib.loop import Refused
from servers.vfs.comm import copy_from_user
from servers.vfs.filp import W_BIT, Filp
from servers.vfs.fproc import OPEN_MAX
from servers.vfs.lock import READ, WRITE
from servers.vfs.requests import req_ftrunc, req_sync

if TYPE_CHECKING:
    from servers.vfs.mounts import Mount
    from servers.vfs.worker import Worker

_FLOCK: Final = struct.Struct("<qqihh")  # struct flock: l_start, l_len, l_pid, l_type, l_whence


async def do_fcntl(worker: Worker, request: VfsFcntl) -> Message | None:
    """fcntl."""
    mode = WRITE if request.cmd == F_FREESP else READ
    filp = await worker.fp.lock_filp(worker, request.fd, mode)
    try:
        command = COMMANDS.get(request.cmd)
        if command is None:
            raise Refused(EINVAL)
        return Reply(await command(worker, filp, request))
    finally:
        filp.unlock(worker)


async def _duplicate(worker: Worker, filp: Filp, request: VfsFcntl) -> int:
    who = worker.fp
    if not 0 <= request.arg_int < OPEN_MAX:
        raise Refused(EINVAL)
    fd = who.free_fd(request.arg_int)
    filp.count += 1
    who.filps[fd] = filp
    if request.cmd == F_DUPFD_CLOEXEC:
        who.close_on_exec.add(fd)
    return fd


async def _get_fd_flags(worker: Worker, _filp: Filp, request: VfsFcntl) -> int:
    return FD_CLOEXEC if request.fd in worker.fp.close_on_exec else 0


async def _set_fd_flags(worker: Worker, _filp: Filp, request: VfsFcntl) -> int:
    if request.arg_int & FD_CLOEXEC:
        worker.fp.close_on_exec.add(request.fd)
    else:
        worker.fp.close_on_exec.discard(request.fd)
    return OK


async def _get_flags(_worker: Worker, filp: Filp, _request: VfsFcntl) -> int:
    return filp.flags & (O_NONBLOCK | O_APPEND | O_ACCMODE)


async def _set_flags(_worker: Worker, filp: Filp, request: VfsFcntl) -> int:
    settable = O_NONBLOCK | O_APPEND
    filp.flags = filp.flags & ~settable | request.arg_int & settable
    return OK


async def _get_no_sigpipe(_worker: Worker, filp: Filp, _request: VfsFcntl) -> int:
    return int(bool(filp.flags & O_NOSIGPIPE))


async def _set_no_sigpipe(_worker: Worker, filp: Filp, request: VfsFcntl) -> int:
    if request.arg_int:
        filp.flags |= O_NOSIGPIPE
    else:
        filp.flags &= ~O_NOSIGPIPE
    return OK


async def _free_space(worker: Worker, filp: Filp, request: VfsFcntl) -> int:
    """Make a hole in a file, or cut it."""
    vnode = filp.vnode
    if not vnode.is_regular:
        raise Refused(EINVAL)
    if not filp.mode & W_BIT:
        raise Refused(EBADF)
    data = await copy_from_user(worker, worker.fp.endpoint, request.arg_ptr, _FLOCK.size)
    offset, length, _pid, _type, whence = _FLOCK.unpack(data)
    starts = {SEEK_SET: 0, SEEK_CUR: filp.position, SEEK_END: vnode.size}
    if whence not in starts or (start := starts[whence] + offset) < 0:
        raise Refused(EINVAL)
    end = 0
    if length:
        end = min(start + length, vnode.size)
        if start >= vnode.size or end <= start:
            raise Refused(EINVAL)
    result = await req_ftrunc(worker, vnode.fs, vnode.inode, start, end)
    if result == OK and not length:
        vnode.size = start
    return result


COMMANDS: Final[dict[int, Callable[[Worker, Filp, VfsFcntl], Awaitable[int]]]] = {
    F_DUPFD: _duplicate,
    F_GETFD: _get_fd_flags,
    F_SETFD: _set_fd_flags,
    F_GETFL: _get_flags,
    F_SETFL: _set_flags,
    F_DUPFD_CLOEXEC: _duplicate,
    F_GETNOSIGPIPE: _get_no_sigpipe,
    F_SETNOSIGPIPE: _set_no_sigpipe,
    F_FREESP: _free_space,
}


async def do_sync(worker: Worker, _request: VfsSync) -> Message | None:
    """sync."""
    await sync_all(worker)
    return Reply(OK)


async def sync_all(worker: Worker) -> None:
    """Have every mounted file system write everything back."""
    for mount in worker.vfs.mounts.all():
        await _sync(worker, mount)


async def do_fsync(worker: Worker, request: VfsFsync) -> Message | None:
    """fsync: writes back all of the file system that the file is on."""
    filp = await worker.fp.lock_filp(worker, request.fd, READ)
    device = filp.vnode.device
    filp.unlock(worker)
    mount = worker.vfs.mounts.by_device(device)
    if mount is not None:
        await _sync(worker, mount)
    return Reply(OK)


async def _sync(worker: Worker, mount: Mount) -> None:
    await mount.lock.acquire(worker, READ)
    if mount.root is not None:
        await req_sync(worker, mount.fs)
    mount.lock.release(worker)
