"""Which other orders of a run's steps are worth a run: those that turn round a race.

Two steps *race* if they conflict and nothing between them orders them.  Then the process of the
second could have gone first, and a run in which it does may come to something else; a run that
only lets steps change places that do not conflict cannot.

Source: P. Abdulla, S. Aronis, B. Jonsson, K. Sagonas: Optimal Dynamic Partial Order Reduction
(POPL 2014), source sets; C. Flanagan, P. Godefroid: Dynamic Partial-Order Reduction for Model
Checking Software (POPL 2005).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import attrs

from scenarios.explore.steps import Step, Thing


@attrs.frozen
class Reversal:
    """A race can be turned round at the choice `position` by any of `indexes`."""

    position: int
    indexes: tuple[int, ...]


def reversals(steps: Sequence[Step]) -> Iterator[Reversal]:
    """How each race of a run can be turned round."""
    for _, epoch in groupby(steps, key=lambda step: step.epoch):
        yield from _reversals(list(epoch))


def _reversals(steps: list[Step]) -> Iterator[Reversal]:
    order = Order()
    for second, step in enumerate(steps):
        conflicting, before = order.add(step)
        for stopped in step.stopped:  # what it would have done next might have come before
            if stopped in step.ready:
                yield Reversal(step.position, (step.ready.index(stopped),))
        for first in conflicting:
            if steps[first].position < 0 or steps[first].process == step.process:
                continue  # nobody else could have gone first
            if not any(order.follows(each, first) for each in before if each != first):
                reversal = _reversal(steps, order, first, second)
                if reversal is not None:
                    yield reversal


def _reversal(steps: list[Step], order: Order, first: int, second: int) -> Reversal | None:
    """Have somebody else go on where step `first` was made, such that `second` can come before."""
    ready, racer = steps[first].ready, steps[second].process
    if racer is None or racer in steps[first].woke:
        return None  # a device has its own time; who waits for the first cannot be before it
    between = [each for each in range(first + 1, second) if not order.follows(each, first)]
    initials: list[int] = []
    seen: list[int | None] = []
    for each in [*between, second]:
        process = steps[each].process
        free = process not in seen and not any(order.follows(each, other) for other in between)
        seen.append(process)
        if free and process in ready:
            initials.append(ready.index(process))
    initials.sort(key=lambda index: ready[index] != racer)
    everybody = [each for each in range(len(ready)) if each != steps[first].index]
    return Reversal(steps[first].position, tuple(initials or everybody))


@attrs.define(eq=False)
class Order:
    """Which steps come after which because of what they touch, as bits: step n is `1 << n`."""

    _after: list[int] = attrs.field(factory=list)
    _last: dict[int, int] = attrs.field(factory=dict)  # by process
    _awaited: dict[int, list[int]] = attrs.field(factory=dict)  # what its next step comes after
    _changed: dict[Thing, int] = attrs.field(factory=dict)
    _looked: dict[Thing, list[int]] = attrs.field(factory=dict)  # since then

    def add(self, step: Step) -> tuple[list[int], list[int]]:
        """Put a step after others; those that it conflicts with, and all, without those before."""
        number = len(self._after)
        if step.process is None:
            self._after.append(0)  # devices have their own time
            self._settle(step, number)
            return [], []
        conflicting = list(dict.fromkeys(self._conflicting(step)))
        before = [*conflicting, *self._awaited.pop(step.process, ())]
        if step.process in self._last:
            before.append(self._last[step.process])
        bits = 0
        for each in before:
            bits |= self._after[each] | 1 << each
        self._after.append(bits)
        self._last[step.process] = number
        if step.took in self._last:
            self._awaited.setdefault(step.process, []).append(self._last[step.took])
        self._settle(step, number)
        return conflicting, before

    def _settle(self, step: Step, number: int) -> None:
        """Note what comes after this step."""
        for process in step.woke:
            self._awaited.setdefault(process, []).append(number)
        for thing, change in step.touched.items():
            if change:
                self._changed[thing] = number
                self._looked.pop(thing, None)
            else:
                self._looked.setdefault(thing, []).append(number)

    def _conflicting(self, step: Step) -> Iterator[int]:
        for thing, change in step.touched.items():
            looked = self._looked.get(thing, ()) if change else ()
            yield from looked
            if thing in self._changed and not looked:
                yield self._changed[thing]

    def follows(self, later: int, earlier: int) -> bool:
        """Whether step `later` comes after step `earlier` in every such order."""
        return bool(self._after[later] >> earlier & 1)
