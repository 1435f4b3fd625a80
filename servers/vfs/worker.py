"""Workers: VFS does up to nine calls at once, each by a worker of its own.

A call that waits (for a file system, VM, a lock) pauses its worker, and VFS goes on with other
messages.  Whoever ends the wait puts the worker into the run queue; the main loop runs those
before it receives again.  The last worker is kept for file systems and services, whose calls may
be what all others wait for.

Source: MINIX ``servers/vfs/worker.c``, ``threads.h``.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final

import attrs

from ipc.endpoint import NONE, endpoint_name
from ipc.traps import yields_traps
from servers.lib.loop import describe

if TYPE_CHECKING:
    from ipc.message import Message
    from servers.vfs.fproc import Fproc
    from servers.vfs.server import Vfs

NR_WORKERS: Final = 9
TRANSACTION_BASE: Final = 0xB01
PATH_MAX: Final = 1024


@attrs.define(eq=False)
class Worker:
    """One worker; `fp` is whose call it works on while it is `busy`.

    `path_buffer` and `name_buffer` are the addresses of memory of VFS's where it keeps what it
    grants (PATH_MAX bytes each).  `job` is what it runs: call after call.  A job that yields
    its worker pauses, or has nothing to do; whatever else it yields is a trap.  `request` of
    `caller` is what it works on, on behalf of the event `cause`; `task` is the endpoint that it
    awaits an answer from, by the number `transid`: then it pauses.
    """

    vfs: Vfs
    index: int
    path_buffer: int
    name_buffer: int
    transid: int
    busy: bool = False
    fp: Fproc = attrs.field(init=False)
    job: Coroutine[Any, Any, None] = attrs.field(init=False)
    request: Message = attrs.field(init=False)
    caller: int = NONE
    cause: int = 0
    task: int = NONE

    # What a pause is for, for the report of a hang: whose act, and in words.
    awaits: int = NONE
    reason: str = ""

    def __str__(self) -> str:
        return f"{describe(self.request)} from {endpoint_name(self.caller)}"

    def pausing(self, reason: str, awaits: int = NONE) -> Worker:
        """What a job yields to wait until somebody calls `proceed`, whose value comes back."""
        self.reason = reason
        self.awaits = awaits
        self.vfs.paused[self] = self
        return self

    @yields_traps
    def pause(self, reason: str) -> Generator[Any, Any, Any]:
        """Wait until somebody calls `proceed`; what it passes comes back."""
        return (yield self.pausing(reason))

    def proceed(self, value: Any = None) -> None:
        """End the pause, as soon as the main loop comes to it."""
        assert self in self.vfs.paused, "only a worker that pauses can proceed"
        del self.vfs.paused[self]
        self.vfs.runnable.append((self, value))


@attrs.define(eq=False)
class WorkerPool:
    """All workers, and how many calls wait for one.

    `available` counts those that are idle, the spare one included.  `closed`: nothing new may be
    started (while VFS mounts its first file systems).
    """

    workers: list[Worker]
    pending: int = 0
    closed: bool = False
    available: int = attrs.field(init=False)
    by_transid: dict[int, Worker] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.available = len(self.workers)
        self.by_transid = {worker.transid: worker for worker in self.workers}

    def may_do_pending(self) -> bool:
        """Whether a call that waits for a worker can be started."""
        return self.pending > 0 and self.available > 1 and not self.closed

    def assign(self, process: Fproc, spare: bool = False) -> Worker | None:
        """Give `process` to the first idle worker, which is to begin with it.

        None: it has a worker, or must wait for one.  Only with `spare` it may have the last.
        """
        if process.pending or process.worker is not None:
            return None
        if (self.available > 1 and not self.closed) or (spare and self.available):
            for worker in self.workers:
                if not worker.busy:
                    break
            else:
                raise AssertionError("a worker is only assigned when one is idle")
            self.available -= 1
            worker.busy = True
            worker.fp = process
            process.worker = worker
            return worker
        process.pending = True
        self.pending += 1
        return None

    def occupy(self, worker: Worker, process: Fproc) -> None:
        """Give `process` to `worker`, which is idle."""
        self.available -= 1
        worker.busy = True
        worker.fp = process
        process.worker = worker

    def dismiss(self, worker: Worker) -> None:
        """The worker has done its call."""
        worker.fp.worker = None
        worker.busy = False
        self.available += 1
