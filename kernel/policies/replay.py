"""A recorded schedule, made again choice by choice.

The text form of a schedule is the choices separated by commas, `INDEX` or `INDEXxTIMES` for the
same one several times over, after a `q` if processes had quanta: `0x12,1,0x3`, `q0x40,2`.  No
choice at all is the empty text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Final

import attrs

from kernel.policies.base import PolicyError
from kernel.process import Process
from kernel.runqueue import RunQueue

_PART: Final = re.compile(r"([0-9]{1,9})(?:x([0-9]{1,9}))?", re.ASCII)
MAXIMUM_CHOICES: Final = 100_000_000


class ScheduleDiffers(PolicyError):
    """The run does not come to the choices that were recorded."""


@attrs.frozen
class Schedule:
    """The choices of a run, and whether processes had quanta in it."""

    choices: Sequence[int] = ()
    quanta: bool = False


def format_schedule(schedule: Schedule) -> str:
    """The text form of a schedule."""
    parts = []
    for index, run in groupby(schedule.choices):
        times = sum(1 for _ in run)
        parts.append(str(index) if times == 1 else f"{index}x{times}")
    return ("q" if schedule.quanta else "") + ",".join(parts)


def parse_schedule(text: str) -> Schedule:
    """A schedule from its text form.  Raises PolicyError, which says what and where."""
    quanta = text.startswith("q")
    rest = text[1:] if quanta else text
    choices: list[int] = []
    if not rest:
        return Schedule((), quanta)
    for number, part in enumerate(rest.split(","), 1):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise PolicyError(
                f"choice {number} of the schedule is {part[:20]!r}, not INDEX or INDEXxTIMES"
            )
        times = int(match[2] or 1)
        if len(choices) + times > MAXIMUM_CHOICES:
            raise PolicyError(f"the schedule has more than {MAXIMUM_CHOICES} choices")
        choices.extend([int(match[1])] * times)
    return Schedule(tuple(choices), quanta)


class Replay:
    """The choices of a schedule, then the head for ever.

    Raises ScheduleDiffers, through the run, when a choice does not fit the ready processes: the
    schedule was recorded from something else.
    """

    takes_head = False

    def __init__(self, schedule: Schedule) -> None:
        self.quanta = schedule.quanta
        self._choices = schedule.choices
        self._next = 0

    def attach(self, ready: RunQueue) -> None:
        """Nothing to prepare."""

    def choose(self, queue: list[Process], ran: Process | None) -> int:
        """The next recorded choice."""
        number = self._next
        if number >= len(self._choices):
            return 0
        self._next = number + 1
        index = self._choices[number]
        if index >= len(queue):
            raise ScheduleDiffers(
                f"choice {number + 1} of the schedule is {index}, but only {len(queue)} processes"
                " are ready: this schedule is of another run"
            )
        return index
