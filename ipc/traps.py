"""What a process can ask of the kernel, and the one function that asks.

A process is a coroutine.  It yields trap records; the kernel sends the result of each back.  Nobody
but its process changes a record, and that only to use it again for the next trap of its kind, as a
server does with the answers that it sends.
A failure comes back as a value too, an exception object that `trap` raises inside the process: the
kernel never throws into a coroutine.
"""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeAlias, TypeVar

import attrs

from ipc.endpoint import ANY
from ipc.message import Message

if TYPE_CHECKING:
    from attrs import frozen
else:
    # Nobody changes these, but to have attrs enforce it would double what making one costs.
    from attrs import define as frozen

# What runs in a process: called once, when the process is made.
Program: TypeAlias = Callable[[], Coroutine[Any, Any, int | None]]

# The numbers are those of MINIX minix/ipcconst.h.
SEND_CALL: Final = 1
RECEIVE_CALL: Final = 2
SENDREC_CALL: Final = 3
NOTIFY_CALL: Final = 4
SENDNB_CALL: Final = 5
MINIX_KERNINFO_CALL: Final = 6
SENDA_CALL: Final = 16

# A receive status word: which trap sent the message, and flags from bit 16 on.
STATUS_CALL_MASK: Final = 0x3F
STATUS_FLAGS_SHIFT: Final = 16
FROM_KERNEL: Final = 1 << STATUS_FLAGS_SHIFT

# Flags of one entry of an asynchronous send table.  MINIX: minix/ipc.h
AMF_EMPTY: Final = 0x0
AMF_VALID: Final = 0x1
AMF_DONE: Final = 0x2
AMF_NOTIFY: Final = 0x4
AMF_NOREPLY: Final = 0x8
AMF_NOTIFY_ERR: Final = 0x10


@attrs.define
class Send:
    """Deliver `message` to `dest`, blocking until it is taken.  Result: None."""

    dest: int
    message: Message


@frozen
class Receive:
    """Take the next message from `source`.  Result: `(source, message, status)`."""

    source: int = ANY


@attrs.define
class SendRec:
    """Send `message` to `dest` and wait for its answer.  Result: the answering message."""

    dest: int
    message: Message


@attrs.define
class ForkingSendRec(SendRec):
    """A `SendRec` that may fork the caller: `child` is what the child would run.

    A coroutine cannot be copied as a process can, so the caller says what its copy does with the
    answer; the child's program starts when the answer to the child is delivered.
    """

    child: Program


@frozen
class Notify:
    """Post a notification to `dest`; never blocks.  Result: None."""

    dest: int


@attrs.define
class SendNb:
    """Send `message` to `dest` only if it is waiting for it.  Result: None; ENOTREADY if not."""

    dest: int
    message: Message


@attrs.define(eq=False)
class AsyncEntry:
    """One entry of an asynchronous send table.

    The table lives in the sender's memory: the kernel reads it whenever a receiver looks for
    messages and writes `flags` and `result` back into it.
    """

    flags: int
    dest: int
    message: Message
    result: int = 0


@frozen
class SendA:
    """Offer the messages in `table`, delivered as receivers come for them.  Result: None."""

    table: list[AsyncEntry]


@attrs.define
class KernelCall:
    """A call to the kernel itself (MINIX `sys_*`), whose answer is the message that results.

    The `type` of the answer is the call's result code; a kernel call never raises.
    """

    request: Message


@frozen
class Load:
    """Read `length` bytes at `address` of the caller's memory.  Result: bytes.  May fault."""

    address: int
    length: int


@frozen
class Store:
    """Write `data` at `address` of the caller's memory.  Result: None.  May fault."""

    address: int
    data: bytes


@frozen
class Compute:
    """Use the processor for `duration` virtual nanoseconds.  Result: None."""

    duration: int


@frozen
class NextCommand:
    """Wait for the world outside to say what to do next; `outcome` is that of the last command.

    Only driven processes use it.  Result: the next command.
    """

    outcome: object = None


Trap: TypeAlias = (
    Send | Receive | SendRec | Notify | SendNb | SendA | KernelCall | Load | Store | Compute
    | NextCommand
)  # fmt: skip


# The number of each trap that passes messages.
TRAP_NUMBERS: Final[dict[type, int]] = {
    Send: SEND_CALL,
    Receive: RECEIVE_CALL,
    SendRec: SENDREC_CALL,
    ForkingSendRec: SENDREC_CALL,
    Notify: NOTIFY_CALL,
    SendNb: SENDNB_CALL,
    SendA: SENDA_CALL,
}

_P = ParamSpec("_P")
_R = TypeVar("_R")


def yields_traps(
    function: Callable[_P, Generator[Any, Any, _R] | Awaitable[_R]],
) -> Callable[_P, Coroutine[Any, Any, _R]]:
    """Let a generator function that yields its traps itself be awaited as a coroutine function.

    Each trap passes through every coroutine that waits for it, so what is done for every message
    or page fault yields its own.  The generator gets what `trap` would return, but also has to
    raise what `trap` would raise.  One that also delegates to coroutines, with `yield from`, needs
    `types.coroutine` below this for the type checker.
    """
    return types.coroutine(function)  # type: ignore[return-value]


@types.coroutine
def trap(request: Trap) -> Generator[Trap, Any, Any]:
    """Give control to the kernel with `request`, and return what it answers.

    What every program uses that does not yield its traps itself.  Raises the failure (an
    `ipc.errors.IpcError` for a refused IPC call) that the kernel answered with.
    """
    result = yield request
    if isinstance(result, BaseException):
        raise result
    return result
