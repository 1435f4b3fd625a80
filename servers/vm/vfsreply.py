"""VFS has answered.  Source: MINIX ``servers/vm/vfs.c`` do_vfs_reply."""

from __future__ import annotations

import types
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ipc.traps import yields_traps
from ipc.vm import VmVfsReply
from kernel.panic import Panic

if TYPE_CHECKING:
    from servers.vm.server import VmServer


@yields_traps
@types.coroutine
def do_vfs_reply(vm: VmServer, source: int, message: VmVfsReply) -> Generator[Any, Any, None]:
    """Go on with the call that waits for this answer, then ask VFS the next thing.

    There is no answer to an answer: one that nobody waits for is dropped.
    """
    queue = vm.memory.vfs
    request = queue.active
    if request is None or request.message.reqid != message.reqid:
        if "vfs-reply-nothing-active" in vm.memory.quirks:
            raise Panic("an answer that nobody waits for", quirk="vfs-reply-nothing-active")
        return
    queue.active = None
    yield from vm.resume(request.ticket, message)
    if queue.waiting:
        queue.activate()
    if vm.outgoing:
        yield from vm.flush()
