"""From the text of a scenario to its tree; or one error that says what was met, and where.

Rules: lines end statements; blocks are indented; `#` begins a comment.  The grammar is
language.lark.  Parsing checks form only; `scenarios.checks` then checks the names.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import lark

from scenarios import syntax
from scenarios.build import Builder
from scenarios.source import BadInput, Place, Source, read_source
from scenarios.tables import load_parser

# What the terminals of the grammar are called when one of them was expected; others by their text.
WORDS: Final = {
    "NAME": "a name", "NUMBER": "a number", "STRING": "a string", "SETTING": "key=value",
    "PATH": "a path from /", "OBJECT": "module:function", "COMPARISON": "a comparison",
    "SIGN": "'+' or '-'", "FACTOR": "'*' or '/' or '%'", "UNFINISHED": "'<unfinished ...>'",
    "RESUME": "'<... call resumed>'", "RESUMED": "'resumed>'",
    "QUIRK": "the name of a quirk", "UNDERSCORE": "'_'",
    "LPAR": "'('", "RPAR": "')'", "LBRACE": "'{'", "RBRACE": "'}'",
    "LSQB": "'['", "RSQB": "']'", "COLON": "':'", "COMMA": "','", "EQUAL": "'='",
    "VBAR": "'|'", "AMPERSAND": "'&'", "_ARROW": "'->'", "_DOTS": "'..'",
    "_NEWLINE": "end of line", "_INDENT": "indented lines", "_DEDENT": "end of block",
    "$END": "end of file",
}  # fmt: skip

LINES: Final = frozenset({
    "NAME", "ADVANCE", "CHECK", "EXPECT", "FILE", "INCLUDE", "INJECT", "LET", "MACHINE", "PROCESS",
    "REPEAT", "RUN", "SERVER", "TOGETHER", "WITH", "WITHOUT",
})  # fmt: skip
VALUES: Final = frozenset({"NUMBER", "STRING", "NAME", "LPAR", "SIGN"})
OPERATORS: Final = frozenset({"VBAR", "SIGN", "FACTOR"})

# Terminals that stand for one thing where the first of them are all possible.
GROUPS: Final = [
    (LINES, LINES, "a line (NAME: call(...), check, expect, let ...)"),
    (VALUES, VALUES | {"NOT"}, "a value"),
    (OPERATORS, OPERATORS | {"AMPERSAND", "COMPARISON", "_AND", "_OR", "_IN"}, "an operator"),
]

OPENING: Final = {"LPAR": "(", "LBRACE": "{", "LSQB": "["}

_MET = re.compile(r"<[a-z.]*|[A-Za-z_0-9]+|->|\.\.+|[=!<>]=|\"[^\"\n]*\"?|\S")

DEEPEST_INCLUDE: Final = 16
DEEPEST: Final = 100  # of values and blocks in one another, and of operators in a row


@functools.cache
def _parser() -> lark.Lark:
    return load_parser()


def parse(source: Source) -> syntax.Scenario:
    """The tree of `source`, with the files that it includes.  Raises BadInput."""
    return _parse(source, (source.name,))


def _parse(source: Source, including: tuple[str, ...]) -> syntax.Scenario:
    _refuse_indented_start(source)
    try:
        tree = _parser().parse(source.text + "\n")
        _refuse_depth(tree, source)
        scenario = Builder(source).transform(tree)
    except lark.UnexpectedInput as error:
        raise _explain(source, error) from None
    except lark.exceptions.VisitError as error:
        if isinstance(error.orig_exc, BadInput):
            raise error.orig_exc from None
        raise
    return attrs.evolve(scenario, statements=_resolve(scenario.statements, including))


def _refuse_depth(tree: lark.ParseTree, source: Source) -> None:
    """Everything after this goes down the tree by calling itself."""
    level: list[Any] = [tree]
    for _ in range(DEEPEST):
        level = [child for each in level for child in each.children if isinstance(child, lark.Tree)]
    for each in level:
        at = Place(source, each.meta.line, each.meta.column)
        raise BadInput(f"values and blocks nest at most {DEEPEST} deep", at)


def _resolve(
    statements: tuple[syntax.Statement, ...], including: tuple[str, ...]
) -> tuple[syntax.Statement, ...]:
    """`statements` with what their `include` lines bring in."""
    return tuple(_with_included(statement, including) for statement in statements)


def _with_included(statement: syntax.Statement, including: tuple[str, ...]) -> syntax.Statement:
    match statement:
        case syntax.Include():
            return _include(statement, including)
        case syntax.Repeat() | syntax.Together() | syntax.WithQuirk():
            return attrs.evolve(statement, body=_resolve(statement.body, including))
        case _:
            return statement


def included(statements: Iterable[syntax.Statement]) -> Iterator[Path]:
    """The files that `statements` include, and those that these do."""
    for statement in statements:
        if isinstance(statement, syntax.Include):
            yield _path_of(statement)
        yield from included(getattr(statement, "body", ()))


def _path_of(statement: syntax.Include) -> Path:
    return (statement.at.source.path or Path()).parent / statement.path


def _include(statement: syntax.Include, including: tuple[str, ...]) -> syntax.Include:
    path = _path_of(statement)
    if str(path) in including:
        raise BadInput(f"{statement.path} includes itself", statement.at)
    if len(including) >= DEEPEST_INCLUDE:
        raise BadInput(f"includes nest deeper than {DEEPEST_INCLUDE}", statement.at)
    try:
        included = read_source(path)
    except BadInput as error:
        raise BadInput(error.message, statement.at) from error
    return attrs.evolve(statement, body=_parse(included, (*including, str(path))).statements)


# ---- Errors


def _explain(source: Source, error: lark.UnexpectedInput) -> BadInput:
    """What stands where the parser stopped, and what could have stood there."""
    place, met = _met(source, error)
    expected = _expected(error)
    message = f"unexpected {met}" + (f"; expected {expected}" if expected else "")
    return BadInput(message, place, _unclosed(place, error) or _reserved(place))


def _met(source: Source, error: lark.UnexpectedInput) -> tuple[Place, str]:
    token: Any = getattr(error, "token", None)
    kind = token.type if token is not None else ""
    line, column = error.line, error.column
    match kind:
        case "$END":
            last = len(source.lines) or 1
            return Place(source, last, len(source.line(last)) + 1), "end of file"
        case "_NEWLINE":
            return Place(source, line, column), "end of line"
        case "_DEDENT":
            return Place(source, line, column), "end of block"
        case "_INDENT":
            return _indentation(source, token.end_line), "indentation"
        case "_STRAY":
            return _indentation(source, line), "indentation: no line above begins in this column"
    match = _MET.match(source.line(line), column - 1)
    text = match.group() if match else ""
    place = Place(source, line, column, len(text) or 1)
    if text.startswith('"') and (len(text) == 1 or not text.endswith('"')):
        return place, "string without its closing quote"
    return place, f"'{text}'" if text else "end of line"


def _indentation(source: Source, line: int) -> Place:
    text = source.line(line)
    return Place(source, line, len(text) - len(text.lstrip()) + 1)


def _refuse_indented_start(source: Source) -> None:
    """Blocks are counted from the first line's end on; without this, it could be indented."""
    first = source.line(1)
    if first[:1] in {" ", "\t"} and first.strip() and not first.strip().startswith("#"):
        raise BadInput("unexpected indentation", _indentation(source, 1))


