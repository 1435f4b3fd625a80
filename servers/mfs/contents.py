"""What is in a file: reading, writing, bringing pages into VM's cache, symbolic links.

Source: MINIX ``fs/mfs/read.c``, ``open.c`` fs_slink, ``link.c`` fs_rdlink.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final

from ipc.errors import EACCES, EFBIG, EIO, ENAMETOOLONG, EROFS, IpcError
from ipc.flags import S_IFDIR, S_IFLNK, S_IFREG
from ipc.traps import yields_traps
from servers.lib.loop import Refused
from servers.mfs import zones
from servers.mfs.cache import MAX_PREFETCH
from servers.mfs.inode import ATIME, CTIME, MTIME, Inode
from servers.mfs.layout import BLOCK_SIZE, DIRECT_ZONES, NO_BLOCK

if TYPE_CHECKING:
    from servers.lib.fsdriver.data import Data
    from servers.mfs.cache import Buffer
    from servers.mfs.filesystem import FileSystem

BLOCKS_AHEAD: Final = 32  # how many blocks to read at least, unless the reader seeks
_INDIRECT: Final = DIRECT_ZONES * BLOCK_SIZE  # the byte of a file whose zone is the first indirect


async def read(fs: FileSystem, inode: Inode, data: Data, length: int, position: int) -> int:
    """Copy up to `length` bytes at `position` to `data`; how many there were (0: end of file)."""
    done = 0
    while done < length and position < inode.size:
        at = position % BLOCK_SIZE
        chunk = min(BLOCK_SIZE - at, length - done, inode.size - position)
        block = zones.known_block(fs, inode, position)
        if block is None:
            block = await zones.block_at(fs, inode, position)
        if block == NO_BLOCK:
            await data.zero(done, chunk)
        else:
            start = position - at
            buffer = (
                fs.cache.find(block, inode.number, start)
                or await fs.cache.obtain(block, inode.number, start)
                or await _read_ahead(fs, inode, block, start, length - done + at)
            )
            try:
                await data.copy_out(done, buffer.data + at, chunk)
            finally:
                await fs.cache.put(buffer)
        done += chunk
        position += chunk
    inode.sought = False
    if not fs.read_only:
        inode.touch(ATIME)
    return done


@yields_traps
@types.coroutine
def peek(fs: FileSystem, inode: Inode, length: int, position: int) -> Generator[Any, Any, int]:
    """Bring `length` bytes at `position` into VM's cache; how many the file has of them."""
    cache = fs.cache
    number = inode.number
    end = position + length
    if end > inode.size:
        end = inode.size
    done = end - position if end > position else 0
    start = position - position % BLOCK_SIZE
    while position < end:
        block = zones.known_block(fs, inode, start)
        if block is None:
            block = yield from zones.block_at(fs, inode, start)
        if block == NO_BLOCK:
            yield from cache.show_hole(number, start)
        else:
            told = cache.let_go(
                cache.find(block, number, start)
                or (yield from cache.obtain(block, number, start))
                or (yield from _read_ahead(fs, inode, block, start, end - start))
            )
            if told is not None:
                answer = yield told
                if type(answer) is IpcError:
                    raise answer
        position = start = start + BLOCK_SIZE
    inode.sought = False
    if not fs.read_only:
        inode.dirty = True
    return done


async def write(fs: FileSystem, inode: Inode, data: Data, length: int, position: int) -> int:
    """Copy `length` bytes from `data` to `position`; raises Refused (EROFS, EFBIG, ENOSPC, …)."""
    if fs.read_only:
        raise Refused(EROFS)
    if position > fs.superblock.max_size - length:
        raise Refused(EFBIG)
    done = 0
    try:
        while done < length:
            chunk = min(BLOCK_SIZE - position % BLOCK_SIZE, length - done)
            await _write_chunk(fs, inode, data, done, chunk, position)
            done += chunk
            position += chunk
    finally:
        if inode.format in (S_IFREG, S_IFDIR) and done:
            inode.size = max(inode.size, position)
        inode.sought = False
    inode.touch(CTIME, MTIME)
    return done


