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
from scenarios.source import BadInput, decoded, read_bytes
from scenarios.wholefile import write_whole
from scenarios.words import counted

VERSION: Final = "campaign/1"

# What the fields must be.
RECORD_FIELDS: Final[dict[str, type]] = {
    "seed": int, "world": str, "quirks": str, "length": int, "runs": int, "operations": int,
}  # fmt: skip
FOUND_FIELDS: Final[dict[str, type]] = {
    "quirk": str, "how": str, "text": str, "seed": int, "operations": list,
}  # fmt: skip


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
        text = json.dumps({"format": VERSION} | attrs.asdict(self)) + "\n"
        try:
            write_whole(path, text.encode())
        except OSError as error:
            raise BadInput(f"{path}: cannot write it: {error.strerror}") from error


def run_seed(seed: int, number: int) -> int:
    """The seed of run `number` of a campaign with `seed`; that of its first run is its own."""
    return seed + number * 1_000_003


def read_record(path: Path) -> Record:
    """The campaign in the file.  Raises BadInput if there is none."""
    text = decoded(read_bytes(path, str(path)), str(path))
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{path}:{error.lineno}:{error.colno}"
        raise BadInput(f"{where}: no record of a campaign: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: no record of a campaign: {error}") from error
    if not isinstance(data, dict) or data.pop("format", None) != VERSION:
        raise BadInput(f"{path}: no record of a campaign")
    return _record(path, data)


def _record(path: Path, data: dict[str, Any]) -> Record:
    try:
        found = data.pop("found")
        if not isinstance(found, list):
            raise ValueError(f"found is {found!r:.40}")
        record = Record(**data, found=[Found(**each) for each in found])
        _check_fields(record, RECORD_FIELDS)
        for each in record.found:
            _check_fields(each, FOUND_FIELDS)
            if not all(isinstance(operation, dict) for operation in each.operations):
                raise ValueError(f"operations is {each.operations!r:.40}")
        _check_numbers(record)
    except (KeyError, TypeError) as error:
        raise BadInput(f"{path}: a record without the fields of one: {error}") from error
    except ValueError as error:
        raise BadInput(f"{path}: a record that makes no sense: {error}") from error
    return record


def _check_numbers(record: Record) -> None:
    if min(record.seed, record.runs, record.operations) < 0 or record.length < 1:
        raise ValueError("a number is less than it can be")
    # A run is made again when it has found something, and then counts as one.
    most = (record.runs + len(record.found)) * record.length
    if not record.runs <= record.operations <= most:
        raise ValueError(
            f"{counted(record.operations, 'operation')} in {counted(record.runs, 'run')}"
            f" of at most {record.length}"
        )


def _check_fields(of: object, kinds: dict[str, type]) -> None:
    for name, kind in kinds.items():
        value = getattr(of, name)
        if type(value) is not kind:
            raise ValueError(f"{name} is {value!r:.40}")