def _expected(error: lark.UnexpectedInput) -> str:
    parser = getattr(error, "interactive_parser", None)
    if parser is None or getattr(getattr(error, "token", None), "type", "") == "_STRAY":
        return ""
    possible = set(parser.accepts())
    words = []
    for needed, group, name in GROUPS:
        if needed <= possible:
            words.append(name)
            possible -= group
    words += sorted(
        WORDS.get(terminal, f"'{terminal.strip('_').lower()}'") for terminal in possible
    )
    return " or ".join(filter(None, [", ".join(words[:-1]), "".join(words[-1:])]))


def _unclosed(place: Place, error: lark.UnexpectedInput) -> str:
    """A hint where the line that ended belongs inside a bracket of an earlier line."""
    parser = getattr(error, "interactive_parser", None)
    values = parser.parser_state.value_stack if parser is not None else []
    for value in reversed(values):
        if isinstance(value, lark.Token) and value.type in OPENING:
            if value.line == place.line and place.column <= len(place.source.line(place.line)):
                return ""
            return f"the '{OPENING[value.type]}' of line {value.line} is not closed"
    return ""


def _reserved(place: Place) -> str:
    """A hint where a word of the language stands as the name of a process."""
    line = place.source.line(place.line)
    word = line[: place.column - 1].strip()
    if line[place.column - 1 :].startswith(":") and word.upper() in LINES - {"NAME"}:
        return f"{word} begins a line of its own kind, so it cannot be the name of a process"
    return ""
