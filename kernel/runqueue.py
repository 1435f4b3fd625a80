"""The processes that can run.

Rules.  A process is in the queue if and only if it has no run flag.  Only `block` and `unblock`
change run flags, and message passing, which does the same in line: who is appended to the queue has
just lost its last run flag, and who is removed has just got one.  Who becomes ready joins at the
end; the process that runs is the first.  The order depends on nothing but the order of these calls,
so an index into the queue means the same process in every run that made the same choices before.

Source: MINIX ``kernel/proc.c`` enqueue, dequeue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from kernel.process import Process

Told: TypeAlias = Callable[[Process], None]


def _ignored(_process: Process) -> None:
    pass


class RunQueue:
    """The ready processes, the running one first."""

    __slots__ = ("queue",)

    def __init__(self) -> None:
        self.queue: list[Process] = []

    def tell(self, entered: Told, left: Told = _ignored) -> None:
        """From now on tell `entered` who becomes ready, and `left` who no longer is.

        To be called between steps: it is another `queue` from then on.
        """
        # Most policies need not know, so that nobody is to be told is not asked at each turn.
        self.queue = _TellingQueue(self.queue, entered, left)

    def tell_nobody(self) -> None:
        """Tell those no more who were told; to be called between steps, as `tell`."""
        if type(self.queue) is not list:
            self.queue = list(self.queue)

    def block(self, process: Process, flag: int) -> None:
        """Set run flags of `process`; if it could run, it no longer can."""
        if process.rts:
            process.rts |= flag
            return
        process.rts = flag
        self.queue.remove(process)  # as a rule it is the first, who runs

    def unblock(self, process: Process, flag: int) -> None:
        """Clear run flags of `process`; if those were all that it had, it is ready."""
        rts = process.rts
        if rts == flag:
            process.rts = 0
        else:
            process.rts = rts & ~flag
            if not rts or process.rts:
                return
        self.queue.append(process)

    def to_front(self, index: int) -> None:
        """Let the `index`-th ready process be the one that runs."""
        queue = self.queue
        process = queue[index]
        del queue[index]
        queue.insert(0, process)

    def check(self) -> None:
        """State the invariant: the queue holds each ready process once, and no other."""
        assert all(not process.rts for process in self.queue), "a queued process has a run flag"
        slots = [process.slot for process in self.queue]
        assert len(slots) == len(set(slots)), "a process is queued twice"


class _TellingQueue(list[Process]):
    """The queue of a policy that is told who comes and goes."""

    def __init__(self, processes: list[Process], entered: Told, left: Told) -> None:
        super().__init__(processes)
        self._entered, self._left = entered, left

    def append(self, process: Process) -> None:
        super().append(process)
        self._entered(process)

    def remove(self, process: Process) -> None:
        super().remove(process)
        self._left(process)
