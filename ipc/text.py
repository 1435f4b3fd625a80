"""Messages as people read them: ``VM_MMAP {addr: 0x0, len: 4K, flags: MAP_PRIVATE|MAP_ANON}``.

Each field says how it is shown (`show` in `ipc.message`): one of the ways in `WAYS`, or a kind of
flags.  What comes out is the notation of scenarios: it can be read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from ipc.endpoint import endpoint_name
from ipc.errors import error_name
from ipc.flags import KINDS, flag_names
from ipc.layout import layout
from ipc.message import Message, Reply
from ipc.signals import signal_name, signals_in

NameOf: TypeAlias = Callable[[int], str]

UNITS: Final = (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10))


def size_text(size: int) -> str:
    """A size in bytes with the largest unit that divides it: ``4K``, ``100``."""
    for unit, bytes_each in UNITS:
        if size and size % bytes_each == 0:
            return f"{size // bytes_each}{unit}"
    return str(size)


def bytes_text(data: bytes) -> str:
    """Bytes between double quotes, with C's escapes for what is not plain text."""
    inside = "".join(_character(byte) for byte in data)
    return f'"{inside}"'


def _character(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"


def _octal(value: int) -> str:
    return f"0{value:o}" if value else "0"


def _sigset(bits: int) -> str:
    return "|".join(signal_name(number) for number in signals_in(bits)) or "0"


def _signal(number: int) -> str:
    return signal_name(number) if number else "0"


WAYS: Final[dict[str, Callable[[Any], str]]] = {
    "decimal": str,
    "address": hex,
    "hex": hex,
    "size": size_text,
    "octal": _octal,
    "result": error_name,
    "signal": _signal,
    "sigset": _sigset,
    "status": hex,
    "text": bytes_text,
    "bytes": bytes_text,
}


def value_text(show: str, value: Any, name_of: NameOf = endpoint_name) -> str:
    """One value, shown in the way `show`; `name_of` names endpoints.

    Raises KeyError for a way that there is not.
    """
    if show == "endpoint":
        return name_of(value)
    if show in KINDS:
        return flag_names(show, value)
    if isinstance(value, tuple):
        return "[" + ", ".join(WAYS[show](item) for item in value) + "]"
    return WAYS[show](value)


def field_texts(message: Message, name_of: NameOf = endpoint_name) -> Iterator[tuple[str, str]]:
    """The fields of `message` in order, each as its name and its value as text."""
    if layout(type(message)).has_result:
        yield "type", WAYS["result" if isinstance(message, Reply) else "decimal"](message.type)
    for member in layout(type(message)).members:
        yield member.name, value_text(member.show, getattr(message, member.name), name_of)
    transid = getattr(message, "transid", 0)
    if transid:
        yield "transid", str(transid)


def fields_text(message: Message, name_of: NameOf = endpoint_name) -> str:
    """The fields of `message` between braces: ``{type: OK, retaddr: 0x5000}``."""
    inside = ", ".join(f"{name}: {text}" for name, text in field_texts(message, name_of))
    return f"{{{inside}}}"


def describe(message: Message, name_of: NameOf = endpoint_name) -> str:
    """`message` on one line: its name and its fields; a reply's name is ``reply``."""
    return f"{message.name} {fields_text(message, name_of)}"
