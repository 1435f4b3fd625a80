"""Calls about what a file is and whose, and where a process is: stat, access, chmod, chdir …

Source: MINIX ``servers/vfs/stadir.c``, ``protect.c``, ``time.c``, ``link.c`` do_truncate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ipc.errors import EBADF, EINVAL, EIO, ENOTDIR, EPERM, OK
from ipc.flags import PATH_RET_SYMLINK, S_ISGID
from ipc.message import Message, Reply
from ipc.vfs import (
    VfsAccess,
    VfsChdir,
    VfsChmod,
    VfsChown,
    VfsChroot,
    VfsFchdir,
    VfsFchmod,
    VfsFchown,
    VfsFstat,
    VfsFstatvfs1,
    VfsFtruncate,
    VfsLstat,
    VfsStat,
    VfsStatvfs1,
    VfsTruncate,
    VfsUmask,
    VfsUtimens,
)  # fmt: skip
from servers.lib.loop import Refused
from servers.vfs.comm import copy_to_user
from servers.vfs.filp import W_BIT, X_BIT
from servers.vfs.lock import READ, WRITE
from servers.vfs.nodes import put_vnode, read_only, require_access, truncate_vnode
from servers.vfs.paths import Lookup, copy_path, eat_path, fetch_name
from servers.vfs.requests import req_chmod, req_chown, req_stat, req_statvfs, req_utime

if TYPE_CHECKING:
    from servers.vfs.vnode import Vnode
    from servers.vfs.worker import Worker

UNCHANGED: Final = 0xFFFFFFFF  # an owner or group that stays
ID_MAX: Final = 0x7FFFFFFF
UTIME_NOW: Final = 1073741823
UTIME_OMIT: Final = 1073741822
FSID_AT: Final = 112  # where f_fsidx is in struct statvfs, and behind it f_fsid
TEXTS_AT: Final = 148  # f_fstypename[32], f_mntonname[1024], f_mntfromname[1024]


async def do_stat(worker: Worker, request: VfsStat | VfsLstat) -> Message | None:
    """stat and lstat."""
    path = await fetch_name(worker, request.name_, request.len)
    flags = PATH_RET_SYMLINK if isinstance(request, VfsLstat) else 0
    lookup = Lookup(path, READ, READ, flags)
    vnode = await eat_path(worker, lookup)
    try:
        endpoint = worker.fp.endpoint
        return Reply(await req_stat(worker, vnode.fs, vnode.inode, endpoint, request.buf))
    finally:
        await lookup.finish(worker, vnode)


async def do_fstat(worker: Worker, request: VfsFstat) -> Message | None:
    """fstat."""
    filp = await worker.fp.lock_filp(worker, request.fd, READ)
    try:
        vnode = filp.vnode
        endpoint = worker.fp.endpoint
        return Reply(await req_stat(worker, vnode.fs, vnode.inode, endpoint, request.buf))
    finally:
        filp.unlock(worker)


async def do_access(worker: Worker, request: VfsAccess) -> Message | None:
    """access: as for the real user and group."""
    if request.mode & ~7:
        raise Refused(EINVAL)
    lookup = Lookup(await copy_path(worker, request), READ, READ)
    vnode = await eat_path(worker, lookup)
    try:
        require_access(worker, vnode, request.mode)
        return Reply(OK)
    finally:
        await lookup.finish(worker, vnode)


async def do_chdir(worker: Worker, request: VfsChdir | VfsChroot) -> Message | None:
    """chdir and chroot."""
    who = worker.fp
    is_root = isinstance(request, VfsChroot)
    if is_root and who.uid != 0:
        raise Refused(EPERM)
    lookup = Lookup(await copy_path(worker, request), READ, READ)
    vnode = await eat_path(worker, lookup)
    try:
        await _change_into(worker, vnode, is_root)
        return Reply(OK)
    finally:
        await lookup.finish(worker, vnode)


async def do_fchdir(worker: Worker, request: VfsFchdir) -> Message | None:
    """fchdir."""
    filp = await worker.fp.lock_filp(worker, request.fd, READ)
    try:
        await _change_into(worker, filp.vnode, is_root=False)
        return Reply(OK)
    finally:
        filp.unlock(worker)


async def _change_into(worker: Worker, vnode: Vnode, is_root: bool) -> None:
    who = worker.fp
    old = who.root if is_root else who.directory
    if old is vnode:
        return
    if not vnode.is_directory:
        raise Refused(ENOTDIR)
    require_access(worker, vnode, X_BIT)
    if old is not None:
        await put_vnode(worker, old)
    vnode.references += 1
    if is_root:
        who.root = vnode
    else:
        who.directory = vnode


async def do_chmod(worker: Worker, request: VfsChmod) -> Message | None:
    """chmod."""
    lookup = Lookup(await copy_path(worker, request), READ, WRITE)
    vnode = await eat_path(worker, lookup)
    try:
        return await _change_mode(worker, vnode, request.mode)
    finally:
        await lookup.finish(worker, vnode)


async def do_fchmod(worker: Worker, request: VfsFchmod) -> Message | None:
    """fchmod."""
    filp = await worker.fp.lock_filp(worker, request.fd, WRITE)
    try:
        return await _change_mode(worker, filp.vnode, request.mode)
    finally:
        filp.unlock(worker)


async def _change_mode(worker: Worker, vnode: Vnode, mode: int) -> Message:
    who = worker.fp
    if who.uid not in (vnode.uid, 0):
        raise Refused(EPERM)
    if (result := read_only(vnode)) != OK:
        raise Refused(result)
    if who.uid != 0 and vnode.gid != who.gid:
        mode &= ~S_ISGID
    vnode.mode = await req_chmod(worker, vnode.fs, vnode.inode, mode)
    return Reply(OK)


async def do_chown(worker: Worker, request: VfsChown) -> Message | None:
    """chown."""
    path = await fetch_name(worker, request.name_, request.len)
    lookup = Lookup(path, READ, WRITE)
    vnode = await eat_path(worker, lookup)
    try:
        return await _change_owner(worker, vnode, request.owner, request.group)
    finally:
        await lookup.finish(worker, vnode)


async def do_fchown(worker: Worker, request: VfsFchown) -> Message | None:
    """fchown."""
    filp = await worker.fp.lock_filp(worker, request.fd, WRITE)
    try:
        return await _change_owner(worker, filp.vnode, request.owner, request.group)
    finally:
        filp.unlock(worker)


async def _change_owner(worker: Worker, vnode: Vnode, uid: int, gid: int) -> Message:
    who = worker.fp
    if (result := read_only(vnode)) != OK:
        raise Refused(result)
    if who.uid != 0 and (vnode.uid != who.uid or vnode.uid != uid or who.gid != gid):
        raise Refused(EPERM)
    uid = vnode.uid if uid == UNCHANGED else uid
    gid = vnode.gid if gid == UNCHANGED else gid
    if uid > ID_MAX or gid > ID_MAX:
        raise Refused(EINVAL)
    vnode.mode = await req_chown(worker, vnode.fs, vnode.inode, uid, gid)
    vnode.uid, vnode.gid = uid, gid
    return Reply(OK)


async def do_umask(worker: Worker, request: VfsUmask) -> Message | None:
    """umask: the old one."""
    old = ~worker.fp.umask & 0o777
    worker.fp.umask = ~request.mask & 0o777
    return Reply(old)


async def do_truncate(worker: Worker, request: VfsTruncate) -> Message | None:
    """truncate."""
    if request.offset < 0:
        raise Refused(EINVAL)
    path = await fetch_name(worker, request.name_, request.len)
    lookup = Lookup(path, READ, WRITE)
    vnode = await eat_path(worker, lookup)
    try:
        require_access(worker, vnode, W_BIT)
        return await _cut(worker, vnode, request.offset)
    finally:
        await lookup.finish(worker, vnode)


async def do_ftruncate(worker: Worker, request: VfsFtruncate) -> Message | None:
    """ftruncate."""
    if request.offset < 0:
        raise Refused(EINVAL)
    filp = await worker.fp.lock_filp(worker, request.fd, WRITE)
    try:
        if not filp.mode & W_BIT:
            raise Refused(EBADF)
        return await _cut(worker, filp.vnode, request.offset)
    finally:
        filp.unlock(worker)


async def _cut(worker: Worker, vnode: Vnode, size: int) -> Message:
    # Differs: MINIX lets users cut a pipe, and takes that for how much is in it.
    if vnode.is_pipe:
        raise Refused(EINVAL)
    # A file that keeps its size keeps its times: POSIX.
    if vnode.is_regular and vnode.size == size:
        return Reply(OK)
    return Reply(await truncate_vnode(worker, vnode, size))


async def do_utimens(worker: Worker, request: VfsUtimens) -> Message | None:
    """utimens and its relatives; by name if there is one."""
    for nanoseconds in (request.ansec, request.mnsec):
        if not (0 <= nanoseconds < 1_000_000_000 or nanoseconds in (UTIME_NOW, UTIME_OMIT)):
            raise Refused(EINVAL)
    if not request.name_:
        filp = await worker.fp.lock_filp(worker, request.fd, READ)
        try:
            return await _set_times(worker, filp.vnode, request)
        finally:
            filp.unlock(worker)
    path = await fetch_name(worker, request.name_, request.len)
    lookup = Lookup(path, READ, READ)
    vnode = await eat_path(worker, lookup)
    try:
        return await _set_times(worker, vnode, request)
    finally:
        await lookup.finish(worker, vnode)


async def _set_times(worker: Worker, vnode: Vnode, request: VfsUtimens) -> Message:
    who = worker.fp
    if who.uid not in (vnode.uid, 0):
        if (request.ansec, request.mnsec) != (UTIME_NOW, UTIME_NOW):
            raise Refused(EPERM)
        require_access(worker, vnode, W_BIT)
    if (result := read_only(vnode)) != OK:
        raise Refused(result)
    times = (request.atime, request.ansec), (request.mtime, request.mnsec)
    return Reply(await req_utime(worker, vnode.fs, vnode.inode, *times))


async def do_statvfs(worker: Worker, request: VfsStatvfs1) -> Message | None:
    """statvfs."""
    path = await fetch_name(worker, request.name_, request.len)
    lookup = Lookup(path, READ, READ)
    vnode = await eat_path(worker, lookup)
    try:
        return await _figures(worker, vnode, request)
    finally:
        await lookup.finish(worker, vnode)


async def do_fstatvfs(worker: Worker, request: VfsFstatvfs1) -> Message | None:
    """fstatvfs."""
    filp = await worker.fp.lock_filp(worker, request.fd, READ)
    try:
        return await _figures(worker, filp.vnode, request)
    finally:
        filp.unlock(worker)


async def _figures(worker: Worker, vnode: Vnode, request: Any) -> Message:
    mount = vnode.mount
    if mount is None:
        raise Refused(EIO)
    data = bytearray(await req_statvfs(worker, mount.fs))
    data[FSID_AT : FSID_AT + 4] = data[FSID_AT + 8 : FSID_AT + 12] = mount.device.to_bytes(
        4, "little"
    )
    texts = b""
    for size, text in ((32, "mfs"), (1024, mount.path), (1024, mount.label)):
        texts += text.encode()[: size - 1].ljust(size, b"\0")
    data[TEXTS_AT : TEXTS_AT + len(texts)] = texts
    return Reply(await copy_to_user(worker, bytes(data), worker.fp.endpoint, request.buf))
