"""The parser's stored tables: used if they are there and whole, made if not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import tables

TEXT = "init: mmap(NULL, 8K) = {a: 1}\nexpect\n    _ -> VM: _\n\n"


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tables are kept in these tests."""
    path = tmp_path / "cache" / "language.tables"
    monkeypatch.setattr(tables, "_stored_tables", lambda grammar: path)
    return path


def test_tables_are_stored_once_and_then_used(stored: Path, monkeypatch: object) -> None:
    made = tables.load_parser()
    written = stored.stat().st_mtime_ns
    loaded = tables.load_parser()
    assert stored.stat().st_mtime_ns == written
    assert loaded.parse(TEXT) == made.parse(TEXT)
    assert [each.name for each in stored.parent.iterdir()] == ["language.tables"]


@pytest.mark.parametrize("rest", [b"", b"\x80", b"not tables"])
def test_broken_tables_are_made_again(stored: Path, rest: bytes) -> None:
    stored.parent.mkdir()
    stored.write_bytes(rest)
    assert tables.load_parser().parse(TEXT)
    assert stored.stat().st_size > 10_000


def test_a_place_that_cannot_be_written_does_not_matter(stored: Path) -> None:
    stored.parent.write_text("no folder")
    assert tables.load_parser().parse(TEXT)


def test_other_grammars_have_other_tables() -> None:
    one, other = tables._stored_tables("start: A"), tables._stored_tables("start: B")
    assert one != other
    assert one.parent == other.parent == Path(tables.__file__).parent / "__pycache__"
