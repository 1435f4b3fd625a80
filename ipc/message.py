"""Messages: 64 bytes that one process hands to another, as typed records.

Each kind of message is a frozen class.  A request's class knows its number (`type`); a reply's
`type` is the result and so a field.  The kernel passes message objects as they are; `encode` and
`decode` give the bytes that MINIX would pass, exact to the byte of the i386 layout.

Source: MINIX ``minix/ipc.h``.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import attrs

MESSAGE_SIZE: Final = 64
PAYLOAD_OFFSET: Final = 8
PAYLOAD_SIZE: Final = 56


def _number(form: str, at: int) -> Any:
    return attrs.field(default=0, metadata={"form": form, "at": at})


def i8(at: int) -> Any:
    """A signed byte at payload offset `at` (bytes).  The others below likewise."""
    return _number("b", at)


def u8(at: int) -> Any:
    return _number("B", at)


def i16(at: int) -> Any:
    return _number("h", at)


def u16(at: int) -> Any:
    return _number("H", at)


def i32(at: int) -> Any:
    return _number("i", at)


def u32(at: int) -> Any:
    return _number("I", at)


def i64(at: int) -> Any:
    return _number("q", at)


def u64(at: int) -> Any:
    return _number("Q", at)


def raw(at: int, size: int) -> Any:
    """`size` bytes of text or data at payload offset `at`."""
    return attrs.field(default=b"", metadata={"form": f"{size}s", "at": at})


@attrs.frozen
class Message:
    """What every message has: a number, a name, and a layout."""

    type: ClassVar[int]
    name: ClassVar[str]


@attrs.frozen
class Reply(Message):
    """A reply that carries nothing but its result."""

    type: int = 0  # type: ignore[misc]
    name: ClassVar[str] = "reply"
