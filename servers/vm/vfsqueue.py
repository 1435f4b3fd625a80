"""What VM asks of VFS: one request at a time, the others wait.

The core only queues; the server sends what is `outgoing` before its next trap.  A request that
somebody waits for has a ticket, on which its handler is parked until VFS answers.

Source: MINIX ``servers/vm/vfs.c``.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import attrs

from ipc.endpoint import VFS
from ipc.message import Message
from ipc.messageclass import maker
from ipc.vfs import VfsVmcall
from servers.lib.loop import Ticket

_vfs_vmcall: Final = maker(VfsVmcall)


@attrs.define(eq=False)
class VfsQueue:
    """The request that VFS is working on (`active`), and those that wait, the next one first.

    Each is the ticket on which a call may wait for the answer; the message is what it has `asked`.
    """

    quirks: frozenset[str]
    active: Ticket | None = None
    waiting: deque[Ticket] = attrs.field(factory=deque)
    outgoing: list[Message] = attrs.field(factory=list)
    last_id: int = 0

    def ask(self, what: int, fd: int, endpoint: int, offset: int = 0, length: int = 0) -> Ticket:
        """Queue a request about VM's descriptor `fd`, for process `endpoint`.

        VMVFSREQ_FDLOOKUP takes a descriptor of the process instead.  MINIX: vfs_request.
        """
        number = self.last_id = self.last_id + 1
        message = _vfs_vmcall(offset, what, fd, number, endpoint, length)
        request = Ticket(VFS, "an answer of VFS", message)
        if self.active is None and not self.waiting:
            self.active = request
            self.outgoing.append(message)
            return request
        if "vfs-lifo" in self.quirks:
            self.waiting.appendleft(request)
        else:
            self.waiting.append(request)
        self.activate()
        return request

    def activate(self) -> None:
        """Start on the next request, if there is one and none is active."""
        if self.active is None and self.waiting:
            self.active = self.waiting.popleft()
            self.outgoing.append(self.active.asked)
