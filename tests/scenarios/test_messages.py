"""Messages in scenarios: from a literal to a message, and from a message to what patterns see."""

from __future__ import annotations

from typing import Any

import pytest

from ipc.message import Message, RawMessage, Reply
from ipc.pm import PmGetpidReply, PmKill
from ipc.vm import VmBrk, VmMmap, VmMmapReply
from scenarios import syntax
from scenarios.messages import build_message, message_fields
from scenarios.scope import Scope
from scenarios.source import BadInput
from scenarios.values import ProcessName
from tests.scenarios.helpers import line

SCOPE = Scope({"kid": ProcessName("kid", endpoint=32780, pid=7), "buf": 0x5000})


def _literal(text: str) -> syntax.Structure:
    call = line(f"init: send(VM, {text})")
    assert isinstance(call, syntax.Call)
    literal = call.arguments[1]
    assert isinstance(literal, syntax.Structure)
    return literal


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("VM_BRK {}", VmBrk()),
        ("VM_BRK {addr: buf + 4K}", VmBrk(addr=0x6000)),
        ("VM_MMAP {len: 8K, flags: MAP_ANON|MAP_PRIVATE, fd: -1, forwhom: kid}",
         VmMmap(len=8192, flags=0x1002, fd=-1, forwhom=32780)),
        ("PM_KILL {pid: kid, nr: SIGTERM}", PmKill(pid=7, nr=15)),
        ("reply {type: ENOMEM}", Reply(-12)),
        ("VM_MMAP reply {type: OK, retaddr: buf}", VmMmapReply(0, 0x5000)),
        ("PM_GETPID reply {type: 7}", PmGetpidReply(7)),
        ('raw {type: 0x123, payload: "ab"}', RawMessage(0x123, b"ab")),
    ],
)  # fmt: skip
def test_a_literal_is_a_message(text: str, message: Message) -> None:
    assert build_message(_literal(text), SCOPE) == message


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("VM_BORK {}", 16, "unknown message VM_BORK", "did you mean VM_BRK or VM_FORK?"),
        ("VM_BRK {adr: 1}", 24, "VM_BRK has no field adr", "its fields: addr"),
        ("VM_BRK {addr: -1}", 30, "addr cannot hold -1",
         "it must be a whole number in 0..4294967295"),
        ("VM_MMAP {fd: 4G}", 29, "fd cannot hold 0x100000000",
         "it must be a whole number in -2147483648..2147483647"),
        ('VM_BRK {addr: "x"}', 30, 'addr cannot hold "x"',
         "it must be a whole number in 0..4294967295"),
        ('raw {payload: "' + "x" * 57 + '"}', 30, f'payload cannot hold "{"x" * 57}"',
         "it must be at most 56 bytes"),
        ("VM_BRK {addr: VM_BRK {}}", 30, "addr cannot hold that", ""),
        ("VM_BRK {addr: {a: 1}}", 30, "addr cannot hold that", ""),
        ("VM_BRK {addr: 1 == 1}", 30, "addr cannot hold that", ""),
        ("raw {payload: 5}", 30, "payload cannot hold 5", "it must be at most 56 bytes"),
        ("raw {payload: 99999999999}", 30, "payload cannot hold 0x174876e7ff",
         "it must be at most 56 bytes"),
        ("raw {payload: [1, 2]}", 30, "payload cannot hold [1, 2]", "it must be at most 56 bytes"),
        ("raw {payload: 1 == 1}", 30, "payload cannot hold that", ""),
    ],
)  # fmt: skip
def test_a_wrong_literal_is_named_with_its_place(
    text: str, column: int, message: str, hint: str
) -> None:
    with pytest.raises(BadInput) as caught:
        build_message(_literal(text), SCOPE)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert caught.value.place is not None
    assert caught.value.place.column == column


@pytest.mark.parametrize(
    ("message", "name", "values"),
    [
        (VmBrk(addr=5), "VM_BRK", {"source": 9, "addr": 5, "type": 3074}),
        (VmMmapReply(0, 5), "VM_MMAP reply", {"source": 9, "type": 0, "retaddr": 5}),
        (RawMessage(7, b"x"), "raw", {"source": 9, "type": 7, "payload": b"x"}),
    ],
)
def test_patterns_see_a_messages_fields_its_number_and_its_source(
    message: Message, name: str, values: dict[str, Any]
) -> None:
    fields = message_fields(message, name, source=9)
    assert fields.name == name
    assert dict(fields.values) == values
    assert fields.kinds["source"] == "endpoint"
