"""Which schedules are run, in which order, and what is said of those that were not."""

from __future__ import annotations

import pytest

from ipc.traps import Compute
from scenarios.explore.search import Exploration, Search
from tests.scenarios.explore.tiny import Tiny, everything, receive, send

THREE_IDLE = Tiny([], [], [])  # one step each
TWO_WITH_TWO_STEPS = Tiny([Compute(1)], [Compute(1)])
RACE = Tiny([send(2, 1)], [send(2, 2)], [receive(), receive()])


@pytest.mark.parametrize(
    ("play", "bound", "runs", "complete"),
    [
        (THREE_IDLE, 0, 1, False),
        (THREE_IDLE, 1, 4, False),  # instead of the first: the second or third; of the second: one
        (THREE_IDLE, 2, 6, True),  # 3!
        (THREE_IDLE, 9, 6, True),
        (TWO_WITH_TWO_STEPS, 0, 1, False),
        (TWO_WITH_TWO_STEPS, 9, 6, True),  # 4! / 2! 2!
        (Tiny([]), 0, 1, True),
        (Tiny([Compute(1)] * 3), 0, 1, True),
    ],
)
def test_counts_by_hand(play: Tiny, bound: int, runs: int, complete: bool) -> None:
    found = everything(play, bound, whole=True)
    assert (found.runs, found.left, found.complete) == (runs, 0, complete)
    assert found.exhausted
    assert everything(play, bound, whole=False).runs == 1, "nothing of it matters"


@pytest.mark.parametrize("whole", [True, False])
def test_each_schedule_once_and_the_simplest_first(whole: bool) -> None:
    search = Search(RACE, 3, 10_000, whole=whole, on=True)
    tried = [run.deviations for run in search.go()]
    assert len(tried) == len(set(tried)) == search.found.runs
    counts = [len(deviations) for deviations in tried]
    assert tried[0] == ()
    assert max(counts) == 3 or not whole
    assert counts == sorted(counts)


def test_a_race_of_two_messages_is_found_with_one_deviation() -> None:
    for whole in (True, False):
        found = everything(RACE, 1, whole=whole)
        received = {dict(seen.run.results)["2"] for seen in found.outcomes.values()}
        assert received == {("20 1", "21 2"), ("21 2", "20 1")}


def test_a_limit_is_told() -> None:
    found = Search(RACE, 2, 3, whole=True).finish()
    assert (found.runs, found.exhausted, found.complete) == (3, False, False)
    assert found.left > 0
    assert str(found).startswith("cut off after 3 schedules with at most 2 deviations")


@pytest.mark.parametrize("whole", [True, False])
def test_a_seed_changes_the_order_but_not_the_whole(whole: bool) -> None:
    def tried(seed: int | None) -> list[tuple[tuple[int, int], ...]]:
        return [run.deviations for run in Search(RACE, 2, 10_000, seed, whole=whole, on=True).go()]

    assert tried(1) == tried(1)
    if whole:
        assert len({tuple(tried(seed)) for seed in (None, 1, 2)}) == 3
        assert sorted(tried(1)) == sorted(tried(2)) == sorted(tried(None))
    assert [len(each) for each in tried(1)] == sorted(len(each) for each in tried(1))


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Exploration(2, True, 5, 0, False), "all schedules that can matter: 5"),
        (
            Exploration(1, True, 5, 0, True),
            "all schedules that can matter with at most 1 deviation: 5",
        ),
        (
            Exploration(2, False, 5, 0, True),
            "all schedules there are with at most 2 deviations: 5",
        ),
    ],
)
def test_what_is_said(found: Exploration, text: str) -> None:
    assert str(found) == text
