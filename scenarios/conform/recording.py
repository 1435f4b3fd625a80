"""Recordings of the real system: finding them, reading them, and what a replay of one looks like.

A recording is JSON Lines, mostly compressed with gzip.  The first line is a header that names the
format and gives the configuration.  Each line after it gives its number `i`, an input `in`, and in
its other fields all that the real code then answered.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from scenarios.source import BadInput

SUFFIXES: Final = (".jsonl", ".jsonl.gz")
LONGEST_LINE: Final = 16 << 20  # bytes; a device without end is not read for ever

Value = TypeVar("Value")


class Malformed(Exception):
    """A line does not say what its format asks for.  The reader adds which line of which file."""


class Replay(Protocol):
    """A machine that is put through a recording's inputs.

    Each format's module has a function `start(header) -> Replay` which sets the machine up from the
    header line.  Both raise Malformed for what no recording of the format can contain.
    """

    def answer(self, line: dict[str, Any]) -> dict[str, Any]:
        """What the machine answers to `line["in"]`: every field of a line but `i` and `in`."""
        ...


def find_recordings(paths: Iterable[str | Path]) -> list[Path]:
    """The files that `paths` name: files as they are, directories with all recordings below them.

    Raises BadInput for a path that leads nowhere and a directory without recordings.
    """
    found: list[Path] = []
    for name in paths:
        path = Path(name)
        if not str(name):
            raise BadInput("'' is no name of a file or directory")
        if path.is_dir():
            below = sorted(each for each in path.rglob("*") if each.name.endswith(SUFFIXES))
            if not below:
                raise BadInput(f"{path}: there are no recordings (*.jsonl, *.jsonl.gz) in it")
            found += below
        elif path.exists():
            found.append(path)
        else:
            raise BadInput(f"{path}: there is no such file or directory")
    return found


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines of the recording in `path` as JSON objects, with their numbers from 1 on.

    Raises BadInput where the file cannot be read, is not text or not gzip, is cut off, or has a
    line that is not a JSON object.
    """
    number = 0
    try:
        with _opened(path) as file:
            lines = iter(lambda: file.readline(LONGEST_LINE + 1), b"")
            for number, line in enumerate(lines, start=1):
                yield number, _parsed(path, number, line)
    except EOFError as error:
        raise BadInput(f"{path}:{number + 1}: the file is cut off") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(f"{path}:{number + 1}: not a gzip file: {error}") from error
    except OSError as error:
        raise BadInput(
            f"{path}: cannot read it: {(error.strerror or str(error)).lower()}"
        ) from error
    if not number:
        raise BadInput(f"{path}:1: the file is empty")


def _opened(path: Path) -> io.BufferedIOBase:
    return gzip.open(path) if path.name.endswith(".gz") else path.open("rb")


def _parsed(path: Path, number: int, line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise BadInput(f"{path}:{number}: longer than {LONGEST_LINE >> 20}M, so it is no recording")
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        byte = line[error.start]
        raise BadInput(
            f"{path}:{number}:{error.start + 1}: not a text file: byte 0x{byte:02x} is not UTF-8"
        ) from error
    except json.JSONDecodeError as error:
        cut = "" if line.endswith(b"\n") else "; the file seems to be cut off"
        raise BadInput(f"{path}:{number}:{error.colno}: not JSON: {error.msg}{cut}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}:{number}: not the JSON of a recording: {error}") from error
    if not isinstance(value, dict):
        raise BadInput(f"{path}:{number}: not a JSON object, as each line of a recording is")
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def field(of: dict[str, Any], name: str, kind: type[Value]) -> Value:
    """The field `name` of a JSON object.  Raises Malformed if it is missing or of another kind."""
    if name not in _object(of, name):
        raise Malformed(f"there is no field {name!r}")
    return checked(of[name], name, kind)


def optional(of: dict[str, Any], name: str, kind: type[Value], default: Value) -> Value:
    """Likewise, and `default` if it is not there."""
    return checked(of[name], name, kind) if name in _object(of, name) else default


def number(of: dict[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
    """The whole number `name` of a JSON object, which is in `low`..`high`.  Raises Malformed."""
    value = field(of, name, int) if default is None else optional(of, name, int, default)
    if not low <= value <= high:
        raise Malformed(f"{name} is {value}, not in {low}..{high}")
    return value


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{json.dumps(value)[:60]} stands where an object with {name!r} should")
    return value


def checked(value: object, name: str, kind: type[Value]) -> Value:
    """`value`, which goes by `name`, if it is of the `kind`; Malformed otherwise."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise Malformed(f"{name} is {json.dumps(value)[:60]}, not {_KINDS[kind]}")
    return value


_KINDS: Final[dict[type, str]] = {
    bool: "true or false",
    dict: "an object",
    int: "a whole number",
    list: "a list",
    str: "a string",
}
