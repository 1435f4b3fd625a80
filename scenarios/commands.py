"""From a line `NAME: call(arguments)` to a command for a driven process, and back to a value.

A command carries the text by which the record and the trace know it, and its outcome a text too.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeAlias

import attrs

from ipc.errors import IpcError
from ipc.flags import SIG_DFL, SIG_IGN
from ipc.message import Message
from ipc.text import fields_text
from ipc.traps import AMF_VALID, AsyncEntry, KernelCall, SendA, trap
from scenarios import syntax
from scenarios.calls import CALLS, Parameter, Signature
from scenarios.constants import SIG_CATCH
from scenarios.messages import argument_value, message_fields
from scenarios.scope import Scope
from scenarios.source import BadInput, Place
from scenarios.values import Failed, Fields, ProcessName, Value, show
from servers.lib.driven import Command, drive
from servers.lib.libc import CallFailed, Libc


@attrs.frozen
class Shown:
    """A command's result, and what the record says of it."""

    value: Value
    description: str


Action: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]
Convert: TypeAlias = Callable[[Parameter, Any, Place], Any]


def make_command(line: syntax.Call, scope: Scope) -> Command:
    """The command that `line` gives its process.  Raises BadInput."""
    signature = CALLS[line.call]
    values = [
        _argument(parameter, argument, scope)
        for parameter, argument in zip(signature.parameters, line.arguments, strict=False)
    ]
    values += [parameter.default for parameter in signature.parameters[len(values) :]]
    shown = ", ".join(
        _shown(parameter, value)
        for parameter, value in zip(signature.parameters, values, strict=True)
    )
    action: Action = ACTIONS.get(line.call, _library_call(line.call))

    async def act(libc: Libc) -> Shown:
        try:
            result = await action(libc, *values)
        except CallFailed as failure:
            return _described(Failed(failure.errno), signature)
        except IpcError as failure:
            # With a quirk even what is no call can end so: the kernel waited in its name.
            return _described(Failed(failure.code), signature)
        return _described(_value(result, signature), signature)

    return Command(act, f"{line.call}({shown})")


def _described(value: Value, signature: Signature) -> Shown:
    return Shown(value, show(value, signature.result))


def _library_call(name: str) -> Action:
    async def call(libc: Libc, *values: Any) -> Any:
        return await getattr(libc, name)(*values)

    return call


# ---- Arguments


def _argument(parameter: Parameter, argument: syntax.Argument, scope: Scope) -> Any:
    value = argument_value(argument, scope)
    convert: Convert = _CONVERT.get(parameter.kind, _number)
    return convert(parameter, value, argument.at)


def _number(parameter: Parameter, value: Any, at: Place) -> int:
    if isinstance(value, ProcessName):
        value = value.number(parameter.kind)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _unfit(parameter, value, at, "a number")
    if not -(1 << 63) <= value < 1 << 64:
        raise _unfit(parameter, value, at, "a number of at most 64 bits")
    return value


def _handler(parameter: Parameter, value: Any, at: Place) -> int:
    if value not in (SIG_DFL, SIG_IGN, SIG_CATCH):
        raise _unfit(parameter, value, at, "SIG_DFL, SIG_IGN or SIG_CATCH")
    return int(value)


def _bytes(parameter: Parameter, value: Any, at: Place) -> bytes:
    if not isinstance(value, bytes):
        raise _unfit(parameter, value, at, "a string")
    return value


def _message(parameter: Parameter, value: Any, at: Place) -> Message:
    if not isinstance(value, Message):
        raise _unfit(parameter, value, at, "a message, NAME {field: value, ...}")
    return value


def _entries(parameter: Parameter, value: Any, at: Place) -> list[AsyncEntry]:
    if not isinstance(value, tuple):
        raise _unfit(parameter, value, at, "a list, [{dst: ..., msg: NAME {...}}, ...]")
    return [_entry(parameter, each, at) for each in value]


def _entry(parameter: Parameter, value: Any, at: Place) -> AsyncEntry:
    fields: dict[str, Any] = dict(value.values) if isinstance(value, Fields) else {}
    dest, message = fields.pop("dst", None), fields.pop("msg", None)
    flags = fields.pop("flags", 0)
    if fields or dest is None or not isinstance(message, Message):
        raise _unfit(parameter, value, at, "a list, [{dst: ..., msg: NAME {...}}, ...]")
    return AsyncEntry(AMF_VALID | _word("flags", flags, at), _word("dst", dest, at), message)


def _word(name: str, value: Any, at: Place) -> int:
    """A field of an entry of `senda`."""
    if isinstance(value, ProcessName):
        value = value.endpoint
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not -(1 << 31) <= value < 1 << 31:
        raise BadInput(f"{name} must be a number of 32 bits, not {_told(value)}", at)
    return int(value)


def _unfit(parameter: Parameter, value: Any, at: Place, wanted: str) -> BadInput:
    return BadInput(f"{parameter.name} must be {wanted}, not {_told(value)}", at)


def _told(value: Any) -> str:
    match value:
        case Message():
            return f"a message {value.name}"
        case Fields():
            fields = (f"{name}: {_told(each)}" for name, each in value.values.items())
            return f"{{{', '.join(fields)}}}"
        case _:
            return show(value)


_CONVERT: Final[dict[str, Convert]] = {
    "bytes": _bytes, "path": _bytes, "message": _message, "entries": _entries,
    "handler": _handler,
}  # fmt: skip


def _shown(parameter: Parameter, value: Any) -> str:
    if isinstance(value, Message):
        return f"{value.name} {fields_text(value)}"
    if isinstance(value, list):
        entries = (f"{{dst: {each.dest}, msg: {each.message.name}}}" for each in value)
        return f"[{', '.join(entries)}]"
    return show(value, parameter.kind)


# ---- Results


def _value(result: Any, signature: Signature) -> Value:
    match signature.result:
        case "none":
            return 0
        case "structure":
            return Fields(
                {name: getattr(result, name) for name in signature.fields}, None, signature.fields
            )
        case _:
            return result  # type: ignore[no-any-return]


async def _fork(libc: Libc) -> int:
    return await libc.fork(drive)


async def _receive(libc: Libc, source: int) -> Fields:
    sender, message, status = await libc.receive(source)
    return message_fields(message, message.name, source=sender, status=status)


async def _sendrec(libc: Libc, dest: int, message: Message) -> Fields:
    reply = await libc.sendrec(dest, message)
    return message_fields(reply, f"{message.name} reply", source=dest)


async def _senda(_libc: Libc, table: list[AsyncEntry]) -> None:
    try:
        await trap(SendA(table))
    except IpcError as failure:
        raise CallFailed("senda", failure.code) from None


async def _kernel_call(_libc: Libc, request: Message) -> Fields:
    answer = await trap(KernelCall(request))
    return message_fields(answer, f"{request.name} reply")


async def _signal(libc: Libc, signal: int, action: int) -> None:
    await libc.signal(signal, _caught if action == SIG_CATCH else action)


async def _caught(_libc: Libc, _signal: int) -> None:
    """The handler that SIG_CATCH stands for."""


ACTIONS: Final[dict[str, Action]] = {
    "fork": _fork, "receive": _receive, "sendrec": _sendrec, "senda": _senda, "signal": _signal,
    "kernel_call": _kernel_call,
}  # fmt: skip
