"""Layouts: where the fields of a message lie in its 56 bytes of payload, and how they are packed.

A class's layout is worked out from its fields when it is first needed.

Source: MINIX ``minix/ipc.h``.
"""

from __future__ import annotations

import operator
import struct
from typing import Any, Final, cast

import attrs

from ipc.message import PAYLOAD_SIZE, Message

SIGSET_SIZE: Final = 16


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
            return operator.index(value).to_bytes(SIGSET_SIZE, "little")
        if len(self.form) == 1:
            return struct.pack(f"<{self.form}", value)
        is_text = self.form.endswith("s")
        if hasattr(value, "__index__") if is_text else isinstance(value, bytes | bytearray):
            raise TypeError  # bytes() of a number are so many zeros, and each of bytes is a number
        data = bytes(value) if is_text else struct.pack(f"<{len(value)}{self.form[-1]}", *value)
        if len(data) > self.size:
            raise OverflowError
        return data.ljust(self.size, b"\0")

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
