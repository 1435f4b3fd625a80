"""`sendrec conform`: put the simulator through recordings of the real system, and compare.

Every field of every answer is compared.  A recording counts as equal if all are.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TextIO

import click

from scenarios.conform.compare import Difference, first_difference
from scenarios.conform.recording import (
    Malformed,
    Replay,
    checked,
    field,
    find_recordings,
    read_lines,
)
from scenarios.source import BadInput

# The module that replays each format.
FORMATS: Final[dict[str, str]] = {
    "ipc-golden/1": "scenarios.conform.ipc",
    "vm-golden/1": "scenarios.conform.vm",
}

_NOT_COMPARED: Final = ("i", "in")


def conform(paths: Iterable[str | Path], out: TextIO | None = None) -> int:
    """Replay the recordings that `paths` (files and directories) name, with all quirks.

    Writes to `out` (None: the standard output) the first difference of each recording that has one
    (file, line, field, expected, got), and how many are equal.  Returns 0 if all are, else 1.
    Raises BadInput, whose text gives file and line, if a recording cannot be read.
    """
    recordings = find_recordings(paths)
    equal = 0
    for path in recordings:
        difference = replay(path)
        if difference is None:
            equal += 1
        else:
            click.echo(f"{path}:{difference}", out)
    click.echo(f"{equal} of {len(recordings)} recordings equal", out)
    return 0 if equal == len(recordings) else 1


def replay(path: Path) -> str | None:
    """Replay the recording in `path`: None if it is equal, else `LINE: FIELD: expected …, got …`.

    Raises BadInput.
    """
    machine: Replay | None = None
    number = 0
    for number, line in read_lines(path):
        try:
            if machine is None:
                machine = _start(line)
                continue
            difference = _step(machine, line, number)
        except Malformed as error:
            raise BadInput(f"{path}:{number}: {error}") from error
        if difference is not None:
            return f"{number}: {difference}"
    if number == 1:
        raise BadInput(f"{path}:1: there are no inputs after the header")
    return None


def _start(header: dict[str, Any]) -> Replay:
    format_name = field(header, "format", str)
    if format_name not in FORMATS:
        raise Malformed(
            f"unknown format {format_name[:40]!r}: this version replays {', '.join(FORMATS)}"
        )
    started: Replay = importlib.import_module(FORMATS[format_name]).start(header)
    return started


def _step(machine: Replay, line: dict[str, Any], number: int) -> Difference | None:
    checked(line.get("in"), "in", dict)
    if line.get("i") != number - 2:
        raise Malformed(
            f"the line's number i is {line.get('i')}, not {number - 2}: lines are missing"
        )
    answer = machine.answer(line)
    expected = {name: value for name, value in line.items() if name not in _NOT_COMPARED}
    return None if expected == answer else first_difference(expected, answer)
