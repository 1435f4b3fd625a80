"""From paths to vnodes, across file systems and symbolic links.

A lookup says which locks it wants on the mount and the file that it finds; what it could lock (and
its user must unlock) is in `mount` and `vnode` then.  A file that the worker owns already is not
locked twice.  Every function that finds nothing raises Refused, and leaves nothing locked.

Source: MINIX ``servers/vfs/path.c``, ``utility.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from ipc.errors import (
    EENTERMOUNT,
    EINVAL,
    EIO,
    ELEAVEMOUNT,
    ELOOP,
    ENAMETOOLONG,
    ENOENT,
    ESYMLINK,
    OK,
)
from ipc.flags import PATH_RET_SYMLINK
from servers.lib.fsdriver.data import NAME_MAX
from servers.lib.fsdriver.lookup import SYMLOOP_MAX
from servers.lib.loop import Refused
from servers.vfs.comm import copy_from_user
from servers.vfs.lock import READ, SERIAL, Mode
from servers.vfs.nodes import ids, new_vnode, put_vnode
from servers.vfs.requests import NodeDetails, req_link_target, req_lookup
from servers.vfs.worker import PATH_MAX

if TYPE_CHECKING:
    from servers.vfs.fproc import Fproc
    from servers.vfs.mounts import Mount
    from servers.vfs.vnode import Vnode
    from servers.vfs.worker import Worker

IN_MESSAGE: Final = 40  # bytes of path that fit in the message itself


@attrs.define(eq=False)
class Lookup:
    """A path to follow, what to lock at its end, and what was locked."""

    path: bytes
    mount_lock: Mode
    vnode_lock: Mode
    flags: int = 0
    mount: Mount | None = None
    vnode: Vnode | None = None

    def unlock_mount(self, worker: Worker) -> None:
        """Unlock the mount, if it was locked."""
        mount, self.mount = self.mount, None
        if mount is not None:
            mount.lock.release(worker)

    def unlock_vnode(self, worker: Worker) -> None:
        """Unlock the file, if it was locked."""
        vnode, self.vnode = self.vnode, None
        if vnode is not None:
            vnode.lock.release(worker)

    def unlock(self, worker: Worker) -> None:
        """Unlock whatever was locked."""
        self.unlock_vnode(worker)
        self.unlock_mount(worker)

    async def finish(self, worker: Worker, vnode: Vnode) -> None:
        """Unlock everything, and end the use of the file that was found."""
        self.unlock(worker)
        await put_vnode(worker, vnode)


async def advance(worker: Worker, start: Vnode, lookup: Lookup, who: Fproc | None = None) -> Vnode:
    """The file to which the path leads from `start`; it has one use more.  MINIX: advance."""
    who = who or worker.fp
    initial = SERIAL if lookup.vnode_lock is READ else lookup.vnode_lock
    vnodes = worker.vfs.vnodes
    vnodes.require_room()
    details = await _look_up(worker, start, lookup, who)
    vnode = vnodes.find(details.fs, details.inode)
    if vnode is None:
        vnode = new_vnode(worker, details)
        locked = await vnode.lock.acquire(worker, initial)
    else:
        locked = await vnode.lock.acquire(worker, initial)
        if vnode.references == 0:
            # Its last user went while we waited; the lookup has opened it anew.
            vnode.fs_count = 1
            vnodes.add(vnode)
        else:
            vnode.fs_count += 1
    vnode.references += 1
    if locked:
        lookup.vnode = vnode
        if initial is not lookup.vnode_lock:
            vnode.lock.downgrade(worker)
    return vnode


async def eat_path(worker: Worker, lookup: Lookup, who: Fproc | None = None) -> Vnode:
    """The file to which the path leads from the caller's root or directory."""
    return await advance(worker, _start(lookup.path, who or worker.fp), lookup, who)


def _start(path: bytes, who: Fproc) -> Vnode:
    start = who.root if path.startswith(b"/") else who.directory
    if start is None or who.root is None:
        raise Refused(ENOENT)
    return start


async def last_dir(worker: Worker, lookup: Lookup, who: Fproc | None = None) -> Vnode:
    """The directory that the path's last name is in; the path is then that name.

    A last name that is a symbolic link is followed, unless PATH_RET_SYMLINK says otherwise.
    MINIX: last_dir.
    """
    who = who or worker.fp
    wants_link = lookup.flags & PATH_RET_SYMLINK
    base: Vnode | None = None  # where a relative link begins; locked and used
    try:
        for _ in range(SYMLOOP_MAX):
            start = base or _start(lookup.path, who)
            entry = _split(lookup)
            lookup.flags &= ~PATH_RET_SYMLINK
            directory = await advance(worker, start, lookup, who)
            if base is not None:
                await _leave_base(worker, base, directory, lookup)
                base = None
            directory, target = await _final_link(
                worker, directory, entry, lookup, who, bool(wants_link)
            )
            if target is None:
                lookup.flags |= wants_link
                return directory
            lookup.unlock_mount(worker)
            if target.startswith(b"/"):
                await lookup.finish(worker, directory)
            else:
                base, lookup.vnode = directory, None
            lookup.path = target
        raise Refused(ELOOP)
    except Refused:
        if base is not None:
            base.lock.release(worker)
            await put_vnode(worker, base)
        raise


async def _leave_base(worker: Worker, base: Vnode, directory: Vnode, lookup: Lookup) -> None:
    """A relative link has been followed from `base`, which is not needed any more."""
    if base is directory and lookup.vnode is None:
        lookup.vnode = base  # it stays locked, as what was found
    else:
        base.lock.release(worker)
    await put_vnode(worker, base)


