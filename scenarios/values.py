"""What names and expressions of a scenario stand for while it runs.

A value is an int, bytes, a bool, a tuple of values, a `ProcessName`, a `Fields` (a structure or a
message), a `Failed` (a call that failed), or a `Killed` (a process that did not live to return).
What an int means (an address, a pid …) is its `kind`, a word that its context knows: a parameter of
a call, or a field of a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import attrs

from ipc.errors import error_name
from ipc.flags import KINDS
from ipc.signals import signal_name
from ipc.text import WAYS, bytes_text, value_text

LARGEST_PLAIN: Final = 0xFFFF  # larger numbers of no particular kind are shown in base 16
# Kinds of numbers that people write in a way of their own.
NUMBER_KINDS: Final = (WAYS.keys() | KINDS.keys()) - {"address", "bytes", "decimal", "text"}
LONGEST_STRING: Final = 64  # bytes of a string that a message shows


@attrs.define(eq=False)
class ProcessName:
    """A process of the machine under the name that the scenario gave it.

    It stands for its pid where a pid is meant and for its endpoint elsewhere, also after its death.
    """

    name: str
    endpoint: int
    pid: int | None = None  # None: PM does not know the process

    def number(self, kind: str) -> int | None:
        """What stands for the process where a `kind` is meant."""
        return self.pid if kind == "pid" else self.endpoint


@attrs.frozen
class Failed:
    """A call that failed with the error number `code` (negative)."""

    code: int


@attrs.frozen
class Killed:
    """A process that ended instead of returning from a call; `signal` 0: it exited."""

    signal: int = 0


@attrs.frozen
class Fields:
    """A structure, or a message under its `name`; `kinds` says what its numbers mean."""

    values: Mapping[str, Value]
    name: str | None = None
    kinds: Mapping[str, str] = attrs.field(factory=dict)


Value: TypeAlias = (
    "int | bytes | bool | tuple[Value, ...] | ProcessName | Fields | Failed | Killed | None"
)


def show(value: Value, kind: str = "") -> str:
    """`value` as a scenario would write it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int():
            return _show_number(value, kind)
        case bytes():
            return show_bytes(value)
        case tuple():
            return "[" + ", ".join(show(item) for item in value) + "]"
        case ProcessName():
            return value.name
        case Failed():
            return f"-1 [{error_name(value.code)}]"
        case Killed():
            return f"killed by {signal_name(value.signal)}" if value.signal else "exited"
        case Fields():
            inside = ", ".join(
                f"{name}: {show(item, value.kinds.get(name, ''))}"
                for name, item in value.values.items()
            )
            return f"{value.name} {{{inside}}}" if value.name else f"{{{inside}}}"


def as_pattern(value: Value, kind: str = "") -> str:
    """The pattern that matches `value` and nothing else."""
    match value:
        case bytes():
            return bytes_text(value)
        case Killed(signal=signal) if signal:
            return signal_name(signal)
        case ProcessName() if value.pid is not None and value.name == f"pid {value.pid}":
            return str(value.pid)
        case _:
            return show(value, kind)


def show_bytes(data: bytes) -> str:
    """`data` as a string literal; the end of a long one is left out."""
    rest = len(data) - LONGEST_STRING
    return bytes_text(data[:LONGEST_STRING]) + (f"... ({rest} more bytes)" if rest > 0 else "")


def _show_number(value: int, kind: str) -> str:
    if kind == "time":
        return show_time(value)
    if kind == "none":
        return error_name(value)
    if kind == "address":
        return hex(value & 0xFFFFFFFF) if value else "NULL"
    if kind in NUMBER_KINDS:
        return value_text(kind, value)
    return hex(value) if value > LARGEST_PLAIN else str(value)


def show_time(nanoseconds: int) -> str:
    """A virtual time in the largest unit that it is at least one of."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.9f}".rstrip("0").rstrip(".") + unit
    return f"{nanoseconds}ns"
