"""MINIX's own policy: priority queues, preemption, quanta.

Rules.  There are 16 queues; 0 is the best.  The first process of the best queue runs until it
waits, until its quantum is used up, or until a better one becomes ready; the last only if it may
be preempted.  A preempted process stays the first of its queue.

Source: MINIX ``kernel/proc.c`` pick_proc, enqueue, enqueue_head, proc_no_time.
"""

from __future__ import annotations

from typing import Final

from kernel.privilege import PREEMPTIBLE
from kernel.process import Process
from kernel.runqueue import RunQueue

NR_SCHED_QUEUES: Final = 16


class Priority:
    """The first of the best queue, unless what runs may not be preempted.

    `levels` counts the ready processes of each queue and `best` has bit n set if queue n has any,
    so that a choice does not look at every ready process.
    """

    quanta = True
    takes_head = False

    def __init__(self) -> None:
        # One more queue than there are: MINIX lets a scheduler set priority 16.
        self.levels = [0] * (NR_SCHED_QUEUES + 1)
        self.best = 0

    def attach(self, ready: RunQueue) -> None:
        """Count the processes that are ready already, and all that come and go."""
        ready.tell(self._enter, self._leave)
        for process in ready.queue:
            self._enter(process)

    def _enter(self, process: Process) -> None:
        self.levels[process.priority] += 1
        self.best |= 1 << process.priority

    def _leave(self, process: Process) -> None:
        self.levels[process.priority] -= 1
        if not self.levels[process.priority]:
            self.best &= ~(1 << process.priority)

    def choose(self, queue: list[Process], ran: Process | None) -> int:
        """Whoever runs if it may not be preempted, else the first of the best queue."""
        head = queue[0]
        best = (self.best & -self.best).bit_length() - 1
        keeps = head is ran and not head.privilege.flags & PREEMPTIBLE
        if keeps or head.priority == best:
            return 0
        for index, process in enumerate(queue):
            if process.priority == best:
                return index
        raise AssertionError("a queue that has processes has a first one")
