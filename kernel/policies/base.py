"""What a schedule policy is."""

from __future__ import annotations

from typing import Protocol

from kernel.process import Process
from kernel.runqueue import RunQueue


class PolicyError(ValueError):
    """A policy that does not exist or a schedule that cannot be read; the text says why."""


class Policy(Protocol):
    """Decides which of several ready processes makes the next step.

    With `quanta`, processes lose the processor when their quantum is used up.  One that always
    `takes_head`, the first, need not be asked.
    """

    quanta: bool
    takes_head: bool

    def attach(self, ready: RunQueue) -> None:
        """The policy will decide for `ready`; called before it first decides, between steps.

        That may be while the machine runs (`Dispatcher.change_policy`).
        """

    def choose(self, queue: list[Process], ran: Process | None) -> int:
        """The index in `queue`, which has at least two processes, of the one to run.

        `ran` is the process that made the last step.
        """
        ...
