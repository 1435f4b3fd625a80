"""The form of scenario files: what is understood, and what is said of what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import syntax
from scenarios.parser import parse
from scenarios.source import BadInput, Source, read_source
from tests.scenarios.helpers import line, mistake, parsed

# text, line, column, message (its end), hint
MALFORMED = [
    ("init mmap()", 1, 6, "unexpected 'mmap'; expected ':'", ""),
    ("init: ()", 1, 7, "unexpected '('; expected '<... call resumed>' or a name", ""),
    ("init: x(1 2)", 1, 11, "unexpected '2'; expected an operator, ')' or ','", ""),
    ("init: x(1,)", 1, 11, "unexpected ')'; expected a value, '[', '_' or '{'", ""),
    ("init: x(", 1, 9, "unexpected end of file; expected a value, ')', '[', '_' or '{'",
     "the '(' of line 1 is not closed"),
    ("init: x({a: 1\ninit: y()", 2, 1, "unexpected 'init'; expected an operator, ',' or '}'",
     "the '{' of line 1 is not closed"),
    ('init: x("abc)', 1, 9, ("unexpected string without its closing quote; expected a value, ')',"
     " '[', '_' or '{'"), ""),
    ('init: x("a\\qb")', 1, 11, "unknown escape \\q", r'known: \xHH \n \t \r \0 \" \\'),
    ("init: x() y", 1, 11, "unexpected 'y'; expected '<unfinished ...>', '=' or end of line", ""),
    ("init: x() $", 1, 11, "unexpected '$'; expected '<unfinished ...>', '=' or end of line", ""),
    ("init: x() =", 1, 12, "unexpected end of line; expected a value, '_' or '{'", ""),
    ("init: x() = {a 1}", 1, 16, "unexpected '1'; expected ':'", ""),
    ("init: x() = -2 [EPERM]", 1, 13, "a call that fails returns -1: write -1 [EPERM]", ""),
    ("init: x() <unfinished", 1, 11, ("unexpected '<unfinished'; expected '<unfinished ...>', '='"
     " or end of line"), ""),
    ("init: <... x resume>", 1, 14, "unexpected 'resume'; expected 'resumed>'", ""),
    ("check", 1, 6, "unexpected end of line; expected a value", ""),
    ("check 1 +", 1, 10, "unexpected end of line; expected a value", ""),
    ("check (1 == 2", 1, 14, "unexpected end of file; expected an operator or ')'",
     "the '(' of line 1 is not closed"),
    ("check 1 = 2", 1, 9, "unexpected '='; expected an operator or end of line", ""),
    ("init: x(8Q)", 1, 9, "unknown unit Q", "sizes take K, M or G; times ns, us, ms or s"),
    ("init: x(0x)", 1, 9, "a number in base 16 needs digits, 0-9 and A-F, after 0x", ""),
    ("init: x(0789)", 1, 9, "0789 is octal, as it begins with 0: no digits 8 or 9", ""),
    (f"init: x({'9' * 5000})", 1, 9, "a number has at most 1000 digits", ""),
    ("# a\u2028b\x85c\u2029\ninit x()", 2, 6, "unexpected 'x'; expected ':'", ""),
    ('include "\\xff"', 1, 9, "the name of a file is UTF-8", ""),
    ("init: x(1.0001K)", 1, 9, "1.0001K is not a whole number", ""),
    ("expect", 1, 7, "unexpected end of file; expected indented lines", ""),
    ("expect\ninit: x()", 2, 1, "unexpected 'init'; expected indented lines", ""),
    ("expect a->b", 1, 12, "unexpected end of line; expected ':'", ""),
    ("expect a->b: X Y", 1, 16, "unexpected 'Y'; expected 'reply', '{' or end of line", ""),
    ("expect maybe a -> b: _", 1, 14, "unexpected 'a'; expected '->'", ""),
    ("  init: x()", 1, 3, "unexpected indentation", ""),
    ("init: x()\n  init: y()", 2, 3, ("unexpected indentation; expected a line (NAME: call(...),"
     " check, expect, let ...) or end of file"), ""),
    ("repeat 3\n    init: x()\n  init: y()", 3, 3,
     "unexpected indentation: no line above begins in this column", ""),
    ("repeat 3", 1, 9, "unexpected end of file; expected indented lines", ""),
    ("let 3 = 4", 1, 5, "unexpected '3'; expected a name", ""),
    ("machine", 1, 8, "unexpected end of line; expected key=value", ""),
    ("machine memory", 1, 9, "unexpected 'memory'; expected key=value", ""),
    ("file data", 1, 6, "unexpected 'data'; expected a path from /", ""),
    ("server s modfn", 1, 10, "unexpected 'modfn'; expected module:function", ""),
    ("run untl 3", 1, 5, "unexpected 'untl'; expected 'until' or end of line", ""),
    ("inject foo", 1, 8,
     "unexpected 'foo'; expected 'allocation', 'crash', 'kill', 'nothing' or 'reply'", ""),
    ("inject reply VFS", 1, 17, "unexpected end of line; expected a name or key=value", ""),
    ("inject reply 3", 1, 14, "unexpected '3'; expected a name", ""),
    ("inject allocation 3", 1, 19, "unexpected '3'; expected 'fail'", ""),
    ('include "none.scn"', 1, 9, "none.scn: cannot read it: no such file or directory", ""),
    ("file: x()", 1, 5, "unexpected ':'; expected a path from /",
     "file begins a line of its own kind, so it cannot be the name of a process"),
    ("file: x()", 1, 5, "unexpected ':'; expected a path from /",
     "file begins a line of its own kind, so it cannot be the name of a process"),
    ("# fine\n\ninit: x()\n@", 4, 1, ("unexpected '@'; expected a line (NAME: call(...), check,"
     " expect, let ...) or end of file"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number", "column", "message", "hint"), MALFORMED)
def test_what_is_malformed_is_named_with_its_place(
    text: str, number: int, column: int, message: str, hint: str
) -> None:
    error = mistake(text)
    assert error.place is not None
    assert (error.place.line, error.place.column) == (number, column)
    assert error.message == message
    assert error.hint == hint


def test_an_error_shows_the_line_and_a_caret() -> None:
    assert str(mistake("init: x()\n\tinit: yy(8Q, 3)\n".replace("\t", ""))) == (
        "test.scn:2:10: unknown unit Q\n"
        "    init: yy(8Q, 3)\n"
        "             ^^\n"
        "  sizes take K, M or G; times ns, us, ms or s"
    )


def test_a_caret_stays_below_its_place_after_tabs_and_in_long_lines() -> None:
    assert str(mistake("init:\tx(8Q)")).splitlines()[1:3] == ["    init:\tx(8Q)", "         \t  ^^"]
    excerpt = str(mistake(f"init: x({'1, ' * 1000}8Q)")).splitlines()[1:3]
    assert len(excerpt[0]) < 200
    assert excerpt[0][excerpt[1].index("^") :].startswith("8Q")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "  # nothing", "   \n\t\n# x\n\n"])
def test_a_file_may_say_nothing(text: str) -> None:
    assert parsed(text) == ()


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_comments_blank_lines_and_line_ends_mean_nothing(end: str) -> None:
    text = "# first\n\ninit: x(1) # said\n   # odd column\ncheck 1" + end
    assert [type(each) for each in parsed(text)] == [syntax.Call, syntax.Check]


def test_lines_may_break_inside_brackets() -> None:
    call = line('init: x(1,\n  2,   # two\n     {a: 3,\nb: "#"})')
    assert isinstance(call, syntax.Call)
    assert len(call.arguments) == 3


def test_words_of_the_language_can_be_names_where_no_line_begins() -> None:
    call = line("only: run(file, check) = expect")
    assert isinstance(call, syntax.Call)
    assert (call.process.name, call.call) == ("only", "run")


def _at(text: str) -> syntax.Place:
    return syntax.Place(Source("", text), 1, 1)


def test_every_form_of_line() -> None:
    statements = parsed(
        'machine memory=16M quirks=all\nfile /etc/motd "hi" size=8K\nprocess p kind=system\n'
        "server s my.module:main\ninit: x() <unfinished ...>\ninit: <... x resumed> = 1..2\n"
        "check not a == 1 and b in 1..3 or f(c)\nexpect only\n    _ -> VM: VM_MMAP reply {a: _}\n"
        "    kernel -> _: _\nexpect no a -> b: reply\nrun\nrun until x\nadvance 10ms\nlet n = 3\n"
        "repeat n\n    together\n        p: y()\ninject reply VFS VFS_OPEN error=EIO\n"
        "inject allocation fail when=2+3\ninject crash mfs\ninject kill p\ninject nothing\n"
    )
    kinds = [type(statement).__name__ for statement in statements]
    assert kinds == [
        "Machine", "File", "Process", "Server", "Call", "Resumed", "Check", "Expect", "Expect",
        "Run", "Run", "Advance", "Let", "Repeat", *["Inject"] * 5,
    ]  # fmt: skip
    unfinished, only = statements[4], statements[7]
    assert isinstance(unfinished, syntax.Call)
    assert unfinished.unfinished
    assert isinstance(only, syntax.Expect)
    assert only.mode == "only"
    assert [each.kind for each in only.patterns] == [("VM_MMAP", "reply"), ()]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10), ("0", 0), ("0644", 0o644), ("0x1F", 31), ("8K", 8192), ("1M", 1 << 20),
        ("2G", 2 << 30), ("0.5K", 512), ("10ns", 10), ("2us", 2000), ("1.5ms", 1_500_000),
        ("3s", 3_000_000_000),
    ],
)  # fmt: skip
def test_numbers(text: str, value: int) -> None:
    assert line(f"check {text}") == syntax.Check(syntax.Number(value, _at(text)), _at(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', b""), ('"a b"', b"a b"), (r'"\x00\xff\n\t\\\""', b"\0\xff\n\t\\\""),
        ('"é"', "é".encode()), (r'"\0"', b"\0"),
    ],
)  # fmt: skip
def test_strings(text: str, value: bytes) -> None:
    assert line(f"check {text}") == syntax.Check(syntax.String(value, _at(text)), _at(text))


PRECEDENCE = [
    ("1 + 2 * 3", "(1 + (2 * 3))"),
    ("1 - 2 - 3", "((1 - 2) - 3)"),
    ("(1 - 2) * 3", "((1 - 2) * 3)"),
    ("a | b & c == d", "((a | (b & c)) == d)"),
    ("a or b and not c", "(a or (b and (not c)))"),
    ("-a + b", "((- a) + b)"),
    ("a + 4K <= b or c", "(((a + 4096) <= b) or c)"),
]


def _shown(expression: syntax.Expression) -> str:
    match expression:
        case syntax.Number():
            return str(expression.value)
        case syntax.Name():
            return expression.name
        case syntax.Unary():
            return f"({expression.operator} {_shown(expression.operand)})"
        case syntax.Binary():
            left, right = _shown(expression.left), _shown(expression.right)
            return f"({left} {expression.operator} {right})"
    raise AssertionError(expression)


@pytest.mark.parametrize(("text", "shown"), PRECEDENCE)
def test_operators_bind_as_in_c_but_for_the_bits(text: str, shown: str) -> None:
    check = line(f"check {text}")
    assert isinstance(check, syntax.Check)
    assert _shown(check.expression) == shown


def test_values_nested_beyond_reason_are_an_error() -> None:
    assert parsed(f"check {'(' * 3_000}1{')' * 3_000}")
    error = mistake(f"init: x()\ncheck {'-' * 3_000}1")
    assert error.message == "values and blocks nest at most 100 deep"
    assert error.place is not None
    assert error.place.line == 2


def test_an_excerpt_shows_the_line_of_the_place() -> None:
    error = mistake("# a\u2028b\x85c\r\ninit x()\r\n")
    assert str(error).splitlines()[1:] == ["    init x()", "         ^"]


def test_a_text_is_split_into_lines_once() -> None:
    source = Source("t.scn", "a\nb\r\nc")
    assert source.lines == ("a\n", "b\r\n", "c")
    assert source.lines is source.lines, "each line of a scenario looks for its place in them"


# ---- Files


def test_what_is_included_stands_in_its_line(tmp_path: Path) -> None:
    (tmp_path / "part.scn").write_text("init: y()\n")
    (tmp_path / "whole.scn").write_text('init: x()\ninclude "part.scn"\n')
    included = parse(read_source(tmp_path / "whole.scn")).statements[1]
    assert isinstance(included, syntax.Include)
    assert [type(each) for each in included.body] == [syntax.Call]


def test_an_error_in_an_included_file_has_its_place_there(tmp_path: Path) -> None:
    (tmp_path / "part.scn").write_text("\ninit y()\n")
    (tmp_path / "whole.scn").write_text('repeat 2\n    include "part.scn"\n')
    with pytest.raises(BadInput, match=r"part\.scn:2:6: unexpected 'y'"):
        parse(read_source(tmp_path / "whole.scn"))


def test_a_file_cannot_include_itself(tmp_path: Path) -> None:
    (tmp_path / "a.scn").write_text('include "b.scn"\n')
    (tmp_path / "b.scn").write_text('include "a.scn"\n')
    with pytest.raises(BadInput, match=r"includes itself"):
        parse(read_source(tmp_path / "a.scn"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe", "t.scn:1:1: not a text file: byte 0xff is not UTF-8"),
        (b"# a\n# \xc3\xa9\xe9\n", "t.scn:2:4: not a text file: byte 0xe9 is not UTF-8"),
        (b"init: x()\0", "t.scn:1:10: not a text file: it has the control character 0x00"),
        (b"a\rb", "t.scn:1:2: not a text file: it has the control character 0x0d"),
    ],
)
def test_what_is_not_text_is_one_error_with_its_place(
    tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "t.scn"
    path.write_bytes(data)
    with pytest.raises(BadInput) as caught:
        read_source(path, "t.scn")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "reason"),
    [(lambda path: None, "no such file or directory"), (Path.mkdir, "is a directory")],
)
def test_what_cannot_be_read_is_an_error(tmp_path: Path, make: object, reason: str) -> None:
    path = tmp_path / "t.scn"
    assert callable(make)
    make(path)
    with pytest.raises(BadInput, match=f"t.scn: cannot read it: {reason}"):
        read_source(path, "t.scn")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "t.scn"
    path.write_bytes(b"\xef\xbb\xbfinit: x()\n")
    assert parse(read_source(path)).statements


def test_a_file_without_end_is_not_read_for_ever() -> None:
    endless = Path("/dev/zero")
    if not endless.exists():
        pytest.skip("there is no such device")
    with pytest.raises(BadInput, match=r"longer than 16M"):
        read_source(endless)
