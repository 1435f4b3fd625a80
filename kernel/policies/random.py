"""Any ready process, by a seeded generator: the same seed gives the same run."""

from __future__ import annotations

from random import Random as Generator

from kernel.process import Process
from kernel.runqueue import RunQueue


class Random:
    """Each ready process is equally likely at every step."""

    quanta = False
    takes_head = False

    def __init__(self, seed: int = 0) -> None:
        self._generator = Generator(seed)

    def attach(self, ready: RunQueue) -> None:
        """Nothing to prepare."""

    def choose(self, queue: list[Process], ran: Process | None) -> int:
        """An index drawn with the float generator, whose sequence Python guarantees per seed."""
        return int(self._generator.random() * len(queue))
