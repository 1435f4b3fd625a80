"""What all calls of the C library stand on: how a call is made, and memory for its arguments.

Source: MINIX ``lib/libc/sys/syscall.c``, ``loadname.c``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from ipc.errors import E2BIG, IpcError
from ipc.message import Message
from ipc.requests import as_request
from ipc.traps import Compute, Load, SendRec, Store, trap, yields_traps
from kernel.process import Context
from kernel.wellformed import Malformed, demand_well_formed
from servers.lib.layout import DATA_END, STACK_BASE, STACK_POINTER
from servers.lib.libc.errors import CallFailed

if TYPE_CHECKING:
    from servers.lib.libc.library import Libc

M_PATH_STRING_MAX: Final = 40  # bytes of a path, with its zero, that a message holds
_ALIGNMENT: Final = 16

# A signal handler of a user program.
Handler: TypeAlias = "Callable[[Libc, int], Coroutine[Any, Any, None]]"

_WORD_MASK: Final = 0xFFFFFFFF


@attrs.define(eq=False)
class Library:
    """The state that the C library keeps in a process, and the ways to make a call.

    `context` is the process's: its signal handlers are there.  `actions` is what the program last
    said about each signal, and `addresses` what stands for each of its handlers.  A text argument,
    and a structure that a call fills in, is put on the process's stack, below `stack_pointer`, for
    the time of the call; that touches the stack as it does in C, and so may fault.
    """

    context: Context = attrs.field(factory=Context)
    break_address: int = DATA_END
    stack_pointer: int = STACK_POINTER
    actions: dict[int, Handler | int] = attrs.field(factory=dict)
    addresses: dict[Handler, int] = attrs.field(factory=dict)

    async def syscall(self, dest: int, request: Message) -> Any:
        """Make a call; the answer, whose `type` is not negative.  Raises CallFailed.

        Numbers that are too large wrap, as they do on their way into C's types; what is no
        number at all raises Unreadable.
        """
        try:
            demand_well_formed(request)
        except Malformed:
            request = as_request(request)
        return checked(request, await _ask(SendRec(dest, request)))

    def on_stack(self, length: int, above: int = 0) -> int:
        """The address of `length` bytes of the stack, good for one call.

        `above` is what `on_stack` gave for something else in the same call.
        """
        address = ((above or self.stack_pointer) - length) & -_ALIGNMENT
        if address < STACK_BASE:
            raise CallFailed("alloca", E2BIG)
        return address

    async def text(self, text: str | bytes, above: int = 0) -> tuple[int, int]:
        """Put `text`, with a zero, on the stack: its address and its length."""
        data = encoded(text)
        address = self.on_stack(len(data), above)
        await trap(Store(address, data))
        return address, len(data)

    async def path(self, name: str | bytes) -> tuple[int, int, bytes]:
        """A path for a message: address, length, and the text itself if the message can hold it.

        Text that the message holds is not looked for in memory.  MINIX: _loadname.
        """
        data = encoded(name)
        if len(data) <= M_PATH_STRING_MAX:
            return self.on_stack(len(data)), len(data), data[:-1]
        address, length = await self.text(name)
        return address, length, b""

    # Memory and the processor.

    @yields_traps
    def load(self, address: int, length: int) -> Generator[Any, Any, bytes]:
        """Read `length` bytes of memory.  A bad address is a signal, not an error."""
        data = yield Load(address & _WORD_MASK, length)
        return bytes(data)

    @yields_traps
    def store(self, address: int, data: str | bytes) -> Generator[Any, Any, None]:
        """Write `data` to memory.  A bad address is a signal, not an error."""
        yield Store(address & _WORD_MASK, as_bytes(data))

    async def memset(self, address: int, byte: int, length: int) -> None:
        """Set `length` bytes of memory to `byte`."""
        if length > 0:
            await trap(Store(address & _WORD_MASK, bytes([byte & 0xFF]) * length))

    async def compute(self, duration: int) -> None:
        """Use the processor for `duration` virtual nanoseconds."""
        await trap(Compute(duration))


def checked(request: Message, reply: Any) -> Any:
    """`reply` if it is none of an error.  Raises CallFailed."""
    if reply.type < 0:
        raise CallFailed(request.name, reply.type)
    return reply


async def _ask(request: SendRec) -> Any:
    try:
        return await trap(request)
    except IpcError as failure:
        raise CallFailed(request.message.name, failure.code) from None


def as_bytes(data: str | bytes) -> bytes:
    """Text as C programs hold it."""
    return data.encode("utf-8", "surrogateescape") if isinstance(data, str) else bytes(data)


def encoded(text: str | bytes) -> bytes:
    """`text` with the zero that ends a C string."""
    return as_bytes(text) + b"\0"
