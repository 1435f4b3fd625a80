"""Giving names to files and taking them away: create, mkdir, link, unlink, rmdir, rename.

Source: MINIX ``fs/mfs/open.c``, ``link.c``, ``path.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.errors import (
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    EMLINK,
    ENOENT,
    ENOTDIR,
    EPERM,
    EROFS,
)  # fmt: skip
from ipc.flags import S_IFDIR, S_IFMT
from servers.lib.loop import Refused
from servers.mfs import directory
from servers.mfs.inode import CTIME, Inode
from servers.mfs.layout import LINK_MAX, ROOT_INODE

if TYPE_CHECKING:
    from servers.mfs.filesystem import FileSystem


async def advance(fs: FileSystem, parent: Inode, name: bytes) -> Inode:
    """Use the inode under `name` in `parent`; raises Refused (ENOENT, ENOTDIR, ENFILE)."""
    if not name or parent.links == 0:
        raise Refused(ENOENT)
    number, _position = await directory.search(fs, parent, name)
    return await fs.get_inode(number)


async def find(fs: FileSystem, parent: Inode, name: bytes) -> Inode | None:
    """The same, but None if the name is not there."""
    try:
        return await advance(fs, parent, name)
    except Refused as refusal:
        if refusal.errno != ENOENT:
            raise
        return None


async def new_node(
    fs: FileSystem, parent: Inode, name: bytes, mode: int, uid: int, gid: int, first_zone: int = 0
) -> Inode:
    """Make a file and enter its name; it is in use.  Raises Refused (EEXIST, ENOSPC, …).

    Differs: MINIX keeps the number of a device in what is none, and later takes it for a zone.
    """
    inode = await _nameless(fs, parent, name, mode, uid, gid)
    if inode.is_device:
        inode.zones[0] = first_zone
    # On disk an inode without a name is better than a name without an inode.
    try:
        await fs.write_inode(inode)
        await directory.enter(fs, parent, name, inode.number)
    except Refused:
        inode.links = 0
        inode.dirty = True
        await fs.put_inode(inode)
        raise
    return inode


async def _nameless(
    fs: FileSystem, parent: Inode, name: bytes, mode: int, uid: int, gid: int
) -> Inode:
    """A new file, in use, that may have `name` in `parent`, but does not have it yet."""
    if parent.links == 0:
        raise Refused(ENOENT)
    if mode & S_IFMT == S_IFDIR and parent.links >= LINK_MAX:
        raise Refused(EMLINK)
    existing = await find(fs, parent, name)
    if existing is not None:
        await fs.put_inode(existing)
        raise Refused(EEXIST)
    inode = await fs.new_inode(mode, uid, gid)
    inode.links = 1
    return inode


async def make_directory(
    fs: FileSystem, parent: Inode, name: bytes, mode: int, uid: int, gid: int
) -> None:
    """Make a directory with its `.` and `..`; raises Refused.

    Differs: MINIX gives it its name first, and panics if that cannot be taken away again.
    """
    inode = await _nameless(fs, parent, name, mode, uid, gid)
    try:
        await fs.write_inode(inode)
        await directory.enter(fs, inode, b".", inode.number)
        await directory.enter(fs, inode, b"..", parent.number)
        await directory.enter(fs, parent, name, inode.number)
    except Refused:
        inode.links = 0
        raise
    else:
        inode.links += 1
        parent.links += 1
        parent.dirty = True
    finally:
        inode.dirty = True
        await fs.put_inode(inode)


async def undo(fs: FileSystem, parent: Inode, name: bytes, inode: Inode) -> None:
    """Take back a file that was just made; it goes when it is put."""
    await directory.delete(fs, parent, name)
    inode.links = 0
    inode.dirty = True


async def link(fs: FileSystem, parent: Inode, name: bytes, inode: Inode) -> None:
    """Give `inode` another name; raises Refused (EMLINK, EPERM, EEXIST, …)."""
    if inode.links >= LINK_MAX:
        raise Refused(EMLINK)
    if inode.format == S_IFDIR:
        raise Refused(EPERM)
    existing = await find(fs, parent, name)
    if existing is not None:
        await fs.put_inode(existing)
        raise Refused(EEXIST)
    await directory.enter(fs, parent, name, inode.number)
    inode.links += 1
    inode.touch(CTIME)


async def unlink(fs: FileSystem, parent: Inode, name: bytes, rmdir: bool) -> None:
    """Take a file's name away, or remove an empty directory; raises Refused."""
    inode = await advance(fs, parent, name)
    try:
        if inode.mount_point:
            raise Refused(EBUSY)
        if fs.read_only:
            raise Refused(EROFS)
        if rmdir:
            await _remove_directory(fs, parent, inode, name)
        else:
            if inode.format == S_IFDIR:
                raise Refused(EPERM)
            await _unlink_file(fs, parent, inode, name)
    finally:
        await fs.put_inode(inode)


