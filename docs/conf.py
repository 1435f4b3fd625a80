"""How Sphinx builds the book."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, ClassVar

from pygments.lexer import RegexLexer
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
)

_PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]

project = _PROJECT["name"]
author = _PROJECT["authors"][0]["name"]
release = version = _PROJECT["version"]
project_copyright = author

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "alabaster"
html_title = "sendrec"
html_theme_options = {
    "description": _PROJECT["description"],
    "fixed_sidebar": True,
    "page_width": "1080px",
    "show_powered_by": False,
}
html_copy_source = False
html_show_sphinx = False


WORDS = "machine file process server check expect inject run advance repeat let include together"
KEYWORDS = rf"^\s*({WORDS.replace(' ', '|')})\b"


class ScenarioLexer(RegexLexer):
    """Colours for scenario files."""

    name = "sendrec scenario"
    aliases: ClassVar[list[str]] = ["scn"]
    flags = re.MULTILINE
    tokens: ClassVar[dict[str, list[Any]]] = {
        "root": [
            (r"#[^\n]*", Comment.Single),
            (r'"(\\.|[^"\\])*"', String),
            (KEYWORDS, Keyword),
            (r"<unfinished *\.\.\.>|<\.\.\.|resumed>", Operator.Word),
            (r"\b[A-Za-z_]\w*(?=\()", Name.Function),
            (r"\b[A-Z][A-Z0-9_]+\b", Name.Constant),
            (r"\b0[xX][0-9a-fA-F]+|\b\d+(\.\d+)?[A-Za-z]*", Number),
            (r"[A-Za-z_]\w*", Name),
            (r"[-+*/%=<>|&!]+|->|\.\.", Operator),
            (r"[(){}\[\]:,]", Punctuation),
            (r"\s+", Text),
            (r".", Text),
        ]
    }


def setup(app: Any) -> None:
    """Make the scenario language known to the highlighter."""
    app.add_lexer("scn", ScenarioLexer)
