"""The parts of an `ipc-golden/1` input: messages, tables, filters, flags.

Every function raises Malformed for what no recording can contain.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from ipc.endpoint import ANY, ANY_SYS, ANY_TSK, ANY_USR, ASYNCM, CLOCK, HARDWARE, IDLE, SELF, SYSTEM
from ipc.message import PAYLOAD_SIZE, Message, RawMessage
from ipc.traps import MINIX_KERNINFO_CALL, AsyncEntry
from kernel.filters import BLACKLIST, WHITELIST, FilterElement
from kernel.flags import RTS_NO_ENDPOINT, RTS_RECEIVING, RTS_SENDING, RTS_SLOT_FREE
from scenarios.conform.ipc_config import AMF_NAMES, CALLS, RTS_FLAGS
from scenarios.conform.recording import Malformed, checked, field, number, optional

_WORD: Final = struct.Struct("<I")
_NOT_TO_SET: Final = RTS_SLOT_FREE | RTS_NO_ENDPOINT | RTS_SENDING | RTS_RECEIVING
_WORD_MASK: Final = 0xFFFFFFFF
_SIGNALS: Final = 128

_TASKS: Final = {
    "HARDWARE": HARDWARE, "SYSTEM": SYSTEM, "CLOCK": CLOCK, "IDLE": IDLE, "ASYNCM": ASYNCM,
}  # fmt: skip
_KINDS: Final = {"BLACKLIST": BLACKLIST, "WHITELIST": WHITELIST}
_MANY: Final = {"ANY_USR": ANY_USR, "ANY_SYS": ANY_SYS, "ANY_TSK": ANY_TSK}


def natural(of: dict[str, Any], name: str) -> int:
    """A number that is not negative."""
    value = field(of, name, int)
    if value < 0:
        raise Malformed(f"{name} is {value}, less than 0")
    return value


def call(operation: dict[str, Any]) -> int:
    """The number of a call, from its name or any number."""
    value = operation.get("call")
    if isinstance(value, str) and value in CALLS:
        return CALLS[value]
    return MINIX_KERNINFO_CALL if value == "MINIX_KERNINFO" else field(operation, "call", int)


def dest(operation: dict[str, Any]) -> int:
    """The endpoint of a call."""
    value = operation.get("ep")
    return ANY if value == "ANY" else field(operation, "ep", int)


def message(of: dict[str, Any]) -> Message:
    """A message: a number and the first word of its payload."""
    word = optional(of, "body", int, 0) & _WORD_MASK
    kind = number(of, "type", -(1 << 31), (1 << 31) - 1, default=0)
    return RawMessage(kind, _WORD.pack(word).ljust(PAYLOAD_SIZE, b"\0"))


def offered(operation: dict[str, Any]) -> Message | None:
    """The message of a call; None if its pointer is bad."""
    return None if operation.get("bad_ptr") else message(operation)


def body_of(said: Message) -> int:
    """The first word of the payload of a message made here."""
    assert isinstance(said, RawMessage), "all messages but notifications are made here"
    word: int = _WORD.unpack_from(said.payload)[0]
    return word


def entries(operation: dict[str, Any]) -> list[AsyncEntry]:
    """A table of asynchronous messages."""
    return [
        _entry(checked(each, "each of table", dict)) for each in field(operation, "table", list)
    ]


def _entry(of: dict[str, Any]) -> AsyncEntry:
    flags = 0
    for each in field(of, "flags", list):
        known = AMF_NAMES.get(each) if isinstance(each, str) else None
        flags |= checked(each, "each of flags", int) if known is None else known
    target = SELF if of.get("dst") == "SELF" else field(of, "dst", int)
    return AsyncEntry(flags, target, message(of))


def task(operation: dict[str, Any]) -> int:
    """The slot of the kernel task that notifies."""
    name = field(operation, "from", str)
    if name not in _TASKS:
        raise Malformed(f"from is {name[:40]!r}, which is no kernel task")
    return _TASKS[name]


def signal(operation: dict[str, Any]) -> int:
    """The number of a signal."""
    number = field(operation, "sig", int)
    if not 1 <= number <= _SIGNALS:
        raise Malformed(f"sig is {number}, which is no signal")
    return number


def run_flag(operation: dict[str, Any], name: str) -> int:
    """A run flag."""
    flag = field(operation, name, str)
    if flag not in RTS_FLAGS or RTS_FLAGS[flag] & _NOT_TO_SET:
        raise Malformed(f"{name} is {flag[:40]!r}, which is no run flag to set or clear")
    return RTS_FLAGS[flag]


def filter_of(operation: dict[str, Any]) -> tuple[int, list[FilterElement]]:
    """The kind and the elements of a message filter."""
    kind = field(operation, "kind", str)
    if kind not in _KINDS:
        raise Malformed(f"kind is {kind[:40]!r}, not BLACKLIST or WHITELIST")
    listed = field(operation, "elements", list)
    return _KINDS[kind], [_element(checked(each, "each of elements", dict)) for each in listed]


def _element(of: dict[str, Any]) -> FilterElement:
    source = of.get("source")
    if isinstance(source, str) and source in _MANY:
        source = _MANY[source]
    elif source is not None:
        source = field(of, "source", int)
    return FilterElement(source, field(of, "type", int) if "type" in of else None)
