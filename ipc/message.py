"""Messages: 64 bytes that one process hands to another, as typed records.

Each kind of message is a frozen attrs class whose fields say where they lie.  A request's class
knows its number (`type`) and MINIX's name for it; in a reply `type` is the result, and so a field.
The kernel passes message objects as they are; `ipc.wire` gives the bytes that MINIX would pass.

Rules:

- A field has the name of its MINIX member.  Where that is a name of the class itself (`type`,
  `name`) or a Python keyword, an underscore follows: `name_`.
- Fields come in the order in which they lie, except `transid`, which travels in the number.
- A pointer, and a number that MINIX keeps in a signed member but uses as an address or a size, is
  an unsigned field.
- Padding is no field.
- The reply to `VmMmap` is `VmMmapReply` if there is such a class, else the plain `Reply`.

Source: MINIX ``minix/ipc.h``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

from attrs.exceptions import FrozenInstanceError

from ipc.messageclass import Field, MessageClass

__all__ = [
    "MESSAGE_SIZE", "PAYLOAD_OFFSET", "PAYLOAD_SIZE", "Message", "RawMessage", "Reply",
    "i8", "i16", "i32", "i32s", "i64", "message", "raw", "signed", "sigset", "transaction",
    "u8", "u16", "u32", "u64", "unsigned",
]  # fmt: skip

MESSAGE_SIZE: Final = 64
PAYLOAD_OFFSET: Final = 8
PAYLOAD_SIZE: Final = 56

WORD_MASK: Final = 0xFFFFFFFF


def _field(form: str, at: int, show: str, empty: object = 0) -> Any:
    return Field(form, at, show, empty)


def i8(at: int, show: str = "decimal") -> Any:
    """A signed byte at payload offset `at` (bytes).  The others below likewise.

    `show` says how people read the value: a kind of `ipc.text`.
    """
    return _field("b", at, show)


def u8(at: int, show: str = "decimal") -> Any:
    return _field("B", at, show)


def i16(at: int, show: str = "decimal") -> Any:
    return _field("h", at, show)


def u16(at: int, show: str = "decimal") -> Any:
    return _field("H", at, show)


def i32(at: int, show: str = "decimal") -> Any:
    return _field("i", at, show)


def u32(at: int, show: str = "decimal") -> Any:
    return _field("I", at, show)


def i64(at: int, show: str = "decimal") -> Any:
    return _field("q", at, show)


def u64(at: int, show: str = "decimal") -> Any:
    return _field("Q", at, show)


def raw(at: int, size: int, show: str = "text") -> Any:
    """`size` bytes of text or data at payload offset `at`; zeros at the end may be left out."""
    return _field(f"{size}s", at, show, b"")


def sigset(at: int) -> Any:
    """A set of signals at payload offset `at`, as a number of 128 bits: signal n is bit n - 1."""
    return _field("sigset", at, "sigset")


def i32s(at: int, count: int, show: str = "decimal") -> Any:
    """`count` signed words at payload offset `at`, as a tuple; zeros at the end may be left out."""
    return _field(f"{count}i", at, show, ())


def transaction() -> Any:
    """The id by which VFS finds the thread that waits for the answer; 0 for none.

    MINIX: minix/vfsif.h TRNS_ADD_ID: it travels in the lower half of the message's number.
    """
    return _field("", -1, "decimal")


if TYPE_CHECKING:
    from attrs import frozen as message
else:

    def message(cls):
        """Say that `cls` is a message class; `MessageClass` has made it one already."""
        return cls


class Message(metaclass=MessageClass):
    """What every message has: a number, a name, and fields.

    Two messages are equal if they are of the same class and have the same values.  `attrs.evolve`
    and `attrs.fields` work as for any attrs class.
    """

    type: ClassVar[int]
    name: ClassVar[str]

    def __init_subclass__(cls, number: int | None = None, call: str | None = None) -> None:
        """`number` and `call` are MINIX's number and name; a reply has neither."""
        if number is not None:
            cls.type = number
        if call is not None:
            cls.name = call

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        values_of = self.__class__.values_of
        return values_of(self) == values_of(other)

    def __hash__(self) -> int:
        return hash((self.__class__, *self.__class__.values_of(self)))

    def __repr__(self) -> str:
        names = self.__class__.field_names
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__name__}({values})"

    def __reduce__(self) -> tuple[Any, ...]:
        return self.__class__, self.__class__.values_of(self)


@message
class Reply(Message, call="reply"):
    """A reply that carries nothing but its result; replies that carry more derive from it."""

    type: int = _field("", -1, "result")  # type: ignore[misc]


@message
class RawMessage(Message, call="raw"):
    """Any 64 bytes: a number that nothing here knows, or values that a typed message refuses."""

    type: int = _field("", -1, "decimal")  # type: ignore[misc]
    payload: bytes = raw(0, PAYLOAD_SIZE, "bytes")


def unsigned(value: int) -> int:
    """`value` as an unsigned word, as C's conversion does: modulo 2**32."""
    return value & WORD_MASK


def signed(value: int) -> int:
    """`value` as a signed word, as C's conversion does: modulo 2**32, the upper half negative."""
    value &= WORD_MASK
    return value - (1 << 32) if value >> 31 else value
