"""First come, first served: a process runs until it must wait."""

from __future__ import annotations

from kernel.process import Process
from kernel.runqueue import RunQueue


class Fifo:
    """Always the head: whoever ran goes on, then whoever became ready first."""

    quanta = False
    takes_head = True

    def attach(self, ready: RunQueue) -> None:
        """Nothing to prepare."""

    def choose(self, queue: list[Process], ran: Process | None) -> int:
        """The head."""
        return 0
