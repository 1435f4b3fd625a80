"""Messages as bytes: the 64 bytes that MINIX passes on i386, to the byte and back.

A class's layout is worked out from its fields when it is first needed.

Source: MINIX ``minix/ipc.h``.
"""

from __future__ import annotations

import struct
from typing import Any, Final, cast

import attrs

from ipc.message import MESSAGE_SIZE, PAYLOAD_OFFSET, PAYLOAD_SIZE, Message, RawMessage, Reply
from ipc.registry import BY_NUMBER, reply_class
from ipc.transaction import (
    add_transaction,
    has_transaction,
    transaction_of,
    without_transaction,
)

SIGSET_SIZE: Final = 16
HEADER: Final = struct.Struct("<ii")


@attrs.frozen
class Member:
    """One field of a message in its payload: `form` as `struct` writes it, `at` in bytes."""

    name: str
    form: str
    at: int
    size: int
    show: str

    def pack(self, value: Any) -> bytes:
        """The bytes of `value`.  Raises ValueError, saying what is allowed, if it does not fit."""
        try:
            return self._pack(value)
        except (struct.error, TypeError, OverflowError):
            raise ValueError(f"is {value!r}; it must be {self._allowed()}") from None

    def _pack(self, value: Any) -> bytes:
        if self.form == "sigset":
            return int(value).to_bytes(SIGSET_SIZE, "little")
        if self.form.endswith("s"):
            if len(value) > self.size:
                raise OverflowError
            return bytes(value).ljust(self.size, b"\0")
        if len(self.form) > 1:
            return struct.pack(f"<{len(value)}{self.form[-1]}", *value).ljust(self.size, b"\0")
        return struct.pack(f"<{self.form}", value)

    def unpack(self, payload: bytes) -> Any:
        """The value of this field in `payload`, without the zeros at the end of an array."""
        data = payload[self.at : self.at + self.size]
        if self.form == "sigset":
            return int.from_bytes(data, "little")
        if self.form.endswith("s"):
            return data.rstrip(b"\0")
        values = struct.unpack(f"<{self.form}", data)
        return values[0] if len(self.form) == 1 else _without_zeros(values)

    def _allowed(self) -> str:
        if self.form == "sigset":
            return "a set of signals, 0..2**128-1"
        if self.form.endswith("s"):
            return f"at most {self.size} bytes"
        if len(self.form) > 1:
            return f"at most {self.form[:-1]} numbers of 32 bits"
        bits = 8 * self.size
        signed = self.form.islower()
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        return f"a whole number in {low}..{high}"


def _without_zeros(values: tuple[int, ...]) -> tuple[int, ...]:
    count = len(values)
    while count and not values[count - 1]:
        count -= 1
    return values[:count]


@attrs.frozen
class Layout:
    """Where the fields of one class of messages lie."""

    members: tuple[Member, ...]
    has_result: bool
    has_transaction: bool


_layouts: Final[dict[type[Message], Layout]] = {}


def layout(cls: type[Message]) -> Layout:
    """The layout of the messages of class `cls`."""
    try:
        return _layouts[cls]
    except KeyError:
        _layouts[cls] = made = _layout(cls)
        return made


def _layout(cls: type[Message]) -> Layout:
    fields = attrs.fields(cast("type[Any]", cls))
    names = [field.name for field in fields]
    members = tuple(_member(field) for field in fields if field.metadata["at"] >= 0)
    end = 0
    for member in members:
        assert member.at >= end, f"{cls.__name__}.{member.name} overlaps the field before it"
        end = member.at + member.size
    assert end <= PAYLOAD_SIZE, f"{cls.__name__} is longer than a message"
    return Layout(members, "type" in names, "transid" in names)


def _member(field: Any) -> Member:
    form = field.metadata["form"]
    size = SIGSET_SIZE if form == "sigset" else struct.calcsize(f"<{form}")
    return Member(field.name, form, field.metadata["at"], size, field.metadata["show"])


