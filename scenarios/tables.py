"""The parser's tables: made from the grammar once, and kept as Python keeps compiled modules.

Making them takes longer than everything else that a small scenario does, so they are stored beside
the compiled modules (in `__pycache__`, under a name that says which grammar, lark and Python they
are for).  Where that is not writable, they are made each time.

This module imports lark, and so is imported only when something is to be parsed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import lark
from lark.indenter import DedentError, Indenter

from scenarios.wholefile import write_whole

GRAMMAR: Final = Path(__file__).with_name("language.lark")


class Indentation(Indenter):
    """Indented blocks; inside brackets, lines may break anywhere."""

    NL_type = "_NEWLINE"
    OPEN_PAREN_types: Final = ["LPAR", "LBRACE", "LSQB"]
    CLOSE_PAREN_types: Final = ["RPAR", "RBRACE", "RSQB"]
    INDENT_type = "_INDENT"
    DEDENT_type = "_DEDENT"
    tab_len = 8

    def handle_NL(self, token: lark.Token) -> Iterator[lark.Token]:  # noqa: N802
        """The block tokens for the end of a line; a dedent to no block's column is unexpected."""
        try:
            yield from super().handle_NL(token)
        except DedentError as error:
            stray = lark.Token("_STRAY", "", None, token.end_line, token.end_column)
            raise lark.UnexpectedToken(stray, set()) from error  # type: ignore[no-untyped-call]


def load_parser() -> lark.Lark:
    """The parser of scenario files, from its stored tables if there are any."""
    grammar = GRAMMAR.read_text("utf-8")
    stored = _stored_tables(grammar)
    with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError), stored.open("rb") as file:
        return lark.Lark.load(file)
    parser = make_parser(grammar)
    _store(parser, stored)
    return parser


def make_parser(grammar: str) -> lark.Lark:
    """A parser made from the text of a grammar."""
    return lark.Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        postlex=Indentation(),
        propagate_positions=True,
        maybe_placeholders=True,
    )


def _stored_tables(grammar: str) -> Path:
    """Where the tables of `grammar` are kept; the name changes with whatever they depend on."""
    here = Path(__file__).read_bytes()
    digest = hashlib.sha256(grammar.encode() + lark.__version__.encode() + here).hexdigest()
    module = Path(importlib.util.cache_from_source(str(GRAMMAR.with_suffix(".py"))))
    return module.with_name(f"{module.stem}-{digest[:16]}.tables")


def _store(parser: lark.Lark, path: Path) -> None:
    """Write the tables, whole because another run may be reading them."""
    tables = io.BytesIO()
    parser.save(tables)
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        write_whole(path, tables.getvalue())
