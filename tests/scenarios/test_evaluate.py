"""What expressions are worth, and how a false one is explained."""

from __future__ import annotations

import pytest

from scenarios import syntax
from scenarios.evaluate import evaluate, explain
from scenarios.scope import Scope
from scenarios.source import BadInput
from scenarios.values import ProcessName, Value
from tests.scenarios.helpers import expression

CHILD = ProcessName("child", endpoint=32780, pid=7)


def _scope() -> Scope:
    names: dict[str, Value] = {"buf": 0x50000, "text": b"hello", "child": CHILD}
    return Scope(names, _answer)


def _answer(apply: syntax.Apply, scope: Scope) -> Value:
    return {"now": 1_500_000, "refs": 2}[apply.function]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("buf + 4K", 0x51000), ("2 * (3 + 4) - 1", 13), ("7 / 2", 3), ("7 % 4", 3),
        ("-buf", -0x50000),
        ("PROT_READ | PROT_WRITE", 3), ("7 & PROT_WRITE", 2), ("ENOMEM", -12), ("SIGSEGV", 11),
        ("VM", 8), ("NULL", 0), ("1 < 2", True), ("2 <= 1", False), ("1 != 1", False),
        ('text == "hello"', True), ('text + "!"', b"hello!"), ('"a" < "b"', True),
        ("3 in 1..3", True), ("4 in 1..3", False), ("not 1", False), ("0 or 2", True),
        ("1 and 0", False), ("0 and 1 / 0", False), ("1 or 1 / 0", True),
        ("child == 7", True), ("child == 32780", True), ("child == 8", False), ("7 == child", True),
        ("now() == 1.5ms", True), ('text == 5', False),
    ],
)  # fmt: skip
def test_values(text: str, value: Value) -> None:
    assert evaluate(expression(text), _scope()) == value


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("bfu", 7, "bfu is not bound yet"),
        ("1 + PROT_RAED", 11, "unknown constant PROT_RAED"),
        ("1 / 0", 7, "division by zero"),
        ("1 % (2 - 2)", 7, "division by zero"),
        ("2 + (text - 1)", 12, '- needs numbers, not "hello"'),
        ("child + 1", 7, "+ needs numbers, not child"),
        ("text < 1", 7, '< cannot compare "hello" with 1'),
        ('-"a"', 8, 'a number is needed here, not "a"'),
        ("(1 < 2) + 1", 7, "+ needs numbers, not true"),
    ],
)
def test_what_makes_no_sense_is_named_with_its_place(text: str, column: int, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        evaluate(expression(text), _scope())
    assert caught.value.message == message
    assert caught.value.place is not None
    assert caught.value.place.column == column


def test_a_number_does_not_grow_without_end() -> None:
    scope = Scope({"n": 1 << 4000})
    with pytest.raises(BadInput, match="more than 4096 bits"):
        evaluate(expression("n * n"), scope)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("refs(init, buf) == 1", ["refs(init, buf) is 2"]),
        ("now() < 1ms", ["now() is 1.5ms"]),
        ("buf == 1 and 1 == 1", ["buf is 0x50000"]),
        ("1 == 1 and text == buf", ['text is "hello"', "buf is 0x50000"]),
        ("buf == 1 or buf == 2", ["buf is 0x50000", "buf is 0x50000"]),
        ("buf in 1..3", ["buf is 0x50000"]),
        ("not (refs(init, buf))", ["refs(init, buf) is 2"]),
        ("1 == 2", []),
    ],
)
def test_a_false_check_is_explained_by_its_values(text: str, lines: list[str]) -> None:
    assert explain(expression(text), _scope()) == lines
