"""A campaign: run after run of random operations, until there were enough or one fails."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

import attrs

from kernel.quirks import NO_QUIRKS, Quirks
from scenarios.campaign.hunt import Found, Hunt
from scenarios.campaign.record import Record
from scenarios.campaign.run import Run, run_random, shortest
from scenarios.campaign.world import WorldMaker
from scenarios.source import BadInput
from servers.config import BadConfig, MachineConfig

# The kinds of machine that there are to work on: the class that makes them.
WORLDS: Final[dict[str, str]] = {
    "vm": "scenarios.campaign.vm_world:VmWorlds",
    "machine": "scenarios.campaign.machine_world:MachineWorlds",
}

Progress = Callable[[Record], None]


@attrs.frozen
class Verdict:
    """What came of a campaign: the run that failed, if any, and the quirks that were not found."""

    failed: Run | None = None
    missing: tuple[str, ...] = ()


def world_maker(name: str) -> WorldMaker:
    """What makes the machines of that kind.  Raises BadInput if there is no such kind."""
    if name not in WORLDS:
        raise BadInput(f"there is no world {name}; there are {', '.join(WORLDS)}")
    module, _, maker = WORLDS[name].partition(":")
    made: WorldMaker = getattr(importlib.import_module(module), maker)()
    return made


def quirks_of(text: str) -> Quirks:
    """The quirks that `text` names.  Raises BadInput."""
    try:
        return MachineConfig(quirks=text).quirks
    except BadConfig as error:
        raise BadInput(error.reason) from error


def go_on(record: Record, operations: int, progress: Progress) -> Verdict:
    """Go on with the campaign until it has done so many operations in all.

    `progress` hears after each run.  Without quirks it ends at the first failure; with quirks it
    ends when all of them are found.
    """
    make = world_maker(record.world)
    quirks = quirks_of(record.quirks)
    if quirks == NO_QUIRKS:
        return _look_for_failures(make, record, operations, progress)
    return _look_for_quirks(make, quirks, record, operations, progress)


def _look_for_failures(
    make: WorldMaker, record: Record, operations: int, progress: Progress
) -> Verdict:
    while record.operations < operations:
        length = min(record.length, operations - record.operations)
        run = run_random(make, record.next_seed, length, NO_QUIRKS)
        if run.failure is not None:
            return Verdict(shortest(make, run, NO_QUIRKS))
        record.operations += len(run.operations)
        record.runs += 1
        progress(record)
    return Verdict()


def _look_for_quirks(
    make: WorldMaker, quirks: Quirks, record: Record, operations: int, progress: Progress
) -> Verdict:
    hunt = Hunt.of(make, quirks)
    for found in record.found:
        hunt.left.pop(found.quirk, None)
        hunt.found[found.quirk] = found
    while hunt.left and record.operations < operations:

        def drawn(count: int) -> None:
            record.operations += count

        hunt.go(record.next_seed, record.length, drawn)
        record.found = list[Found](hunt.found.values())
        record.runs += 1
        progress(record)
        if hunt.unexplained:
            return Verdict(hunt.unexplained[0], tuple(hunt.left))
    return Verdict(missing=tuple(hunt.left))
