"""Finding defects: which quirks random operations show, each by itself.

A machine with quirks is put through random operations.  What goes wrong names a quirk:

- a panic says which quirk led to it;
- a violated invariant is the doing of the quirk without which the same operations violate none;
- where nothing goes wrong, the same operations are done again without one quirk, and if anything
  then differs, that quirk shows.

A quirk that has been found is left out from then on, so that the next one can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from kernel.quirks import Quirks
from scenarios.campaign.run import Run, answers, run_again, run_random, shortest
from scenarios.campaign.world import PANIC, Failure, Operations, Watched, WorldMaker

DIFFERENCE: Final = "difference"


@attrs.frozen
class Found:
    """A quirk, and how it showed: in which run (its seed), after which operations, in words."""

    quirk: str
    how: str
    text: str
    seed: int
    operations: Operations

    @property
    def last(self) -> str:
        """The operation at which it showed."""
        return repr(self.operations[-1]) if self.operations else ""


@attrs.define(eq=False)
class Hunt:
    """The quirks of `left` that are still to be found, and those `found`.

    `unexplained` are failures that no single quirk is to blame for.
    """

    make: WorldMaker
    left: dict[str, None]
    found: dict[str, Found] = attrs.field(factory=dict)
    unexplained: list[Run] = attrs.field(factory=list)

    @classmethod
    def of(cls, make: WorldMaker, quirks: Quirks) -> Hunt:
        """A hunt for those of `quirks` that can show in such a world."""
        return cls(make, dict.fromkeys(name for name in make.names if name in quirks))

    def go(self, seed: int, length: int, done: Callable[[int], None]) -> None:
        """One run of up to `length` random operations, again and again until nothing is found.

        `done` hears how many operations were drawn.
        """
        while True:
            quirks = Watched(self.left)
            run = run_random(self.make, seed, length, quirks)
            done(len(run.operations))
            if run.failure is None:
                self._compare(run, self._asked(quirks))
                return
            if not self._blame(run, self._asked(quirks)):
                self.unexplained.append(run)
                return

    def _asked(self, quirks: Watched) -> list[str]:
        return [name for name in self.left if name in quirks.asked]

    def _blame(self, run: Run, asked: list[str]) -> bool:
        """Find out which quirks a failure is the doing of; False if of none."""
        failure = run.failure
        assert failure is not None
        run = shortest(self.make, run, self._quirks())
        if failure.kind == PANIC and failure.quirk is not None:
            guilty = [failure.quirk] if failure.quirk in self.left else []
        else:
            guilty = self._needed(run, failure, asked)
        for name in guilty:
            others = [each for each in guilty if each != name]
            together = f" (together with {', '.join(others)})" if others else ""
            self._note(name, failure.kind, failure.text + together, run.seed, run.operations)
        return bool(guilty)

    def _needed(self, run: Run, failure: Failure, asked: list[str]) -> list[str]:
        """As few of the quirks as it takes for a run to fail so."""
        needed = list(asked)
        for name in asked:
            fewer = [each for each in needed if each != name]
            again = run_again(self.make, run.seed, run.operations, Quirks(fewer), each=False)
            if failure.like(again.failure):
                needed = fewer
        return needed

    def _quirks(self, without: str = "") -> Quirks:
        return Quirks(name for name in self.left if name != without)

    def _note(self, name: str, how: str, text: str, seed: int, operations: Operations) -> None:
        self.left.pop(name)
        self.found[name] = Found(name, how, text, seed, operations)

    def _compare(self, run: Run, asked: Iterable[str]) -> None:
        """See for each quirk whether the same operations do something else without it."""
        differing: dict[str, tuple[str, Operations]] = {}
        reference = answers(self.make, run.seed, run.operations, self._quirks())
        for name in asked:
            others = answers(self.make, run.seed, run.operations, self._quirks(without=name))
            index = next(
                (at for at, pair in enumerate(zip(reference, others, strict=False))
                 if pair[0] != pair[1]), None,
            )  # fmt: skip
            if index is not None:
                text = _differing(reference[index], others[index])
                differing[name] = text, run.operations[: index + 1]
        for name, (text, operations) in differing.items():
            self._note(name, DIFFERENCE, text, run.seed, operations)


def _differing(one: object, other: object) -> str:
    """The parts of two answers that are not the same, in a few words."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
        return "; ".join(
            f"{key}: {_brief(one.get(key))}, without it {_brief(other.get(key))}"
            for key in keys[:2]
        )
    return f"{_brief(one)}, without it {_brief(other)}"


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
