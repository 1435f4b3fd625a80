"""A figure: what something costs, as a ratio to a peer that was measured beside it.

A machine's speed changes from one second to the next, so nothing here is compared across runs: the
subject and its peer take turns within one round, and the figure is the median of the rounds'
ratios.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from typing import TypeAlias

import attrs

# One measurement: runs the thing often enough to be measured, returns the cost of one of it.
Measure: TypeAlias = Callable[[], float]


@attrs.frozen
class Figure:
    """What is measured (`subject`), beside what (`peer`), and what ratio is asked at most.

    Both measures return the cost of one operation in the same `unit` (seconds, or bytes).
    """

    name: str
    target: float
    peer_name: str
    subject: Measure
    peer: Measure
    rounds: int = 7
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


def measure(figure: Figure) -> Result:
    """Measure `figure`: one unrecorded round to warm up, then the rounds that count."""
    figure.subject()
    figure.peer()
    ratios: list[float] = []
    costs: list[float] = []
    for turn in range(figure.rounds):
        gc.collect()
        if turn % 2:
            peer, subject = figure.peer(), figure.subject()
        else:
            subject, peer = figure.subject(), figure.peer()
        ratios.append(subject / peer)
        costs.append(subject)
    return Result(
        figure.name,
        statistics.median(ratios),
        figure.target,
        figure.peer_name,
        statistics.median(costs),
        figure.unit,
    )
