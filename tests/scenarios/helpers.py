"""What the tests of the scenario language share."""

from __future__ import annotations

from scenarios import syntax
from scenarios.checks import check
from scenarios.parser import parse
from scenarios.source import BadInput, Source


def parsed(text: str) -> tuple[syntax.Statement, ...]:
    """The lines of a scenario."""
    return parse(Source("test.scn", text)).statements


def line(text: str) -> syntax.Statement:
    """The one line of a scenario."""
    (statement,) = parsed(text)
    return statement


def expression(text: str) -> syntax.Expression:
    """An expression, as after `check`."""
    statement = line(f"check {text}")
    assert isinstance(statement, syntax.Check)
    return statement.expression


def pattern(text: str) -> syntax.Pattern:
    """A pattern, as after a call's `=`."""
    statement = line(f"init: call() = {text}")
    assert isinstance(statement, syntax.Call)
    assert statement.pattern is not None
    return statement.pattern


def mistake(text: str, *, checked: bool = False) -> BadInput:
    """The error that `text` ends in."""
    try:
        scenario = parse(Source("test.scn", text))
        if checked:
            check(scenario)
    except BadInput as error:
        return error
    raise AssertionError(f"nothing is wrong with {text!r}")
