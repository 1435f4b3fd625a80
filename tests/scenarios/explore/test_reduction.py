"""The reduction against brute force: fewer schedules, the same outcomes."""

from __future__ import annotations

from random import Random

import pytest

from ipc.traps import Notify, SendNb, SendRec
from scenarios.explore import explore
from scenarios.source import Source
from tests.scenarios.explore.tiny import (
    FIRST,
    Tiny,
    everything,
    message,
    random_programs,
    receive,
    send,
)

PLAYS = {
    # What is received was sent after something that failed because nobody received yet.
    "receive before both": Tiny(
        [SendNb(FIRST + 1, message(1)), SendRec(FIRST + 1, message(2))], [receive()], []
    ),
    "two ask each other": Tiny(
        [SendRec(FIRST + 1, message(1))], [SendRec(FIRST, message(2))], [Notify(FIRST)]
    ),
    "a circle of three": Tiny([send(1)], [send(2)], [send(0)]),
    "a circle of four": Tiny([send(1)], [send(2)], [send(3)], [send(0)]),
    "an order that matters": Tiny([send(2, 1)], [send(2, 2)], [receive(), receive(0)]),
    "a notification overtakes": Tiny([send(2)], [Notify(FIRST + 2)], [receive(), receive()]),
    "an answer at once": Tiny([SendRec(FIRST + 1, message(1))], [receive(), send(0, 7)]),
}


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_the_same_outcomes(play: Tiny) -> None:
    whole, reduced = everything(play, whole=True), everything(play, whole=False)
    assert whole.complete
    assert reduced.complete
    assert set(reduced.outcomes) == set(whole.outcomes)
    assert reduced.runs <= whole.runs


@pytest.mark.parametrize("seed", range(60))
def test_the_same_outcomes_at_random(seed: int) -> None:
    programs = random_programs(Random(seed))
    if sum(map(len, programs)) > 6:
        programs = [each[:2] for each in programs]
    play = Tiny(*programs)
    whole, reduced = everything(play, whole=True), everything(play, whole=False)
    assert whole.complete
    assert reduced.complete
    assert set(reduced.outcomes) == set(whole.outcomes)


def test_what_never_meets_is_not_tried() -> None:
    apart = Tiny([send(1), send(1)], [receive(), receive()], [send(3), send(3)], [receive()] * 2)
    found = everything(apart, whole=False)
    assert found.complete
    alone = everything(Tiny([send(1), send(1)], [receive(), receive()]), whole=False)
    assert found.runs <= alone.runs**2
    assert len(found.outcomes) == 1


KILLED = """
init: fork() = a
init: fork() = b
together
    a: kill(b, SIGKILL)
    b: kill(init, SIGUSR1)
"""


def test_what_a_process_does_no_more_might_have_come_before() -> None:
    """Whether b learns that its call succeeded depends on whether it runs before it is killed."""
    found = explore(Source("test.scn", KILLED), on=True)
    answers = [dict(seen.run.results).get("b") for seen in found.outcomes.values()]
    assert ("0",) in answers
    assert None in answers


SCENARIOS = {
    "memory": """
init: mmap(NULL, 4K, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANON, -1, 0) = page
init: store(page, "one")
init: fork() = child
together
    init: store(page, "two")
    child: load(page, 3) = "one"
""",
    "exits": """
init: fork() = a
together
    init: wait() = _
    a: exit(1)
""",
    "messages": """
process a kind=system
process b kind=system
b: receive(ANY) <unfinished ...>
together
    a: send(b, raw {type: 1})
    init: getpid() = 1
b: <... receive resumed> = {source: a}
""",
    "killed or not": """
init: fork() = a
together
    init: kill(a, SIGKILL)
    a: getppid() = _
""",
}


@pytest.mark.parametrize("text", SCENARIOS.values(), ids=SCENARIOS)
def test_the_same_outcomes_of_scenarios(text: str) -> None:
    source = Source("test.scn", text)
    whole = explore(source, bound=1, whole=True, on=True)
    reduced = explore(source, bound=1, on=True)
    assert whole.exhausted
    assert set(reduced.outcomes) == set(whole.outcomes)
    assert reduced.runs < whole.runs
