"""Vnodes: files as VFS knows them, one for each file of a file system that is in use.

Source: MINIX ``servers/vfs/vnode.h``, ``vnode.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ipc.endpoint import NONE
from ipc.errors import ENFILE
from ipc.flags import S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG
from servers.lib.loop import Refused
from servers.vfs.lock import Lock

if TYPE_CHECKING:
    from servers.vfs.mounts import Mount

NR_VNODES: Final = 1024


@attrs.define(eq=False)
class Vnode:
    """A file in use.

    `references` is how often VFS uses it; `fs_count` how often the file system believes that it
    is used, which is told in one go at the end.  A pipe's data is kept by another file system than
    its inode: `map_endpoint`.  `mode` changes, but not what kind of file it is.
    """

    fs: int  # endpoint of the file system
    inode: int
    mode: int = 0
    size: int = 0
    uid: int = 0
    gid: int = 0
    special: int = 0  # the device that a special file stands for
    device: int = 0  # the device that the file is on
    mount: Mount | None = None
    references: int = 0
    fs_count: int = 0
    map_endpoint: int = NONE
    map_inode: int = 0
    map_count: int = 0
    lock: Lock = attrs.field(factory=Lock)

    is_regular: bool = attrs.field(init=False)
    is_directory: bool = attrs.field(init=False)
    is_pipe: bool = attrs.field(init=False)  # with or without a name
    is_link: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        kind = self.mode & S_IFMT
        self.is_regular = kind == S_IFREG
        self.is_directory = kind == S_IFDIR
        self.is_pipe = kind == S_IFIFO
        self.is_link = kind == S_IFLNK


@attrs.define(eq=False)
class VnodeTable:
    """All vnodes in use; one that somebody still waits to lock stays findable."""

    limit: int = NR_VNODES
    _found: dict[tuple[int, int], Vnode] = attrs.field(factory=dict)

    def require_room(self) -> None:
        """Raises Refused(ENFILE) if no further vnode can be had."""
        if len(self._found) >= self.limit:
            raise Refused(ENFILE)

    def find(self, fs: int, inode: int) -> Vnode | None:
        """The vnode of a file, if it is in use."""
        return self._found.get((fs, inode))

    def add(self, vnode: Vnode) -> Vnode:
        """Enter a new vnode."""
        vnode.lock.what = f"file {vnode.inode} of {vnode.fs}"
        self._found[vnode.fs, vnode.inode] = vnode
        return vnode

    def drop(self, vnode: Vnode) -> None:
        """The vnode has no users any more; forget it, unless somebody is about to use it."""
        if vnode.references == 0 and not vnode.lock.awaited:
            self._found.pop((vnode.fs, vnode.inode), None)

    def all(self) -> list[Vnode]:
        """All vnodes in use."""
        return list(self._found.values())
