"""The kernel answers as the real one does, and needs each quirk for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from kernel.check import check
from kernel.quirks import KERNEL_QUIRKS, NO_QUIRKS, Quirks
from scenarios.conform.command import replay
from scenarios.conform.ipc import IpcReplay, start
from scenarios.conform.ipc_config import members_of
from scenarios.conform.recording import Malformed, find_recordings, read_lines

RECORDINGS: Final = Path(__file__).parents[2] / "data" / "recordings" / "ipc"

# A recording that cannot be equal without the quirk.
SHOWN_BY: Final = {
    "deadlock-endless-loop": "self-receive-hangs-kernel",
    "stale-queue-link": "stale-qlink",
    "fork-copies-queues": "fork-copies-caller-queue",
    "stale-reply-pending": "senda-leaves-reply-pend",
    "kernel-send-outlives-target": "kernel-send-flag-survives-death",
    "elocked-while-queued": "filter-elocked-while-queued",
    "filter-hides-notifications": "filter-hides-later-notify",
    "senda-invalid-entry-blocks": "async-invalid-entry-blocks",
    "cancel-drops-table": "cancel-async-denied",
    "user-death-drops-pending": "shared-user-priv-async-death",
}


def differs(path: Path, quirks: Quirks) -> bool:
    """Whether a kernel with these quirks answers otherwise than the recording."""
    lines = [line for _, line in read_lines(path)]
    machine = IpcReplay(members_of(lines[0]), quirks=quirks)
    return any(
        {**machine.answer(line), "i": line["i"], "in": line["in"]} != line for line in lines[1:]
    )


@pytest.mark.parametrize("path", find_recordings([RECORDINGS]), ids=lambda path: path.name)
def test_recording(path: Path) -> None:
    assert replay(path) is None


def test_every_profile_and_rule_is_there() -> None:
    assert len(find_recordings([RECORDINGS])) == 55


def test_every_quirk_is_shown() -> None:
    assert set(SHOWN_BY) == set(KERNEL_QUIRKS)


@pytest.mark.parametrize("name", SHOWN_BY)
def test_quirk_is_needed(name: str) -> None:
    path = RECORDINGS / f"{SHOWN_BY[name]}.jsonl.gz"
    assert differs(path, Quirks(frozenset(KERNEL_QUIRKS) - {name}))
    assert not differs(path, Quirks(frozenset(KERNEL_QUIRKS)))


@pytest.mark.parametrize("path", find_recordings([RECORDINGS]), ids=lambda path: path.name)
def test_without_quirks_nothing_panics_and_invariants_hold(path: Path) -> None:
    lines = [line for _, line in read_lines(path)]
    machine = IpcReplay(members_of(lines[0]), quirks=NO_QUIRKS)
    for line in lines[1:]:
        answer = machine.answer(line)
        assert not {"panic", "assert", "hang"} & set(answer)
        check(machine.kernel.table)


# ---- Small recordings of our own

HEADER: Final[dict[str, Any]] = {
    "format": "ipc-golden/1",
    "config": {
        "procs": [
            {"nr": nr, "endpoint": nr, "name": name, "sys": nr != 11, "trap_mask": "all",
             "ipc_to": "all"}
            for nr, name in ((-2, "system"), (0, "pm"), (1, "vfs"), (11, "init"), (20, "driver"))
        ]
    },
}  # fmt: skip
SEND: Final = {"proc": 0, "call": "SEND", "ep": 1, "type": 5, "body": 6}


def answers(*operations: dict[str, Any], header: dict[str, Any] = HEADER) -> list[dict[str, Any]]:
    """What a kernel answers to these operations."""
    machine = start(header)
    return [machine.answer({"i": i, "in": each}) for i, each in enumerate(operations)]


def test_a_stale_link_is_repaired_unless_the_recording_is_strict() -> None:
    operations = (
        SEND,
        {"proc": 20, "call": "SEND", "ep": 1},
        {"op": "exit", "nr": 1},
        {"proc": 0, "call": "SEND", "ep": 20},
    )
    died, again = answers(*operations)[2:]
    assert died["qlink_reset"] == [0]
    assert again["blocked"] is True
    strict = {**HEADER, "config": {**HEADER["config"], "strict": True}}
    died, again = answers(*operations, header=strict)[2:]
    assert "qlink_reset" not in died
    assert list(again) == ["assert"]


def test_only_who_can_run_may_call() -> None:
    receive = {"proc": 1, "call": "RECEIVE", "ep": "ANY"}
    assert answers(receive, receive)[1] == {"error": "not runnable"}


@pytest.mark.parametrize(
    ("number", "code"), [(0, -209), (7, -209), (-1, -209), (1 << 20, -209), (6, 0), (4, 0)]
)
def test_calls_by_number(number: int, code: int) -> None:
    assert answers({"proc": 0, "call": number, "ep": 1})[0]["result"] == code


def without(name: str, of: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in of.items() if key != name}


PROC: Final[dict[str, Any]] = HEADER["config"]["procs"][1]
NOTIFY: Final = {"op": "kernel_notify", "from": "SYSTEM", "to": 0}
FILTER: Final[dict[str, Any]] = {"op": "filter", "nr": 0, "kind": "BLACKLIST", "elements": []}
ENTRY: Final[dict[str, Any]] = {"flags": ["AMF_VALID"], "dst": 1}


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({}, "no field 'proc'"),
        ({**SEND, "proc": 7}, "proc is 7, which is no process of this recording"),
        ({**SEND, "proc": "pm"}, "proc is \"pm\", not a whole number"),
        ({**SEND, "proc": True}, "proc is true, not a whole number"),
        ({**SEND, "call": "SHOUT"}, "call is \"SHOUT\", not a whole number"),
        ({**SEND, "call": [1]}, "call is [1], not a whole number"),
        (without("ep", SEND), "no field 'ep'"),
        ({**SEND, "ep": "ALL"}, "ep is \"ALL\", not a whole number"),
        ({**SEND, "body": None}, "body is null, not a whole number"),
        ({**SEND, "ticks": -1}, "ticks is -1, less than 0"),
        ({"op": "explode"}, "unknown operation 'explode'"),
        ({"op": 5}, "op is 5, not a string"),
        ({"op": "exit", "nr": 999}, "nr is 999, which is no process"),
        ({"op": "exit", "nr": -2}, "a kernel task does not die"),
        ({"op": "spawn", "nr": 1, "endpoint": 32769}, "process slot 1 is in use"),
        ({"op": "spawn", "nr": 1, "endpoint": 7}, "cannot be used for endpoint 7"),
        ({"op": "rts_set", "nr": 1, "flag": "SENDING"}, "no run flag to set or clear"),
        ({"op": "rts_set", "nr": 1, "flag": "TIRED"}, "no run flag to set or clear"),
        ({"op": "set_priv", "nr": 1, "trap_mask": ["SHOUT"]}, "which is no call"),
        ({"op": "set_priv", "nr": 1, "ipc_to": [9]}, "ipc_to has 9"),
        ({**NOTIFY, "from": "PM"}, "no kernel task"),
        ({**NOTIFY, "from": "CLOCK"}, "which the header does not list"),
        ({**NOTIFY, "sig": 0}, "sig is 0, which is no signal"),
        ({**FILTER, "kind": "GREYLIST"}, "not BLACKLIST or WHITELIST"),
        ({**FILTER, "elements": [{"source": "ANY_ONE"}]}, "source is \"ANY_ONE\""),
        ({**FILTER, "elements": [5]}, "each of elements is 5, not an object"),
        ({"op": "table", "proc": 0, "table": [{**ENTRY, "flags": ["AMF_ODD"]}]}, "each of flags"),
        ({"op": "table", "proc": 0, "table": [without("dst", ENTRY)]}, "no field 'dst'"),
    ],
)  # fmt: skip
def test_malformed_operation(operation: dict[str, Any], message: str) -> None:
    with pytest.raises(Malformed) as caught:
        answers(operation)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("procs", "message"),
    [
        (None, "procs is null, not a list"),
        ([None], "each of procs is null, not an object"),
        ([{**PROC, "nr": 256}], "nr is 256: there is no such process slot"),
        ([{**PROC, "endpoint": 1}], "endpoint 1 is not one of process slot 0"),
        ([PROC, PROC], "two processes have the same nr"),
        ([{**PROC, "priv_id": 64}], "priv_id 64 does not fit"),
        ([{**PROC, "priv_id": 16}], "priv_id 16 does not fit"),
        ([without("trap_mask", PROC)], "trap_mask is null, not a list"),
        ([{**PROC, "ipc_to": ["vfs"]}], "each of ipc_to"),
        ([without("sys", PROC)], "no field 'sys'"),
    ],
)
def test_malformed_header(procs: object, message: str) -> None:
    with pytest.raises(Malformed) as caught:
        start({"format": "ipc-golden/1", "config": {"procs": procs}})
    assert message in str(caught.value)


def test_nothing_comes_after_the_end() -> None:
    with pytest.raises(Malformed, match="goes on after the kernel has stopped"):
        answers({"proc": 1, "call": "RECEIVE", "ep": 1}, {"proc": 0, "call": "SEND", "ep": 1}, SEND)
