"""Whether a message that a user program made can be a message at all.

A server may rely on the fields of what it gets: each holds a value that fits its place in the 64
bytes.  Servers are trusted to make such messages; what a user process sends is looked at once.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

import attrs

from ipc.message import Message
from ipc.wire import encode


class Malformed(ValueError):
    """A program made a message that does not fit into one; the text says which field and why."""


@attrs.frozen
class _Packer:
    """What packs the fields of a class of messages that are all numbers or bytes.

    `texts` are those that are bytes, with their sizes; longer ones would be cut in silence.
    """

    pack: Callable[..., bytes]
    values_of: Callable[[Any], tuple[Any, ...]]
    texts: tuple[tuple[str, int], ...]


# For each class what packs its messages; None if it has fields of other forms.
_packers: Final[dict[type, _Packer | None]] = {}


def demand_well_formed(message: Any) -> None:
    """Raise Malformed if a field of `message` does not fit, or it is no message."""
    try:
        packer = _packers[type(message)]
    except KeyError:
        packer = _packers[type(message)] = _packer(message)
    try:
        if packer is None:
            encode(message)
            return
        packer.pack(*packer.values_of(message))
        for name, size in packer.texts:
            if len(getattr(message, name)) > size:
                raise Malformed(_explain(message))
    except struct.error:
        raise Malformed(_explain(message)) from None
    except ValueError as error:
        raise Malformed(str(error)) from None


def _packer(message: Any) -> _Packer | None:
    if not isinstance(message, Message):
        raise Malformed(f"{message!r:.100} is no message")
    fields: Any = attrs.fields
    forms = {field.name: field.metadata["form"] for field in fields(type(message))}
    if not all(len(form) == 1 or _size_of_text(form) for form in forms.values()):
        return None
    texts = tuple((name, _size_of_text(form)) for name, form in forms.items() if len(form) > 1)
    pack = struct.Struct("<" + "".join(forms.values())).pack
    return _Packer(pack, type(message).values_of, texts)


def _size_of_text(form: str) -> int:
    """The bytes that a field of this form holds; 0 if they are no bytes."""
    return int(form[:-1]) if form.endswith("s") else 0


def _explain(message: Message) -> str:
    try:
        encode(message)
    except ValueError as error:
        return str(error)
    return f"{message!r:.100} does not fit into a message"
