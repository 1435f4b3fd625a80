"""A figure: what something costs, as a ratio to a peer that was measured beside it.

A machine's speed changes from one second to the next, so nothing here is compared across runs: the
subject and its peer take turns within one round, and the figure is the median of the rounds'
ratios.

Where the host puts a process's memory makes it faster or slower for as long as it lives, by a tenth
and more, and so does what it did before.  So the rounds of a figure are made by several processes
that do nothing else.
"""

from __future__ import annotations

import gc
import multiprocessing
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Final, TypeAlias

import attrs

PROCESSES: Final = 5

# One measurement: runs the thing often enough to be measured, returns the cost of one of it.
Measure: TypeAlias = Callable[[], float]


@attrs.frozen
class Figure:
    """What is measured (`subject`), beside what (`peer`), and what ratio is asked at most.

    Both measures return the cost of one operation in the same `unit` (seconds, or bytes).  They
    take `rounds` turns in each of the `processes`.
    """

    name: str
    target: float
    peer_name: str
    subject: Measure
    peer: Measure
    rounds: int = 5
    processes: int = PROCESSES
    unit: str = "s"


@attrs.frozen
class Result:
    """One measured figure: the median of the ratios, and what one operation cost."""

    name: str
    ratio: float
    target: float
    peer_name: str
    cost: float
    unit: str

    @property
    def met(self) -> bool:
        """True if the figure is as asked, or better."""
        return self.ratio <= self.target

    def as_json(self) -> dict[str, object]:
        """The record that `--json` writes."""
        return {
            "name": self.name,
            "ratio": round(self.ratio, 4),
            "target": self.target,
            "met": self.met,
        }


def rounds_of(figure: Figure) -> list[tuple[float, float]]:
    """The costs of the subject and of its peer in each round, after one that is not recorded."""
    figure.subject()
    figure.peer()
    costs = []
    for turn in range(figure.rounds):
        gc.collect()
        if turn % 2:
            peer, subject = figure.peer(), figure.subject()
        else:
            subject, peer = figure.subject(), figure.peer()
        costs.append((subject, peer))
    return costs


def summary(figure: Figure, costs: list[tuple[float, float]]) -> Result:
    """What the rounds of `figure`, as `rounds_of` gives them, say together."""
    return Result(
        figure.name,
        statistics.median(subject / peer for subject, peer in costs),
        figure.target,
        figure.peer_name,
        statistics.median(subject for subject, _ in costs),
        figure.unit,
    )


def measure(figure: Figure) -> Result:
    """Measure `figure` in its processes, one after the other."""
    costs: list[tuple[float, float]] = []
    for _ in range(figure.processes):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            costs += process.submit(rounds_of, figure).result()
    return summary(figure, costs)
