"""The text of a scenario, places in it, and errors that show their place.

Lines and columns count from 1, columns in characters.  Only a line feed ends a line, or a carriage
return and a line feed: no other character that Unicode calls an end of line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs

WIDEST_EXCERPT: Final = 160  # characters of a line that a message shows
LARGEST: Final = 16 << 20  # bytes of a file; a device without end is not read for ever
BYTE_ORDER_MARK: Final = "\ufeff"


@attrs.frozen(eq=False)
class Source:
    """A scenario's text and the name under which messages speak of it.

    `marked`: the file begins with a byte order mark, which is no part of the text.  `lines` have
    their ends; there is no empty one at the end.
    """

    name: str
    text: str = attrs.field(repr=False)
    path: Path | None = None  # the file that it is from; what it includes is found from there
    marked: bool = False
    lines: tuple[str, ...] = attrs.field(init=False, repr=False)

    @lines.default
    def _split(self) -> tuple[str, ...]:
        *lines, last = self.text.split("\n")
        ended = [f"{line}\n" for line in lines]
        return (*ended, last) if last else tuple(ended)

    def line(self, number: int) -> str:
        """Line `number` without its end; empty past the last line."""
        lines = self.lines
        return lines[number - 1].rstrip("\r\n") if 0 < number <= len(lines) else ""


@attrs.frozen(eq=False)
class Place:
    """A stretch of one line of a source, for messages to point at."""

    source: Source
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    def excerpt(self) -> str:
        """The line, and a caret below the place."""
        skipped = max(0, self.column - WIDEST_EXCERPT // 2)
        line = self.source.line(self.line)[skipped : skipped + WIDEST_EXCERPT]
        before = line[: self.column - 1 - skipped]
        padding = "".join("\t" if character == "\t" else " " for character in before)
        width = max(1, min(self.width, len(line) - len(before)))
        return f"    {line}\n    {padding}{'^' * width}"


class BadInput(Exception):
    """What the user wrote cannot be run: the message, and where in which file it is.

    `place` is None where the mistake is not in a scenario's text (a missing file, a bad option).
    """

    def __init__(self, message: str, place: Place | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"{self.place}: {self.message}" if self.place else self.message]
        if self.place:
            lines.append(self.place.excerpt())
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


def read_source(path: Path, name: str | None = None) -> Source:
    """The scenario in the file `path`.  Raises BadInput if it cannot be read or is not text."""
    shown = name or str(path)
    text = decoded(read_bytes(path, shown), shown)
    marked = text.startswith(BYTE_ORDER_MARK)
    source = Source(shown, text.removeprefix(BYTE_ORDER_MARK), path, marked)
    _refuse_control_characters(source)
    return source


def read_bytes(path: Path, shown: str) -> bytes:
    """What is in the file `path`, which messages call `shown`.  Raises BadInput."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BadInput(f"{shown}: cannot read it: {reason}") from error
    except ValueError as error:
        raise BadInput(f"{shown!r}: no name of a file: {error}") from error
    if len(data) > LARGEST:
        raise BadInput(f"{shown}: longer than {LARGEST >> 20}M, so it is no such file")
    return data


def decoded(data: bytes, shown: str) -> str:
    """`data` as text, if it is that; messages call it `shown`.  Raises BadInput."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(_not_text(shown, data, error)) from error


def _not_text(shown: str, data: bytes, error: UnicodeDecodeError) -> str:
    good = data[: error.start]
    line = good.count(b"\n") + 1
    column = len(good.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
    return f"{shown}:{line}:{column}: not a text file: byte 0x{data[error.start]:02x} is not UTF-8"


def _refuse_control_characters(source: Source) -> None:
    for number, line in enumerate(source.text.split("\n"), start=1):
        for column, character in enumerate(line, start=1):
            end_of_line = character == "\r" and column == len(line)
            if character != "\t" and (character < " " or character == "\x7f") and not end_of_line:
                raise BadInput(
                    f"{source.name}:{number}:{column}: not a text file: "
                    f"it has the control character 0x{ord(character):02x}"
                )
