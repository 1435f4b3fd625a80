"""Whether a value is what a pattern says, and if not, where they part.

Rules.  A name that is not bound yet is bound to what stands in its place; if the whole pattern then
does not match, no name is bound.  Names in capitals are constants and are never bound.  Fields that
a shape does not name are ignored; a field that the value does not have does not match.
"""

from __future__ import annotations

import attrs

from ipc.errors import NUMBERS
from ipc.signals import NUMBERS as SIGNALS
from scenarios import syntax
from scenarios.constants import is_error, is_signal
from scenarios.evaluate import equal, evaluate, evaluate_number
from scenarios.scope import Scope, is_constant_name
from scenarios.source import Place
from scenarios.values import Failed, Fields, Killed, ProcessName, Value, as_pattern, show


@attrs.frozen
class Mismatch:
    """Where a value is not as a pattern says: the place in the pattern, and both in words.

    `correct` is the pattern that would have matched there; empty where there is none.
    """

    at: Place
    expected: str
    got: str
    correct: str = ""


def match_outcome(
    pattern: syntax.Pattern, outcome: Value, scope: Scope, kind: str
) -> Mismatch | None:
    """As `match`, for what came of a call: a `Failed`, a `Killed`, or a value of that `kind`.

    The name of an error stands for the failure, that of a signal for a death by it.  Only such a
    pattern matches a failure or a death; `_` matches any return.
    """
    match pattern:
        case syntax.Equals(value=syntax.Name(name=name)) if is_error(name):
            return match(syntax.Failure(name, pattern.at), outcome, scope, kind)
        case syntax.Equals(value=syntax.Name(name=name)) if is_signal(name):
            killed = Killed(SIGNALS[name])
            return None if outcome == killed else _differs(pattern.at, show(killed), outcome)
        case syntax.Failure():
            return match(pattern, outcome, scope, kind)
    if isinstance(outcome, Killed):
        return _differs(pattern.at, "the call to return", outcome)
    if isinstance(outcome, Failed) and not isinstance(pattern, syntax.Anything):
        return _differs(pattern.at, "the call to succeed", outcome)
    return match(pattern, outcome, scope, kind)


def _differs(at: Place, expected: str, value: Value, kind: str = "") -> Mismatch:
    return Mismatch(at, expected, show(value, kind), as_pattern(value, kind))


def match(pattern: syntax.Pattern, value: Value, scope: Scope, kind: str = "") -> Mismatch | None:
    """None if `value`, whose numbers mean a `kind`, matches; else the first difference.

    Binds names in `scope` if it matches.  Raises BadInput where the pattern makes no sense.
    """
    draft = scope.copy()
    mismatch = _match(pattern, value, draft, kind)
    if mismatch is None:
        scope.names.update(draft.names)
    return mismatch


def _match(pattern: syntax.Pattern, value: Value, scope: Scope, kind: str) -> Mismatch | None:
    match pattern:
        case syntax.Anything():
            return None
        case syntax.Equals():
            return _match_value(pattern, value, scope, kind)
        case syntax.Range():
            return _match_range(pattern, value, scope, kind)
        case syntax.Failure():
            failed = isinstance(value, Failed) and value.code == NUMBERS.get(pattern.error)
            expected = f"-1 [{pattern.error}]"
            return None if failed else _differs(pattern.at, expected, value, kind)
        case syntax.Shape():
            return _match_shape(pattern, value, scope, kind)


def _match_value(pattern: syntax.Equals, value: Value, scope: Scope, kind: str) -> Mismatch | None:
    expression = pattern.value
    if isinstance(expression, syntax.Name):
        unbound = scope.find(expression.name) is None
        if unbound and not is_constant_name(expression.name):
            scope.names[expression.name] = value
            return None
    expected = evaluate(expression, scope)
    if _same(expected, value, kind):
        return None
    return _differs(pattern.at, show(expected, kind), value, kind)


def _same(expected: Value, value: Value, kind: str) -> bool:
    if isinstance(expected, ProcessName) and isinstance(value, int):
        return expected.number(kind) == value
    if isinstance(value, ProcessName) and isinstance(expected, int):
        return value.number(kind) == expected
    if kind in {"address", "size"} and isinstance(expected, int) and isinstance(value, int):
        return expected & 0xFFFFFFFF == value & 0xFFFFFFFF
    return equal(expected, value)


def _match_range(pattern: syntax.Range, value: Value, scope: Scope, kind: str) -> Mismatch | None:
    low, high = evaluate_number(pattern.low, scope), evaluate_number(pattern.high, scope)
    if isinstance(value, int) and low <= value <= high:
        return None
    return _differs(pattern.at, f"{show(low, kind)}..{show(high, kind)}", value, kind)


def _match_shape(pattern: syntax.Shape, value: Value, scope: Scope, kind: str) -> Mismatch | None:
    name = " ".join(pattern.message)
    if not isinstance(value, Fields):
        what = f"a message {name}" if name else "a structure"
        return _differs(pattern.at, what, value, kind)
    if name and value.name != name:
        return _differs(pattern.at, f"a message {name}", value)
    for field in pattern.fields:
        if field.name not in value.values:
            return Mismatch(field.at, f"a field {field.name}", show(value))
        kind = value.kinds.get(field.name, "")
        mismatch = _match(field.pattern, value.values[field.name], scope, kind)
        if mismatch is not None:
            where = f"{field.name}: "
            return attrs.evolve(
                mismatch, expected=where + mismatch.expected, got=where + mismatch.got
            )
    return None
