"""Whatever a scenario says, a run ends with an outcome: never with a traceback."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.calls import CALLS
from scenarios.catalog import find, shipped
from scenarios.checks import check
from scenarios.parser import parse
from scenarios.run import run
from scenarios.source import BadInput, Source

WORD = re.compile(r'"(?:\\.|[^"\n])*"|\w+|[^\w\s]')
VALUES = [
    "-1", "0", "5", "0xFFFFFFFF", "0xFFFFFFFFFFFFFFFF", "4G", "1s",
    '"text"', '"\\xff"', "NULL", "VM",
    "init", "SELF", "[1]",
    "{a: 1}", "VM_BRK {addr: 1}", "ENOMEM", "SIGKILL", "init -> VM: _",
]  # fmt: skip


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_text_is_understood_or_refused(text: str) -> None:
    refused = None
    try:
        check(parse(Source("any", text)))
    except BadInput as error:
        refused = error
    assert refused is None or refused.place is not None


@pytest.mark.parametrize("seed", range(4))
def test_library_scenarios_with_words_exchanged_end_with_an_outcome(seed: int) -> None:
    chance = random.Random(seed)
    texts = [find(name).text for name in shipped() if name.startswith("library/")]
    words = [word for text in texts for word in WORD.findall(text)] + VALUES
    for _ in range(25):
        text = chance.choice(texts)
        places = list(WORD.finditer(text))
        place = chance.choice(places)
        changed = text[: place.start()] + chance.choice(words) + text[place.end() :]
        outcome = run(Source("changed", changed))
        assert outcome.status in {"ok", "failed", "bad"}
        assert (outcome.status == "ok") == (outcome.reason == "")


@pytest.mark.parametrize("call", CALLS)
def test_any_arguments_give_an_outcome(call: str) -> None:
    chance = random.Random(call)
    signature = CALLS[call]
    for _ in range(8):
        count = chance.randint(signature.least, signature.most)
        arguments = ", ".join(chance.choice(VALUES) for _ in range(count))
        pattern = chance.choice(["", " = 5", ' = "x"', " = {pid: 1}", " = ENOMEM", " = name"])
        outcome = run(Source("call", f"init: {call}({arguments}){pattern}"))
        assert outcome.status in {"ok", "failed", "bad"}
