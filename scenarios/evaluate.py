"""What an expression is worth.

Rules.  Numbers are Python's, of any size; `/` rounds down; comparisons and `not` give truth values,
`and` and `or` look at the right side only if they must.  A process compared with a number stands
for its endpoint or its pid, whichever is equal.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from scenarios import syntax
from scenarios.scope import Scope
from scenarios.source import BadInput, Place
from scenarios.values import ProcessName, Value, show

_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv,
    "%": operator.mod, "|": operator.or_, "&": operator.and_,
}  # fmt: skip

_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

MOST_BITS: Final = 4096  # of a number that arithmetic may make


def evaluate(expression: syntax.Expression, scope: Scope) -> Value:
    """The value of `expression`.  Raises BadInput where it makes no sense."""
    match expression:
        case syntax.Number() | syntax.String():
            return expression.value
        case syntax.Name():
            return scope.lookup(expression)
        case syntax.Unary():
            return _unary(expression, scope)
        case syntax.Binary():
            return _binary(expression, scope)
        case syntax.Within():
            low, high = evaluate(expression.low, scope), evaluate(expression.high, scope)
            value = evaluate(expression.value, scope)
            return _compare(">=", value, low, expression.at) and _compare(
                "<=", value, high, expression.at
            )
        case syntax.Apply():
            if scope.ask is None:
                raise BadInput(f"{expression.function}() can only be asked of a machine that runs",
                               expression.at)  # fmt: skip
            return scope.ask(expression, scope)


def evaluate_number(expression: syntax.Expression, scope: Scope) -> int:
    """The value of `expression`, which must be a number.  Raises BadInput."""
    value = evaluate(expression, scope)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(f"a number is needed here, not {show(value)}", expression.at)
    return value


def is_true(value: Value) -> bool:
    """Whether `check` is content with `value`."""
    return bool(value)


def equal(left: Value, right: Value) -> bool:
    """Whether two values are the same for a scenario."""
    if isinstance(left, ProcessName) and isinstance(right, int):
        return right in (left.endpoint, left.pid)
    if isinstance(right, ProcessName) and isinstance(left, int):
        return left in (right.endpoint, right.pid)
    return left == right


def _unary(expression: syntax.Unary, scope: Scope) -> Value:
    if expression.operator == "not":
        return not is_true(evaluate(expression.operand, scope))
    value = evaluate_number(expression.operand, scope)
    return -value if expression.operator == "-" else value


def _binary(expression: syntax.Binary, scope: Scope) -> Value:
    name, at = expression.operator, expression.at
    if name == "and":
        left = evaluate(expression.left, scope)
        return is_true(left) and is_true(evaluate(expression.right, scope))
    if name == "or":
        left = evaluate(expression.left, scope)
        return is_true(left) or is_true(evaluate(expression.right, scope))
    left, right = evaluate(expression.left, scope), evaluate(expression.right, scope)
    if name in _ARITHMETIC:
        return _arithmetic(expression, left, right)
    return _compare(name, left, right, at)


def _arithmetic(expression: syntax.Binary, left: Value, right: Value) -> Value:
    name, at = expression.operator, expression.at
    if name == "+" and isinstance(left, bytes) and isinstance(right, bytes):
        return left + right
    for value in (left, right):
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadInput(f"{name} needs numbers, not {show(value)}", at)
    if name in {"/", "%"} and not right:
        raise BadInput("division by zero", at)
    number = int(_ARITHMETIC[name](left, right))
    if number.bit_length() > MOST_BITS:
        raise BadInput(f"the result has more than {MOST_BITS} bits", at)
    return number


def _compare(name: str, left: Value, right: Value, at: Place) -> bool:
    if name in {"==", "!="}:
        return equal(left, right) == (name == "==")
    numbers = isinstance(left, int) and isinstance(right, int)
    if not numbers and not (isinstance(left, bytes) and isinstance(right, bytes)):
        raise BadInput(f"{name} cannot compare {show(left)} with {show(right)}", at)
    return _ORDER[name](left, right)


# ---- Why a check failed


def explain(expression: syntax.Expression, scope: Scope) -> list[str]:
    """The values of the parts of `expression` that made it false, one line each."""
    match expression:
        case syntax.Binary(operator="and"):
            first_is_true = is_true(evaluate(expression.left, scope))
            return explain(expression.right if first_is_true else expression.left, scope)
        case syntax.Binary(operator="or"):
            return explain(expression.left, scope) + explain(expression.right, scope)
        case syntax.Binary():
            return _worth(expression.left, scope) + _worth(expression.right, scope)
        case syntax.Within():
            return _worth(expression.value, scope)
        case syntax.Unary(operator="not"):
            return _worth(expression.operand, scope)
        case _:
            return _worth(expression, scope)


def _worth(expression: syntax.Expression, scope: Scope) -> list[str]:
    if isinstance(expression, syntax.Number | syntax.String):
        return []
    text = _text(expression)
    value = show(evaluate(expression, scope), _kind(expression))
    return [f"{text} is {value}"] if text != value else []


def _text(expression: syntax.Expression) -> str:
    at = expression.at
    return at.source.line(at.line)[at.column - 1 : at.column - 1 + at.width]


def _kind(expression: syntax.Expression) -> str:
    is_time = isinstance(expression, syntax.Apply) and expression.function == "now"
    return "time" if is_time else ""
