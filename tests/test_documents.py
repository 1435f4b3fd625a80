"""What the documents show is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kernel.quirks import KERNEL_QUIRKS
from scenarios import seeds, settings
from scenarios.calls import CALLS
from scenarios.questions import FUNCTIONS
from sendrec import cli
from servers.vfs.quirks import VFS_QUIRKS
from servers.vm.quirks import VM_QUIRKS
from tests.documents import DOCUMENTS, PICTURE, ROOT, Reader, blocks_of, part_of, picture

LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#)([^)#\s]+)")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_example_runs_and_prints_what_is_shown(path: Path) -> None:
    differences = Reader(path).read()
    shown = [f"line {one.block.line}: today it is\n{one.today}" for one in differences]
    assert not shown, "\n".join(shown) + "\n(python -m tests.documents writes it)"


def test_the_picture_is_of_todays_messages() -> None:
    assert PICTURE.read_text() == picture(), "python -m tests.documents draws it"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_book_contains_every_chapter() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    for path in DOCUMENTS:
        if path.parent.name == "docs" and path.name != "index.md":
            assert re.search(rf"^{path.stem}$", index, re.MULTILINE), path.name


def test_blocks_are_found_with_what_is_said_of_them() -> None:
    text = "a\n<!-- save: x.scn -->\n<!-- run (exit 1) (lines 2-3): run x -->\n```scn\nb\n```\n"
    (block,) = blocks_of(text)
    assert (block.language, block.text) == ("scn", "b\n")
    assert block.notes["save"] == ("", "x.scn")
    assert block.notes["run"][1] == "run x"
    assert "exit 1" in block.notes["run"][0]


def test_a_part_of_an_output() -> None:
    assert part_of("1\n2\n3\n4\n", "(lines 2-3)") == "2\n3\n"
    assert part_of("to\n1\n2\nto\n4\n", "(from 1 to to)") == "1\n2\nto\n"
    assert part_of("1\n2\n", "") == "1\n2\n"


@pytest.mark.parametrize("word", [*CALLS, *FUNCTIONS])
def test_the_language_reference_has_every_call_and_function(word: str) -> None:
    assert f"`{word}(" in (ROOT / "docs" / "language.md").read_text()


@pytest.mark.parametrize("table", [settings.MACHINE, settings.FILE, settings.PROCESS])
def test_the_language_reference_has_every_setting(table: dict[str, object]) -> None:
    page = (ROOT / "docs" / "language.md").read_text()
    missing = [word for word in table if not re.search(rf"`[^`\n]*\b{word}=", page)]
    assert not missing


def test_every_option_of_the_command_is_in_the_book() -> None:
    book = "".join(path.read_text() for path in DOCUMENTS)
    for command in [*cli.commands.commands.values(), seeds.main]:
        for parameter in command.params:
            for option in [name for name in parameter.opts if name.startswith("--")]:
                assert f"`{option}" in book or f"{command.name} {option}" in book, option


def test_every_quirk_has_its_entry_and_every_entry_its_quirk() -> None:
    page = (ROOT / "docs" / "quirks.md").read_text()
    entries = re.findall(r"^### (.*)$", page, re.MULTILINE)
    assert sorted(entries) == sorted([*KERNEL_QUIRKS, *VM_QUIRKS, *VFS_QUIRKS])


def test_every_scenario_of_a_quirk_is_named_by_its_entry() -> None:
    page = (ROOT / "docs" / "quirks.md").read_text()
    for path in (ROOT / "scenarios" / "quirks").glob("*.scn"):
        assert f"(../scenarios/quirks/{path.name})" in page, path.name
