"""The mount table: which file system serves which device, where, and how much it is asked at once.

Source: MINIX ``servers/vfs/vmnt.h``, ``vmnt.c``.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import attrs

from ipc.message import Message
from servers.vfs.lock import Lock

if TYPE_CHECKING:
    from servers.vfs.vnode import Vnode
    from servers.vfs.worker import Worker


@attrs.define(eq=False)
class Mount:
    """A mounted file system: the process `fs` serves `device`.

    It gets at most `limit` requests at once; `under_way` are unanswered, the others wait in
    `queue`.
    """

    fs: int
    device: int
    path: str = "/"
    label: str = ""
    fs_flags: int = 0  # RES_*
    read_only: bool = False
    mounted_on: Vnode | None = None
    root: Vnode | None = None
    lock: Lock = attrs.field(factory=Lock)
    limit: int = 1
    under_way: int = 0
    queue: deque[tuple[Worker, Message]] = attrs.field(factory=deque)
    calling: bool = False  # the file system makes a call to VFS itself: it gets no requests


@attrs.define(eq=False)
class MountTable:
    """All mounted file systems, by the process that serves each, oldest first."""

    by_fs: dict[int, Mount] = attrs.field(factory=dict)

    def add(self, mount: Mount) -> None:
        """Enter a file system."""
        self.by_fs[mount.fs] = mount

    def remove(self, mount: Mount) -> None:
        """Forget a file system."""
        del self.by_fs[mount.fs]

    def all(self) -> list[Mount]:
        """All mounted file systems, oldest first."""
        return list(self.by_fs.values())

    def find(self, fs: int) -> Mount | None:
        """What the process `fs` serves."""
        return self.by_fs.get(fs)

    def by_device(self, device: int) -> Mount | None:
        """Where `device` is mounted."""
        for mount in self.by_fs.values():
            if mount.device == device:
                return mount
        return None

    def over(self, fs: int, inode: int) -> Mount | None:
        """What is mounted on a file."""
        for mount in self.by_fs.values():
            on = mount.mounted_on
            if on is not None and on.fs == fs and on.inode == inode:
                return mount
        return None
