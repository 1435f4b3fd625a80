"""Kernel calls: the lives of processes.

Source: MINIX ``kernel/system/{do_fork,do_exec,do_clear,do_exit,do_runctl}.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.errors import EBUSY, EDONTREPLY, EINVAL, EPERM, OK
from ipc.flags import PFF_VMINHIBIT, RC_DELAY, RC_RESUME, RC_STOP
from ipc.kernelcalls import SysClear, SysExec, SysExit, SysFork, SysForkReply, SysRunctl
from ipc.message import Message
from ipc.signals import SIGABRT, SIGILL
from ipc.traps import ForkingSendRec
from kernel.fate import leave
from kernel.flags import (
    MF_ACCESS_AGAIN,
    MF_KCALL_RESUME,
    MF_REPLY_PEND,
    MF_SIG_DELAY,
    RTS_PROC_STOP,
    RTS_RECEIVING,
    RTS_SENDING,
    RTS_VMINHIBIT,
)
from kernel.fork import NAME_SIZE, copy_slot
from kernel.probes import ProcessReplaced

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process


def do_fork(machine: Machine, _caller: Process, request: SysFork) -> Message | int:
    """Make a copy of a process that waits for an answer.

    The copy runs what its parent's `ForkingSendRec` says, once that answer comes to it.
    """
    parent = machine.table.lookup(request.endpt)
    if parent is None:
        return EINVAL
    child = copy_slot(machine.table, machine.quirks, parent, request.slot)
    if isinstance(child, int):
        return child
    asked = parent.request
    program = asked.child if isinstance(asked, ForkingSendRec) else _return_at_once
    # A program that has a context of its own, with its signal handlers, shares it.
    context = getattr(program, "context", None)
    if context is not None:
        child.context = context
    else:
        child.context.handlers = dict(parent.context.handlers)
    child.context.cause = parent.context.cause
    machine.start(child, program)
    if request.flags & PFF_VMINHIBIT:
        machine.ready.block(child, RTS_VMINHIBIT)
    machine.created(child, parent.endpoint)
    return SysForkReply(OK, child.endpoint, parent.message_address)


async def _return_at_once() -> int:
    """What a copy does whose parent did not say what it should do."""
    return 0


def do_exec(machine: Machine, caller: Process, request: SysExec) -> Message | int:
    """Let a process run another program, which the machine knows by name.

    The process gets SIGILL if there is none of that name.
    """
    process = machine.table.lookup(request.endpt)
    if process is None:
        return EINVAL
    place = machine.copier.place(caller.endpoint, request.name_)
    data = machine.copier.read(None, place, NAME_SIZE - 1)
    name = "<unset>" if isinstance(data, int) else data.split(b"\0")[0].decode("latin-1")
    process.name = name
    process.context.handlers.clear()
    process.misc &= ~(MF_ACCESS_AGAIN | MF_KCALL_RESUME)
    if "stale-reply-pending" not in machine.quirks:
        process.misc &= ~MF_REPLY_PEND
    make = machine.programs.get(name)
    machine.start(process, make(process) if make is not None else lambda: leave(1))
    machine.driven.ended(process)
    if machine.probes.emit is not None:
        machine.probes.happened(ProcessReplaced, process, name)
    machine.ready.unblock(process, RTS_RECEIVING)
    if make is None:
        machine.complain(f"exec: there is no program {name!r}", process)
        machine.signals.cause(process, SIGILL)
    return OK


def do_clear(machine: Machine, _caller: Process, request: SysClear) -> Message | int:
    """Free the slot of a process that has exited."""
    process = machine.table.lookup(request.endpt)
    if process is None:
        return EINVAL
    machine.bury(process)
    return OK


def do_exit(machine: Machine, caller: Process, _request: SysExit) -> Message | int:
    """A system process wants to end: it gets SIGABRT."""
    machine.signals.cause(caller, SIGABRT)
    return EDONTREPLY


def do_runctl(machine: Machine, _caller: Process, request: SysRunctl) -> Message | int:
    """Stop a process or let it go on.

    With RC_DELAY a process that is sending is not stopped (EBUSY); its signal manager gets a
    SIGSNDELAY for it when it has sent.
    """
    process = machine.table.lookup(request.endpt)
    if process is None:
        return EINVAL
    if process.slot < 0:
        return EPERM
    if request.action == RC_STOP and request.flags & RC_DELAY:
        if process.rts & RTS_SENDING:
            process.misc |= MF_SIG_DELAY
        if process.misc & MF_SIG_DELAY:
            return EBUSY
    if request.action == RC_STOP:
        machine.ready.block(process, RTS_PROC_STOP)
    elif request.action == RC_RESUME:
        # Differs: MINIX asserts that the process is stopped.
        if not process.rts & RTS_PROC_STOP:
            return EINVAL
        machine.ready.unblock(process, RTS_PROC_STOP)
    else:
        return EINVAL
    return OK
