"""What VFS knows of a process: its files, its directories, who it is, what it waits for.

Source: MINIX ``servers/vfs/fproc.h``.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

import attrs

from ipc.endpoint import NONE
from ipc.errors import EBADF, EIO, EMFILE
from ipc.message import Message
from servers.lib.loop import Refused
from servers.vfs.filp import CLOSED, Filp
from servers.vfs.lock import READ, SERIAL, WRITE, Mode

if TYPE_CHECKING:
    from servers.vfs.vnode import Vnode
    from servers.vfs.worker import Worker

OPEN_MAX: Final = 255
PID_FREE: Final = 0


class BlockedOn(enum.Enum):
    """Why a process hangs in VFS without a worker."""

    NOTHING = 0
    PIPE = 1
    PIPE_OPEN = 3


@attrs.frozen
class PipeCall:
    """A read or write of a pipe that cannot go on: what of it is left."""

    writing: bool
    fd: int
    buffer: int = 0
    length: int = 0
    done: int = 0


@attrs.define(eq=False)
class Fproc:
    """One process.

    `job` is a call that waits for a worker or is being worked on, `pm_job` what PM asked about the
    process meanwhile; `pending`: no worker was free.  `call` is what it is blocked on.
    """

    slot: int
    endpoint: int = NONE
    pid: int = PID_FREE
    filps: list[Filp | None] = attrs.field(factory=lambda: [None] * OPEN_MAX)
    close_on_exec: set[int] = attrs.field(factory=set)
    root: Vnode | None = None
    directory: Vnode | None = None
    real_uid: int = 0
    uid: int = 0
    real_gid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    umask: int = 0o777  # the permissions that new files may have
    name: str = ""
    is_service: bool = False
    session_leader: bool = False

    blocked_on: BlockedOn = BlockedOn.NOTHING
    call: PipeCall | None = None
    revived: bool = False

    worker: Worker | None = None
    pending: bool = False
    job: Message | None = None
    job_cause: int = 0
    resumes: bool = False  # the job is a pipe call that goes on
    pm_job: Message | None = None
    pm_cause: int = 0

    def free_fd(self, start: int = 0) -> int:
        """The lowest free descriptor from `start` on; raises Refused(EMFILE)."""
        try:
            return self.filps.index(None, start)
        except ValueError:
            raise Refused(EMFILE) from None

    def filp(self, fd: int, closing: bool = False) -> Filp:
        """The open file under `fd`; raises Refused (EBADF; EIO if it can only be closed)."""
        if not 0 <= fd < OPEN_MAX:
            raise Refused(EBADF)
        filp = self.filps[fd]
        if filp is None:
            raise Refused(EBADF)
        if filp.mode == CLOSED and not closing:
            raise Refused(EIO)
        return filp

    def take_filp(self, worker: Worker, fd: int, mode: Mode) -> Filp | None:
        """The open file under `fd`, locked; None if that may take time, or there is no such.

        To be tried before `lock_filp`, whose coroutine takes longer than the lock.
        """
        filp = self.filps[fd] if 0 <= fd < OPEN_MAX else None
        if filp is None or filp.mode == CLOSED or filp.mutex.owner is not None:
            return None
        vnode = filp.vnode
        if mode is READ and vnode.is_pipe:
            mode = WRITE
        if not vnode.lock.take_free(worker, mode):
            return None
        filp.mutex.owner = worker
        return filp

    async def lock_filp(self, worker: Worker, fd: int, mode: Mode) -> Filp:
        """The open file under `fd`, locked; raises as `filp`.  MINIX: get_filp2."""
        filp = self.take_filp(worker, fd, mode)
        if filp is None:
            filp = self.filp(fd, closing=mode is SERIAL)
            await filp.lock(worker, mode)
        return filp

    def in_group(self, gid: int) -> bool:
        """Whether the process is a member of `gid` beside its own group."""
        return gid in self.groups


@attrs.define(eq=False)
class FprocTable:
    """The processes that VFS knows, by slot and by endpoint."""

    _slots: dict[int, Fproc] = attrs.field(factory=dict)
    by_endpoint: dict[int, Fproc] = attrs.field(factory=dict)

    def at(self, slot: int) -> Fproc:
        """The entry of a slot, free or not."""
        found = self._slots.get(slot)
        if found is None:
            found = self._slots[slot] = Fproc(slot)
        return found

    def lookup(self, endpoint: int) -> Fproc | None:
        """The process with this endpoint."""
        return self.by_endpoint.get(endpoint)

    def enter(self, process: Fproc) -> None:
        """Put `process`, which has its endpoint, into its slot."""
        self._slots[process.slot] = self.by_endpoint[process.endpoint] = process

    def free(self, process: Fproc) -> None:
        """`process` is no more; its slot may be used again."""
        del self.by_endpoint[process.endpoint]
        process.endpoint, process.pid = NONE, PID_FREE

    def all(self) -> list[Fproc]:
        """All processes, in the order of their slots."""
        return [self._slots[slot] for slot in sorted(self._slots) if self._slots[slot].pid]