def wire_number(message: Message) -> int:
    """The number that `message` travels under: its `type`, with its transaction id if any."""
    transid: int = getattr(message, "transid", 0)
    return add_transaction(message.type, transid) if transid else message.type


def encode(message: Message, source: int = 0) -> bytes:
    """The 64 bytes of `message` from endpoint `source`.

    Raises ValueError, which names the message and the field, for a value that does not fit.
    """
    return _header(message, source) + _payload(message)


def _header(message: Message, source: int) -> bytes:
    _check_transaction(message)
    for what, value in (("source", source), ("type", message.type)):
        if not -(1 << 31) <= value < 1 << 31:
            raise ValueError(f"{_label(message)}.{what} is {value!r}; it must have 32 bits")
    return HEADER.pack(source, wire_number(message))


def _check_transaction(message: Message) -> None:
    transid = getattr(message, "transid", 0)
    if not transid:
        return
    if not has_transaction(transid) or transid >> 16:
        raise ValueError(f"{_label(message)}.transid is {transid!r}; it must be 0 or 0xB00..0xBFF")
    if not -(1 << 15) <= message.type < 1 << 15:
        text = f"is {message.type!r}; with a transaction it must be in -32768..32767"
        raise ValueError(f"{_label(message)}.type {text}")


def _payload(message: Message) -> bytes:
    payload = bytearray(PAYLOAD_SIZE)
    for member in layout(type(message)).members:
        try:
            data = member.pack(getattr(message, member.name))
        except ValueError as error:
            raise ValueError(f"{_label(message)}.{member.name} {error}") from None
        payload[member.at : member.at + member.size] = data
    return bytes(payload)


def _label(message: Message) -> str:
    return type(message).__name__ if isinstance(message, Reply) else message.name


def decode(data: bytes, reply_to: Message | type[Message] | None = None) -> tuple[int, Message]:
    """The source endpoint and the message in 64 bytes.

    `reply_to` is the request (or its class) that they answer, if they do: the number of an answer
    is its result, so only the request tells how to read it.  Bytes of no kind that is known here
    come as a `RawMessage`, or as a `Reply` if nothing is in them but OK or an error.
    Raises ValueError if there are not 64 bytes.
    """
    if len(data) != MESSAGE_SIZE:
        raise ValueError(f"a message has {MESSAGE_SIZE} bytes, not {len(data)}")
    source, number = HEADER.unpack_from(data)
    return source, read(number, data[PAYLOAD_OFFSET:], reply_to)


def read(number: int, payload: bytes, reply_to: Message | type[Message] | None = None) -> Message:
    """The message of that number with that payload (56 bytes); `reply_to` as in `decode`."""
    cls = None if reply_to is None else reply_class(reply_to)
    if cls is None or not issubclass(cls, Reply):
        cls = BY_NUMBER.get(number)
    if cls is not None:
        return _fill(cls, number, payload)
    if has_transaction(number):
        cls = BY_NUMBER.get(without_transaction(number))
        if cls is not None and layout(cls).has_transaction:
            return _fill(cls, number, payload)
    if number <= 0 and not any(payload):
        return Reply(number)
    return RawMessage(number, payload.rstrip(b"\0"))


def _fill(cls: type[Message], number: int, payload: bytes) -> Message:
    form = layout(cls)
    values = {member.name: member.unpack(payload) for member in form.members}
    if form.has_transaction and has_transaction(number):
        values["transid"] = transaction_of(number)
        number = without_transaction(number)
    if form.has_result:
        values["type"] = number
    return cls(**values)


def typed(message: Message, reply_to: Message | type[Message] | None = None) -> Message:
    """A `RawMessage` of a kind that is known here as a message of that kind; others as they are."""
    if not isinstance(message, RawMessage):
        return message
    return read(message.type, message.payload.ljust(PAYLOAD_SIZE, b"\0"), reply_to)
