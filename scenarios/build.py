"""From the parser's tree to the records of `scenarios.syntax`.

One method per rule of language.lark, named as the rule.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import lark
from lark.tree import Meta

from scenarios import syntax
from scenarios.source import BadInput, Place, Source

UNITS: Final[dict[str, int]] = {
    "": 1,
    "K": 1 << 10, "M": 1 << 20, "G": 1 << 30,
    "ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000,
}  # fmt: skip

ESCAPES: Final = {
    "n": b"\n", "t": b"\t", "r": b"\r", "0": b"\0", "a": b"\a", "b": b"\b", "e": b"\x1b",
    "\\": b"\\", '"': b'"', "'": b"'",
}  # fmt: skip

EXPECT_MODES: Final[dict[str, Literal["some", "only", "no"]]] = {
    "": "some", "only": "only", "no": "no",
}  # fmt: skip

FAULTS: Final[dict[str, syntax.FaultWord]] = {
    "reply": "reply", "crash": "crash", "allocation": "allocation", "kill": "kill",
    "nothing": "nothing",
}  # fmt: skip

LONGEST_NUMBER: Final = 1000  # characters; Python converts no numbers of any length

UNFINISHED: Final = object()  # stands for `<unfinished ...>` while a line is put together

_IN_BASE_16 = re.compile(r"0[xX][0-9A-Fa-f]+")
_OCTAL = re.compile(r"0[0-9]*")
_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?([A-Za-z]*)")
_STRING_PIECE = re.compile(r"\\x([0-9A-Fa-f]{2})|\\(.)|([^\\]+)")


def parse_number(text: str, at: Place) -> int:
    """The value of a number as scenarios write it: bytes for `8K`, virtual ns for `10ms`.

    Raises BadInput for an unknown unit, or where a fraction leaves no whole number.
    """
    if len(text) > LONGEST_NUMBER:
        raise BadInput(f"a number has at most {LONGEST_NUMBER} digits", at)
    if text[:2] in ("0x", "0X"):
        if _IN_BASE_16.fullmatch(text):
            return int(text, 16)
        raise BadInput("a number in base 16 needs digits, 0-9 and A-F, after 0x", at)
    if _OCTAL.fullmatch(text):
        return _octal(text, at)
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise BadInput(f"not a number: {text}", at)
    whole, fraction, unit = match.groups()
    if unit not in UNITS:
        raise BadInput(f"unknown unit {unit}", at, "sizes take K, M or G; times ns, us, ms or s")
    decimals = fraction or ""
    value, rest = divmod(int(whole + decimals) * UNITS[unit], int("1" + "0" * len(decimals)))
    if rest:
        raise BadInput(f"{text} is not a whole number", at)
    return value


def _octal(text: str, at: Place) -> int:
    try:
        return int(text, 8)
    except ValueError:
        raise BadInput(f"{text} is octal, as it begins with 0: no digits 8 or 9", at) from None


def parse_string(text: str, at: Place) -> bytes:
    """The bytes of a quoted string; characters outside ASCII are UTF-8."""
    pieces = []
    for match in _STRING_PIECE.finditer(text, 1, len(text) - 1):
        code, escape, plain = match.groups()
        if plain is not None:
            pieces.append(plain.encode())
        elif code is not None:
            pieces.append(bytes.fromhex(code))
        elif escape in ESCAPES:
            pieces.append(ESCAPES[escape])
        else:
            where = Place(at.source, at.line, at.column + match.start(), 2)
            raise BadInput(f"unknown escape \\{escape}", where, r"known: \xHH \n \t \r \0 \" \\")
    return b"".join(pieces)


@lark.v_args(meta=True)
class Builder(lark.Transformer[lark.Token, syntax.Scenario]):
    """Makes the records; `source` is the text that the tree came from."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def _at(self, meta: Meta) -> Place:
        one_line = meta.end_line == meta.line
        width = meta.end_column - meta.column if one_line else len(self.source.line(meta.line))
        return Place(self.source, meta.line, meta.column, width)

    def _token_at(self, token: lark.Token, skip: int = 0) -> Place:
        line, column = token.line or 1, token.column or 1
        return Place(self.source, line, column + skip, max(1, len(token) - skip))

    def _name(self, token: lark.Token) -> syntax.Name:
        return syntax.Name(str(token), self._token_at(token))

    def start(self, meta: Meta, items: list[Any]) -> syntax.Scenario:
        return syntax.Scenario(self.source.name, tuple(items))

    # ---- Lines

    def call(self, meta: Meta, items: list[Any]) -> syntax.Call:
        process, call, arguments, *outcome = items
        pattern = outcome[0] if outcome else None
        unfinished = pattern is UNFINISHED
        return syntax.Call(
            self._name(process), str(call), arguments, None if unfinished else pattern, unfinished,
            self._at(meta), self._token_at(call),
        )  # fmt: skip

    def unfinished(self, _meta: Meta, _items: list[Any]) -> object:
        return UNFINISHED

    def resumed(self, meta: Meta, items: list[Any]) -> syntax.Resumed:
        process, _, call, _, *outcome = items
        pattern = outcome[0] if outcome else None
        return syntax.Resumed(self._name(process), str(call), pattern, self._at(meta))

    def check(self, meta: Meta, items: list[Any]) -> syntax.Check:
        return syntax.Check(items[0], self._at(meta))

    def expect(self, meta: Meta, items: list[Any]) -> syntax.Expect:
        has_mode = isinstance(items[0], lark.Token)
        mode = EXPECT_MODES[items[0] if has_mode else ""]
        patterns = tuple(items[1:] if has_mode else items)
        return syntax.Expect(mode, patterns, self._at(meta))

    def expect_panic(self, meta: Meta, items: list[Any]) -> syntax.ExpectPanic:
        return syntax.ExpectPanic(str(items[1]) if len(items) > 1 else "", self._at(meta))

    def with_quirk(self, meta: Meta, items: list[Any]) -> syntax.WithQuirk:
        word, quirk, *body = items
        return syntax.WithQuirk(
            str(quirk), word == "with", tuple(body), self._at(meta), self._token_at(quirk)
        )

    def machine(self, meta: Meta, items: list[Any]) -> syntax.Machine:
        return syntax.Machine(self._settings(items), self._at(meta))

    def file(self, meta: Meta, items: list[Any]) -> syntax.File:
        path, *rest = items
        content = None
        if rest and isinstance(rest[0], lark.Token) and rest[0].type == "STRING":
            at = self._token_at(rest[0])
            content = syntax.String(parse_string(rest.pop(0), at), at)
        return syntax.File(str(path), content, self._settings(rest), self._at(meta))

    def process(self, meta: Meta, items: list[Any]) -> syntax.Process:
        name, *settings = items
        return syntax.Process(str(name), self._settings(settings), self._at(meta))

    def server(self, meta: Meta, items: list[Any]) -> syntax.Server:
        name, program, *settings = items
        return syntax.Server(str(name), str(program), self._settings(settings), self._at(meta))

    def inject(self, meta: Meta, items: list[Any]) -> syntax.Inject:
        what, *rest = items
        names = [each for each in rest if isinstance(each, syntax.Name)]
        target, request = (*names, None, None)[:2]
        settings = self._settings(rest[len(names) :])
        return syntax.Inject(FAULTS[what], target, request, settings, self._at(meta))

    def run(self, meta: Meta, items: list[Any]) -> syntax.Run:
        return syntax.Run(items[0] if items else None, self._at(meta))

    def advance(self, meta: Meta, items: list[Any]) -> syntax.Advance:
        return syntax.Advance(items[0], self._at(meta))

    def repeat(self, meta: Meta, items: list[Any]) -> syntax.Repeat:
        return syntax.Repeat(items[0], tuple(items[1:]), self._at(meta))

    def together(self, meta: Meta, items: list[Any]) -> syntax.Together:
        return syntax.Together(tuple(items), self._at(meta))

    def let(self, meta: Meta, items: list[Any]) -> syntax.Let:
        return syntax.Let(str(items[0]), items[1], self._at(meta))

    def include(self, meta: Meta, items: list[Any]) -> syntax.Include:
        at = self._token_at(items[0])
        path = parse_string(items[0], at)
        try:
            return syntax.Include(path.decode(), (), at)
        except UnicodeDecodeError as error:
            raise BadInput("the name of a file is UTF-8", at) from error

    # ---- What a call is given

    def arguments(self, _meta: Meta, items: list[Any]) -> tuple[syntax.Argument, ...]:
        return tuple(items)

    def literal(self, meta: Meta, items: list[Any]) -> syntax.Structure:
        return syntax.Structure(items[0], tuple(items[1:]), self._at(meta))

    def structure(self, meta: Meta, items: list[Any]) -> syntax.Structure:
        return syntax.Structure((), tuple(items), self._at(meta))

    def field(self, _meta: Meta, items: list[Any]) -> syntax.Field:
        return syntax.Field(str(items[0]), items[1], self._token_at(items[0]))

    def list_of(self, meta: Meta, items: list[Any]) -> syntax.ListOf:
        return syntax.ListOf(tuple(items), self._at(meta))

    # ---- Patterns

    def anything(self, meta: Meta, _items: list[Any]) -> syntax.Anything:
        return syntax.Anything(self._at(meta))

    def value_pattern(self, meta: Meta, items: list[Any]) -> syntax.Equals:
        return syntax.Equals(items[0], self._at(meta))

    def range(self, meta: Meta, items: list[Any]) -> syntax.Range:
        return syntax.Range(items[0], items[1], self._at(meta))

    def failure(self, meta: Meta, items: list[Any]) -> syntax.Failure:
        result, error = items
        if result != syntax.Unary("-", syntax.Number(1, result.at), result.at):
            raise BadInput(f"a call that fails returns -1: write -1 [{error}]", self._at(meta))
        return syntax.Failure(str(error), self._at(meta))

    def shape(self, meta: Meta, items: list[Any]) -> syntax.Shape:
        return syntax.Shape((), tuple(items), self._at(meta))

    def message_shape(self, meta: Meta, items: list[Any]) -> syntax.Shape:
        return syntax.Shape(items[0], tuple(items[1:]), self._at(meta))

    def field_pattern(self, _meta: Meta, items: list[Any]) -> syntax.FieldPattern:
        return syntax.FieldPattern(str(items[0]), items[1], self._token_at(items[0]))

    def message_pattern(self, meta: Meta, items: list[Any]) -> syntax.MessagePattern:
        source, destination, kind, *shape = items
        return syntax.MessagePattern(
            _unless_anything(source), _unless_anything(destination), kind,
            shape[0] if shape else None, self._at(meta),
        )  # fmt: skip

    def message_kind(self, _meta: Meta, items: list[Any]) -> tuple[str, ...]:
        return tuple(map(str, items))

    def any_kind(self, _meta: Meta, _items: list[Any]) -> tuple[str, ...]:
        return ()

    # ---- Expressions

    def or_(self, meta: Meta, items: list[Any]) -> syntax.Binary:
        return syntax.Binary("or", items[0], items[1], self._at(meta))

    def and_(self, meta: Meta, items: list[Any]) -> syntax.Binary:
        return syntax.Binary("and", items[0], items[1], self._at(meta))

    def not_(self, meta: Meta, items: list[Any]) -> syntax.Unary:
        return syntax.Unary("not", items[0], self._at(meta))

    def within(self, meta: Meta, items: list[Any]) -> syntax.Within:
        return syntax.Within(items[0], items[1], items[2], self._at(meta))

    def bits(self, meta: Meta, items: list[Any]) -> syntax.Binary:
        return syntax.Binary("|", items[0], items[1], self._at(meta))

    def mask(self, meta: Meta, items: list[Any]) -> syntax.Binary:
        return syntax.Binary("&", items[0], items[1], self._at(meta))

    def compare(self, meta: Meta, items: list[Any]) -> syntax.Binary:
        return syntax.Binary(str(items[1]), items[0], items[2], self._at(meta))

    sum = product = compare

    def negative(self, meta: Meta, items: list[Any]) -> syntax.Unary:
        return syntax.Unary(str(items[0]), items[1], self._at(meta))

    def number(self, meta: Meta, items: list[Any]) -> syntax.Number:
        at = self._at(meta)
        return syntax.Number(parse_number(items[0], at), at)

    def string(self, meta: Meta, items: list[Any]) -> syntax.String:
        at = self._at(meta)
        return syntax.String(parse_string(items[0], at), at)

    def name(self, _meta: Meta, items: list[Any]) -> syntax.Name:
        return self._name(items[0])

    def apply(self, meta: Meta, items: list[Any]) -> syntax.Apply:
        return syntax.Apply(str(items[0]), items[1], self._at(meta))

    # ---- Parts of lines

    def _settings(self, tokens: list[lark.Token]) -> tuple[syntax.Setting, ...]:
        return tuple(map(self._setting, tokens))

    def _setting(self, token: lark.Token) -> syntax.Setting:
        key, _, value = token.partition("=")
        at = self._token_at(token)
        value_at = self._token_at(token, len(key) + 1)
        data = parse_string(value, value_at) if value.startswith('"') else value.encode()
        return syntax.Setting(key, data.decode("utf-8", "backslashreplace"), data, at, value_at)


def _unless_anything(party: syntax.Name | syntax.Anything) -> syntax.Name | None:
    return party if isinstance(party, syntax.Name) else None
