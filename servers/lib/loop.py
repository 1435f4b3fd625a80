"""A server's main loop, and how one of its calls may be put aside.

A call handler is a coroutine.  Its traps pass through to the kernel; a `Ticket` does not: it stops
here, the loop parks the call on it, sends no reply, and receives the next message.  This is
MINIX's SUSPEND, without the callback and its saved state.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeAlias

import attrs

from ipc.message import Message

Handler: TypeAlias = Callable[[Any, int, Any], Coroutine[Any, Any, Message | None]]


class Refused(Exception):
    """A handler's refusal of a request; the loop alone turns it into an error reply."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


@attrs.define(eq=False)
class Ticket:
    """Something that a call waits for.  Whoever owns the ticket resumes the call."""

    call: Call | None = None


@attrs.define(eq=False)
class Call:
    """A request being handled: who asked, what, and the coroutine that answers it."""

    source: int
    message: Message
    coroutine: Coroutine[Any, Any, Message | None]
    cause: int = 0


@types.coroutine
def wait(ticket: Ticket) -> Generator[Ticket, Any, Any]:
    """Park the call that is running until the owner of `ticket` resumes it; its value comes back."""
    return (yield ticket)
