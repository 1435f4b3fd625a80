"""What a MINIX file system (version 3) looks like on a disk, byte by byte.

    block 0              boot code; the superblock is at byte 1024
    block 1              unused
    from block 2         inode bitmap, zone bitmap, inodes, then the data zones

A bit of the inode bitmap stands for the inode with its number (bit 0 is never free).  Bit b of the
zone bitmap stands for zone `first_data_zone - 1 + b` (bit 0 is never free).  A zone is one block.
An inode has seven zones of its own, then an indirect block of zone numbers, then a block of
numbers of indirect blocks.

Source: MINIX ``fs/mfs/const.h``, ``super.h``, ``type.h``, ``mfsdir.h``.
"""

from __future__ import annotations

import struct
from typing import Final

import attrs

from ipc.message import signed

BLOCK_SIZE: Final = 4096
SUPER_OFFSET: Final = 1024
START_BLOCK: Final = 2
SUPER_V3: Final = 0x4D5A
FLAG_CLEAN: Final = 1
MANDATORY_FLAGS: Final = 0xFF00
MAX_FILE_SIZE: Final = (1 << 31) - 1

NO_ZONE: Final = 0
NO_BLOCK: Final = 0
NO_INODE: Final = 0
ROOT_INODE: Final = 1
DIRECT_ZONES: Final = 7
INODE_ZONES: Final = 10
ZONES_PER_BLOCK: Final = BLOCK_SIZE // 4
BITS_PER_BLOCK: Final = BLOCK_SIZE * 8

INODE_SIZE: Final = 64
INODES_PER_BLOCK: Final = BLOCK_SIZE // INODE_SIZE
NAME_SIZE: Final = 60
ENTRY_SIZE: Final = 64
LINK_MAX: Final = 32767

_SUPER: Final = struct.Struct("<IHhhHhHiIhhHb")
_INODE: Final = struct.Struct("<HHhHiiii10I")
_SHORT: Final = 0xFFFF
_ENTRY: Final = struct.Struct(f"<I{NAME_SIZE}s")


@attrs.define
class Superblock:
    """The figures from which everything else on the disk is found (blocks, zones and bits)."""

    inodes: int
    inode_map_blocks: int
    zone_map_blocks: int
    zones: int
    first_zone_on_disk: int = 0
    zone_shift: int = 0
    flags: int = FLAG_CLEAN
    max_size: int = MAX_FILE_SIZE
    magic: int = SUPER_V3
    block_size: int = BLOCK_SIZE
    disk_version: int = 0
    inode_start: int = attrs.field(init=False)  # the first block of inodes
    first_data_zone: int = attrs.field(init=False)  # the first zone that may belong to a file
    data_zones: range = attrs.field(init=False)  # all of those

    def __attrs_post_init__(self) -> None:
        self.inode_start = START_BLOCK + self.inode_map_blocks + self.zone_map_blocks
        self.first_data_zone = self.first_zone_on_disk or (
            self.inode_start + -(-self.inodes // INODES_PER_BLOCK)
        )
        self.data_zones = range(self.first_data_zone, self.zones)

    def encode(self) -> bytes:
        """The superblock's bytes on disk."""
        return _SUPER.pack(
            self.inodes, min(self.zones, 0xFFFF), self.inode_map_blocks, self.zone_map_blocks,
            self.first_zone_on_disk, self.zone_shift, self.flags, self.max_size, self.zones,
            self.magic, 0, self.block_size, self.disk_version,
        )  # fmt: skip

    def valid(self) -> bool:
        """Whether this is a file system that can be mounted.  Source: MINIX fs/mfs/super.c."""
        return (
            self.magic == SUPER_V3
            and self.zone_shift == 0
            and self.block_size == BLOCK_SIZE
            and min(self.inode_map_blocks, self.zone_map_blocks, self.inodes, self.zones) >= 1
            and 4 < self.first_data_zone < self.zones
            and not self.flags & MANDATORY_FLAGS
        )


def decode_superblock(data: bytes) -> Superblock:
    """The superblock in `data`, whether it is valid or not."""
    (inodes, _nzones, imap, zmap, first, shift, flags, max_size, zones, magic, _pad, block_size,
     version) = _SUPER.unpack_from(data)  # fmt: skip
    return Superblock(
        inodes, imap, zmap, zones, first, shift, flags, max_size, magic, block_size, version
    )


def _signed_short(value: int) -> int:
    return (value & _SHORT ^ 0x8000) - 0x8000


@attrs.frozen
class DiskInode:
    """An inode as it is on disk.  Times are in seconds, zones are block numbers."""

    mode: int = 0
    links: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    atime: int = 0
    mtime: int = 0
    ctime: int = 0
    zones: tuple[int, ...] = (NO_ZONE,) * INODE_ZONES

    def encode(self) -> bytes:
        """The inode's 64 bytes; of each number as many bits as there is room for, as in C."""
        return _INODE.pack(
            self.mode & _SHORT, self.links & _SHORT, _signed_short(self.uid), self.gid & _SHORT,
            signed(self.size), signed(self.atime), signed(self.mtime), signed(self.ctime),
            *self.zones,
        )  # fmt: skip


def decode_inode(data: bytes) -> DiskInode:
    """The inode whose 64 bytes are `data`."""
    mode, links, uid, gid, size, atime, mtime, ctime, *zones = _INODE.unpack(data)
    return DiskInode(mode, links, uid, gid, size, atime, mtime, ctime, tuple(zones))


def encode_entry(inode: int, name: bytes) -> bytes:
    """A directory entry's 64 bytes; a longer name is cut off, as MINIX does."""
    return _ENTRY.pack(inode, name)


def decode_entries(block: bytes) -> list[tuple[int, bytes]]:
    """All entries of a directory block as (inode number, name); number 0 is a free entry."""
    return [(inode, name.split(b"\0", 1)[0]) for inode, name in _ENTRY.iter_unpack(block)]
