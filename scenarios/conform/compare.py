"""Where two JSON values first differ."""

from __future__ import annotations

import json
from typing import Any, Final

import attrs

_WIDEST: Final = 200  # characters of a value that a message shows


class _Nothing:
    """What stands where one of the two has no such field."""


NOTHING: Final = _Nothing()


@attrs.frozen
class Difference:
    """A field, as a path like `state.8.caller_q[1]`, and its two values."""

    field: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.field}: expected {shown(self.expected)}, got {shown(self.got)}"


def shown(value: Any) -> str:
    """A JSON value as text of bearable length."""
    if value is NOTHING:
        return "nothing"
    text = json.dumps(value)
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"


def first_difference(expected: Any, got: Any, field: str = "") -> Difference | None:
    """Where `got` first differs from `expected`, in the order of the latter; None if nowhere."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return _in_objects(expected, got, field)
    if isinstance(expected, list) and isinstance(got, list):
        return _in_lists(expected, got, field)
    if type(expected) is type(got) and expected == got:
        return None
    return Difference(field, expected, got)


def _in_objects(expected: dict[str, Any], got: dict[str, Any], field: str) -> Difference | None:
    names = [*expected, *(name for name in got if name not in expected)]
    prefix = f"{field}." if field else ""
    for name in names:
        difference = first_difference(
            expected.get(name, NOTHING), got.get(name, NOTHING), prefix + name
        )
        if difference:
            return difference
    return None


def _in_lists(expected: list[Any], got: list[Any], field: str) -> Difference | None:
    for index in range(max(len(expected), len(got))):
        difference = first_difference(
            expected[index] if index < len(expected) else NOTHING,
            got[index] if index < len(got) else NOTHING,
            f"{field}[{index}]",
        )
        if difference:
            return difference
    return None
