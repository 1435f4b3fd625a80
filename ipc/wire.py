"""Messages as bytes: the 64 bytes that MINIX passes on i386, to the byte and back.

The layouts are `ipc.layout`'s; this module adds the header, and finds the class of what came.

Source: MINIX ``minix/ipc.h``.
"""

from __future__ import annotations

import struct
from typing import Final

from ipc.layout import layout
from ipc.message import MESSAGE_SIZE, PAYLOAD_OFFSET, PAYLOAD_SIZE, Message, RawMessage, Reply
from ipc.registry import BY_NUMBER, reply_class
from ipc.transaction import (
    add_transaction,
    has_transaction,
    transaction_of,
    without_transaction,
)

WORD: Final = struct.Struct("<i")
HEADER: Final = struct.Struct("<ii")


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
    for what, value in (("source", source), ("type", message.type)):
        try:
            WORD.pack(value)
        except struct.error:
            text = f"is {value!r}; it must be a whole number of 32 bits"
            raise ValueError(f"{_label(message)}.{what} {text}") from None
    _check_transaction(message)
    return HEADER.pack(source, wire_number(message))


def _check_transaction(message: Message) -> None:
    transid = getattr(message, "transid", 0)
    if transid == 0:
        return
    if not isinstance(transid, int) or transid >> 16 or not has_transaction(transid):
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
