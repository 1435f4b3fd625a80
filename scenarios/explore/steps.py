"""What a run did, step by step, as far as the order of steps can matter.

Rules.  A step touches things: a process, the line of those who send to it, a page frame.  Two
steps of different processes *conflict* if both touch the same thing and one of them changes it.
Steps that do not conflict can change places, and nobody sees a difference but in the time that it
was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import attrs

# A kind of thing, and which: by endpoint, frame number, or number of a kernel call.
Thing: TypeAlias = tuple[str, int]

PROCESS: Final = "process"  # that it lives and can run
LINE: Final = "line"  # who has sent to it, in which order
BOX: Final = "box"  # what it receives, and whom it waits for
FRAME: Final = "frame"
CALL: Final = "call"  # what the kernel keeps for a kind of kernel call
MEMORY: Final = "memory"  # what the kernel copies

# A schedule: at which choices (from 0, of the scenario) which index was taken instead of the head.
Deviations: TypeAlias = tuple[tuple[int, int], ...]


@attrs.define(eq=False)
class Step:
    """One step: who made it (None: a device or the clock), and what it touched.

    `ready` are those who could have made it, the head first, if there was a choice; then
    `position` is the number of that choice and `index` what was chosen.  Steps of different
    `epoch` are separated by a moment at which nobody could run, so they cannot change places.
    `touched` says of each thing whether it was changed.  `woke` are those who could run after it
    and could not before, and `took` is who had sent what it received: what comes next in those, or
    in the receiver, comes after.  `stopped` are others who could run before it and cannot after.
    """

    process: int | None
    epoch: int
    ready: tuple[int, ...] = ()
    position: int = -1
    index: int = 0
    touched: dict[Thing, bool] = attrs.field(factory=dict)
    woke: list[int] = attrs.field(factory=list)
    stopped: list[int] = attrs.field(factory=list)
    took: int | None = None

    def touch(self, kind: str, which: int, change: bool = True) -> None:
        """Note that the step looked at a thing, or changed it."""
        thing = (kind, which)
        self.touched[thing] = change or self.touched.get(thing, False)

    def touch_queue(self, endpoint: int) -> None:
        """Note that the step changed what a process receives, and what it waits for."""
        self.touch(LINE, endpoint)
        self.touch(BOX, endpoint)


def deviations_before(deviations: Deviations, position: int) -> Deviations:
    """Those of the deviations that come before the choice `position`."""
    return tuple(each for each in deviations if each[0] < position)


def as_mapping(deviations: Deviations) -> Mapping[int, int]:
    """The index by the number of the choice."""
    return dict(deviations)
