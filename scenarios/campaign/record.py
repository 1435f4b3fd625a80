"""How far a campaign has come: a file from which it can go on.

The file is JSON: what the campaign is (`seed`, `world`, `quirks`, `length` of a run) and what it
has done (`runs`, `operations`, and by quirk what it has found).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import attrs

from scenarios.campaign.hunt import Found
from scenarios.source import BadInput

VERSION: Final = "campaign/1"


@attrs.define(eq=False)
class Record:
    """A campaign, and what it has done: `runs` of at most `length` operations each."""

    seed: int
    world: str
    quirks: str
    length: int
    runs: int = 0
    operations: int = 0
    found: list[Found] = attrs.field(factory=list)

    @property
    def next_seed(self) -> int:
        """The seed of the next run."""
        return run_seed(self.seed, self.runs)

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        draft = path.with_name(path.name + ".new")
        try:
            draft.write_text(json.dumps({"format": VERSION} | attrs.asdict(self)) + "\n", "utf-8")
            draft.replace(path)
        except OSError as error:
            raise BadInput(f"{path}: cannot write it: {error.strerror}") from error


def run_seed(seed: int, number: int) -> int:
    """The seed of run `number` of a campaign with `seed`; that of its first run is its own."""
    return seed + number * 1_000_003


def read_record(path: Path) -> Record:
    """The campaign in the file.  Raises BadInput if there is none."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: cannot read it: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{path}: no record of a campaign: {error}") from error
    if not isinstance(data, dict) or data.pop("format", None) != VERSION:
        raise BadInput(f"{path}: no record of a campaign")
    return _record(path, data)


def _record(path: Path, data: dict[str, Any]) -> Record:
    try:
        found = [Found(**each) for each in data.pop("found")]
        record = Record(**data, found=found)
        for name in ("seed", "length", "runs", "operations"):
            if not isinstance(getattr(record, name), int):
                raise TypeError(f"{name} is no number")
    except (KeyError, TypeError) as error:
        raise BadInput(f"{path}: a record that makes no sense: {error}") from error
    return record
