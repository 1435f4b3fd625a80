"""Virtual time, and what is to happen when.

Rules.  Time is nanoseconds since boot; nothing but `now` counts, and the host's clock never does.
What is due happens in the order (time, priority, sequence of scheduling), never before its time,
and between two steps of processes.  A tick is a sixtieth of a second, as in MINIX: what processes
are told of time is in ticks.

Source: MINIX ``kernel/clock.c``.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

import attrs

NANOSECONDS: Final = 1_000_000_000
HZ: Final = 60
NEVER: Final = 1 << 62

# Of what is due at the same moment, devices come first, then alarms.
DEVICE: Final = 0
ALARM: Final = 1


@attrs.define(eq=False)
class Due:
    """Something that will happen at `time`, unless it is cancelled before.

    The machine counts as quiet although a `background` one is due: nobody waits for it.
    """

    time: int
    action: Callable[[], None] | None
    background: bool = False


class Clock:
    """The machine's time.

    `deadline` is when the dispatcher must next look up from stepping processes; it is at most the
    time of the first that is due.  `expected` is how many things are due that somebody may wait
    for.
    """

    def __init__(self) -> None:
        self.now = 0
        self.boot_time = 0  # seconds since 1970
        self.realtime_offset = 0  # ticks
        self.deadline = NEVER
        self.expected = 0
        self._heap: list[tuple[int, int, int, Due]] = []
        self._sequence = 0

    @property
    def ticks(self) -> int:
        """How many ticks have passed since boot.  MINIX: get_monotonic."""
        return self.now * HZ // NANOSECONDS

    def schedule(
        self,
        time: int,
        action: Callable[[], None],
        priority: int = DEVICE,
        background: bool = False,
    ) -> Due:
        """Do `action` at `time` (virtual ns; the past means as soon as possible)."""
        self._sequence = sequence = self._sequence + 1
        due = Due(time, action, background)
        heappush(self._heap, (time, priority, sequence, due))
        if not background:
            self.expected += 1
        if time < self.deadline:
            self.deadline = time
        return due

    def cancel(self, due: Due) -> None:
        """Forget `due`; harmless if it happened already."""
        if due.action is not None:
            due.action = None
            self.expected -= not due.background

    def attend(self) -> None:
        """Make the dispatcher look up before it steps again."""
        self.deadline = -1

    def next_due(self) -> int:
        """When the first that is due is due, or NEVER."""
        heap = self._heap
        while heap and heap[0][3].action is None:
            heappop(heap)
        return heap[0][0] if heap else NEVER

    def happen(self) -> int:
        """Do all that is due by now.  Returns when the first of the rest is due, or NEVER."""
        heap = self._heap
        while heap:
            time, _priority, _sequence, due = heap[0]
            action = due.action
            if action is None:
                heappop(heap)
                continue
            if time > self.now or time >= NEVER:
                return time
            heappop(heap)
            due.action = None
            if not due.background:
                self.expected -= 1
            action()
        return NEVER


def tick_time(tick: int) -> int:
    """The virtual time (ns) at which the clock's `tick`-th tick comes."""
    return -(-tick * NANOSECONDS // HZ)
