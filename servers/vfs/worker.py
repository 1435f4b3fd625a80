"""Workers: VFS does up to nine calls at once, each by a worker of its own.

A call that waits (for a file system, VM, a lock) parks its worker on a ticket, and VFS goes on with
other messages.  Whoever ends the wait puts the worker into the run queue; the main loop runs those
before it receives again.  The last worker is kept for file systems and services, whose calls may
be what all others wait for.

Source: MINIX ``servers/vfs/worker.c``, ``threads.h``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from ipc.endpoint import NONE
from servers.lib.loop import Call, Ticket, wait

if TYPE_CHECKING:
    from servers.vfs.fproc import Fproc
    from servers.vfs.server import Vfs

NR_WORKERS: Final = 9
TRANSACTION_BASE: Final = 0xB01
PATH_MAX: Final = 1024


@attrs.define(eq=False)
class Worker:
    """One worker; `process` is whose call it works on (None: idle).

    `task` is the endpoint that it awaits an answer from.  `path_buffer` and `name_buffer` are the
    addresses of memory of VFS's where it keeps what it grants (PATH_MAX bytes each).
    """

    vfs: Vfs
    index: int
    path_buffer: int
    name_buffer: int
    process: Fproc | None = None
    call: Call | None = None
    caller: int = NONE  # the endpoint that the call is answered to
    call_number: int = 0
    task: int = NONE
    ticket: Ticket | None = None

    @property
    def fp(self) -> Fproc:
        """The process whose call it works on."""
        assert self.process is not None, "a worker at work has a process"
        return self.process

    @property
    def transid(self) -> int:
        """The number by which answers find this worker."""
        return TRANSACTION_BASE + self.index

    async def pause(self, reason: str, awaits: int = NONE) -> Any:
        """Wait until somebody calls `proceed`; what it passes comes back."""
        self.ticket = Ticket(awaits, reason)
        return await wait(self.ticket)

    def proceed(self, value: Any = None) -> None:
        """End the pause, as soon as the main loop comes to it."""
        ticket, self.ticket = self.ticket, None
        assert ticket is not None, "only a worker that pauses can proceed"
        self.vfs.runnable.append((ticket, value))


@attrs.define(eq=False)
class WorkerPool:
    """All workers, and how many calls wait for one.

    `closed`: nothing new may be started (while VFS mounts its first file systems).
    """

    workers: list[Worker]
    pending: int = 0
    busy: int = 0
    closed: bool = False

    @property
    def available(self) -> int:
        """How many workers are idle, the spare one included."""
        return len(self.workers) - self.busy

    def may_do_pending(self) -> bool:
        """Whether a call that waits for a worker can be started."""
        return self.pending > 0 and self.available > 1 and not self.closed

    def find(self, transid: int) -> Worker | None:
        """The busy worker with this transaction number."""
        index = transid - TRANSACTION_BASE
        if 0 <= index < len(self.workers) and self.workers[index].process is not None:
            return self.workers[index]
        return None

    def assign(self, process: Fproc) -> Worker:
        """Give `process` to the first idle worker."""
        for worker in self.workers:
            if worker.process is None:
                process.worker = worker
                worker.process = process
                self.busy += 1
                return worker
        raise AssertionError("a worker is only assigned when one is idle")

    def dismiss(self, worker: Worker) -> None:
        """The worker has done its call."""
        process = worker.fp
        process.worker = None
        worker.process = None
        worker.call = None
        self.busy -= 1
