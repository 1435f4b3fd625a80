"""Campaigns: what they find, how they go on, and what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kernel.quirks import ALL_QUIRKS
from scenarios.campaign.campaign import go_on
from scenarios.campaign.command import campaign
from scenarios.campaign.hunt import DIFFERENCE, Hunt
from scenarios.campaign.record import Record, read_record, run_seed
from scenarios.campaign.vm_world import VmWorlds
from scenarios.campaign.world import PANIC, VIOLATION
from scenarios.source import BadInput


def test_finds_defects_by_itself() -> None:
    hunt = Hunt.of(VmWorlds(), ALL_QUIRKS)
    for number in range(2):
        hunt.go(run_seed(0, number), 150, lambda _count: None)
        assert not hunt.unexplained
    assert len(hunt.found) >= 15, list(hunt.found)
    assert {found.how for found in hunt.found.values()} == {PANIC, VIOLATION, DIFFERENCE}
    assert not set(hunt.found) & set(hunt.left)


@pytest.mark.parametrize("quirk", ["vfs-lifo", "fork-total-doubled", "type-0xbXX"])
def test_blames_no_other_quirk(quirk: str) -> None:
    record = Record(3, "vm", quirk, 200)
    verdict = go_on(record, 4000, lambda _record: None)
    assert [found.quirk for found in record.found] == [quirk]
    assert verdict.missing == ()
    assert verdict.failed is None


def test_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "campaign.json"
    assert campaign(300, 9, resume=path, length=100) == 0
    half = read_record(path)
    assert (half.runs, half.operations) == (3, 300)
    assert campaign(600, resume=path) == 0, "the file says what the campaign is"
    whole = read_record(path)
    assert (whole.seed, whole.length, whole.runs, whole.operations) == (9, 100, 6, 600)
    assert "600 operations in 6 runs (seed 9): nothing is wrong" in capsys.readouterr().out


@pytest.mark.parametrize(
    "other", [{"seed": 2}, {"length": 7}, {"world": "machine"}, {"quirks": "vfs-lifo"}]
)
def test_a_file_of_another_campaign_is_refused(other: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "campaign.json"
    Record(1, "vm", "none", 10).write(path)
    before = path.read_bytes()
    ((name, value),) = other.items()
    with pytest.raises(BadInput, match=f"a campaign with {name} .*, not {value}"):
        campaign(10, resume=path, **other)
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_written_is_known_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot write it"):
        campaign(10**9, resume=tmp_path / "no" / "where")


@pytest.mark.parametrize("wrong", [{"world": "moon"}, {"quirks": "nothing-like-it"}])
def test_a_record_of_what_there_is_not(wrong: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "campaign.json"
    path.write_text(json.dumps(GOOD | wrong))
    with pytest.raises(BadInput, match=r"campaign\.json: a record that makes no sense"):
        campaign(10, resume=path)


def test_what_was_found_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "campaign.json"
    campaign(4000, 3, quirks="mmap-len-wrap", resume=path, length=200)
    (found,) = read_record(path).found
    assert (found.quirk, found.how) == ("mmap-len-wrap", PANIC)
    assert 1 <= len(found.operations) <= 2, "what led to it was made short"


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"quirks": "nothing-like-it"}, "unknown quirk"), ({"world": "moon"}, "there is no world")],
)
def test_bad_options(options: dict[str, str], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        campaign(10, 1, **options)  # type: ignore[arg-type]


GOOD = {
    "format": "campaign/1", "seed": 1, "world": "vm", "quirks": "none", "length": 10, "runs": 0,
    "operations": 0, "found": [],
}  # fmt: skip


FOUND = {"quirk": "vfs-lifo", "how": "", "text": "", "seed": 1, "operations": []}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps(GOOD | {"format": "other"}),
        "[" * 100_000,
        json.dumps(GOOD | {"seed": "one"}),
        json.dumps(GOOD | {"seed": True}),
        json.dumps(GOOD | {"length": 0}),
        json.dumps(GOOD | {"runs": -1}),
        json.dumps(GOOD | {"world": []}),
        json.dumps(GOOD | {"more": 1}),
        json.dumps(GOOD | {"found": [3]}),
        json.dumps(
            GOOD | {"found": [{"quirk": "x", "how": "", "text": "", "seed": 1, "operations": 5}]}
        ),
        json.dumps(GOOD | {"found": [{"quirk": "x"}]}),
        json.dumps(GOOD | {"found": {}}),
        json.dumps(GOOD | {"found": ""}),
        json.dumps(GOOD | {"found": [FOUND | {"operations": [5]}]}),
        json.dumps(GOOD | {"runs": 3, "operations": 2}),
        json.dumps(GOOD | {"runs": 2, "operations": 21}),
        json.dumps(GOOD | {"runs": 2, "operations": 31, "found": [FOUND]}),
        json.dumps({key: value for key, value in GOOD.items() if key != "found"}),
    ],
)
def test_bad_records(text: str, tmp_path: Path) -> None:
    path = tmp_path / "campaign.json"
    path.write_text(text)
    with pytest.raises(BadInput, match="record"):
        read_record(path)


@pytest.mark.parametrize(
    ("text", "place"),
    [(b'{"format":\n x', "2:2: no record of a campaign"), (b"{}\n\xff", "2:1: not a text file")],
)
def test_what_is_no_json_has_its_place(text: bytes, place: str, tmp_path: Path) -> None:
    path = tmp_path / "campaign.json"
    path.write_bytes(text)
    with pytest.raises(BadInput) as raised:
        read_record(path)
    assert str(raised.value).startswith(f"{path}:{place}")


@pytest.mark.parametrize(
    ("quirks", "found", "message"),
    [
        ("none", ["vfs-lifo"], "vfs-lifo was found, which was not looked for"),
        ("vfs-lifo", ["slot-wrap"], "slot-wrap was found, which was not looked for"),
        ("all", ["no-such"], "no-such was found, which was not looked for"),
        ("all", ["vfs-lifo", "vfs-lifo"], "vfs-lifo was found twice"),
    ],
)
def test_a_record_that_has_found_what_it_cannot(
    quirks: str, found: list[str], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "campaign.json"
    names = [FOUND | {"quirk": name} for name in found]
    path.write_text(json.dumps(GOOD | {"quirks": quirks, "found": names}))
    with pytest.raises(BadInput, match=f"a record that makes no sense: {message}"):
        campaign(10, resume=path)


def test_one_is_not_several(capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign(1) == 0
    assert "1 operation in 1 run (seed 1): nothing is wrong" in capsys.readouterr().out


def test_no_record(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot read it"):
        read_record(tmp_path / "none")
    with pytest.raises(BadInput, match="cannot write it"):
        Record(1, "vm", "none", 1).write(tmp_path / "no" / "where")
