"""Message passing itself, for programs that may do it.

Source: MINIX ``minix/ipc.h``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ipc.endpoint import ANY
from ipc.errors import IpcError
from ipc.message import Message
from ipc.traps import (
    AMF_VALID,
    AsyncEntry,
    Notify,
    Receive,
    Send,
    SendA,
    SendNb,
    SendRec,
    Trap,
    trap,
)
from servers.lib.libc.base import Library
from servers.lib.libc.errors import CallFailed


class Primitives(Library):
    """The kernel's message passing.  All raise CallFailed, without asking any server."""

    __slots__ = ()

    async def send(self, dest: int, message: Message) -> None:
        """Hand over a message, waiting until it is taken."""
        await _primitive("send", Send(dest, message))

    async def receive(self, source: int = ANY) -> tuple[int, Message, int]:
        """Take a message, waiting for one: its source, itself, its status word."""
        source, message, status = await _primitive("receive", Receive(source))
        return source, message, status

    async def sendrec(self, dest: int, message: Message) -> Message:
        """Hand over a request and wait for the answer, whatever it says."""
        reply = await _primitive("sendrec", SendRec(dest, message))
        assert isinstance(reply, Message), "the kernel answers a SENDREC with a message"
        return reply

    async def notify(self, dest: int) -> None:
        """Post a notification; never waits."""
        await _primitive("notify", Notify(dest))

    async def sendnb(self, dest: int, message: Message) -> None:
        """Hand over a message if the receiver waits for it (else ENOTREADY)."""
        await _primitive("sendnb", SendNb(dest, message))

    async def senda(
        self, messages: Iterable[tuple[int, Message]], flags: int = 0
    ) -> list[AsyncEntry]:
        """Offer messages, each to its receiver, without waiting; the table in which they are."""
        table = [AsyncEntry(AMF_VALID | flags, dest, message) for dest, message in messages]
        await _primitive("senda", SendA(table))
        return table


async def _primitive(name: str, request: Trap) -> Any:
    try:
        return await trap(request)
    except IpcError as failure:
        raise CallFailed(name, failure.code) from None