def _split(lookup: Lookup) -> bytes:
    """Cut the last name off the path and return it.  Slashes at the end mean nothing."""
    path = lookup.path
    if not path:
        raise Refused(ENOENT)
    path = path.rstrip(b"/") or b"/"
    head, slash, entry = path.rpartition(b"/")
    if len(entry) > NAME_MAX:
        raise Refused(ENAMETOOLONG)
    lookup.path = (head.rstrip(b"/") or b"/") if slash else b"."
    return entry or b"."


async def _final_link(
    worker: Worker, directory: Vnode, entry: bytes, lookup: Lookup, who: Fproc, wants_link: bool
) -> tuple[Vnode, bytes | None]:
    """The directory, and the path that the last name stands for if it is a link elsewhere.

    If the name leads into another file system, that one's root is the directory, and the name `.`.
    """
    lookup.path = entry
    final = Lookup(entry, READ, READ, lookup.flags | PATH_RET_SYMLINK)
    try:
        found = await advance(worker, directory, final, who)
    except Refused:
        return directory, None  # whoever wants the name will see why
    target: bytes | None = None
    try:
        if found.is_link and not wants_link:
            target = await req_link_target(worker, found.fs, found.inode)
    except Refused:
        await final.finish(worker, found)
        await lookup.finish(worker, directory)
        raise
    mount = final.mount
    await final.finish(worker, found)
    if target is not None:
        return directory, target if b"/" in target else None
    if found.is_link or found.fs == directory.fs or mount is None:
        return directory, None
    return await _enter_mount(worker, mount, directory, lookup), None


async def _enter_mount(worker: Worker, mount: Mount, directory: Vnode, lookup: Lookup) -> Vnode:
    """Make the root of `mount` the result of `lookup`, and its path `.`."""
    await lookup.finish(worker, directory)
    root = mount.root
    assert root is not None, "a file system that was entered has a root"
    if await mount.lock.acquire(worker, lookup.mount_lock):
        lookup.mount = mount
    if await root.lock.acquire(worker, lookup.vnode_lock):
        lookup.vnode = root
    root.references += 1
    lookup.path = b"."
    return root


# --- one path, over several file systems


async def _look_up(worker: Worker, start: Vnode, lookup: Lookup, who: Fproc) -> NodeDetails:
    """Ask one file system after the other.  MINIX: lookup."""
    if not lookup.path or who.root is None or who.directory is None:
        raise Refused(ENOENT)
    wanted = SERIAL if lookup.mount_lock is READ else lookup.mount_lock
    loops = 0
    while True:
        fs = await _lock_mount(worker, start.fs, wanted, lookup)
        root = who.root.inode if who.root.device == start.device else 0
        answer, path = await req_lookup(
            worker, fs, start.inode, root, lookup.path, lookup.flags, who, ids(worker, who)
        )
        if answer.type not in (EENTERMOUNT, ELEAVEMOUNT, ESYMLINK):
            break
        lookup.path = path[answer.offset :]
        loops += answer.symloop
        try:
            start = _next_start(worker, answer, fs, loops, lookup.path, who)
        finally:
            lookup.unlock_mount(worker)
    if answer.type != OK:
        lookup.unlock_mount(worker)
        raise Refused(answer.type)
    if lookup.mount is not None and lookup.mount_lock is not wanted:
        lookup.mount.lock.downgrade(worker)
    return NodeDetails(
        fs, answer.inode, answer.mode, answer.file_size, answer.uid, answer.gid, answer.device
    )


async def _lock_mount(worker: Worker, fs: int, mode: Mode, lookup: Lookup) -> int:
    mount = worker.vfs.mounts.find(fs)
    if mount is None:
        raise Refused(EIO)
    if await mount.lock.acquire(worker, mode):
        lookup.mount = mount
    return fs


def _next_start(worker: Worker, answer: Any, fs: int, loops: int, path: bytes, who: Fproc) -> Vnode:
    """Where the walk goes on that one file system could not finish."""
    if loops > SYMLOOP_MAX:
        raise Refused(ELOOP)
    mounts = worker.vfs.mounts
    if answer.type == ESYMLINK:
        assert who.root is not None, "checked before the walk"
        return who.root
    if answer.type == EENTERMOUNT:
        mount = mounts.over(fs, answer.inode)
        if mount is None or mount.root is None:
            raise Refused(EIO)
        return mount.root
    mount = mounts.find(fs)
    if path[:2] != b".." or path[2:3] not in (b"", b"/") or mount is None:
        raise Refused(ENOENT)
    if mount.mounted_on is None:
        raise Refused(ENOENT)
    return mount.mounted_on


# --- paths from users


async def fetch_name(worker: Worker, address: int, length: int) -> bytes:
    """The path of `length` bytes (its final zero included) at `address` of the caller.

    Raises Refused (ENAMETOOLONG; EINVAL if it cannot be copied).  MINIX: fetch_name.
    """
    if length > PATH_MAX:
        raise Refused(ENAMETOOLONG)
    if length == 0:
        raise Refused(EINVAL)
    try:
        text = await copy_from_user(worker, worker.fp.endpoint, address, length)
    except Refused:
        raise Refused(EINVAL) from None
    return _terminated(text)


async def copy_path(worker: Worker, request: Any) -> bytes:
    """The path of a request that may carry it itself.  MINIX: copy_path."""
    if request.len > PATH_MAX:
        raise Refused(ENAMETOOLONG)
    if request.len > IN_MESSAGE or request.len == 0:
        return await fetch_name(worker, request.name_, request.len)
    return _terminated(request.buf.ljust(IN_MESSAGE, b"\0")[: request.len])


def _terminated(text: bytes) -> bytes:
    if text[-1]:
        raise Refused(ENAMETOOLONG)
    return text.split(b"\0", 1)[0]
