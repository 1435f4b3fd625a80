"""What `conform` prints and returns, and what it says of files that are no recordings."""

from __future__ import annotations

import gzip
import io
import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from scenarios.conform import conform
from scenarios.conform.command import FORMATS
from scenarios.conform.recording import LONGEST_LINE, find_recordings
from scenarios.source import BadInput

RECORDINGS: Final = Path(__file__).parents[2] / "data" / "recordings" / "ipc"
GOOD: Final = RECORDINGS / "sendnb.jsonl.gz"
GOOD_VM: Final = RECORDINGS.parent / "vm" / "anon-4.jsonl.gz"
LINES: Final = gzip.decompress(GOOD.read_bytes()).splitlines(keepends=True)


def run(*paths: Path) -> tuple[int, str]:
    out = io.StringIO()
    return conform(paths, out), out.getvalue()


def changed(line: int, change: dict[str, Any]) -> bytes:
    """A good recording with some fields of a line, numbered from 1, changed."""
    lines = list(LINES)
    lines[line - 1] = json.dumps({**json.loads(lines[line - 1]), **change}).encode() + b"\n"
    return b"".join(lines)


def test_equal_recordings() -> None:
    assert run(GOOD) == (0, "1 of 1 recordings equal\n")


def test_directories_are_searched_and_mixed_with_files(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    shutil.copy(GOOD, below)
    (tmp_path / "plain.jsonl").write_bytes(b"".join(LINES))
    (tmp_path / "notes.txt").write_text("not a recording")
    assert find_recordings([tmp_path]) == [below / GOOD.name, tmp_path / "plain.jsonl"]
    assert run(tmp_path, GOOD) == (0, "3 of 3 recordings equal\n")


@pytest.mark.parametrize(
    ("line", "change", "difference"),
    [
        (2, {"result": -5}, "2: result: expected -5, got "),
        (2, {"extra": 1}, "2: extra: expected 1, got nothing"),
        (3, {"delivered": [{"to": 9}]}, "3: delivered[0]"),
        (2, {"blocked": 1}, "2: blocked: expected 1, got "),
    ],
)
def test_the_first_difference_is_named(
    tmp_path: Path, line: int, change: dict[str, Any], difference: str
) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_bytes(changed(line, change))
    code, text = run(path, GOOD)
    assert code == 1
    assert text.startswith(f"{path}:{difference}")
    assert text.endswith("\n1 of 2 recordings equal\n")
    assert text.count("\n") == 2


WHOLE: Final = b"".join(LINES)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.jsonl", b"", ":1: the file is empty"),
        ("empty.jsonl.gz", gzip.compress(b"", mtime=0), ":1: the file is empty"),
        ("cut.jsonl", WHOLE[:-9], "; the file seems to be cut off"),
        ("cut.jsonl.gz", GOOD.read_bytes()[:-30], ": the file is cut off"),
        ("plain.jsonl.gz", WHOLE, ":1: not a gzip file: "),
        ("spoiled.jsonl.gz", b"\x1f\x8b\x08\x00" + b"\xff" * 60, ": not a gzip file: "),
        ("packed.jsonl", GOOD.read_bytes(), ":1:2: not a text file: byte 0x8b is not UTF-8"),
        ("text.jsonl", b"hello\n", ":1:1: not JSON: "),
        ("list.jsonl", b"[1]\n", ":1: not a JSON object"),
        ("header.jsonl", LINES[0], ":1: there are no inputs after the header"),
        ("nan.jsonl", b'{"format": NaN}\n', ":1: not the JSON of a recording: NaN is no number"),
        (
            "digits.jsonl",
            b'{"format": ' + b"9" * 5000 + b"}\n",
            ":1: not the JSON of a recording: ",
        ),
        ("deep.jsonl", b"[" * 100_000 + b"\n", ":1: not the JSON of a recording: "),
        ("endless.jsonl", b" " * (LONGEST_LINE + 1), ":1: longer than 16M, so it is no recording"),
        (
            "bomb.jsonl.gz",
            gzip.compress(b"\0" * (LONGEST_LINE + 1)),
            ":1: longer than 16M, so it is no recording",
        ),
        ("none.jsonl", b"{}\n", ":1: there is no field 'format'"),
        ("old.jsonl", b'{"format": "ipc-golden/0"}\n', ":1: unknown format 'ipc-golden/0'"),
        ("bare.jsonl", b'{"format": "ipc-golden/1"}\n', ":1: there is no field 'config'"),
        ("missing.jsonl", b"".join(LINES[:2] + LINES[3:]), ":3: the line's number i is 2, not 1"),
        ("blind.jsonl", LINES[0] + b'{"i": 0}\n', ":2: in is null, not an object"),
        (
            "wide.jsonl",
            changed(2, {"in": {"proc": 1, "call": "SEND", "ep": 2, "type": 1 << 31}}),
            ":2: type is 2147483648, not in -2147483648..2147483647",
        ),
        ("odd.jsonl", changed(2, {"in": {"op": "odd"}}), ":2: unknown operation 'odd'"),
    ],
)
def test_bad_input(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        run(path)
    assert str(caught.value).startswith(f"{path}:")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def vm_recording(part: str, value: Any) -> bytes:
    """A good recording of VM with a part of its header, such as `procs.0.slot`, changed."""
    header, *lines = gzip.decompress(GOOD_VM.read_bytes()).splitlines(keepends=True)
    changed = json.loads(header)
    *way, last = (int(each) if each.isdecimal() else each for each in part.split("."))
    inner = changed["boot"]
    for each in way:
        inner = inner[each]
    inner[last] = value
    return b"".join([json.dumps(changed).encode(), b"\n", *lines])


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("mem.0.1", 1 << 64, "size is 18446744073709551616, not in 0..4294967295"),
        ("procs.0", 5, "procs is 5, not an object"),
        ("procs.0.regions.0", 5, "5 stands where an object with 'vaddr' should"),
        ("procs.0.regions.0.len", -1, "len is -1, not in 0..4294967295"),
        ("procs.0.regions.0.len", 0, "VM does not start on such a machine: "),
        ("acl.0.calls", None, "calls is null, not a list"),
        ("acl.0.calls", [1 << 40], "calls is 1099511627776, not in 0..63"),
        ("acl.0.calls", [-1], "calls is -1, not in 0..63"),
        ("acl.0.calls", [1.5], "calls is 1.5, not a whole number"),
    ],
)
def test_a_machine_that_vm_cannot_have(tmp_path: Path, part: str, value: Any, message: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(vm_recording(part, value))
    with pytest.raises(BadInput) as caught:
        run(path)
    assert str(caught.value).startswith(f"{path}:1: {message}")


@pytest.mark.parametrize(
    ("name", "message"), [("nowhere", "there is no such file"), (".", "there are no recordings")]
)
def test_bad_path(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        run(tmp_path / name)


def test_an_empty_name_is_not_this_directory() -> None:
    with pytest.raises(BadInput, match="'' is no name of a file or directory"):
        conform([""])


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    looped = tmp_path / "x.jsonl"
    looped.symlink_to(looped)
    with pytest.raises(BadInput, match=r"x\.jsonl: "):
        run(looped)


def test_formats() -> None:
    assert list(FORMATS) == ["ipc-golden/1", "vm-golden/1"]
