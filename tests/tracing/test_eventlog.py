"""Events as lines of JSON: complete, in order, and the same in every run."""

from __future__ import annotations

import io
import json
from typing import Any

from ipc.endpoint import INIT, VM
from ipc.message import RawMessage, Reply
from ipc.vm import VmBrk
from kernel.clock import Clock
from kernel.probes import Blocked, Diagnosed, MessageDelivered, Probes
from servers.boot import boot
from servers.config import MachineConfig
from tracing.eventlog import EventLog, write_log
from tracing.records import Recorder


def logged(*told: tuple[Any, ...]) -> list[dict[str, Any]]:
    probes = Probes(Clock())
    out = io.StringIO()
    probes.listen(EventLog(out))
    for kind, *fields in told:
        probes.tell(kind, 0, *fields)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_a_line_with_its_fields() -> None:
    head = {"seq": 1, "time": 0, "cause": 0}
    assert logged((Blocked, INIT, 8, VM)) == [
        {"event": "Blocked", **head, "process": INIT, "flags": 8, "partner": VM}
    ]


def test_a_message_has_its_name_and_its_fields() -> None:
    lines = logged(
        (MessageDelivered, INIT, VM, VmBrk(0x5000), 0),
        (MessageDelivered, VM, INIT, Reply(-12), 0),
        (MessageDelivered, INIT, VM, RawMessage(7, b"\xff\0"), 0),
    )
    assert [line["seq"] for line in lines] == [1, 2, 3]
    assert lines[0]["message"] == {"name": "VM_BRK", "type": VmBrk.type, "addr": 0x5000}
    assert lines[1]["message"]["type"] == -12
    assert lines[2]["message"]["payload"].startswith("\xff\0")


def boot_log() -> str:
    out = io.StringIO()
    system = boot(MachineConfig(memory=16 << 20))
    with Recorder(system.machine.probes) as recorder:
        system.machine.advance_nowait(10_000_000_000)
    assert len(recorder) >= 10
    write_log(recorder, out)
    return out.getvalue()


def test_the_same_run_gives_the_same_lines() -> None:
    log = boot_log()
    assert log == boot_log()
    assert [json.loads(line)["seq"] for line in log.splitlines()] == sorted(
        json.loads(line)["seq"] for line in log.splitlines()
    )


def test_what_a_message_says_stays_on_one_line() -> None:
    assert logged((Diagnosed, VM, "two\nlines"))[0]["text"] == "two\nlines"
