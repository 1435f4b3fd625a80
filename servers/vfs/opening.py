"""open, creat and close.

Source: MINIX ``servers/vfs/open.c``, ``filedes.c`` close_filp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.errors import (
    EEXIST,
    EINVAL,
    EIO,
    EISDIR,
    ENOENT,
    ENXIO,
    EOPNOTSUPP,
    OK,
)  # fmt: skip
from ipc.flags import (
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_EXCL,
    O_TRUNC,
    PATH_RET_SYMLINK,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
)  # fmt: skip
from ipc.message import Message, Reply
from ipc.vfs import VfsClose, VfsCreat, VfsOpen
from servers.lib.loop import Refused
from servers.vfs import pipes
from servers.vfs.filp import R_BIT, W_BIT, X_BIT, Filp
from servers.vfs.lock import READ, SERIAL, WRITE
from servers.vfs.nodes import new_vnode, put_vnode, require_access, truncate_vnode
from servers.vfs.paths import Lookup, advance, copy_path, eat_path, fetch_name, last_dir
from servers.vfs.requests import req_create, req_link_target

if TYPE_CHECKING:
    from servers.vfs.fproc import Fproc
    from servers.vfs.vnode import Vnode
    from servers.vfs.worker import Worker

MODES: Final = {0: R_BIT, 1: W_BIT, 2: R_BIT | W_BIT}  # by the flags' O_ACCMODE
SYMLINK_LIMIT: Final = 8


async def do_open(worker: Worker, request: VfsOpen) -> Message | None:
    """open without O_CREAT."""
    if request.flags & O_CREAT:
        raise Refused(EINVAL)
    path = await copy_path(worker, request)
    return await common_open(worker, path, request.flags, 0)


async def do_creat(worker: Worker, request: VfsCreat) -> Message | None:
    """open with O_CREAT."""
    if not request.flags & O_CREAT:
        raise Refused(EINVAL)
    path = await fetch_name(worker, request.name_, request.len)
    return await common_open(worker, path, request.flags, request.mode)


async def common_open(
    worker: Worker, path: bytes, flags: int, mode: int, for_exec: bool = False
) -> Message | None:
    """Open a file for the caller: the descriptor, or None if it waits for a pipe's other end."""
    who = worker.fp
    bits = MODES.get(flags & O_ACCMODE)
    if bits is None:
        raise Refused(EINVAL)
    fd = who.free_fd()
    filp = await worker.vfs.filps.new(worker, bits)
    lookup = Lookup(path, READ, SERIAL)
    try:
        mode = S_IFREG | mode & 0o7777 & who.umask
        vnode, exists = await _find_or_make(worker, lookup, flags, mode)
    except Refused:
        worker.vfs.filps.drop(filp)
        filp.mutex.release(worker)
        raise
    who.filps[fd] = filp
    filp.count, filp.flags = 1, flags
    filp.vnode = vnode
    filp.soft = lookup.vnode is None
    if flags & O_CLOEXEC:
        who.close_on_exec.add(fd)
    suspended = False
    try:
        if exists:
            require_access(worker, vnode, X_BIT if for_exec else bits)
            suspended = await _open_existing(worker, fd, filp, vnode, flags)
    except Refused:
        filp.unlock(worker)
        who.filps[fd] = None
        who.close_on_exec.discard(fd)
        worker.vfs.filps.drop(filp)
        await put_vnode(worker, vnode)
        raise
    filp.unlock(worker)
    return None if suspended else Reply(fd)


async def _find_or_make(
    worker: Worker, lookup: Lookup, flags: int, mode: int
) -> tuple[Vnode, bool]:
    """The file, locked, and whether it is to be opened as one that was there before."""
    if not flags & O_CREAT:
        vnode = await eat_path(worker, lookup)
        lookup.unlock_mount(worker)
        return vnode, True
    vnode, made = await new_node(worker, lookup, flags, mode)
    # As in MINIX, O_EXCL only keeps what was there from being opened as such.
    if not made and flags & O_EXCL:
        lookup.unlock_vnode(worker)
        await put_vnode(worker, vnode)
        raise Refused(EEXIST)
    return vnode, not made


async def _open_existing(worker: Worker, fd: int, filp: Filp, vnode: Vnode, flags: int) -> bool:
    """What opening means for this kind of file; True if the caller must wait."""
    kind = vnode.mode & S_IFMT
    if kind == S_IFREG:
        if flags & O_TRUNC:
            require_access(worker, vnode, W_BIT)
            await vnode.lock.upgrade(worker)
            await truncate_vnode(worker, vnode, 0)
        return False
    if kind == S_IFDIR:
        if filp.mode & W_BIT:
            raise Refused(EISDIR)
        return False
    if kind == S_IFIFO:
        filp.flags |= O_APPEND
        return await pipes.open_named(worker, fd, filp, vnode)
    if kind in (S_IFCHR, S_IFBLK):
        raise Refused(ENXIO)  # no driver is mapped to any device file
    raise Refused(EOPNOTSUPP if kind == S_IFSOCK else EIO)


