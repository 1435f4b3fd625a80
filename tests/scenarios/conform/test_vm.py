"""The VM server answers as the real one does, and needs each quirk for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from kernel.quirks import ALL_QUIRKS, Quirks
from scenarios.campaign.vm_operations import boot
from scenarios.conform.command import replay
from scenarios.conform.recording import Malformed, find_recordings, read_lines
from scenarios.conform.vm import VmReplay, start
from servers.vm.quirks import VM_QUIRKS

RECORDINGS: Final = Path(__file__).parents[2] / "data" / "recordings" / "vm"

# A recording that cannot be equal without the quirk.
SHOWN_BY: Final = {
    **{
        name: name
        for name in (
            "mmap-len-wrap", "region-top-eq-minv", "type-0xbXX", "unaligned-mmap",
            "unmap-phys-bad-ep", "unmap-phys-any-proc", "brk-above-user-end",
            "prealloc-enomem-stale-pte", "cow-enomem-stale-pte", "align64k-leak", "fake-pagefault",
            "shared-split", "file-mmap-killed", "file-mmap-killed-ok", "fork-pending-page",
            "remap-not-anon", "shared-enomem", "fork-enomem", "cache-read", "directphys-read",
            "contig-read", "contig-fork", "transid-not-suspend", "requestor-died",
            "target-died-slot-reused", "heap-prealloc-null", "rs-prepare-assert",
            "map-phys-len-wrap", "vfs-reply-nothing-active", "vfs-mmap-nodev", "fork-busy-slot",
            "anon-read-leak", "vfs-lifo", "fork-total-doubled", "remap-ep0-id0", "remaps-fork-cow",
            "copy-def-memtype", "fdref-wrong-process", "setcache-drops-old", "stale-inode",
            "major-and-minor", "contig-partial-unmap", "handlemem-len-wrap", "fixed-unmaps-first",
            "getref-shared", "remap-unaligned", "exit-vm-dead-pf",
        )
    },
}  # fmt: skip


def first_difference(path: Path, quirks: Quirks) -> str | None:
    """How VM with these quirks first differs from the recording, as a panic if it is one."""
    lines = [line for _, line in read_lines(path)]
    machine = VmReplay(lines[0]["boot"], quirks)
    for line in lines[1:]:
        answer = machine.answer(line)
        if {name: line.get(name) for name in answer} != answer:
            return str(answer["out"])
    return None


@pytest.mark.parametrize("path", find_recordings([RECORDINGS]), ids=lambda path: path.name)
def test_recording(path: Path) -> None:
    assert replay(path) is None


def test_every_profile_and_defect_is_there() -> None:
    assert len(find_recordings([RECORDINGS])) == 71


@pytest.mark.parametrize("name", SHOWN_BY)
def test_quirk_is_needed(name: str) -> None:
    path = RECORDINGS / f"{SHOWN_BY[name]}.jsonl.gz"
    assert first_difference(path, Quirks(frozenset(VM_QUIRKS))) is None
    without = first_difference(path, Quirks(frozenset(VM_QUIRKS) - {name}))
    assert without is not None
    assert "panic" not in without


def test_a_panic_names_its_quirk() -> None:
    lines = [line for _, line in read_lines(RECORDINGS / "mmap-len-wrap.jsonl.gz")]
    machine = VmReplay(lines[0]["boot"])
    outs = [machine.answer({"in": line["in"]} if "in" in line else {})["out"] for line in lines[1:]]
    assert "(quirk mmap-len-wrap)" in outs[-1][-1]["msg"]
    with pytest.raises(Malformed, match="goes on after VM has stopped"):
        machine.answer({"in": {"op": "nop"}})


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, "no field 'boot'"),
        ({"boot": {}}, "no field 'mem'"),
        ({"boot": {"mem": [[1]], "procs": []}}, r"\[base, size\]"),
        ({"boot": {"mem": [], "procs": [3]}}, "procs is 3"),
        ({"boot": {"mem": [], "procs": [{"slot": 1}]}}, "no field 'endpoint'"),
    ],
)
def test_bad_header(header: dict[str, Any], message: str) -> None:
    with pytest.raises(Malformed, match=message):
        start(header)


SET_PRIV: Final = {"op": "rs_set_priv", "src": 2, "nr": 6, "buf": 0x8048000, "sys": 0}


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({}, "no field 'op'"),
        ({"op": "dance"}, "unknown operation 'dance'"),
        ({"op": "mmap", "len": "much"}, 'len is "much"'),
        ({"op": "kmem"}, "no field 'reqs'"),
        ({"op": "raw", "u32": ["x"]}, 'u32 is "x", not a whole number'),
        ({"op": "raw", "u32": [1] * 15}, "u32 has 15 words, more than 14"),
        (SET_PRIV | {"calls": [64]}, r"calls is 64, not in 0\.\.63"),
        (SET_PRIV | {"calls": [-1]}, r"calls is -1, not in 0\.\.63"),
        (SET_PRIV | {"calls": ["x"]}, 'calls is "x", not a whole number'),
        (SET_PRIV | {"calls": [None]}, "calls is null, not a whole number"),
        (SET_PRIV | {"calls": [[1]]}, r"calls is \[1\], not a whole number"),
    ],
)
def test_bad_operation(operation: dict[str, Any], message: str) -> None:
    machine = VmReplay(boot(), ALL_QUIRKS)
    with pytest.raises(Malformed, match=message):
        machine.answer({"in": operation})
