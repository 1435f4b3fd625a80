"""The library under many schedules, as a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from scenarios.seeds import main

POLICY = "machine policy=priority\n"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["library/together", "--seeds", "2"], 0, "ok        library/together (4 schedules)"),
        (["true.scn", "--seeds", "3", "--first", "7"], 0, "ok        true.scn (5 schedules)"),
        (["own.scn"], 0, "ok        own.scn (1 schedule)"),
        (["false.scn"], 1, "FAILED    false.scn --policy fifo"),
        (["false.scn"], 1, "1 of 1 scenarios failed"),
        (["own-false.scn"], 1, "FAILED    own-false.scn\n"),
        (["nowhere"], 2, "nowhere: no such file or scenario"),
        (["bad.scn"], 2, "bad.scn:1:6: unexpected 'getpid'"),
        (["--seeds", "-1"], 2, "-1 is not in the range"),
    ],
)
def test_what_is_said(
    arguments: list[str], status: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "true.scn": "init: getpid() = 1\n",
        "own.scn": POLICY + "check priority(init) == 7\n",
        "false.scn": "init: getpid() = 2\n",
        "own-false.scn": POLICY + "init: getpid() = 2\n",
        "bad.scn": "init getpid()\n",
    }.items():
        (tmp_path / name).write_text(text)
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == status, done.output
    assert said in done.output
