"""Requests as their receiver reads them: of the class of their number, with values that fit.

A program can make a message of any class and put any number into it; what it sends is 64 bytes.
A receiver that looks at a request as those bytes would carry it need not be afraid of either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from ipc.layout import layout
from ipc.message import Message, RawMessage, signed, unsigned
from ipc.registry import BY_NUMBER
from ipc.wire import decode, encode


class Unreadable(ValueError):
    """A message that no 64 bytes can carry; the text names the field."""


@attrs.frozen
class _Range:
    """The whole numbers that a field can hold: those that with `bias` added have `bits` bits."""

    name: str
    bias: int
    bits: int
    wrap: Callable[[int], int]


_ranges: Final[dict[type[Message], tuple[_Range, ...]]] = {}


def as_request(message: Message) -> Message:
    """`message` as its number says to read it; numbers that do not fit wrap as they do in C.

    Raises Unreadable for a field that holds no number where one should be, and the like.
    """
    kind = type(message)
    if kind is not BY_NUMBER.get(message.type, kind):
        return _read_again(message)
    try:
        for each in _ranges[kind]:
            # What is no whole number cannot be shifted.
            if getattr(message, each.name) + each.bias >> each.bits:
                return _wrapped(message)
    except KeyError:
        _ranges[kind] = _ranges_of(kind)
        return as_request(message)
    except TypeError:
        raise _unreadable(message) from None
    return message


def _read_again(message: Message) -> Message:
    try:
        return decode(encode(message))[1]
    except (ValueError, TypeError) as error:
        raise Unreadable(str(error)) from None


def _wrapped(message: Message) -> Message:
    changes = {}
    for each in _ranges[type(message)]:
        value = getattr(message, each.name)
        if not isinstance(value, int):
            raise _unreadable(message)
        changes[each.name] = each.wrap(value)
    return attrs.evolve(message, **changes)  # type: ignore[misc]


def _unreadable(message: Message) -> Unreadable:
    return Unreadable(f"{type(message).__name__} holds what is no number: {message!r:.200}")


def _ranges_of(kind: type[Message]) -> tuple[_Range, ...]:
    if kind is RawMessage:
        return ()
    found = []
    for member in layout(kind).members:
        if member.form == "sigset":
            found.append(_Range(member.name, 0, 128, _sigset))
        elif len(member.form) == 1:
            bits = 8 * member.size
            is_signed = member.form.islower()
            bias = 1 << bits - 1 if is_signed else 0
            found.append(_Range(member.name, bias, bits, _wrapper(bits, is_signed)))
    return tuple(found)


def _sigset(value: int) -> int:
    return value & (1 << 128) - 1


def _wrapper(bits: int, is_signed: bool) -> Callable[[int], int]:
    if bits == 32:
        return signed if is_signed else unsigned
    mask = (1 << bits) - 1

    def wrap(value: int) -> int:
        value &= mask
        return value - (1 << bits) if is_signed and value >> bits - 1 else value

    return wrap
