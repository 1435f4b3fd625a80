"""Shipped scenarios that leave an order open hold in all of them."""

from __future__ import annotations

import pytest

from scenarios import syntax
from scenarios.catalog import find, shipped
from scenarios.checks import flatten
from scenarios.explore import explore
from scenarios.parser import parse


def leaves_open(name: str) -> bool:
    lines = flatten(parse(find(name)).statements)
    return any(isinstance(line, syntax.Together) for line in lines)


NAMES = [name for name in shipped() if name.startswith("library/") and leaves_open(name)]


@pytest.mark.parametrize("name", NAMES)
def test_holds_in_every_order(name: str) -> None:
    found = explore(find(name), bound=1)
    assert found.ok, found.failures[0].text
    assert found.exhausted


def test_there_are_some() -> None:
    assert {"library/together", "library/either-first"} <= set(NAMES)
