"""Runs one schedule after the other, and sums up what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

import attrs

from kernel.policies.replay import ScheduleDiffers
from scenarios.explore.frontier import Frontier, Reduced, Whole
from scenarios.explore.steps import Deviations
from scenarios.explore.watcher import Watcher
from scenarios.run import Ending
from scenarios.words import counted

DEFAULT_BOUND: Final = 2
DEFAULT_RUNS: Final = 1000


@attrs.frozen
class Run:
    """One schedule, and what came of it.

    `schedule` is what `replay:` takes.  `text` says why it failed.  `messages` are those that were
    delivered, in words, without times; `results` is what calls and programs ended with, by
    process.  `failure` is the exception that a test ended with.
    """

    deviations: Deviations
    schedule: str
    ending: Ending
    text: str = ""
    messages: tuple[str, ...] = attrs.field(default=(), repr=False)
    results: tuple[tuple[str, tuple[str, ...]], ...] = attrs.field(default=(), repr=False)
    failure: BaseException | None = None

    @property
    def outcome(self) -> tuple[Any, ...]:
        """What the run came to: equal for two runs whose difference nobody inside can see."""
        return (self.ending, self.text if self.ending == "bad" else "", self.results)


# Makes a schedule; with a careful watcher if the last argument is true.
Player = Callable[[Deviations, bool], tuple[Run, Watcher]]


@attrs.define(eq=False)
class Seen:
    """Runs that were alike: the first of them, and how many there were."""

    run: Run
    count: int = 0


@attrs.define(eq=False)
class Exploration:
    """What is known of a scenario's schedules.

    `runs` were made, of schedules with at most `bound` deviations from first come, first served;
    `left` more are known that were not.  `cut`: there are schedules with more deviations.
    `reduced`: of schedules that differ only in what cannot matter, one is enough.  `failures` are
    the runs that failed, the first one as short as it can be; `orders` the different sequences of
    messages, and `outcomes` the different things that runs came to.
    """

    bound: int
    reduced: bool
    runs: int = 0
    left: int = 0
    cut: bool = True
    failures: list[Run] = attrs.field(factory=list)
    orders: dict[int, Seen] = attrs.field(factory=dict, repr=False)
    outcomes: dict[tuple[Any, ...], Seen] = attrs.field(factory=dict, repr=False)

    @property
    def exhausted(self) -> bool:
        """Whether all schedules within the bound were run."""
        return not self.left

    @property
    def complete(self) -> bool:
        """Whether all schedules were run, however many deviations they have."""
        return self.exhausted and not self.cut

    @property
    def ok(self) -> bool:
        """Whether no run failed."""
        return not self.failures

    def __str__(self) -> str:
        """Which schedules were run, and which were not."""
        which = "that can matter" if self.reduced else "there are"
        bound = counted(self.bound, "deviation")
        if self.complete:
            return f"all schedules {which}: {self.runs}"
        if self.exhausted:
            return f"all schedules {which} with at most {bound}: {self.runs}"
        runs = counted(self.runs, "schedule")
        if not self.ok:
            return f"{runs} until one failed"
        return f"cut off after {runs} with at most {bound}; there are {self.left} more, or more yet"

    def note(self, run: Run) -> None:
        """Count a run."""
        self.runs += 1
        self.orders.setdefault(hash(run.messages), Seen(run)).count += 1
        self.outcomes.setdefault(run.outcome, Seen(run)).count += 1
        if run.ending != "ok":
            self.failures.append(run)


def _check_number(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}; it must be a whole number from {least} on")


Progress = Callable[[Exploration], None]


@attrs.define(eq=False)
class Search:
    """Explores what `play` plays.

    At most `bound` deviations and `runs` runs, in random order if there is a `seed`; `whole`
    leaves no schedule out; `on` goes on after a failure.  Raises ValueError for numbers that make
    no search.
    """

    play: Player
    bound: int = DEFAULT_BOUND
    runs: int = DEFAULT_RUNS
    seed: int | None = None
    whole: bool = False
    on: bool = False
    found: Exploration = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        _check_number("bound", self.bound, 0)
        _check_number("runs", self.runs, 1)
        if self.seed is not None:
            _check_number("seed", self.seed, 0)
        self.found = Exploration(self.bound, not self.whole)

    def finish(self) -> Exploration:
        """Make all runs; what was found."""
        for _ in self.go():
            pass
        return self.found

    def go(self) -> Iterator[Run]:
        """Make the runs; `found` is up to date after each."""
        random = None if self.seed is None else Random(self.seed)
        frontier: Frontier = (Whole if self.whole else Reduced)(self.bound, random)
        found = self.found
        while found.runs < self.runs and (found.ok or self.on):
            deviations = frontier.take()
            if deviations is None:
                break
            run, watcher = self.play(deviations, not self.whole)
            frontier.learn(watcher)
            found.left, found.cut = frontier.left, frontier.cut
            if run.ending != "ok" and found.ok:
                run = self._shortest(run)
            found.note(run)
            yield run

    def _shortest(self, run: Run) -> Run:
        """The same failure with as few deviations as can be."""
        for left_out in run.deviations:
            fewer = tuple(each for each in run.deviations if each != left_out)
            try:
                shorter, _ = self.play(fewer, False)
            except ScheduleDiffers:
                continue
            if shorter.ending == run.ending and shorter.ending != "bad":
                return self._shortest(shorter)
        return run
