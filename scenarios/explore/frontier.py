"""The schedules that are still to be run, those with the fewest deviations first.

    whole = Whole(bound=2)
    while (deviations := whole.take()) is not None:
        ...                               # a run, with a watcher
        whole.learn(watcher)

`Whole` has every schedule; `Reduced` only those that turn round a race of one that was run.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from random import Random
from typing import Protocol

import attrs

from scenarios.explore.races import reversals
from scenarios.explore.steps import Deviations, deviations_before
from scenarios.explore.watcher import Watcher

_START: Deviations = ()


class Frontier(Protocol):
    """Says which schedule is next, and learns from each run what else there is to try.

    `left` is how many are known that were not taken yet.  `cut`: there are others, but with more
    deviations than the bound allows.
    """

    cut: bool

    @property
    def left(self) -> int:
        """How many schedules are known that were not taken yet."""
        ...

    def take(self) -> Deviations | None:
        """The next schedule; None if there is none."""
        ...

    def learn(self, watcher: Watcher) -> None:
        """What was just taken has been run."""
        ...


@attrs.define(eq=False)
class Children:
    """Schedules with one deviation more than others that were run, made when they are wanted."""

    _ends: list[int] = attrs.field(factory=list)  # how many there are up to each parent's last
    _parents: list[tuple[Deviations, int, list[int]]] = attrs.field(factory=list)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def add(self, parent: Deviations, first: int, widths: list[int]) -> None:
        """The schedules that are `parent` up to choice `first`, and deviate once after that."""
        count = sum(widths[first:]) - len(widths[first:])
        if count:
            self._ends.append(len(self) + count)
            self._parents.append((parent, first, widths))

    def __getitem__(self, number: int) -> Deviations:
        which = bisect(self._ends, number)
        parent, position, widths = self._parents[which]
        number -= self._ends[which - 1] if which else 0
        while number >= widths[position] - 1:
            number -= widths[position] - 1
            position += 1
        return (*parent, (position, number + 1))


@attrs.define(eq=False)
class Whole:
    """Every schedule with at most `bound` deviations, once.

    Each comes from the run without its last deviation, in which all later choices were the head.
    With `random`, those with equally many deviations come in random order.
    """

    bound: int
    random: Random | None = None
    cut: bool = False
    _taken: int = 0  # of this level
    _level: list[Deviations] | Children = attrs.field(factory=lambda: [_START])
    _order: list[int] | range = range(1)
    _next: Children = attrs.field(factory=Children)

    @property
    def left(self) -> int:
        """How many schedules are known that were not taken yet."""
        return len(self._level) - self._taken + len(self._next)

    def take(self) -> Deviations | None:
        """The next schedule; None if there is none."""
        if self._taken == len(self._level):
            self._level, self._next, self._taken = self._next, Children(), 0
            self._order = range(len(self._level))
            if self.random is not None:
                self._order = self.random.sample(self._order, len(self._order))
        if self._taken == len(self._level):
            return None
        self._taken += 1
        return self._level[self._order[self._taken - 1]]

    def learn(self, watcher: Watcher) -> None:
        """Plan what differs from this run in one later choice."""
        first = watcher.deviations[-1][0] + 1 if watcher.deviations else 0
        if len(watcher.deviations) < self.bound:
            self._next.add(watcher.deviations, first, watcher.widths)
        elif len(watcher.widths) > first:
            self.cut = True


@attrs.define(eq=False)
class Reduced:
    """The schedules with at most `bound` deviations that turn round races of others."""

    bound: int
    random: Random | None = None
    cut: bool = False
    _known: dict[Deviations, None] = attrs.field(factory=lambda: {_START: None})
    _levels: dict[int, list[Deviations]] = attrs.field(factory=lambda: {0: [_START]})

    @property
    def left(self) -> int:
        """How many schedules are known that were not taken yet."""
        return sum(map(len, self._levels.values()))

    def take(self) -> Deviations | None:
        """The next schedule; None if there is none."""
        levels = [self._levels[count] for count in sorted(self._levels)]
        level = next(filter(None, levels), None)
        if level is None:
            return None
        return level.pop(self.random.randrange(len(level)) if self.random is not None else 0)

    def learn(self, watcher: Watcher) -> None:
        """Plan a schedule for each race of this run that no known schedule turns round."""
        for deviations in self._turned(watcher):
            if deviations not in self._known:
                self._known[deviations] = None
                if len(deviations) <= self.bound:
                    self._levels.setdefault(len(deviations), []).append(deviations)
                else:
                    self.cut = True

    def _turned(self, watcher: Watcher) -> Iterator[Deviations]:
        for reversal in reversals(watcher.steps):
            before = deviations_before(watcher.deviations, reversal.position)
            ways = [
                (*before, (reversal.position, index)) if index else None
                for index in reversal.indexes
            ]
            # The head was chosen there by the run from which this one deviates.
            if None not in ways and not any(way in self._known for way in ways):
                assert ways[0] is not None
                yield ways[0]
