"""What a file system tells of a file, and the file types in its mode.

Source: MINIX ``minix/fsdriver.h``, ``sys/stat.h``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from attrs import frozen
else:
    # Nobody changes these, but to have attrs enforce it would double what making one costs.
    from attrs import define as frozen

ALL_PERMISSIONS: Final = 0o7777

STAT_SIZE: Final = 124
_STAT: Final = struct.Struct("<QIQIIIQqiqiqiqiqqiII8x")
STATVFS_SIZE: Final = 2228
_STATVFS: Final = struct.Struct("<IIIIQQQQQQQQ32x8xII")


@frozen
class Node:
    """An open file's number and attributes; `device` is what a special file stands for."""

    inode: int = 0
    mode: int = 0
    size: int = 0
    uid: int = 0
    gid: int = 0
    device: int = 0


@frozen
class Stat:
    """What stat tells of a file: sizes in bytes, times in seconds, `blocks` of 512 bytes."""

    device: int = 0
    mode: int = 0
    inode: int = 0
    links: int = 0
    uid: int = 0
    gid: int = 0
    special: int = 0
    atime: int = 0
    mtime: int = 0
    ctime: int = 0
    size: int = 0
    blocks: int = 0
    block_size: int = 0

    def encode(self) -> bytes:
        """The 124 bytes of MINIX's struct stat."""
        return _STAT.pack(
            self.device, self.mode, self.inode, self.links, self.uid, self.gid, self.special,
            self.atime, 0, self.mtime, 0, self.ctime, 0, 0, 0, self.size, self.blocks,
            self.block_size, 0, 0,
        )  # fmt: skip


@frozen
class StatVfs:
    """What statvfs tells of a file system: sizes in bytes, `blocks` of `fragment_size`."""

    block_size: int = 0
    fragment_size: int = 0
    blocks: int = 0
    free_blocks: int = 0
    files: int = 0
    free_files: int = 0
    longest_name: int = 0

    def encode(self) -> bytes:
        """The 2228 bytes of MINIX's struct statvfs."""
        return _STATVFS.pack(
            0, self.block_size, self.fragment_size, self.fragment_size, self.blocks,
            self.free_blocks, self.free_blocks, 0, self.files, self.free_files, self.free_files, 0,
            0, self.longest_name,
        ).ljust(STATVFS_SIZE, b"\0")  # fmt: skip
