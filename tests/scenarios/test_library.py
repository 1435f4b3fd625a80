"""The scenarios that come with the program: green under every policy, whatever the seed."""

from __future__ import annotations

import pytest

from scenarios.catalog import SHELVES, find, shipped, summary
from scenarios.run import Overrides, run
from scenarios.source import BadInput

SEEDS_HERE = 5  # `make seeds` runs a hundred

LIBRARY = [name for name in shipped() if name.startswith("library/")]
SCHEDULES = [
    Overrides("fifo"),
    Overrides("priority"),
    *(Overrides("random", seed) for seed in range(SEEDS_HERE)),
]


@pytest.mark.parametrize("name", LIBRARY)
def test_a_library_scenario_holds_under_every_schedule(name: str) -> None:
    source = find(name)
    for schedule in SCHEDULES:
        outcome = run(source, schedule)
        assert outcome.status == "ok", f"{schedule}\n{outcome.reason}"


@pytest.mark.parametrize("name", [name for name in shipped() if name not in LIBRARY])
def test_a_quirk_is_shown_and_is_not_there_otherwise(name: str) -> None:
    source = find(name)
    for quirks in (None, "none"):
        outcome = run(source, Overrides(quirks=quirks))
        assert outcome.status == "ok", f"quirks {quirks}\n{outcome.reason}"


def test_random_schedules_differ() -> None:
    source = find("library/together")
    schedules = {run(source, Overrides("random", seed)).schedule for seed in range(SEEDS_HERE)}
    assert len(schedules) == SEEDS_HERE


def test_there_is_enough_to_learn_from() -> None:
    assert len(LIBRARY) >= 12
    for name in LIBRARY:
        text = find(name).text
        assert text.startswith("# "), f"{name} does not say what it shows"
        assert "\n#" in text, f"{name} explains nothing"
        assert "init:" in text or "process " in text
        assert len(summary(name)) > 20


@pytest.mark.parametrize("name", ["library/heap", "library/heap.scn", "scenarios/library/heap.scn"])
def test_a_shipped_scenario_is_found_by_its_names(name: str, monkeypatch: object) -> None:
    assert find(name).text.startswith("# brk")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("library/haep", "library/haep: no such file or scenario"),
        ("haep.scn", "haep.scn: cannot read it: no such file or directory"),
        ("../etc/passwd", "../etc/passwd: no such file or scenario"),
    ],
)
def test_what_is_not_there_is_bad_input(name: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        find(name)
    assert caught.value.message == message


def test_a_wrong_name_is_answered_with_a_near_one() -> None:
    with pytest.raises(BadInput) as caught:
        find("library/copy-onwrite")
    assert caught.value.hint == "did you mean library/copy-on-write?"


def test_the_shelves_hold_nothing_else() -> None:
    assert {name.partition("/")[0] for name in shipped()} == set(SHELVES)
