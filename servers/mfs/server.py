"""MFS, the process: mounts a MINIX file system and does VFS's requests on it.

It works on one request at a time, and waits for the driver and for VM while it does.

Source: MINIX ``fs/mfs``: mount.c, open.c, link.c, stadir.c, protect.c, time.c, misc.c.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeAlias

import attrs

from ipc.endpoint import NONE
from ipc.errors import EBUSY, EINVAL, ENOENT, ENOTDIR, EROFS, OK
from ipc.flags import RES_HASPEEK, S_IFLNK
from ipc.message import signed
from servers.lib.fsdriver.data import Data
from servers.lib.fsdriver.dirents import Dirent, DirentList
from servers.lib.fsdriver.node import ALL_PERMISSIONS, Node, Stat, StatVfs
from servers.lib.fsdriver.server import NOW, FileServer
from servers.lib.grants import Grants
from servers.lib.loop import Refused
from servers.lib.memory import OwnMemory
from servers.mfs import contents, directory, names, zones
from servers.mfs.cache import BlockCache
from servers.mfs.device import READ_BIT, WRITE_BIT, BlockDevice
from servers.mfs.filesystem import FileSystem, Use
from servers.mfs.inode import ATIME, CTIME, MTIME, Inode
from servers.mfs.layout import (
    BLOCK_SIZE,
    DIRECT_ZONES,
    ENTRY_SIZE,
    FLAG_CLEAN,
    NAME_SIZE,
    ROOT_INODE,
    ZONES_PER_BLOCK,
    decode_entries,
)  # fmt: skip
from servers.mfs.pages import Pages

SET_ID_BITS: Final = 0o6000

# What is to be awaited for how many bytes were done.
Done: TypeAlias = Coroutine[Any, Any, int]


@attrs.define(eq=False)
class Mfs(FileServer):
    """A MINIX file system server.

    `drivers` gives the endpoint of each block driver by its label; `seconds()` is the time.
    `grants` is the table that the kernel reads as this process's grants, `memory` this process's.
    """

    drivers: Mapping[str, int] = attrs.field(factory=dict)
    seconds: Callable[[], int] = lambda: 0
    grants: Grants = attrs.field(factory=Grants)
    memory: OwnMemory = attrs.field(factory=OwnMemory)
    disk: BlockDevice = attrs.field(init=False)
    fs: FileSystem = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.disk = BlockDevice(self.grants, self.memory, self.scratch)
        self.fs = FileSystem(BlockCache(self.disk, Pages(self.scratch)), self.seconds)

    def _using(self, number: int) -> Use:
        """Use an inode for as long as a request lasts."""
        return Use(self.fs, number)

    # --- mounting

    async def mount(self, device: int, label: str, read_only: bool) -> tuple[Node, int]:
        """Source: MINIX fs_mount; a file system that was not unmounted is mounted read-only."""
        await self.set_driver(device, label)
        self.disk.choose(device)
        access = READ_BIT if read_only else READ_BIT | WRITE_BIT
        if await self.disk.open(access) != OK:
            raise Refused(EINVAL)
        try:
            root = await self._mount(read_only)
        except Refused:
            await self.disk.close()
            raise
        return node_of(root, device=0), RES_HASPEEK

    async def _mount(self, read_only: bool) -> Inode:
        fs = self.fs
        await fs.read_super()
        if not fs.superblock.flags & FLAG_CLEAN and not read_only:
            await self.disk.close()
            read_only = True
            if await self.disk.open(READ_BIT) != OK:
                raise Refused(EINVAL)
        await fs.cache.mount()
        free = await fs.count_free_zones()
        await fs.cache.set_usage(fs.superblock.zones, fs.superblock.zones - free)
        root = await fs.get_inode(ROOT_INODE)
        if root.mode == 0:
            await fs.put_inode(root)
            raise Refused(EINVAL)
        fs.read_only = read_only
        if not read_only:
            await fs.write_super(fs.superblock.flags & ~FLAG_CLEAN)
        return root

    async def unmount(self) -> None:
        """Source: MINIX fs_unmount."""
        fs = self.fs
        await fs.put_inode(fs.find_inode(ROOT_INODE))
        await fs.sync()
        if not fs.read_only:
            await fs.write_super(fs.superblock.flags | FLAG_CLEAN)
        await self.disk.close()
        await fs.cache.clear()
        fs.reset()

    async def set_driver(self, device: int, label: str) -> None:
        """Differs: MINIX asks DS for the endpoint; here the boot image knows the drivers."""
        self.disk.driver = self.drivers.get(label, NONE)

    async def set_mount_point(self, inode: int) -> None:
        """Source: MINIX fs_mountpt."""
        async with self._using(inode) as found:
            if found.mount_point:
                raise Refused(EBUSY)
            if found.is_device:
                raise Refused(ENOTDIR)
        found.mount_point = True

    async def sync(self) -> None:
        """Write everything back."""
        await self.fs.sync()

    async def statvfs(self) -> StatVfs:
        """The file system's figures."""
        sb = self.fs.superblock
        free_inodes = await self.fs.count_free_inodes()
        free = sb.zones - self.fs.cache.used_blocks
        return StatVfs(BLOCK_SIZE, BLOCK_SIZE, sb.zones, free, sb.inodes, free_inodes, NAME_SIZE)

    # --- paths and names

    async def look_up(self, directory: int, name: bytes) -> tuple[Node, bool]:
        """One step of a path."""
        parent = self.fs.find_inode(directory)
        inode = await names.advance(self.fs, parent, name)
        return node_of(inode), inode.mount_point

    async def put_node(self, inode: int, count: int) -> None:
        """End `count` uses at once; the last of them may free the file."""
        found = self.fs.find_inode(inode)
        if count > found.count:
            raise Refused(EINVAL)
        found.count -= count - 1
        await self.fs.put_inode(found)

    async def create(self, directory: int, name: bytes, mode: int, uid: int, gid: int) -> Node:
        """Make a regular file and leave it open."""
        async with self._using(directory) as parent:
            return node_of(await names.new_node(self.fs, parent, name, mode, uid, gid), device=0)

    async def make_directory(
        self, directory: int, name: bytes, mode: int, uid: int, gid: int
    ) -> None:
        """Make a directory."""
        async with self._using(directory) as parent:
            await names.make_directory(self.fs, parent, name, mode, uid, gid)

    async def make_node(
        self, directory: int, name: bytes, mode: int, uid: int, gid: int, device: int
    ) -> None:
        """Make a special file."""
        async with self._using(directory) as parent:
            inode = await names.new_node(self.fs, parent, name, mode, uid, gid, device & 0xFFFFFFFF)
            await self.fs.put_inode(inode)

    async def link(self, directory: int, name: bytes, inode: int) -> None:
        """Give a file another name."""
        async with self._using(inode) as found, self._using(directory) as parent:
            await names.link(self.fs, parent, name, found)

    async def unlink(self, directory: int, name: bytes, rmdir: bool) -> None:
        """Take a name away."""
        async with self._using(directory) as parent:
            await names.unlink(self.fs, parent, name, rmdir)

    async def rename(self, old: int, old_name: bytes, new: int, new_name: bytes) -> None:
        """Move a name."""
        async with self._using(old) as old_parent, self._using(new) as new_parent:
            await names.rename(self.fs, old_parent, old_name, new_parent, new_name)

    async def make_link(
        self, directory: int, name: bytes, uid: int, gid: int, data: Data, length: int
    ) -> None:
        """Make a symbolic link."""
        async with self._using(directory) as parent:
            inode = await names.new_node(self.fs, parent, name, S_IFLNK | 0o777, uid, gid)
            try:
                await contents.write_link(self.fs, inode, data, length)
            except Refused:
                await names.undo(self.fs, parent, name, inode)
                raise
            finally:
                await self.fs.put_inode(inode)

    async def read_link(self, inode: int, data: Data, length: int) -> int:
        """Copy the target of a symbolic link."""
        async with self._using(inode) as found:
            return await contents.read_link(self.fs, found, data, length)

    async def link_target(self, inode: int) -> bytes:
        """The target of a symbolic link."""
        async with self._using(inode) as found:
            buffer = await directory.directory_block(self.fs, found, 0)
            target = await self.fs.cache.contents(buffer)
            await self.fs.cache.put(buffer)
            return target[: found.size]

    # --- contents

    def read(self, inode: int, data: Data, length: int, position: int) -> Done:
        """Copy from a file."""
        return contents.read(self.fs, self.fs.find_inode(inode), data, length, position)

    def write(self, inode: int, data: Data, length: int, position: int) -> Done:
        """Copy to a file."""
        return contents.write(self.fs, self.fs.find_inode(inode), data, length, position)

    def peek(self, inode: int, length: int, position: int) -> Done:
        """Bring part of a file into VM's cache."""
        return contents.peek(self.fs, self.fs.find_inode(inode), length, position)

    async def truncate(self, inode: int, start: int, end: int) -> None:
        """Cut a file, or make a hole in it."""
        found = self.fs.find_inode(inode)
        if self.fs.read_only:
            raise Refused(EROFS)
        if end:
            await zones.free_range(self.fs, found, start, end)
        else:
            await zones.truncate(self.fs, found, start)

    def inhibit_read_ahead(self, inode: int) -> None:
        """Somebody looked for another place in the file."""
        try:
            self.fs.find_inode(inode).sought = True
        except Refused:
            return  # as MINIX: the call has no result

    async def get_entries(self, inode: int, entries: DirentList, position: int) -> int:
        """Source: MINIX fs_getdents."""
        if position % ENTRY_SIZE:
            raise Refused(ENOENT)
        async with self._using(inode) as found:
            reached = await self._list(found, entries, position)
            if not self.fs.read_only:
                found.touch(ATIME)
            return reached

    async def _list(self, found: Inode, entries: DirentList, position: int) -> int:
        fs = self.fs
        for start in range(position // BLOCK_SIZE * BLOCK_SIZE, found.size, BLOCK_SIZE):
            buffer = await directory.directory_block(fs, found, start)
            try:
                block = await fs.cache.contents(buffer)
                for index, (number, name) in enumerate(decode_entries(block)):
                    at = start + index * ENTRY_SIZE
                    if number == 0 or at < position:
                        continue
                    kind = await self._kind(number)
                    if not await entries.add(Dirent(number, kind, name)):
                        return at
            finally:
                await fs.cache.put(buffer)
        return found.size

    async def _kind(self, number: int) -> int:
        async with self._using(number) as entry:
            return entry.format >> 12

    # --- attributes

    async def stat(self, inode: int) -> Stat:
        """A file's attributes."""
        async with self._using(inode) as found:
            if found.update:
                self.fs.update_times(found)
            special = found.zones[0] if found.is_device else 0
            return Stat(
                self.device, found.mode, inode, found.links, found.uid, found.gid, special,
                found.atime, found.mtime, found.ctime, found.size, estimated_blocks(found.size),
                BLOCK_SIZE,
            )  # fmt: skip

    async def change_mode(self, inode: int, mode: int) -> int:
        """Set permissions."""
        async with self._using(inode) as found:
            if self.fs.read_only:
                raise Refused(EROFS)
            found.mode = found.mode & ~ALL_PERMISSIONS | mode & ALL_PERMISSIONS
            found.touch(CTIME)
            return found.mode

    async def change_owner(self, inode: int, uid: int, gid: int) -> int:
        """Set the owner; the file is not set-id any more."""
        async with self._using(inode) as found:
            found.uid, found.gid = uid, gid
            found.mode &= ~SET_ID_BITS
            found.touch(CTIME)
            return found.mode

    async def set_times(self, inode: int, accessed: int | None, modified: int | None) -> None:
        """Set times; ctime becomes the present in any case."""
        async with self._using(inode) as found:
            found.update = 0
            found.touch(CTIME)
            if accessed == NOW:
                found.touch(ATIME)
            elif accessed is not None:
                found.atime = signed(accessed)
            if modified == NOW:
                found.touch(MTIME)
            elif modified is not None:
                found.mtime = signed(modified)

    # --- the device itself

    async def transfer_blocks(
        self, device: int, data: Data | None, length: int, position: int, write: bool
    ) -> int:
        """Source: MINIX libminixfs/bio.c lmfs_bio; only the mounted device is known here."""
        if device != self.disk.device:
            raise Refused(EINVAL)
        size = await self.disk.size()
        if size < 0:
            raise Refused(size)
        end = min(position + length, size)
        done = 0
        while position + done < end:
            at = (position + done) % BLOCK_SIZE
            chunk = min(BLOCK_SIZE - at, end - position - done)
            block = (position + done) // BLOCK_SIZE
            await self._transfer_block(block, data, done, at, chunk, write)
            done += chunk
        return done

    async def _transfer_block(
        self, block: int, data: Data | None, done: int, at: int, chunk: int, write: bool
    ) -> None:
        cache = self.fs.cache
        whole = write and chunk == BLOCK_SIZE
        unread = whole and not cache.has(block)
        buffer = await (cache.get_unread(block) if whole else cache.get(block))
        try:
            if data is not None and write:
                await data.copy_in(done, buffer.data + at, chunk)
            elif data is not None:
                await data.copy_out(done, buffer.data + at, chunk)
        except Refused:
            if unread:
                cache.drop(buffer)  # what the disk has stays
            raise
        finally:
            if buffer.held:
                if write:
                    buffer.dirty = True
                    buffer.text = None
                await cache.put(buffer)

    async def flush_device(self, device: int) -> None:
        """Write back and forget a device's blocks."""
        if device == self.disk.device:
            await self.fs.cache.flush()
            await self.fs.cache.clear()


def node_of(inode: Inode, device: int | None = None) -> Node:
    """What VFS is told of `inode`; the first zone of a special file is its device."""
    special = inode.zones[0] if device is None else device
    return Node(inode.number, inode.mode, inode.size, inode.uid, inode.gid, special)


def estimated_blocks(size: int) -> int:
    """512-byte blocks of a file of `size` bytes, holes and all.  MINIX: estimate_blocks."""
    data = -(-size // BLOCK_SIZE)
    singles = max(0, -(-(data - DIRECT_ZONES) // ZONES_PER_BLOCK))
    doubles = max(0, -(-(singles - 1) // (ZONES_PER_BLOCK * ZONES_PER_BLOCK)))
    return (data + singles + doubles) * (BLOCK_SIZE // 512)
