"""Scenarios under many schedules: what is found, and that it is found again."""

from __future__ import annotations

import pytest

from scenarios.catalog import find
from scenarios.explore import Exploration, explore
from scenarios.run import Overrides, run
from scenarios.source import BadInput, Source

PROCESSES = "process a kind=system\nprocess b kind=system\nprocess s kind=system\n"

HANG = (
    PROCESSES
    + """
s: receive(ANY) <unfinished ...>
together
    a: send(s, raw {type: 1})
    b: send(s, raw {type: 2}) <unfinished ...>
"""
)
EXPECTATION = (
    PROCESSES
    + """
together
    a: notify(s)
    b: send(s, raw {type: 1}) <unfinished ...>
    s: receive(ANY) = {source: a}
"""
)
UNDER_FIFO_TOO = (
    PROCESSES
    + """
together
    a: notify(s)
    b: notify(s)
check 1 == 2
"""
)


def explored(text: str, **options: bool) -> Exploration:
    return explore(Source("test.scn", text), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "ending", "deviations", "reason"),
    [
        (HANG, "hang", 1, "send of a did not return"),
        (EXPECTATION, "failed", 2, "the call did not block"),
        (UNDER_FIFO_TOO, "failed", 0, "this is not true"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_failure_is_found_and_found_again(
    text: str, ending: str, deviations: int, reason: str, whole: bool
) -> None:
    found = explored(text, whole=whole)
    (failure,) = found.failures
    assert failure.ending == ending
    assert len(failure.deviations) == deviations
    assert reason in failure.text
    assert not failure.schedule.endswith(("0", "x0"))
    again = run(Source("test.scn", text), Overrides(policy=f"replay:{failure.schedule}"))
    assert (again.status, again.reason) == ("failed", failure.text)
    assert str(found).endswith("until one failed") or found.exhausted


def test_goes_on_if_asked_to() -> None:
    found = explored(HANG, on=True)
    assert found.complete
    assert {seen.run.ending for seen in found.outcomes.values()} == {"ok", "hang"}
    assert len(found.orders) == 2
    assert sum(seen.count for seen in found.orders.values()) == found.runs


def test_the_boot_is_not_explored() -> None:
    found = explored("process a\nprocess b\ninit: getpid() = 1\n", whole=True)
    assert found.runs < 20
    assert found.ok


def test_both_orders_of_two_clients() -> None:
    found = explore(find("library/either-first"))
    assert (found.runs, len(found.orders), len(found.outcomes)) == (2, 2, 2)
    assert found.complete
    assert found.ok


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("machine policy=random\n", "names a policy"),
        ("machine memory=lots\n", "memory"),
        ("init: nonsense()\n", "nonsense"),
        ("init: load(nowhere, 1)\n", "nowhere"),
        ("include\n", "include"),
    ],
)
def test_bad_input(text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        explored(text)


def test_quirks_are_those_asked_for() -> None:
    text = "with quirk mmap-len-wrap\n    check 1 == 2\n"
    assert explore(Source("test.scn", text)).ok
    assert not explore(Source("test.scn", text), quirks="mmap-len-wrap").ok


def test_a_panic_and_a_limit_are_outcomes() -> None:
    panic = """
machine quirks=mmap-len-wrap
init: mmap(NULL, 0xFFFFFFFF, PROT_READ, MAP_PRIVATE|MAP_ANON)
"""
    assert explored(panic).failures[0].ending == "panic"
    limit = "machine time=1s\ninit: compute(2s)\n"
    assert explored(limit).failures[0].ending == "limit"
