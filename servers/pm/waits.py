"""Parents and their dead children.

Source: MINIX ``servers/pm/forkexit.c`` do_wait4, zombify, check_parent, tell_parent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.errors import ECHILD, OK
from ipc.flags import WNOHANG
from ipc.message import Message, Reply
from ipc.pm import PmWait4, PmWait4Reply
from ipc.signals import SIGCHLD
from kernel.panic import Panic
from servers.lib.loop import Refused, Ticket, wait
from servers.lib.memory import copy_out
from servers.pm import signals
from servers.pm.mproc import EXITING, TOLD_PARENT, WAITING, ZOMBIE, Mproc, Wait
from servers.pm.times import rusage

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager


async def do_wait4(pm: ProcessManager, _source: int, message: PmWait4) -> Message:
    """PM_WAIT4: the pid and status of a dead child, now or when there is one.

    `pid`: a child's, -1 for any, 0 for one of the caller's group, else one of group -pid.
    ECHILD: no such child; 0 with WNOHANG: none dead yet; EINTR: a signal was caught.
    """
    caller = pm.caller
    pid = message.pid or -caller.procgrp
    children = 0
    for child in pm.table:
        if child.parent != caller.slot or child.flags & TOLD_PARENT or not _meant(pid, child):
            continue
        children += 1
        if child.flags & ZOMBIE:
            return await _collect(pm, child, message.addr)
    if not children:
        raise Refused(ECHILD)
    if message.options & WNOHANG:
        return Reply(0)
    ticket = Ticket(reason="a child to exit")
    caller.wait = Wait(pid, message.addr, ticket)
    caller.flags |= WAITING
    reply = await wait(ticket)
    assert isinstance(reply, Message), "a wait ends with a reply, or with a refusal"
    return reply


def _meant(pid: int, child: Mproc) -> bool:
    return pid in (-1, child.pid, -child.procgrp)


async def zombify(pm: ProcessManager, process: Mproc) -> None:
    """Make `process`, which is exiting, a zombie, and tell its parent."""
    if process.flags & ZOMBIE:
        raise Panic(f"{process.name} was a zombie already")
    process.flags |= ZOMBIE
    await check_parent(pm, process, may_clean_up=False)


async def check_parent(pm: ProcessManager, child: Mproc, *, may_clean_up: bool) -> None:
    """Tell the parent of the zombie `child`: by the answer it waits for, or with SIGCHLD."""
    parent = pm.table.slots[child.parent]
    if parent.flags & EXITING:
        return  # the child becomes INIT's in a moment, and this is asked again
    waiting = parent.wait
    if waiting is None or not _meant(waiting.pid, child):
        await signals.sig_proc(pm, parent, SIGCHLD, from_kernel=False)
        return
    reply: Message | Refused
    try:
        reply = await _tell(pm, child, waiting.address)
    except Refused as refusal:
        reply, may_clean_up = refusal, False
    parent.wait = None
    # Differs: MINIX leaves WAITING set if the copy of the rusage fails, although it has answered.
    parent.flags &= ~WAITING
    await pm.resume(waiting.ticket, reply)
    if may_clean_up and not child.busy:
        pm.table.remove(child)


async def _collect(pm: ProcessManager, child: Mproc, address: int) -> Message:
    """The answer to a WAIT4 that finds the zombie `child`, whose slot is freed if all is done."""
    reply = await _tell(pm, child, address)
    if not child.busy:
        pm.table.remove(child)
    return reply


async def _tell(pm: ProcessManager, child: Mproc, address: int) -> Message:
    """The news of the death of `child`, once; its rusage goes to `address` if that is not 0.

    Raises Refused if it cannot be copied there: the child stays a zombie.
    """
    parent = pm.table.slots[child.parent]
    if address:
        usage = rusage(child.child_utime, child.child_stime)
        result = await copy_out(usage, parent.endpoint, address)
        if result != OK:
            raise Refused(result)
    child.flags = child.flags & ~ZOMBIE | TOLD_PARENT
    parent.child_utime += child.child_utime
    parent.child_stime += child.child_stime
    status = _signed_char(child.exit_status) << 8 | _signed_char(child.signal_status)
    return PmWait4Reply(type=child.pid, status=status)


def _signed_char(value: int) -> int:
    return (value + 0x80 & 0xFF) - 0x80
