"""What message passing asks of whoever keeps the processes that can run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kernel.process import Process


class ReadyQueue(Protocol):
    """Keeps the processes without run flags in the order in which they became ready.

    `block` and `unblock` change run flags; who changes one itself, because it passes every message,
    appends to the `queue` who has lost its last one, and removes who has got one.
    `kernel.runqueue.RunQueue` is the machine's.

    Source: MINIX ``kernel/proc.h`` RTS_SET, RTS_UNSET.
    """

    queue: list[Process]

    def block(self, process: Process, flag: int) -> None:
        """Set run flags of `process`; if it could run, it leaves the queue."""
        ...

    def unblock(self, process: Process, flag: int) -> None:
        """Clear run flags of `process`; if those were its last ones, it joins the queue's end."""
        ...
