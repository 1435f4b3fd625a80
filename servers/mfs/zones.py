"""Which block holds which part of a file: a file's map of zones, read, extended and cut.

Source: MINIX ``fs/mfs/read.c`` read_map, ``write.c``, ``link.c`` truncate_inode, freesp_inode.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.errors import EFBIG, EINVAL
from kernel.panic import Panic
from servers.lib.loop import Refused
from servers.mfs.inode import CTIME, MTIME, Inode
from servers.mfs.layout import (
    BLOCK_SIZE,
    DIRECT_ZONES,
    INODE_ZONES,
    MAX_FILE_SIZE,
    NO_BLOCK,
    NO_ZONE,
    ZONES_PER_BLOCK,
)  # fmt: skip

if TYPE_CHECKING:
    from servers.mfs.cache import Buffer
    from servers.mfs.filesystem import FileSystem

_ZEROS: Final = bytes(BLOCK_SIZE)
_zone_at: Final = struct.Struct("<I").unpack_from


def known_block(fs: FileSystem, inode: Inode, position: int) -> int | None:
    """As `block_at`, if what says so is at hand: the inode, or a block that was looked at before.

    None tells that it is not, and must be asked of `block_at`.
    """
    zone = position // BLOCK_SIZE
    if zone < DIRECT_ZONES:
        return inode.zones[zone]
    zone -= DIRECT_ZONES
    if zone >= ZONES_PER_BLOCK:
        return None
    single = inode.zones[DIRECT_ZONES]
    if single == NO_ZONE:
        return NO_BLOCK
    text = fs.cache.glance(single)
    if text is None:
        return None
    block: int = _zone_at(text, 4 * zone)[0]
    return block if block in fs.superblock.data_zones else _entry_in(fs, text, zone)


async def block_at(fs: FileSystem, inode: Inode, position: int, cached_only: bool = False) -> int:
    """The block that holds byte `position` of the file, or NO_BLOCK where it has a hole.

    `cached_only`: do not read indirect blocks for it; one that is not at hand counts as a hole.
    """
    zone = position // BLOCK_SIZE
    if zone < DIRECT_ZONES:
        return inode.zones[zone]
    excess = zone - DIRECT_ZONES
    if excess < ZONES_PER_BLOCK:
        single = inode.zones[DIRECT_ZONES]
    else:
        index, excess = divmod(excess - ZONES_PER_BLOCK, ZONES_PER_BLOCK)
        double = inode.zones[DIRECT_ZONES + 1]
        if double == NO_ZONE or index >= ZONES_PER_BLOCK:
            return NO_BLOCK
        single = await _zone_in(fs, double, index, cached_only)
    if single == NO_ZONE:
        return NO_BLOCK
    return await _zone_in(fs, single, excess, cached_only)


async def _zone_in(fs: FileSystem, indirect: int, index: int, cached_only: bool) -> int:
    cache = fs.cache
    text = cache.glance(indirect)
    if text is not None:
        return _entry_in(fs, text, index)
    buffer = await (cache.peek(indirect) if cached_only else cache.get(indirect))
    if buffer is None:
        return NO_ZONE
    zone = await _read_entry(fs, buffer, index)
    await cache.put(buffer)
    return zone


async def _read_entry(fs: FileSystem, buffer: Buffer, index: int) -> int:
    return _entry_in(fs, await fs.cache.contents(buffer), index)


def _entry_in(fs: FileSystem, text: bytes, index: int) -> int:
    zone: int = _zone_at(text, 4 * index)[0]
    if zone != NO_ZONE and zone not in fs.superblock.data_zones:
        raise Panic(f"illegal zone number {zone} in an indirect block: check the file system")
    return zone


async def _write_entry(fs: FileSystem, buffer: Buffer, index: int, zone: int) -> None:
    await fs.cache.change(buffer, 4 * index, zone.to_bytes(4, "little"))


async def _is_empty(fs: FileSystem, buffer: Buffer) -> bool:
    return await fs.cache.contents(buffer) == _ZEROS


async def new_block(fs: FileSystem, inode: Inode, position: int) -> Buffer:
    """Hold the cleared block for byte `position` of the file, which had a hole there.

    Raises Refused (ENOSPC, EFBIG, ENOMEM); then there is still a hole.  Source: MINIX new_block.
    """
    block = await block_at(fs, inode, position)
    fresh = block == NO_BLOCK
    if fresh:
        near = inode.zone_hint or inode.zones[0] or fs.superblock.first_data_zone
        block = inode.zone_hint = await fs.allocate_zone(near)
        try:
            await _enter(fs, inode, position, block)
        except Refused:
            await fs.free_zone(block)
            raise
    offset = position // BLOCK_SIZE * BLOCK_SIZE
    try:
        buffer = await fs.cache.get_unread(block, inode.number, offset)
    except Refused:
        if fresh:
            await _free_at(fs, inode, position)
        raise
    await fs.cache.change(buffer, 0, _ZEROS)
    return buffer


async def _enter(fs: FileSystem, inode: Inode, position: int, zone: int) -> None:
    """Enter `zone` into the map; missing indirect blocks are made.  MINIX: write_map."""
    inode.dirty = True
    number = position // BLOCK_SIZE
    if number < DIRECT_ZONES:
        inode.zones[number] = zone
        return
    excess = number - DIRECT_ZONES
    if excess < ZONES_PER_BLOCK:
        single, fresh = inode.zones[DIRECT_ZONES], False
        if single == NO_ZONE:
            single, fresh = await fs.allocate_zone(inode.zones[0]), True
            inode.zones[DIRECT_ZONES] = single
        try:
            await _enter_single(fs, single, fresh, excess, zone)
        except Refused:
            if fresh:
                inode.zones[DIRECT_ZONES] = NO_ZONE
                await fs.free_zone(single)
            raise
        return
    index, excess = divmod(excess - ZONES_PER_BLOCK, ZONES_PER_BLOCK)
    if index >= ZONES_PER_BLOCK:
        raise Refused(EFBIG)
    await _enter_double(fs, inode, index, excess, zone)


async def _enter_double(fs: FileSystem, inode: Inode, index: int, excess: int, zone: int) -> None:
    double, fresh = inode.zones[DIRECT_ZONES + 1], False
    if double == NO_ZONE:
        double, fresh = await fs.allocate_zone(inode.zones[0]), True
        inode.zones[DIRECT_ZONES + 1] = double
    try:
        outer = await _indirect(fs, double, fresh)
        try:
            await _enter_below(fs, inode, outer, index, excess, zone)
        finally:
            await fs.cache.put(outer)
    except Refused:
        if fresh:
            inode.zones[DIRECT_ZONES + 1] = NO_ZONE
            await fs.free_zone(double)
        raise


async def _enter_below(
    fs: FileSystem, inode: Inode, outer: Buffer, index: int, excess: int, zone: int
) -> None:
    """Enter `zone` below entry `index` of a double indirect block."""
    single, fresh = await _read_entry(fs, outer, index), False
    if single == NO_ZONE:
        single, fresh = await fs.allocate_zone(inode.zones[0]), True
        await _write_entry(fs, outer, index, single)
    try:
        await _enter_single(fs, single, fresh, excess, zone)
    except Refused:
        if fresh:
            await _write_entry(fs, outer, index, NO_ZONE)
            await fs.free_zone(single)
        raise


async def _enter_single(fs: FileSystem, single: int, fresh: bool, index: int, zone: int) -> None:
    buffer = await _indirect(fs, single, fresh)
    await _write_entry(fs, buffer, index, zone)
    await fs.cache.put(buffer)


async def _indirect(fs: FileSystem, block: int, fresh: bool) -> Buffer:
    if not fresh:
        return await fs.cache.get(block)
    buffer = await fs.cache.get_unread(block)
    await fs.cache.change(buffer, 0, _ZEROS)
    return buffer


async def _free_at(fs: FileSystem, inode: Inode, position: int) -> None:
    """Make a hole of one zone; indirect blocks that end up empty go too.  MINIX: WMAP_FREE."""
    inode.dirty = True
    number = position // BLOCK_SIZE
    if number < DIRECT_ZONES:
        if inode.zones[number] != NO_ZONE:
            await fs.free_zone(inode.zones[number])
            inode.zones[number] = NO_ZONE
        return
    excess = number - DIRECT_ZONES
    if excess < ZONES_PER_BLOCK:
        single = inode.zones[DIRECT_ZONES]
        if single != NO_ZONE and await _free_in_single(fs, single, excess):
            inode.zones[DIRECT_ZONES] = NO_ZONE
        return
    double = inode.zones[DIRECT_ZONES + 1]
    if double == NO_ZONE:
        return
    index, excess = divmod(excess - ZONES_PER_BLOCK, ZONES_PER_BLOCK)
    outer = await fs.cache.get(double)
    try:
        single = await _read_entry(fs, outer, index)
        if single != NO_ZONE and await _free_in_single(fs, single, excess):
            await _write_entry(fs, outer, index, NO_ZONE)
            single = NO_ZONE
        if single == NO_ZONE and await _is_empty(fs, outer):
            await fs.free_zone(double)
            inode.zones[DIRECT_ZONES + 1] = NO_ZONE
    finally:
        await fs.cache.put(outer)


async def _free_in_single(fs: FileSystem, single: int, index: int) -> bool:
    """Free what entry `index` names; True if the indirect block was freed with it."""
    buffer = await fs.cache.get(single)
    try:
        zone = await _read_entry(fs, buffer, index)
        if zone != NO_ZONE:
            await fs.free_zone(zone)
            await _write_entry(fs, buffer, index, NO_ZONE)
        empty = await _is_empty(fs, buffer)
        if empty:
            await fs.free_zone(single)
    finally:
        await fs.cache.put(buffer)
    return empty


async def truncate(fs: FileSystem, inode: Inode, size: int) -> None:
    """Make the file `size` bytes long; what is added is a hole.  Raises Refused (EINVAL, EFBIG)."""
    if inode.is_device:
        raise Refused(EINVAL)
    if size > min(fs.superblock.max_size, MAX_FILE_SIZE):
        raise Refused(EFBIG)
    if size < inode.size:
        await free_range(fs, inode, size, inode.size)
    inode.size = size
    inode.touch(CTIME, MTIME)


async def release(fs: FileSystem, inode: Inode) -> None:
    """Give all zones of a file that has no links back; a device has none."""
    if inode.is_device:
        return
    if inode.size:
        await free_range(fs, inode, 0, inode.size)
    inode.size = 0
    assert inode.zones == [NO_ZONE] * INODE_ZONES, "a file of no bytes has no zones"


async def free_range(fs: FileSystem, inode: Inode, start: int, end: int) -> None:
    """Make a hole from byte `start` to `end`; the size stays.  Refused(EINVAL) if it is empty."""
    end = min(end, inode.size)
    if end <= start:
        raise Refused(EINVAL)
    tail = start % BLOCK_SIZE
    head = end % BLOCK_SIZE if end < inode.size else 0
    if start // BLOCK_SIZE == (end - 1) // BLOCK_SIZE and (tail or head):
        await _clear_bytes(fs, inode, start, end - start)
    else:
        if tail:
            await _clear_bytes(fs, inode, start, BLOCK_SIZE - tail)
        if head:
            await _clear_bytes(fs, inode, end - head, head)
        last = -(-end // BLOCK_SIZE) if end == inode.size else end // BLOCK_SIZE
        for zone in range(-(-start // BLOCK_SIZE), last):
            await _free_at(fs, inode, zone * BLOCK_SIZE)
    inode.touch(CTIME, MTIME)


async def free_beyond(fs: FileSystem, inode: Inode, position: int) -> None:
    """Free the zone at `position`, beyond the end of the file, which nothing came to fill."""
    assert position >= inode.size, "only what lies beyond the end"
    await _free_at(fs, inode, position)


async def _clear_bytes(fs: FileSystem, inode: Inode, position: int, length: int) -> None:
    """Clear part of one block, if it is no hole anyway.  MINIX: zerozone_range."""
    block = await block_at(fs, inode, position)
    if block == NO_BLOCK:
        return
    offset = position // BLOCK_SIZE * BLOCK_SIZE
    buffer = await fs.cache.get(block, inode.number, offset)
    await fs.cache.change(buffer, position - offset, bytes(length))
    await fs.cache.put(buffer)
