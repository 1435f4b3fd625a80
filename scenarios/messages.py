"""Messages in a scenario: from a literal to a message of `ipc`, and from a message to its fields.

In `VM_MMAP {addr: 0}` the name is MINIX's, or `reply` for an answer that is nothing but its result,
or `VM_MMAP reply` for the answer to that call.  `raw {type: N, payload: "…"}` is any 64 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs

from ipc.layout import Member, layout
from ipc.message import PAYLOAD_SIZE, Message, RawMessage, Reply
from ipc.registry import BY_NAME, reply_class
from scenarios import syntax
from scenarios.evaluate import evaluate
from scenarios.scope import Scope, suggestion
from scenarios.source import BadInput, Place
from scenarios.values import Fields, ProcessName, Value, show

RAW: Final = RawMessage.name
_TYPE: Final = Member("type", "i", 0, 4, "result")
_TRANSID: Final = Member("transid", "H", 0, 2, "hex")
_PAYLOAD: Final = Member("payload", f"{PAYLOAD_SIZE}s", 0, PAYLOAD_SIZE, "bytes")


def message_class(words: tuple[str, ...], at: Place) -> type[Message]:
    """The class of the messages called so.  Raises BadInput for an unknown name."""
    name = words[0]
    if name == RAW:
        return RawMessage
    if words == ("reply",):
        return Reply
    if name not in BY_NAME:
        raise BadInput(f"unknown message {name}", at, suggestion(name, [*BY_NAME, RAW, "reply"]))
    return reply_class(BY_NAME[name]) if len(words) > 1 else BY_NAME[name]


def members_of(cls: type[Message]) -> dict[str, Member]:
    """The fields of a class of messages as scenarios call them, in their order."""
    form = layout(cls)
    members = {"type": _TYPE} if form.has_result else {}
    members |= {member.name.rstrip("_"): member for member in form.members}
    return members | ({"transid": _TRANSID} if form.has_transaction else {})


def kind_of(member: Member) -> str:
    """What the numbers in a field mean (see `scenarios.values`)."""
    return "pid" if "pid" in member.name.split("_") else member.show


def build_message(literal: syntax.Structure, scope: Scope) -> Message:
    """The message that `literal` describes.  Raises BadInput, with the place of what is wrong."""
    cls = message_class(literal.message, literal.at)
    members = members_of(cls)
    values: dict[str, Any] = {}
    for field in _once_each(literal.fields):
        check_field(field.name, members, " ".join(literal.message), field.at)
        member = members[field.name]
        values[member.name] = _field_value(field, member, scope)
    return cls(**values)


def _once_each(fields: Iterable[syntax.Field]) -> Iterator[syntax.Field]:
    """`fields`, of which none is given twice."""
    known: set[str] = set()
    for field in fields:
        if field.name in known:
            raise BadInput(f"{field.name} is given twice", field.at)
        known.add(field.name)
        yield field


def check_field(name: str, members: dict[str, Member], message: str, at: Place) -> None:
    """Raises BadInput if messages with those fields have none called `name`."""
    if name not in members:
        fields = ", ".join(members) or "none"
        raise BadInput(f"{message} has no field {name}", at, f"its fields: {fields}")


def _field_value(field: syntax.Field, member: Member, scope: Scope) -> Any:
    value = argument_value(field.value, scope)
    if isinstance(value, ProcessName):
        value = value.number(kind_of(member))
    if isinstance(value, Message | Fields | bool) or value is None:
        raise BadInput(f"{field.name} cannot hold that", field.value.at)
    if not _fits(member, value):
        raise BadInput(
            f"{field.name} cannot hold {show(value)}",
            field.value.at,
            f"it must be {_allowed(member)}",
        )
    return value


def _fits(member: Member, value: Value) -> bool:
    if isinstance(value, tuple) and member.form.endswith("s"):
        return False  # numbers, where text is wanted
    try:
        member.pack(value)
    except ValueError:
        return False
    return True


def _allowed(member: Member) -> str:
    try:
        member.pack(object())
    except ValueError as error:
        return str(error).rpartition("must be ")[2]
    raise AssertionError(f"{member.name} takes anything")


def argument_value(argument: syntax.Argument, scope: Scope) -> Any:
    """The value of a call's argument: as an expression's, or a Message, a tuple, or Fields."""
    match argument:
        case syntax.Structure(message=()):
            fields = _once_each(argument.fields)
            return Fields({field.name: argument_value(field.value, scope) for field in fields})
        case syntax.Structure():
            return build_message(argument, scope)
        case syntax.ListOf():
            return tuple(argument_value(item, scope) for item in argument.items)
        case syntax.MessagePattern():
            raise BadInput("a message pattern cannot be the argument of a call", argument.at)
        case _:
            return evaluate(argument, scope)


def message_fields(message: Message, name: str, **further: Value) -> Fields:
    """`message`, which a scenario calls `name`, as patterns see it, with further fields.

    A field of the message hides a further one of the same name.
    """
    members = members_of(type(message)) if not isinstance(message, RawMessage) else _RAW_MEMBERS
    values = dict(further) | {
        shown: getattr(message, member.name) for shown, member in members.items()
    }
    values.setdefault("type", message.type)
    kinds = {"source": "endpoint"} | {shown: kind_of(member) for shown, member in members.items()}
    return Fields(values, name, kinds)


_RAW_MEMBERS: Final = {"type": attrs.evolve(_TYPE, show="decimal"), "payload": _PAYLOAD}
