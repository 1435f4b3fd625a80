"""Every quirk has a scenario that shows it, both ways; test_library runs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.quirks import KERNEL_QUIRKS
from scenarios import syntax
from scenarios.catalog import HERE, find
from scenarios.parser import parse
from scenarios.run import Overrides, config_of, run
from scenarios.source import Source
from servers.config import known_quirks

FILES = sorted((HERE / "quirks").glob("*.scn"))
EVERY = {path.stem for path in FILES}


def blocks(statements: tuple[syntax.Statement, ...]) -> Iterator[syntax.WithQuirk]:
    for statement in statements:
        if isinstance(statement, syntax.WithQuirk):
            yield statement
            yield from blocks(statement.body)
        elif isinstance(statement, syntax.Repeat):
            yield from blocks(statement.body)


def test_each_quirk_has_a_scenario_and_each_scenario_a_quirk() -> None:
    assert sorted(EVERY) == sorted(known_quirks())


def test_the_names_are_in_the_tables() -> None:
    assert set(KERNEL_QUIRKS) < set(known_quirks())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_shows_its_quirk_both_ways(path: Path) -> None:
    scenario = parse(find(str(path)))
    assert path.stem in config_of(scenario, Overrides()).quirks
    ways = {block.present for block in blocks(scenario.statements) if block.quirk == path.stem}
    assert ways == {True, False}, "it says what must happen with the quirk and without"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_expected_with_the_quirk_is_not_what_happens_without_it(path: Path) -> None:
    """The lines for a machine with the quirk fail on one without, and the other way round."""
    swapped = re.sub(
        rf"^( *)with(out)? quirk {path.stem}$",
        lambda line: f"{line[1]}with{'' if line[2] else 'out'} quirk {path.stem}",
        path.read_text(),
        flags=re.MULTILINE,
    )
    for quirks in (None, "none"):
        outcome = run(Source(path.name, swapped), Overrides(quirks=quirks))
        assert outcome.status == "failed", f"quirks {quirks}: nothing fails"