async def new_node(
    worker: Worker, lookup: Lookup, flags: int, mode: int, links: int = 0
) -> tuple[Vnode, bool]:
    """The file at the path of `lookup`, locked and used; it is made if it is not there.

    MINIX: new_node.
    """
    finder = Lookup(lookup.path, SERIAL, WRITE, PATH_RET_SYMLINK if flags & O_EXCL else 0)
    directory = await last_dir(worker, finder)
    name = finder.path
    final = Lookup(name, SERIAL, WRITE if flags & O_TRUNC else SERIAL, finder.flags)
    try:
        vnode = await advance(worker, directory, final)
    except Refused as refusal:
        if refusal.errno != ENOENT:
            await finder.finish(worker, directory)
            raise
        return await _make_node(worker, lookup, finder, directory, name, flags, mode, links)
    # If file and directory are one, it was locked once, and stays so.
    lookup.vnode = final.vnode or vnode
    if directory is not vnode:
        finder.unlock_vnode(worker)
    finder.unlock_mount(worker)
    await put_vnode(worker, directory)
    return vnode, False


async def _make_node(
    worker: Worker, lookup: Lookup, finder: Lookup, directory: Vnode, name: bytes, flags: int,
    mode: int, links: int,
) -> tuple[Vnode, bool]:  # fmt: skip
    """Make the file in its directory; a link that leads nowhere is followed to where it does."""
    try:
        worker.vfs.vnodes.require_room()
        if finder.mount is not None:
            await finder.mount.lock.upgrade(worker)
        require_access(worker, directory, W_BIT | X_BIT)
        details = await req_create(worker, directory.fs, directory.inode, mode, worker.fp, name)
    except Refused as refusal:
        if refusal.errno != EEXIST:
            await finder.finish(worker, directory)
            raise
        return await _follow_dangling(worker, lookup, finder, directory, name, flags, mode, links)
    vnode = new_vnode(worker, details)
    vnode.references = 1
    await vnode.lock.acquire(worker, SERIAL)
    lookup.vnode = vnode
    await finder.finish(worker, directory)
    return vnode, True


async def _follow_dangling(
    worker: Worker, lookup: Lookup, finder: Lookup, directory: Vnode, name: bytes, flags: int,
    mode: int, links: int,
) -> tuple[Vnode, bool]:  # fmt: skip
    """The name is there, but leads to nothing: make what it leads to, relative to its directory."""
    if finder.mount is not None:
        finder.mount.lock.downgrade(worker)
    link = Lookup(name, SERIAL, READ, PATH_RET_SYMLINK)
    try:
        found = await advance(worker, directory, link)
        try:
            if not found.is_link or links >= SYMLINK_LIMIT:
                raise Refused(EIO)
            target = await req_link_target(worker, found.fs, found.inode)
        finally:
            await link.finish(worker, found)
    except Refused:
        await finder.finish(worker, directory)
        raise
    finder.unlock(worker)
    who = worker.fp
    old, who.directory = who.directory, directory
    lookup.path = target
    try:
        return await new_node(worker, lookup, flags, mode, links + 1)
    finally:
        who.directory = old
        await put_vnode(worker, directory)


async def do_close(worker: Worker, request: VfsClose) -> Message | None:
    """close."""
    return Reply(await close_fd(worker, worker.fp, request.fd))


async def close_fd(worker: Worker, who: Fproc, fd: int) -> int:
    """Close a descriptor of `who`; raises Refused(EBADF)."""
    filp = await who.lock_filp(worker, fd, SERIAL)
    take_out(who, fd)
    await close_filp(worker, filp)
    return OK


def take_out(who: Fproc, fd: int) -> Filp | None:
    """Free a descriptor of `who`: nobody finds it any more.  What was under it is to be closed."""
    filp, who.filps[fd] = who.filps[fd], None
    who.close_on_exec.discard(fd)
    return filp


async def close_filp(worker: Worker, filp: Filp) -> None:
    """A descriptor less for a locked filp, which is unlocked.  MINIX: close_filp."""
    vnode = filp.vnode
    if vnode.is_pipe:
        pipes.release(worker.vfs, vnode, writers=bool(filp.mode & R_BIT))
    filp.count -= 1
    if filp.count:
        filp.unlock(worker)
        return
    if vnode.is_pipe:
        await truncate_vnode(worker, vnode, vnode.size)
    soft, filp.soft = filp.soft, False
    worker.vfs.filps.drop(filp)
    if not soft:
        vnode.lock.release(worker)
    await put_vnode(worker, vnode)
    filp.mutex.release(worker)
