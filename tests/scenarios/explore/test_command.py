"""`sendrec explore`: what it prints and its exit status."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from scenarios.catalog import find
from scenarios.explore import command
from scenarios.explore.command import explore_files
from scenarios.explore.search import Run, Search
from scenarios.explore.steps import Deviations
from scenarios.explore.watcher import Watcher
from scenarios.run import Overrides, run
from tests.scenarios.explore.test_exploration import HANG
from tests.scenarios.explore.test_search import RACE


def test_what_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert explore_files(["library/either-first"], show=True) == 0
    out = capsys.readouterr().out
    assert "ok        library/either-first\n  all schedules that can matter: 2\n" in out
    assert "order 1: 1 schedule, ok, such as replay:0" in out
    assert "    b -> counter: raw {type: 1}\n" in out.partition("order 2")[2]


def test_what_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hang.scn"
    path.write_text(HANG)
    assert explore_files([str(path), "library/either-first"]) == 1
    out = capsys.readouterr().out
    assert f"FAILED    {path}" in out
    assert "with 1 deviation (hang):" in out
    command = r"  to see it: sendrec run --trace --policy (replay:0x\d+,1) (\S+)\n"
    policy, name = re.search(command, out).groups()  # type: ignore[union-attr]
    assert name == str(path)
    assert run(find(name), Overrides(policy=policy)).ending == "hang"
    assert "ok        library/either-first" in out


def test_bad_input_is_told_and_the_rest_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert explore_files(["no/such/file", "library/either-first"]) == 2
    printed = capsys.readouterr()
    assert "no/such/file: no such file or scenario" in printed.err
    assert "BAD INPUT no/such/file\nok        library/either-first" in printed.out


def test_bad_quirks() -> None:
    with pytest.raises(click.BadParameter, match="unknown quirk"):
        explore_files(["library/either-first"], quirks="none-like-it")


class Impatient:
    """Plays the race until somebody has had enough."""

    def __init__(self, runs: int) -> None:
        self.left = runs

    def __call__(self, deviations: Deviations, careful: bool) -> tuple[Run, Watcher]:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return RACE(deviations, careful)


def test_an_interruption_keeps_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    search = Search(Impatient(3), whole=True)
    assert not command.go(search)
    assert search.found.runs == 3
    command.report("race", search.found, finished=False)
    out = capsys.readouterr().out
    assert "cut off after 3 schedules" in out
    assert "(interrupted)" in out
