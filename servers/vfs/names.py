"""Calls that make, move and remove names: link, unlink, rmdir, rename, mkdir, mknod, symlink.

Source: MINIX ``servers/vfs/link.c``, ``open.c`` do_mkdir, do_mknod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.errors import EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EXDEV
from ipc.flags import PATH_RET_SYMLINK, S_IFDIR, S_IFIFO, S_IFMT, S_ISVTX
from ipc.message import Message, Reply
from ipc.vfs import (
    VfsLink,
    VfsMkdir,
    VfsMknod,
    VfsReadlink,
    VfsRename,
    VfsRmdir,
    VfsSymlink,
    VfsUnlink,
)  # fmt: skip
from servers.lib.loop import Refused
from servers.vfs.filp import W_BIT, X_BIT
from servers.vfs.lock import READ, SERIAL, WRITE
from servers.vfs.nodes import put_vnode, require_access
from servers.vfs.paths import Lookup, advance, copy_path, eat_path, fetch_name, last_dir
from servers.vfs.requests import (
    req_link,
    req_mkdir,
    req_mknod,
    req_rdlink,
    req_rename,
    req_slink,
    req_unlink,
)  # fmt: skip

if TYPE_CHECKING:
    from servers.vfs.vnode import Vnode
    from servers.vfs.worker import Worker

SYMLINK_MAX: Final = 255
SSIZE_MAX: Final = 0x7FFFFFFF


def _require_directory(vnode: Vnode) -> None:
    if not vnode.is_directory:
        raise Refused(ENOTDIR)


async def _require_own(worker: Worker, directory: Vnode, name: bytes) -> None:
    """In a sticky directory only a file's owner may move or remove it."""
    if not directory.mode & S_ISVTX:
        return
    lookup = Lookup(name, READ, READ, PATH_RET_SYMLINK)
    vnode = await advance(worker, directory, lookup)
    owner = vnode.uid
    await lookup.finish(worker, vnode)
    if worker.fp.uid not in (owner, 0):
        raise Refused(EPERM)


async def do_mkdir(worker: Worker, request: VfsMkdir) -> Message | None:
    """mkdir."""
    who = worker.fp
    lookup = Lookup(await copy_path(worker, request), SERIAL, WRITE)
    directory = await last_dir(worker, lookup)
    try:
        _require_directory(directory)
        require_access(worker, directory, W_BIT | X_BIT)
        mode = S_IFDIR | request.mode & 0o777 & who.umask
        return Reply(await req_mkdir(worker, directory.fs, directory.inode, lookup.path, who, mode))
    finally:
        await lookup.finish(worker, directory)


async def do_mknod(worker: Worker, request: VfsMknod) -> Message | None:
    """mknod; only the superuser makes anything but FIFOs."""
    who = worker.fp
    if who.uid != 0 and request.mode & S_IFMT != S_IFIFO:
        raise Refused(EPERM)
    path = await fetch_name(worker, request.name_, request.len)
    lookup = Lookup(path, SERIAL, WRITE, PATH_RET_SYMLINK)
    directory = await last_dir(worker, lookup)
    try:
        _require_directory(directory)
        require_access(worker, directory, W_BIT | X_BIT)
        mode = request.mode & S_IFMT | request.mode & 0o777 & who.umask
        return Reply(
            await req_mknod(
                worker, directory.fs, directory.inode, lookup.path, who, mode, request.device
            )
        )
    finally:
        await lookup.finish(worker, directory)


async def do_unlink(worker: Worker, request: VfsUnlink | VfsRmdir) -> Message | None:
    """unlink and rmdir."""
    path = await copy_path(worker, request)
    lookup = Lookup(path, SERIAL, WRITE, PATH_RET_SYMLINK)
    directory = await last_dir(worker, lookup)
    try:
        _require_directory(directory)
        require_access(worker, directory, W_BIT | X_BIT)
        await _require_own(worker, directory, lookup.path)
        if lookup.mount is not None:
            await lookup.mount.lock.upgrade(worker)
        rmdir = isinstance(request, VfsRmdir)
        return Reply(await req_unlink(worker, directory.fs, directory.inode, lookup.path, rmdir))
    finally:
        await lookup.finish(worker, directory)


