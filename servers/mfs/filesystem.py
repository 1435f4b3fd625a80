"""A mounted file system: its superblock, bitmaps and inodes.

Source: MINIX ``fs/mfs/super.c``, ``inode.c``, ``cache.c``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import attrs

from ipc.errors import EINVAL, ENFILE, ENOSPC, EROFS
from ipc.message import signed
from kernel.panic import Panic
from servers.lib.loop import Refused
from servers.mfs import bits, zones
from servers.mfs.cache import BlockCache
from servers.mfs.inode import ATIME, CTIME, MTIME, TABLE_SIZE, Inode, from_disk
from servers.mfs.layout import (
    BITS_PER_BLOCK,
    BLOCK_SIZE,
    INODE_SIZE,
    INODE_ZONES,
    INODES_PER_BLOCK,
    NO_ZONE,
    ROOT_INODE,
    START_BLOCK,
    SUPER_OFFSET,
    Superblock,
    decode_inode,
    decode_superblock,
)  # fmt: skip


@attrs.define(eq=False)
class FileSystem:
    """What MFS knows of the one file system that it serves.

    `seconds()` is the time for atime, mtime and ctime (seconds).
    """

    cache: BlockCache
    seconds: Callable[[], int]
    superblock: Superblock = attrs.field(factory=lambda: Superblock(0, 0, 0, 0))
    read_only: bool = False
    inode_hint: int = 0  # all inodes below this number are taken
    zone_bit_hint: int = 0  # and all zones below this bit
    _inodes: dict[int, Inode] = attrs.field(factory=dict)
    _unused: OrderedDict[int, None] = attrs.field(factory=OrderedDict)  # oldest first

    # --- superblock

    async def read_super(self) -> None:
        """Read and check the superblock; Refused(EINVAL) if it is no MINIX V3 file system."""
        buffer = await self.cache.get(0)
        data = (await self.cache.contents(buffer))[SUPER_OFFSET:]
        await self.cache.put(buffer)
        await self.cache.sync()
        self.superblock = decode_superblock(data)
        if not self.superblock.valid():
            raise Refused(EINVAL)
        self.inode_hint = self.zone_bit_hint = 0

    async def write_super(self, flags: int) -> None:
        """Write the superblock with `flags`, and everything else that is dirty."""
        self.superblock.flags = flags
        buffer = await self.cache.get(0)
        block = (bytes(SUPER_OFFSET) + self.superblock.encode()).ljust(BLOCK_SIZE, b"\0")
        await self.cache.change(buffer, 0, block)
        await self.cache.put(buffer)
        await self.cache.sync()

    # --- bitmaps

    async def count_free_zones(self) -> int:
        """Free zones of the device, by its bitmap."""
        return await self._count_free(
            START_BLOCK + self.superblock.inode_map_blocks, self._zone_bits()
        )

    async def count_free_inodes(self) -> int:
        """Free inodes, by their bitmap."""
        return await self._count_free(START_BLOCK, self.superblock.inodes + 1)

    def _zone_bits(self) -> int:
        return self.superblock.zones - (self.superblock.first_data_zone - 1)

    async def _count_free(self, start: int, total: int) -> int:
        free = 0
        for block in range(start, start + -(-total // BITS_PER_BLOCK)):
            buffer = await self.cache.get(block)
            free += bits.count_free(await self.cache.contents(buffer), total)
            await self.cache.put(buffer)
            total -= BITS_PER_BLOCK
        return free

    async def _take_bit(self, start: int, blocks: int, total: int, origin: int) -> int:
        """Find and set a clear bit, looking from `origin` on and round once; 0 if all are set."""
        if origin >= total:
            origin = 0
        block, bit = divmod(origin, BITS_PER_BLOCK)
        for _ in range(blocks + 1):
            buffer = await self.cache.get(start + block)
            data = await self.cache.contents(buffer)
            found = bits.find_free(data, bit)
            number = block * BITS_PER_BLOCK + found
            if found >= 0 and number < total:
                byte = bits.with_bit(data[found >> 3], found, True)
                await self.cache.change(buffer, found >> 3, byte)
                await self.cache.put(buffer)
                return number
            await self.cache.put(buffer)
            block, bit = (block + 1) % blocks, 0
        return 0

    async def _give_bit(self, start: int, number: int) -> None:
        block, bit = divmod(number, BITS_PER_BLOCK)
        buffer = await self.cache.get(start + block)
        byte = (await self.cache.contents(buffer))[bit >> 3]
        if not byte & 1 << (bit & 7):
            raise Panic(f"bit {number} of the map at block {start} is free already")
        await self.cache.change(buffer, bit >> 3, bits.with_bit(byte, bit, False))
        await self.cache.put(buffer)

    # --- zones

    async def allocate_zone(self, near: int) -> int:
        """Take a free zone, near `near` if it can be; raises Refused(ENOSPC)."""
        sb = self.superblock
        first = near == sb.first_data_zone
        origin = self.zone_bit_hint if first else near - (sb.first_data_zone - 1)
        start = START_BLOCK + sb.inode_map_blocks
        bit = await self._take_bit(start, sb.zone_map_blocks, self._zone_bits(), max(origin, 0))
        if bit == 0:
            raise Refused(ENOSPC)
        await self.cache.change_usage(1)
        if first:
            self.zone_bit_hint = bit
        return sb.first_data_zone - 1 + bit

    async def free_zone(self, zone: int) -> None:
        """Give `zone` back; its block is forgotten here and in VM."""
        sb = self.superblock
        if zone not in sb.data_zones:
            return
        bit = zone - (sb.first_data_zone - 1)
        await self._give_bit(START_BLOCK + sb.inode_map_blocks, bit)
        await self.cache.change_usage(-1)
        self.zone_bit_hint = min(self.zone_bit_hint, bit)
        await self.cache.forget(zone)

    # --- inodes

    async def get_inode(self, number: int) -> Inode:
        """Use the inode with this number; raises Refused(ENFILE) if too many are in use."""
        inode = self._inodes.get(number)
        if inode is not None:
            if inode.count == 0:
                del self._unused[number]
            inode.count += 1
            return inode
        self._make_room()
        if not 0 < number <= self.superblock.inodes:
            raise Refused(EINVAL)
        inode = from_disk(number, decode_inode(await self._inode_bytes(number)))
        self._inodes[number] = inode
        return inode

    def _make_room(self) -> None:
        if len(self._inodes) >= TABLE_SIZE:
            for number in self._unused:
                inode = self._inodes[number]
                if inode.links and not inode.dirty:  # else `put_inode` failed
                    break
            else:
                raise Refused(ENFILE)
            del self._inodes[number], self._unused[number]

    def find_inode(self, number: int) -> Inode:
        """The inode with this number, which must be in use; raises Refused(EINVAL) otherwise."""
        inode = self._inodes.get(number)
        if inode is None or inode.count == 0:
            raise Refused(EINVAL)
        return inode

    async def put_inode(self, inode: Inode) -> None:
        """End a use of `inode`; with the last, a file without links is freed.

        If it cannot be freed or written, for want of memory or because the disk fails, the use has
        ended all the same: the inode stays, without links or dirty, and the next `sync` tries
        again.
        """
        if inode.count < 1:
            raise Panic(f"inode {inode.number} is put more often than it was taken")
        inode.count -= 1
        if inode.count:
            return
        inode.mount_point = False
        self._unused[inode.number] = None
        if inode.dirty or not inode.links:
            with suppress(Refused):
                await self._settle(inode)

    async def _settle(self, inode: Inode) -> None:
        """Free `inode`, which nobody uses, if it has no links; write it.  Raises Refused."""
        if inode.links == 0:
            await zones.release(self, inode)
            await self._give_bit(START_BLOCK, inode.number)
            inode.mode = 0  # not before: `release` must know a device when it is tried again
            inode.dirty = True
            self.inode_hint = min(self.inode_hint, inode.number)
            del self._inodes[inode.number], self._unused[inode.number]
        if inode.dirty:
            await self.write_inode(inode)

    async def new_inode(self, mode: int, uid: int, gid: int) -> Inode:
        """Take a free inode, without links yet; raises Refused (EROFS, ENOSPC, ENFILE)."""
        if self.read_only:
            raise Refused(EROFS)
        sb = self.superblock
        number = await self._take_bit(
            START_BLOCK, sb.inode_map_blocks, sb.inodes + 1, self.inode_hint
        )
        if number == 0:
            raise Refused(ENOSPC)
        self.inode_hint = number
        try:
            self._make_room()
        except Refused:
            await self._give_bit(START_BLOCK, number)
            raise
        inode = Inode(number, mode, 0, uid, gid, zones=[NO_ZONE] * INODE_ZONES)
        inode.touch(ATIME, CTIME, MTIME)
        self._inodes[number] = inode
        return inode

    async def write_inode(self, inode: Inode) -> None:
        """Put `inode` into its block of the cache.  MINIX: rw_inode."""
        if inode.update:
            self.update_times(inode)
        buffer = await self.cache.get(self._inode_block(inode.number))
        at = (inode.number - 1) % INODES_PER_BLOCK * INODE_SIZE
        await self.cache.change(buffer, at, inode.to_disk().encode())
        buffer.dirty = not self.read_only
        await self.cache.put(buffer)
        inode.dirty = False

    async def _inode_bytes(self, number: int) -> bytes:
        cache = self.cache
        block = self._inode_block(number)
        data = cache.glance(block)
        if data is None:
            buffer = await cache.get(block)
            data = await cache.contents(buffer)
            await cache.put(buffer)
        at = (number - 1) % INODES_PER_BLOCK * INODE_SIZE
        return data[at : at + INODE_SIZE]

    def _inode_block(self, number: int) -> int:
        return self.superblock.inode_start + (number - 1) // INODES_PER_BLOCK

    def update_times(self, inode: Inode) -> None:
        """Set those times of `inode` that are waiting for it.  MINIX: update_times."""
        if self.read_only:
            return
        now = signed(self.seconds())
        if inode.update & ATIME:
            inode.atime = now
        if inode.update & CTIME:
            inode.ctime = now
        if inode.update & MTIME:
            inode.mtime = now
        inode.update = 0

    async def sync(self) -> None:
        """Write all inodes that changed, then all blocks.  MINIX: fs_sync.

        Raises Refused if an inode could not be written or freed; all else is written.
        """
        refusal: Refused | None = None
        for inode in list(self._inodes.values()):
            try:
                if not (inode.count or inode.links):  # `put_inode` could not free it
                    await self._settle(inode)
                elif inode.dirty:
                    await self.write_inode(inode)
            except Refused as refused:
                refusal = refused
        await self.cache.sync()
        if refusal is not None:
            raise refusal

    def in_use(self) -> int:
        """How often inodes are in use, all together."""
        return sum(inode.count for inode in self._inodes.values())

    def reset(self) -> None:
        """Forget all inodes: the file system is unmounted."""
        self._inodes.clear()
        self._unused.clear()

    def check(self) -> None:
        """Unused inodes are those without users; the root is never free."""
        for number, inode in self._inodes.items():
            assert inode.number == number, "inodes are found under their number"
            assert (inode.count == 0) == (number in self._unused), "unused means no users"
        assert self._inodes.get(ROOT_INODE) is not None, "the root stays in use"
        self.cache.check()


class Use:
    """The use of inode `number` for as long as an `async with` lasts; that gets the inode."""

    __slots__ = ("_fs", "_number")

    def __init__(self, fs: FileSystem, number: int) -> None:
        self._fs = fs
        self._number = number

    def __aenter__(self) -> Coroutine[Any, Any, Inode]:
        return self._fs.get_inode(self._number)

    def __aexit__(self, *_: object) -> Coroutine[Any, Any, None]:
        return self._fs.put_inode(self._fs.find_inode(self._number))
