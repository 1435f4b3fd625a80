"""Running operations: random ones until something fails, given ones again, as few as can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from kernel.panic import Panic
from kernel.quirks import Quirks
from scenarios.campaign.world import Failure, Operations, WorldMaker, failure_of

MOST_REPLAYS: Final = 300  # when a failing run is made shorter


@attrs.frozen
class Run:
    """Operations that were done one after the other, and how they ended: None if nothing failed."""

    seed: int
    operations: Operations
    failure: Failure | None = None


def run_random(make: WorldMaker, seed: int, length: int, quirks: Quirks) -> Run:
    """Draw and do up to `length` operations, with every invariant checked after each."""
    world = make(seed, quirks)
    operations: Operations = []
    for index in range(length):
        operation = world.draw()
        operations.append(operation)
        try:
            world.do(operation)
            world.check()
        except Panic as panic:
            return Run(seed, operations, failure_of(panic, index))
    return Run(seed, operations)


def run_again(
    make: WorldMaker, seed: int, operations: Operations, quirks: Quirks, each: bool = True
) -> Run:
    """Do given operations on a new world; invariants are checked after `each`, or at the end."""
    world = make(seed, quirks)
    last = len(operations) - 1
    for index, operation in enumerate(operations):
        try:
            world.do(operation)
            if each or index == last:
                world.check()
        except Panic as panic:
            return Run(seed, operations[: index + 1], failure_of(panic, index))
    return Run(seed, operations)


def answers(make: WorldMaker, seed: int, operations: Operations, quirks: Quirks) -> list[Any]:
    """All that the operations do, to be compared; the last answer may be a panic."""
    world = make(seed, quirks)
    told = []
    for operation in operations:
        answer = world.answer(operation)
        told.append(answer)
        if answer is None:
            break
    return told


def shortest(make: WorldMaker, run: Run, quirks: Quirks) -> Run:
    """A run with as few of the operations of a failing `run` as fail in the same way.

    Ever smaller pieces are left out while what is left still fails so.
    """
    failure = run.failure
    assert failure is not None, "a run that did not fail cannot be made shorter"

    def fails(operations: Operations) -> bool:
        return failure.like(run_again(make, run.seed, operations, quirks, each=False).failure)

    operations = run.operations[: failure.index + 1]
    if not fails(operations):
        return run
    return run_again(make, run.seed, reduce(operations, fails), quirks)


def reduce(operations: Operations, fails: Callable[[Operations], bool]) -> Operations:
    """Some of `operations` for which `fails` holds as it does for all, in MOST_REPLAYS tries."""
    tries = 0
    piece = max(1, len(operations) // 2)
    while tries < MOST_REPLAYS:
        start = 0
        shorter = False
        while start < len(operations) and tries < MOST_REPLAYS:
            left = operations[:start] + operations[start + piece :]
            tries += 1
            if left and fails(left):
                operations = left
                shorter = True
            else:
                start += piece
        if piece == 1 and not shorter:
            break
        piece = max(1, piece // 2)
    return operations
