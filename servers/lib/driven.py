"""The program of a process that is driven from outside.

It waits for a command, which is an async function of its C library, does it, and reports what
became of it.  What a command raises is its outcome; the process waits for the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeAlias

import attrs

from ipc.errors import error_name
from ipc.message import Message
from ipc.text import bytes_text, describe
from ipc.traps import NextCommand, trap
from servers.lib.libc.errors import CallFailed
from servers.lib.libc.library import Libc
from servers.lib.libc.processes import Image

LEAST_ADDRESS: Final = 1 << 16

Action: TypeAlias = Callable[[Libc], Coroutine[Any, Any, Any]]


@attrs.frozen
class Command:
    """What a driven process is to do next, and how the record describes it."""

    action: Action
    description: str


@attrs.frozen
class Returned:
    """A command was done; its result."""

    value: Any

    @property
    def description(self) -> str:
        """The result as the record shows it."""
        return str(getattr(self.value, "description", None) or value_text(self.value))


@attrs.frozen
class Raised:
    """A command failed with this exception."""

    error: Exception

    @property
    def description(self) -> str:
        """The failure as the record shows it: ``-1 [ENOMEM]`` if a call failed."""
        if isinstance(self.error, CallFailed):
            return f"-1 [{error_name(self.error.errno)}]"
        return f"{type(self.error).__name__}: {self.error}"


Outcome: TypeAlias = Returned | Raised


async def drive(libc: Libc) -> int:
    """Do commands for ever, one after the other."""
    outcome: Outcome | None = None
    while True:
        command = await trap(NextCommand(outcome))
        try:
            outcome = Returned(await command.action(libc))
        except Exception as error:
            outcome = Raised(error)


def driven_image(libc: Libc) -> Image:
    """A driven process that starts with `libc`."""
    return Image(drive, libc)


def value_text(value: Any) -> str:
    """A call's result in the notation of scenarios; numbers as large as addresses in hex."""
    match value:
        case None:
            return "OK"
        case int():
            return hex(value) if value >= LEAST_ADDRESS else str(value)
        case bytes():
            return bytes_text(value)
        case Message():
            return describe(value)
        case tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case _ if attrs.has(type(value)):
            fields = attrs.asdict(value, recurse=False).items()
            return "{" + ", ".join(f"{name}: {value_text(each)}" for name, each in fields) + "}"
        case _:
            return repr(value)
