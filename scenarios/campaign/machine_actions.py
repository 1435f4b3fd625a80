"""What the operations of a machine's users are: commands for driven processes.

An operation is what `machine_world` draws: the name of an action, and its arguments by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ipc.errors import IpcError
from ipc.flags import WNOHANG
from ipc.message import RawMessage
from ipc.traps import SendRec, trap
from scenarios.campaign.world import Json
from servers.lib.driven import drive
from servers.lib.libc import Libc

Action = Callable[[Libc], Any]


def _library(name: str, *fields: str) -> Callable[[Json], Action]:
    """A call of the C library; `fields` of the operation are its arguments, in order."""

    def make(operation: Json) -> Action:
        arguments = [operation[field] for field in fields]
        return lambda libc: getattr(libc, name)(*arguments)

    return make


def _store(operation: Json) -> Action:
    return lambda libc: libc.store(operation["address"], b"x" * operation["length"])


def _fork(_operation: Json) -> Action:
    return lambda libc: libc.fork(drive)


def _send_raw(operation: Json) -> Action:
    message = RawMessage(operation["type"], bytes.fromhex(operation["payload"]))

    async def act(_libc: Libc) -> str:
        try:
            return str((await trap(SendRec(operation["server"], message))).type)
        except IpcError as error:
            return str(error.code)

    return act


_MMAP: Final = ("address", "length", "prot", "flags", "fd", "offset")

ACTIONS: Final[dict[str, Callable[[Json], Action]]] = {
    "mmap": _library("mmap", *_MMAP),
    "munmap": _library("munmap", "address", "length"),
    "brk": _library("brk", "address"),
    "load": _library("load", "address", "length"),
    "store": _store,
    "fork": _fork,
    "exit": _library("exit"),
    "waitpid": _library("waitpid"),
    "bury": lambda _operation: lambda libc: libc.waitpid(-1, WNOHANG),
    "kill": _library("kill", "pid", "signal"),
    "signal": _library("signal", "signal", "action"),
    "open": _library("open", "path", "flags"),
    "close": _library("close", "fd"),
    "read": _library("read", "fd", "address", "length"),
    "write": _library("write", "fd", "address", "length"),
    "raw": _send_raw,
}
