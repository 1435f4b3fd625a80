"""What patterns match, what they bind, and how a difference is told."""

from __future__ import annotations

import pytest

from scenarios.patterns import match, match_outcome
from scenarios.scope import Scope
from scenarios.source import BadInput
from scenarios.values import Failed, Fields, ProcessName, Value
from tests.scenarios.helpers import pattern

CHILD = ProcessName("child", endpoint=32780, pid=7)
WAITED = Fields({"pid": 7, "status": 3}, kinds={"pid": "pid"})
MESSAGE = Fields({"source": 32780, "addr": 0x50000}, "VM_PAGEFAULT", {"source": "endpoint"})


def _scope() -> Scope:
    return Scope({"buf": 0x50000, "child": CHILD, "seven": 7})


MATCHING: list[tuple[str, Value, str]] = [
    ("_", 5, ""), ("_", b"x", ""), ("5", 5, ""), ("buf", 0x50000, "address"),
    ("buf + 4K", 0x51000, "address"), ("1..5", 5, ""), ("1..5", 1, ""), ('"ab"', b"ab", "bytes"),
    ("child", 7, "pid"), ("child", CHILD, "pid"), ("7", CHILD, "pid"), ("child", 32780, "endpoint"),
    ("{pid: child, status: 3}", WAITED, ""), ("{}", WAITED, ""), ("{status: 1..4}", WAITED, ""),
    ("VM_PAGEFAULT {source: child}", MESSAGE, ""), ("{addr: buf}", MESSAGE, ""),
    ("-1", 0xFFFFFFFF, "address"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value", "kind"), MATCHING)
def test_what_matches(text: str, value: Value, kind: str) -> None:
    assert match(pattern(text), value, _scope(), kind) is None


DIFFERING: list[tuple[str, Value, str, str, str]] = [
    ("5", 6, "", "5", "6"),
    ("buf", 0x60000, "address", "0x50000", "0x60000"),
    ("1..5", 6, "", "1..5", "6"),
    ("1..5", b"x", "", "1..5", '"x"'),
    ('"ab"', b"ac", "", '"ab"', '"ac"'),
    ("child", 8, "pid", "child", "8"),
    ("child", 99, "endpoint", "child", "99"),
    ("{pid: 8}", WAITED, "", "pid: 8", "pid: 7"),
    ("{pdi: 8}", WAITED, "", "a field pdi", "{pid: 7, status: 3}"),
    ("{pid: 7}", 7, "", "a structure", "7"),
    ("VM_BRK {}", MESSAGE, "", "a message VM_BRK",
     "VM_PAGEFAULT {source: 32780, addr: 0x50000}"),
    ("VM_BRK {}", 3, "", "a message VM_BRK", "3"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value", "kind", "expected", "got"), DIFFERING)
def test_what_differs_is_told(text: str, value: Value, kind: str, expected: str, got: str) -> None:
    mismatch = match(pattern(text), value, _scope(), kind)
    assert mismatch is not None
    assert (mismatch.expected, mismatch.got) == (expected, got)


def test_a_difference_points_at_its_field() -> None:
    mismatch = match(pattern("{status: 3, pid: 8}"), WAITED, _scope())
    assert mismatch is not None
    assert mismatch.at.column == len("init: call() = {status: 3, pid: 8")


OUTCOMES: list[tuple[str, Value, bool]] = [
    ("ENOMEM", Failed(-12), True), ("-1 [ENOMEM]", Failed(-12), True), ("_", Failed(-12), True),
    ("ENOMEM", Failed(-13), False), ("ENOMEM", -12, False), ("0", Failed(-12), False),
    ("name", Failed(-12), False), ("{}", Failed(-12), False), ("ENOMEM", 0, False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "outcome", "matches"), OUTCOMES)
def test_failures_match_only_what_names_them(text: str, outcome: Value, matches: bool) -> None:
    scope = _scope()
    assert (match_outcome(pattern(text), outcome, scope, "") is None) == matches
    assert "name" not in scope.names


def test_a_new_name_is_bound_and_then_compared() -> None:
    scope = _scope()
    assert match(pattern("addr"), 0x7000, scope, "address") is None
    assert scope.names["addr"] == 0x7000
    assert match(pattern("addr"), 0x8000, scope, "address") is not None


def test_names_are_bound_within_structures_and_used_at_once() -> None:
    scope = _scope()
    assert match(pattern("{pid: who, status: who - 4}"), WAITED, scope) is None
    assert scope.names["who"] == 7


def test_nothing_is_bound_where_the_whole_does_not_match() -> None:
    scope = _scope()
    assert match(pattern("{pid: who, status: 4}"), WAITED, scope) is not None
    assert "who" not in scope.names


def test_a_constant_is_never_bound() -> None:
    with pytest.raises(BadInput, match="unknown constant ENOMEMM"):
        match(pattern("ENOMEMM"), 5, _scope())