async def do_link(worker: Worker, request: VfsLink) -> Message | None:
    """link."""
    path = await fetch_name(worker, request.name1, request.len1)
    old = Lookup(path, SERIAL, READ)
    vnode = await eat_path(worker, old)
    # The use of the file and the lock on its mount keep it.  Differs: MINIX keeps the file locked;
    # if it is also the directory of the new name, VFS waits for itself, and all who come to that
    # file wait with it.
    old.unlock_vnode(worker)
    try:
        path = await fetch_name(worker, request.name2, request.len2)
        new = Lookup(path, READ, WRITE)
        directory = await last_dir(worker, new)
        try:
            if vnode.fs != directory.fs:
                raise Refused(EXDEV)
            require_access(worker, directory, W_BIT | X_BIT)
            return Reply(await req_link(worker, vnode.fs, directory.inode, new.path, vnode.inode))
        finally:
            new.unlock(worker)
            old.unlock(worker)
            await put_vnode(worker, directory)
    finally:
        await old.finish(worker, vnode)


async def do_rename(worker: Worker, request: VfsRename) -> Message | None:
    """rename."""
    path = await fetch_name(worker, request.name1, request.len1)
    old = Lookup(path, SERIAL, WRITE, PATH_RET_SYMLINK)
    old_directory = await last_dir(worker, old)
    try:
        await _require_own(worker, old_directory, old.path)
        path = await fetch_name(worker, request.name2, request.len2)
        new = Lookup(path, READ, WRITE, PATH_RET_SYMLINK)
        new_directory = await last_dir(worker, new)
        try:
            if old_directory.fs != new_directory.fs:
                raise Refused(EXDEV)
            require_access(worker, old_directory, W_BIT | X_BIT)
            require_access(worker, new_directory, W_BIT | X_BIT)
            if old.mount is not None:
                await old.mount.lock.upgrade(worker)
            return Reply(
                await req_rename(
                    worker, old_directory.fs, old_directory.inode, old.path,
                    new_directory.inode, new.path,
                )
            )  # fmt: skip
        finally:
            new.unlock(worker)
            if old_directory is not new_directory:
                old.unlock(worker)
            await put_vnode(worker, new_directory)
    finally:
        await old.finish(worker, old_directory)


async def do_symlink(worker: Worker, request: VfsSymlink) -> Message | None:
    """symlink."""
    who = worker.fp
    if request.len1 <= 1:
        raise Refused(ENOENT)
    if request.len1 >= SYMLINK_MAX:
        raise Refused(ENAMETOOLONG)
    path = await fetch_name(worker, request.name2, request.len2)
    lookup = Lookup(path, SERIAL, WRITE)
    directory = await last_dir(worker, lookup)
    try:
        require_access(worker, directory, W_BIT | X_BIT)
        target = (who.endpoint, request.name1, request.len1 - 1)
        return Reply(
            await req_slink(worker, directory.fs, directory.inode, lookup.path, target, who)
        )
    finally:
        await lookup.finish(worker, directory)


async def do_readlink(worker: Worker, request: VfsReadlink) -> Message | None:
    """readlink."""
    if request.bufsize > SSIZE_MAX:
        raise Refused(EINVAL)
    path = await fetch_name(worker, request.name_, request.namelen)
    lookup = Lookup(path, READ, READ, PATH_RET_SYMLINK)
    vnode = await eat_path(worker, lookup)
    try:
        if not vnode.is_link:
            raise Refused(EINVAL)
        user = (worker.fp.endpoint, request.buf, request.bufsize)
        return Reply(await req_rdlink(worker, vnode.fs, vnode.inode, user))
    finally:
        await lookup.finish(worker, vnode)
