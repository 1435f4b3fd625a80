"""Running operations, and making a run that fails shorter."""

from __future__ import annotations

import pytest

from kernel.quirks import NO_QUIRKS, Quirks
from scenarios.campaign.machine_world import MachineWorlds
from scenarios.campaign.run import answers, reduce, run_again, run_random, shortest
from scenarios.campaign.vm_world import VmWorlds
from scenarios.campaign.world import PANIC, VIOLATION, Operations, WorldMaker

WORLDS: list[WorldMaker] = [VmWorlds(), MachineWorlds()]
NAMES = ["vm", "machine"]


@pytest.mark.parametrize("make", WORLDS, ids=NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_without_quirks_nothing_fails(make: WorldMaker, seed: int) -> None:
    run = run_random(make, seed, 300, NO_QUIRKS)
    assert run.failure is None, run.failure
    assert len(run.operations) == 300


@pytest.mark.parametrize("make", WORLDS, ids=NAMES)
def test_a_seed_repeats_a_run(make: WorldMaker) -> None:
    first, second = (run_random(make, 4, 100, NO_QUIRKS) for _ in range(2))
    assert first == second
    assert first != run_random(make, 5, 100, NO_QUIRKS)


@pytest.mark.parametrize("make", WORLDS, ids=NAMES)
def test_operations_can_be_done_again(make: WorldMaker) -> None:
    operations = run_random(make, 4, 100, NO_QUIRKS).operations
    told = answers(make, 4, operations, NO_QUIRKS)
    assert told == answers(make, 4, operations, NO_QUIRKS)
    assert len({repr(answer) for answer in told}) > 50, "the operations do something"


def test_all_kinds_of_operations_happen() -> None:
    kinds = [
        {operation["op"] for seed in range(3) for operation in
         run_random(make, seed, 250, NO_QUIRKS).operations}
        for make in WORLDS
    ]  # fmt: skip
    assert len(kinds[0]) >= 28
    assert len(kinds[1]) >= 15


@pytest.mark.parametrize(
    ("quirk", "kind", "most"), [("mmap-len-wrap", PANIC, 2), ("anon-read-leak", VIOLATION, 3)]
)
def test_a_failing_run_is_made_short(quirk: str, kind: str, most: int) -> None:
    make, quirks = VmWorlds(), Quirks({quirk})
    run = next(
        run for run in (run_random(make, seed, 300, quirks) for seed in range(20)) if run.failure
    )
    assert run.failure is not None
    assert run.failure.kind == kind
    short = shortest(make, run, quirks)
    assert len(short.operations) <= most
    assert run.failure.like(short.failure)
    assert run_again(make, run.seed, short.operations, NO_QUIRKS).failure is None


@pytest.mark.parametrize("needed", [{3}, {0, 99}, {10, 11, 12}, set(range(0, 100, 9))])
def test_reduce_keeps_what_is_needed(needed: set[int]) -> None:
    operations: Operations = [{"op": str(number)} for number in range(100)]

    def fails(some: Operations) -> bool:
        return needed <= {int(each["op"]) for each in some}

    assert [int(each["op"]) for each in reduce(operations, fails)] == sorted(needed)
