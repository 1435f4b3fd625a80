"""The command that measures: what it refuses, before it has measured anything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing-like-it"], "no figure has 'nothing-like-it' in its name"),
        (["boot", "nothing-like-it"], "no figure has 'nothing-like-it' in its name"),
        (["--json", "no/where"], "no/where: cannot write it: No such file or directory"),
        (["--json", "."], ".: cannot write it: Is a directory"),
    ],
)
def test_a_mistake_is_one_error(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert not printed.out, "nothing was measured"
