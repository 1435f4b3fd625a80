"""Where two JSON values first differ."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.conform.compare import first_difference


@pytest.mark.parametrize(
    ("expected", "got", "difference"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, None),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "b: expected 2, got 3"),
        ({"b": 2, "a": 1}, {"a": 0, "b": 0}, "b: expected 2, got 0"),
        (
            {"s": {"8": {"q": [1, 2]}}},
            {"s": {"8": {"q": [1]}}},
            "s.8.q[1]: expected 2, got nothing",
        ),
        ({"q": []}, {"q": [7]}, "q[0]: expected nothing, got 7"),
        ({}, {"x": None}, "x: expected nothing, got null"),
        ({"x": 1}, {"x": True}, "x: expected 1, got true"),
        ({"x": 1}, {"x": [1]}, "x: expected 1, got [1]"),
        ({"x": "y" * 300}, {"x": 0}, f'x: expected "{"y" * 199}…, got 0'),
    ],
)
def test_first_difference(expected: Any, got: Any, difference: str | None) -> None:
    found = first_difference(expected, got)
    assert (None if found is None else str(found)) == difference
