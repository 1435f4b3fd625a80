"""Directories: files of 64-byte entries, searched block by block.

Source: MINIX ``fs/mfs/path.c`` search_dir.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ipc.errors import ENOENT, ENOTDIR, ENOTEMPTY, EROFS
from ipc.flags import S_IFDIR, S_IFMT
from servers.lib.loop import Refused
from servers.mfs import zones
from servers.mfs.inode import CTIME, MTIME, Inode
from servers.mfs.layout import (
    BLOCK_SIZE,
    ENTRY_SIZE,
    NAME_SIZE,
    NO_INODE,
    decode_entries,
    encode_entry,
)  # fmt: skip

if TYPE_CHECKING:
    from servers.mfs.cache import Buffer
    from servers.mfs.filesystem import FileSystem


async def directory_block(fs: FileSystem, inode: Inode, position: int) -> Buffer:
    """Hold the block at byte `position` of a directory, which has no holes."""
    block = await zones.block_at(fs, inode, position)
    return await fs.cache.get(block, inode.number, position)


async def search(fs: FileSystem, inode: Inode, name: bytes) -> tuple[int, int]:
    """The inode number under `name`, and the byte of the directory where its entry is.

    Raises Refused (ENOENT, ENOTDIR).
    """
    if inode.mode & S_IFMT != S_IFDIR:
        raise Refused(ENOTDIR)
    wanted = name[:NAME_SIZE].ljust(NAME_SIZE, b"\0")
    for position in range(0, inode.size, BLOCK_SIZE):
        data = await _contents(fs, inode, position)
        at = _find(data, wanted)
        if at >= 0:
            return int.from_bytes(data[at : at + 4], "little"), position + at
    raise Refused(ENOENT)


async def enter(fs: FileSystem, inode: Inode, name: bytes, number: int) -> int:
    """Give inode `number` the name `name`, in the first free entry or a new one at the end.

    What comes back is the byte of the directory where the entry is.
    """
    _require_writable(fs, inode)
    position = await _free_entry(fs, inode)
    inode.entry_hint = position // BLOCK_SIZE * BLOCK_SIZE
    extended = position == inode.size and position % BLOCK_SIZE == 0
    if extended:
        buffer = await zones.new_block(fs, inode, position)
    else:
        buffer = await directory_block(fs, inode, position // BLOCK_SIZE * BLOCK_SIZE)
    await fs.cache.change(buffer, position % BLOCK_SIZE, encode_entry(number, name))
    await fs.cache.put(buffer)
    inode.touch(CTIME, MTIME)
    if position == inode.size:
        inode.size += ENTRY_SIZE
        if extended:
            with suppress(Refused):  # the name is there; the inode stays dirty
                await fs.write_inode(inode)
    return position


async def delete(fs: FileSystem, inode: Inode, name: bytes) -> None:
    """Take the name `name` out; raises Refused, as `search`."""
    _require_writable(fs, inode)
    number, position = await search(fs, inode, name)
    await delete_at(fs, inode, position, number)


async def delete_at(fs: FileSystem, inode: Inode, position: int, number: int) -> None:
    """Take the entry of inode `number` at byte `position` out.

    It keeps the number at its end, for recovery.
    """
    offset = position // BLOCK_SIZE * BLOCK_SIZE
    buffer = await directory_block(fs, inode, offset)
    at = position - offset
    await fs.cache.change(buffer, at + 4 + NAME_SIZE - 8, number.to_bytes(8, "little"))
    await fs.cache.change(buffer, at, bytes(4))
    await fs.cache.put(buffer)
    inode.touch(CTIME, MTIME)
    inode.entry_hint = min(inode.entry_hint, offset)


async def require_empty(fs: FileSystem, inode: Inode) -> None:
    """Raises Refused(ENOTEMPTY) if anything but `.` and `..` is in the directory."""
    _require_directory(inode)
    for position in range(0, inode.size, BLOCK_SIZE):
        for number, name in decode_entries(await _contents(fs, inode, position)):
            if number != NO_INODE and name not in (b".", b".."):
                raise Refused(ENOTEMPTY)


def _find(data: bytes, wanted: bytes) -> int:
    """The byte where the entry with this padded name begins; -1 if there is none in use."""
    at = data.find(wanted)
    while at >= 0:
        if at % ENTRY_SIZE == 4 and data[at - 4 : at] != b"\0\0\0\0":
            return at - 4
        at = data.find(wanted, at + 1)
    return -1


async def _free_entry(fs: FileSystem, inode: Inode) -> int:
    """The byte of the first free entry; the directory's size if all are taken."""
    start = inode.entry_hint if inode.entry_hint < inode.size else 0
    for position in range(start, inode.size, BLOCK_SIZE):
        data = await _contents(fs, inode, position)
        for at in range(0, len(data), ENTRY_SIZE):
            if data[at : at + 4] == b"\0\0\0\0":
                return position + at
    return inode.size


async def _contents(fs: FileSystem, inode: Inode, position: int) -> bytes:
    """The entries in the block at `position`: as much of it as the directory has."""
    cache, number = fs.cache, inode.number
    block = await zones.block_at(fs, inode, position)
    data = cache.glance(block, number, position)
    if data is None:
        buffer = await cache.get(block, number, position)
        data = await cache.contents(buffer)
        await cache.put(buffer)
    return data[: inode.size - position]


def _require_directory(inode: Inode) -> None:
    if inode.format != S_IFDIR:
        raise Refused(ENOTDIR)


def _require_writable(fs: FileSystem, inode: Inode) -> None:
    _require_directory(inode)
    if fs.read_only:
        raise Refused(EROFS)