async def _write_chunk(
    fs: FileSystem, inode: Inode, data: Data, done: int, chunk: int, position: int
) -> None:
    at = position % BLOCK_SIZE
    offset = position - at
    unread = False
    block = zones.known_block(fs, inode, position)
    if block is None:
        block = await zones.block_at(fs, inode, position)
    if block == NO_BLOCK:
        buffer = await zones.new_block(fs, inode, position)
    else:
        beyond = at == 0 and position >= inode.size
        whole = chunk == BLOCK_SIZE
        unread = whole and not beyond and not fs.cache.has(block)
        get = fs.cache.get_unread if whole or beyond else fs.cache.get
        buffer = await get(block, inode.number, offset)
        if beyond and not whole:
            await fs.cache.change(buffer, 0, bytes(BLOCK_SIZE))
    try:
        await data.copy_in(done, buffer.data + at, chunk)
    except Refused:
        if unread:
            # What the disk has stays.  Differs: MINIX's MFS puts zeros in its place.
            fs.cache.drop(buffer)
        elif block == NO_BLOCK and offset >= inode.size:
            await zones.free_beyond(fs, inode, offset)
        raise
    finally:
        if buffer.held:
            buffer.text = None
            buffer.dirty = True
            await fs.cache.put(buffer)


def _read_ahead(
    fs: FileSystem, inode: Inode, block: int, start: int, length: int
) -> Coroutine[Any, Any, Buffer]:
    """Hold `block`, the file's from `start` on, which must be read; read more that may be wanted.

    `length` bytes from `start` on are sure to be wanted.  Source: MINIX rahead.
    """
    size = inode.size
    indirect = 1 if start <= _INDIRECT < size else 0
    count = -(-length // BLOCK_SIZE) + indirect
    if not inode.sought and count < BLOCKS_AHEAD:
        count = BLOCKS_AHEAD
    if count > 1:
        left = -(-(size - start) // BLOCK_SIZE) + indirect
        count = min(count, left, MAX_PREFETCH)
        if count > 1:
            return _read_following(fs, inode, block, start, count)
    return fs.cache.prefetch([block], inode.number, start)


async def _read_following(
    fs: FileSystem, inode: Inode, block: int, start: int, count: int
) -> Buffer:
    """Hold `block`, the file's from `start` on; read also those that follow it in the file: up to
    the first that is in a cache, and not more than `count` altogether.
    """
    wanted = [block]
    position = start
    for _ in range(count - 1):
        block += 1
        position += BLOCK_SIZE
        mapped = zones.known_block(fs, inode, position)
        if mapped is None:
            mapped = await zones.block_at(fs, inode, position, cached_only=True)
        if mapped != NO_BLOCK:
            block = mapped
            buffer = await fs.cache.peek(block, inode.number, position)
        else:
            buffer = await fs.cache.peek(block)
        if buffer is not None:
            await fs.cache.put(buffer)
            break
        wanted.append(block)
    return await fs.cache.prefetch(wanted, inode.number, start)


async def write_link(fs: FileSystem, inode: Inode, data: Data, length: int) -> None:
    """Put the target of a new symbolic link, `length` bytes of `data`, into its one block."""
    buffer = await zones.new_block(fs, inode, 0)
    try:
        if length >= BLOCK_SIZE:
            raise Refused(ENAMETOOLONG)
        await data.copy_in(0, buffer.data, length)
        await fs.cache.change(buffer, length, b"\0")
        if b"\0" in (await fs.cache.contents(buffer))[:length]:
            raise Refused(ENAMETOOLONG)
    finally:
        await fs.cache.put(buffer)
        inode.size = length


async def read_link(fs: FileSystem, inode: Inode, data: Data, length: int) -> int:
    """Copy the target of a symbolic link to `data`; how many bytes.

    Raises Refused (EACCES, EIO).
    """
    if inode.format != S_IFLNK:
        raise Refused(EACCES)
    block = await zones.block_at(fs, inode, 0)
    if block == NO_BLOCK:
        raise Refused(EIO)
    length = min(length, inode.size)
    buffer = await fs.cache.get(block, inode.number, 0)
    try:
        await data.copy_out(0, buffer.data, length)
    finally:
        await fs.cache.put(buffer)
    return length
