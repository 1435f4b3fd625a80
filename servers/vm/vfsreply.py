"""VFS has answered.  Source: MINIX ``servers/vm/vfs.c`` do_vfs_reply."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from ipc.vm import VmVfsReply
from kernel.panic import Panic
from servers.lib.loop import Call

if TYPE_CHECKING:
    from servers.vm.server import VmServer


def do_vfs_reply(
    vm: VmServer, source: int, message: VmVfsReply
) -> Coroutine[Any, Any, None] | Call | None:
    """Go on with the call that waits for this answer, then ask VFS the next thing.

    There is no answer to an answer: one that nobody waits for is dropped.
    """
    queue = vm.memory.vfs
    request = queue.active
    if request is None or request.asked.reqid != message.reqid:
        if "vfs-reply-nothing-active" in vm.memory.quirks:
            raise Panic("an answer that nobody waits for", quirk="vfs-reply-nothing-active")
        return None
    queue.active = None
    if queue.waiting:
        return _with_next(vm, vm.resume(request, message))
    return vm.take(request, message)


async def _with_next(vm: VmServer, going_on: Coroutine[Any, Any, None]) -> None:
    await going_on
    vm.memory.vfs.activate()
    await vm.flush()
