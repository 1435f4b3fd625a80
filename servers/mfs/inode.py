"""Inodes in memory: those that somebody uses, and those that were used lately.

Source: MINIX ``fs/mfs/inode.c``, ``inode.h``.
"""

from __future__ import annotations

from typing import Final

import attrs

from ipc.flags import S_IFBLK, S_IFCHR, S_IFMT
from servers.mfs.layout import DiskInode

TABLE_SIZE: Final = 512

ATIME: Final = 0o02
CTIME: Final = 0o04
MTIME: Final = 0o10


@attrs.define(eq=False)
class Inode:
    """A file: what the disk says of it, and how it is used at present.

    `count` is how many use it: one for each reference that VFS holds, and those of the request at
    hand.  `update` says which times are to be set when next somebody looks.
    """

    number: int
    mode: int = 0
    links: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    atime: int = 0
    mtime: int = 0
    ctime: int = 0
    zones: list[int] = attrs.field(factory=list)

    count: int = 1
    dirty: bool = False
    update: int = 0
    mount_point: bool = False
    sought: bool = False  # an lseek came since the last transfer: reading ahead is no use
    zone_hint: int = 0  # where to look for the next free zone
    entry_hint: int = 0  # below this byte of a directory no entry is free

    @property
    def format(self) -> int:
        """The kind of file: S_IFREG, S_IFDIR …"""
        return self.mode & S_IFMT

    @property
    def is_device(self) -> bool:
        """Whether it stands for a device, whose number is in the place of its first zone."""
        return self.mode & S_IFMT in (S_IFCHR, S_IFBLK)

    def touch(self, *times: int) -> None:
        """Something changed: set these times (ATIME …) later, and write the inode back."""
        for time in times:
            self.update |= time
        self.dirty = True

    def to_disk(self) -> DiskInode:
        """What goes to the disk of it."""
        return DiskInode(
            self.mode, self.links, self.uid, self.gid, self.size, self.atime, self.mtime,
            self.ctime, tuple(self.zones),
        )  # fmt: skip


def from_disk(number: int, disk: DiskInode) -> Inode:
    """The inode with this number, as the disk has it."""
    return Inode(
        number, disk.mode, disk.links, disk.uid, disk.gid, disk.size, disk.atime, disk.mtime,
        disk.ctime, list(disk.zones),
    )  # fmt: skip
