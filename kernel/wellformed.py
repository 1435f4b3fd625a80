"""Whether a message that a user program made can be a message at all.

A server may rely on the fields of what it gets: each holds a value that fits its place in the 64
bytes.  Servers are trusted to make such messages; what a user process sends is looked at once.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import attrs

from ipc.message import Message
from ipc.wire import encode


class Malformed(ValueError):
    """A program made a message that does not fit into one; the text says which field and why."""


# For each class whose fields are all numbers, what packs them; else None.
_packers: Final[dict[type, struct.Struct | None]] = {}


def demand_well_formed(message: Any) -> None:
    """Raise Malformed if a field of `message` does not fit, or it is no message."""
    try:
        packer = _packers[type(message)]
    except KeyError:
        packer = _packers[type(message)] = _packer(message)
    try:
        if packer is not None:
            packer.pack(*message.__dict__.values())
        else:
            encode(message)
    except struct.error:
        raise Malformed(_explain(message)) from None
    except ValueError as error:
        raise Malformed(str(error)) from None


def _packer(message: Any) -> struct.Struct | None:
    if not isinstance(message, Message):
        raise Malformed(f"{message!r:.100} is no message")
    fields: Any = attrs.fields
    metadata = [field.metadata for field in fields(type(message))]
    forms = [each["form"] for each in metadata]
    if all(len(form) == 1 for form in forms):
        return struct.Struct("<" + "".join(forms))
    return None


def _explain(message: Message) -> str:
    try:
        encode(message)
    except ValueError as error:
        return str(error)
    return f"{message!r:.100} does not fit into a message"
