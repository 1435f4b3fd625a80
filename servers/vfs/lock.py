"""Locks on vnodes and mounts: many readers, or readers beside one who serializes, or one writer.

A lock is owned by a worker.  READ is shared.  SERIAL goes along with readers, but only one worker
has it, and it may be upgraded to WRITE once the readers are gone.  WRITE goes with nothing.  Who
wants WRITE goes before new readers; a lock that is let go is handed to the next in line at once, so
nobody can slip in between.

Source: MINIX ``servers/vfs/tll.c``.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from servers.vfs.worker import Worker


class Mode(enum.Enum):
    """How a lock is held; NONE: by nobody."""

    NONE = 0
    READ = 1
    SERIAL = 2
    WRITE = 3


# By names of their own: to look a member up in its class takes longer than to take a lock.
FREE: Final = Mode.NONE
READ: Final = Mode.READ
SERIAL: Final = Mode.SERIAL
WRITE: Final = Mode.WRITE


@attrs.define(eq=False)
class Lock:
    """One lock; `owner` is who has it for SERIAL or WRITE, beside `readers` others."""

    what: str = ""
    mode: Mode = FREE
    owner: Worker | None = None
    readers: int = 0
    _writers: deque[tuple[Worker, Mode]] = attrs.field(factory=deque)  # READ and WRITE
    _serial: deque[Worker] = attrs.field(factory=deque)
    _upgrading: bool = False

    @property
    def busy(self) -> bool:
        """Whether anybody has the lock or waits for it."""
        return self.mode is not FREE or self.awaited

    @property
    def awaited(self) -> bool:
        """Whether anybody waits for the lock."""
        return bool(self._writers or self._serial)

    def contended(self) -> bool:
        """Whether there is anybody to whom a reader of the lock may have to hand it on."""
        return self.owner is not None or bool(self._writers or self._serial)

    def take_free(self, worker: Worker, mode: Mode) -> bool:
        """Get the lock if nobody has it or waits for it; whether that was so."""
        if self.mode is not FREE:
            return False
        self.mode = mode
        if mode is READ:
            self.readers = 1
        else:
            self.owner = worker
        return True

    async def acquire(self, worker: Worker, mode: Mode) -> bool:
        """Get the lock; False (at once) if `worker` owns it already."""
        if self.owner is worker:
            return False
        if self.take_free(worker, mode):
            return True
        if self._grantable(mode):
            self._grant(worker, mode)
            return True
        if mode is SERIAL:
            self._serial.append(worker)
        else:
            self._writers.append((worker, mode))
        await worker.pause(f"the lock on {self.what}")
        return True

    def _grantable(self, mode: Mode) -> bool:
        if WRITE in (self.mode, mode) or self._writers or self._upgrading:
            return False
        return mode is READ or self.mode is READ

    def _grant(self, worker: Worker, mode: Mode) -> None:
        if mode is READ:
            self.readers += 1
            if self.mode is FREE:
                self.mode = READ
        else:
            self.owner = worker
            self.mode = mode

    def release(self, worker: Worker) -> None:
        """Let go of the lock, and hand it on."""
        if self.owner is worker:
            self.owner = None
        else:
            assert self.readers > 0, "only who has the lock lets go of it"
            self.readers -= 1
        if self._writers or self._serial or self.owner is not None:
            self._hand_on()
        else:
            self.mode = READ if self.readers else FREE

    def _hand_on(self) -> None:
        if self.owner is not None:
            if self._upgrading and not self.readers:
                self._upgrading = False
                self.mode = WRITE
                self.owner.proceed()
            return
        self.mode = READ if self.readers else FREE
        if self._writers:
            if not self.readers:
                worker, mode = self._writers.popleft()
                self._grant(worker, mode)
                worker.proceed()
                if mode is READ:
                    self._admit_serial()
        else:
            self._admit_serial()

    def _admit_serial(self) -> None:
        if self._serial:
            worker = self._serial.popleft()
            self._grant(worker, SERIAL)
            worker.proceed()

    async def upgrade(self, worker: Worker) -> None:
        """From SERIAL to WRITE, when the readers are gone."""
        assert self.owner is worker, "only the owner upgrades"
        if self.mode is WRITE:
            return
        if self.readers:
            self._upgrading = True
            await worker.pause(f"the readers of {self.what}")
        self.mode = WRITE

    def downgrade(self, worker: Worker) -> None:
        """From WRITE to SERIAL, or from SERIAL to READ."""
        assert self.owner is worker, "only the owner downgrades"
        if self.mode is WRITE:
            self.mode = SERIAL
            return
        self.readers += 1
        self.owner = None
        self.mode = READ
        if not self._writers:
            self._admit_serial()

    def owned_by(self, worker: Worker) -> bool:
        """Whether `worker` has the lock for SERIAL or WRITE."""
        return self.owner is worker

    def check(self) -> None:
        """Readers and owners go together as the mode says."""
        assert (self.mode is FREE) == (self.owner is None and not self.readers), "mode"
        assert self.mode is not WRITE or not self.readers, "a writer is alone"
        assert (self.owner is not None) == (self.mode in (SERIAL, WRITE)), "owner"


@attrs.define(eq=False)
class Mutex:
    """A lock that one worker has at a time; others wait in `line`."""

    what: str = ""
    owner: Worker | None = None
    line: deque[Worker] = attrs.field(factory=deque)

    async def acquire(self, worker: Worker) -> None:
        """Get the lock, which `worker` does not have."""
        assert self.owner is not worker, "a mutex is taken once"
        if self.owner is None:
            self.owner = worker
            return
        self.line.append(worker)
        await worker.pause(f"the lock on {self.what}")

    def release(self, worker: Worker) -> None:
        """Let go, and hand the lock on."""
        assert self.owner is worker, "only who has a mutex lets go of it"
        if self.line:
            self.owner = self.line.popleft()
            self.owner.proceed()
        else:
            self.owner = None
