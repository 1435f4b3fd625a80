"""How PM asks VFS, which must know of every fork, exit, user and group, and of every signal.

A request about a process blocks that process's life in PM (VFS_CALL), never PM.

Source: MINIX ``servers/pm/utility.c`` tell_vfs, ``servers/pm/main.c`` handle_vfs_reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipc.endpoint import VFS, slot_of
from ipc.message import Message
from ipc.pm_vfs import VfsPmCoreReply, VfsPmExitReply, VfsPmUnpauseReply
from kernel.panic import Panic
from servers.lib.loop import Ticket, wait
from servers.pm import signals
from servers.pm.mproc import VFS_CALL, Mproc

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

# After these the process's next step is not to look for signals.
_GO_ON_ELSEWHERE = (VfsPmExitReply, VfsPmCoreReply, VfsPmUnpauseReply)


async def ask_vfs(pm: ProcessManager, process: Mproc, request: Message) -> Any:
    """Send VFS `request` about `process` and wait for the answer, which is returned."""
    if process.busy:
        raise Panic(f"PM has {request.name} for VFS about a process that is not idle")
    process.vfs = ticket = Ticket(VFS, f"the answer to {request.name}", kept=True)
    await pm.asynsend.send(VFS, request)
    process.flags |= VFS_CALL
    return await wait(ticket)


async def do_vfs_reply(pm: ProcessManager, _source: int, message: Any) -> None:
    """VFS has done what was asked about a process: go on with it, then look at its signals."""
    process = pm.table.lookup(message.endpt)
    if process is None:
        raise Panic(f"VFS answers about {message.endpt}, which PM does not know")
    ticket, process.vfs = process.vfs, None
    if ticket is None:
        raise Panic(f"VFS answers about {process.name}, but was not asked")
    process.flags &= ~VFS_CALL
    await pm.resume(ticket, message)
    if not isinstance(message, _GO_ON_ELSEWHERE) and process.alive:
        await signals.restart_sigs(pm, process)


async def do_reboot_reply(pm: ProcessManager, _source: int, message: Any) -> None:
    """VFS has closed everything; the only answer that is about no process."""
    process = pm.table.slots[slot_of(VFS)]
    ticket, process.vfs = process.vfs, None
    if ticket is None:
        raise Panic("VFS reports that all is closed, but was not asked")
    process.flags &= ~VFS_CALL
    await pm.resume(ticket, message)
