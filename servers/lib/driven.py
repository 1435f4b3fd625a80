"""The program of a process that is driven from outside.

It waits for a command, which is an async function of its C library, does it, and reports what
became of it.  What a command raises is its outcome; the process waits for the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import attrs

from ipc.traps import NextCommand, trap
from servers.lib.libc.library import Libc
from servers.lib.libc.processes import Image

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


@attrs.frozen
class Raised:
    """A command failed with this exception."""

    error: Exception


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
