"""Filps: open files, with a position, shared by the descriptors that were made of one open.

Source: MINIX ``servers/vfs/file.h``, ``filedes.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ipc.errors import ENFILE
from servers.lib.loop import Refused
from servers.vfs.lock import READ, WRITE, Mode, Mutex

if TYPE_CHECKING:
    from servers.vfs.vnode import Vnode
    from servers.vfs.worker import Worker

NR_FILPS: Final = 1024
R_BIT: Final = 4
W_BIT: Final = 2
X_BIT: Final = 1
CLOSED: Final = 0  # the mode of a filp whose file system is gone


@attrs.define(eq=False)
class Filp:
    """An open file: how it may be used (R_BIT, W_BIT), the flags of open, and where it is.

    `count` is how many descriptors share it.  `soft`: whoever has the mutex had locked the vnode
    before, and will unlock it himself.
    """

    mode: int
    flags: int = 0
    count: int = 0
    position: int = 0
    vnode: Vnode = attrs.field(init=False)  # once a descriptor refers to it
    mutex: Mutex = attrs.field(factory=lambda: Mutex("an open file"))
    soft: bool = False

    async def lock(self, worker: Worker, mode: Mode) -> None:
        """Lock the file and the filp.  Even a read changes a pipe."""
        vnode = self.vnode
        if vnode.lock.owned_by(worker):
            self.soft = True
        else:
            if vnode.is_pipe and mode is READ:
                mode = WRITE
            await vnode.lock.acquire(worker, mode)
        await self.mutex.acquire(worker)

    def unlock(self, worker: Worker) -> None:
        """Undo `lock`; the file of a filp that was closed meanwhile is unlocked already."""
        if self.count > 0 and not self.soft:
            self.vnode.lock.release(worker)
        self.soft = False
        self.mutex.release(worker)


@attrs.define(eq=False)
class FilpTable:
    """All filps in use or about to be."""

    limit: int = NR_FILPS
    _filps: dict[Filp, None] = attrs.field(factory=dict)

    async def new(self, worker: Worker, mode: int) -> Filp:
        """A free filp, locked by `worker`; raises Refused(ENFILE)."""
        filp = self._add(Filp(mode))
        await filp.mutex.acquire(worker)
        return filp

    def copy(self, filp: Filp) -> Filp:
        """Another one for the same file, of one descriptor; raises Refused(ENFILE)."""
        made = self._add(Filp(filp.mode, filp.flags, count=1))
        made.vnode = filp.vnode
        made.vnode.references += 1
        return made

    def _add(self, filp: Filp) -> Filp:
        if len(self._filps) >= self.limit:
            raise Refused(ENFILE)
        self._filps[filp] = None
        return filp

    def drop(self, filp: Filp) -> None:
        """No descriptor refers to it any more."""
        filp.count = 0
        filp.mode = CLOSED
        self._filps.pop(filp, None)

    def anyone(self, vnode: Vnode, bits: int) -> bool:
        """Whether `vnode` is open for reading (R_BIT) or writing (W_BIT).  MINIX: find_filp."""
        return any(filp.count and filp.vnode is vnode and filp.mode & bits for filp in self._filps)

    def invalidate(self, fs: int) -> None:
        """The file system `fs` is gone: its files can only be closed."""
        for filp in self._filps:
            if filp.count and filp.vnode.fs == fs:
                filp.mode = CLOSED