async def _remove_directory(fs: FileSystem, parent: Inode, inode: Inode, name: bytes) -> None:
    await directory.require_empty(fs, inode)
    if inode.number == ROOT_INODE:
        raise Refused(EBUSY)
    above = await advance_unlinked(fs, inode)
    # Its first block has `.` and `..`: once the name is gone, nothing may lack memory.
    block = await directory.directory_block(fs, inode, 0)
    try:
        await _unlink_file(fs, parent, inode, name)
        await _unlink_file(fs, inode, inode, b".")
        await _unlink_file(fs, inode, above, b"..")
    finally:
        await fs.cache.put(block)
        await fs.put_inode(above)


async def advance_unlinked(fs: FileSystem, inode: Inode) -> Inode:
    """The parent by `..`, of a directory that may have lost its own name."""
    number, _position = await directory.search(fs, inode, b"..")
    return await fs.get_inode(number)


async def _unlink_file(fs: FileSystem, parent: Inode, inode: Inode, name: bytes) -> None:
    await directory.delete(fs, parent, name)
    inode.links -= 1
    inode.touch(CTIME)


async def rename(
    fs: FileSystem, old_parent: Inode, old_name: bytes, new_parent: Inode, new_name: bytes
) -> None:
    """Move a name, replacing what had the new one; raises Refused.  MINIX: fs_rename."""
    inode = await advance(fs, old_parent, old_name)
    replaced: Inode | None = None
    try:
        if inode.mount_point:
            raise Refused(EBUSY)
        if new_parent.links == 0:
            raise Refused(ENOENT)
        replaced = await find(fs, new_parent, new_name)
        if replaced is inode:
            return
        await _may_rename(fs, inode, old_parent, new_parent, replaced)
        if replaced is not None:
            if inode.format == S_IFDIR:
                await _remove_directory(fs, new_parent, replaced, new_name)
            else:
                await _unlink_file(fs, new_parent, replaced, new_name)
        await _move(fs, inode, old_parent, old_name, new_parent, new_name)
    finally:
        await fs.put_inode(inode)
        if replaced is not None:
            await fs.put_inode(replaced)


async def _may_rename(
    fs: FileSystem, inode: Inode, old_parent: Inode, new_parent: Inode, replaced: Inode | None
) -> None:
    moves_directory = inode.format == S_IFDIR
    if replaced is not None and replaced.mount_point:
        raise Refused(EBUSY)
    if moves_directory and old_parent is not new_parent:
        if await _is_above(fs, inode, new_parent):
            raise Refused(EINVAL)
        if replaced is None and new_parent.links >= LINK_MAX:
            raise Refused(EMLINK)
    if replaced is not None and moves_directory != (replaced.format == S_IFDIR):
        raise Refused(ENOTDIR if moves_directory else EISDIR)
    if moves_directory and old_parent is not new_parent:
        # Its `..` is changed last: that it can be read is to be known before anything changes.
        await directory.search(fs, inode, b"..")


async def _is_above(fs: FileSystem, inode: Inode, below: Inode) -> bool:
    """Whether `inode` is `below` or lies on its way to the root."""
    number = below.number
    while number not in (inode.number, ROOT_INODE):
        step = await fs.get_inode(number)
        try:
            number, _position = await directory.search(fs, step, b"..")
        finally:
            await fs.put_inode(step)
    return number == inode.number


async def _move(
    fs: FileSystem, inode: Inode, old_parent: Inode, old_name: bytes, new_parent: Inode,
    new_name: bytes,
) -> None:  # fmt: skip
    # In one directory the old entry goes first, so that the new one can take its place; between
    # two the new one comes first, so that nothing is lost if there is no room for it.
    if old_parent is new_parent:
        await directory.delete(fs, old_parent, old_name)
        await directory.enter(fs, new_parent, new_name, inode.number)
        return
    position = await directory.enter(fs, new_parent, new_name, inode.number)
    try:
        await directory.delete(fs, old_parent, old_name)
    except Refused:
        inode.links += 1  # for as long as it has both names
        inode.dirty = True
        await directory.delete_at(fs, new_parent, position, inode.number)
        inode.links -= 1
        raise
    if inode.format == S_IFDIR:
        await _unlink_file(fs, inode, old_parent, b"..")
        await directory.enter(fs, inode, b"..", new_parent.number)
        new_parent.links += 1
        new_parent.dirty = True
