"""Sending without waiting: a server's table of asynchronous messages.

A server must not wait for one that may be waiting for it, so PM, VFS and VM hand such messages to
the kernel in a table, which it empties as receivers come for them.

Source: MINIX ``lib/libsys/asynsend.c``.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import attrs

from ipc.endpoint import NONE, NR_PROCS
from ipc.errors import OK
from ipc.message import Message, Reply
from ipc.traps import (
    AMF_DONE,
    AMF_NOREPLY,
    AMF_VALID,
    AsyncEntry,
    SendA,
    yields_traps,
)
from kernel.panic import Panic

_NEVER_DONE: Final = AsyncEntry(AMF_VALID, NONE, Reply())


@attrs.define(eq=False)
class AsyncTable:
    """One server's asynchronous messages that are not delivered yet, oldest first.

    `capacity` is how many may be under way at once; one more is a panic, as in MINIX, or if the
    table `drops` it, nothing.
    """

    capacity: int = 2 * NR_PROCS
    drops: bool = False
    entries: list[AsyncEntry] = attrs.field(factory=list)
    _only: AsyncEntry = _NEVER_DONE  # the one entry, if the table was left with a single one
    _offering: SendA = attrs.field(init=False)  # all of it, whatever it holds

    def __attrs_post_init__(self) -> None:
        self._offering = SendA(self.entries)

    def offer(self, dest: int, message: Message, flags: int = AMF_NOREPLY) -> SendA:
        """The trap that offers `message` to `dest`, after those that were offered before.

        `flags` (AMF_*): AMF_NOREPLY says that it is no answer to a SENDREC.  Whoever asks for the
        trap makes it next: the table is that of all traps.  MINIX: asynsend3.
        """
        entry = self._only
        if entry.flags & AMF_DONE:
            # Most of the time the message before was delivered at once; its place is free.
            entry.flags, entry.dest, entry.message = flags | AMF_VALID, dest, message
            entry.result = OK
            return self._offering
        entries = self.entries
        entries[:] = [entry for entry in entries if not entry.flags & AMF_DONE]
        if len(entries) >= self.capacity:
            if self.drops:
                return self._offering
            raise Panic("the table of asynchronous messages is full", quirk="asynsend-full")
        entry = AsyncEntry(flags | AMF_VALID, dest, message)
        self._only = _NEVER_DONE if entries else entry
        entries.append(entry)
        return self._offering

    @yields_traps
    def send(
        self, dest: int, message: Message, flags: int = AMF_NOREPLY
    ) -> Generator[SendA, Any, None]:
        """Offer `message` to `dest`.  Raises IpcError if the kernel refuses the table."""
        failure = yield self.offer(dest, message, flags)
        if failure is not None:
            raise failure
