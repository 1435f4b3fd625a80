"""Kernel calls: signals, and what PM's debugger calls would be.

Source: MINIX ``kernel/system/{do_kill,do_getksig,do_endksig,do_sigsend,do_sigreturn,do_trace,
do_mcontext}.c``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.endpoint import NONE
from ipc.errors import EINVAL, EPERM, OK
from ipc.kernelcalls import (
    SysEndksig,
    SysGetksig,
    SysGetksigReply,
    SysGetmcontext,
    SysKill,
    SysSetmcontext,
    SysSigreturn,
    SysSigsend,
    SysTrace,
)
from ipc.message import Message
from ipc.signals import NSIG
from kernel.flags import RTS_SIG_PENDING, RTS_SIGNALED
from kernel.handlers import interrupt

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

_SIGMSG: Final = struct.Struct("<i16sIII")  # sigmsg, i386


def do_kill(machine: Machine, _caller: Process, request: SysKill) -> Message | int:
    """Raise a signal on a process, by way of its signal manager."""
    process = machine.table.lookup(request.endpt)
    # Differs: MINIX takes a signal number below 1 and sets a bit beside the set.
    if process is None or not 0 < request.sig < NSIG:
        return EINVAL
    if process.slot < 0:
        return EPERM
    machine.signals.cause(process, request.sig)
    return OK


def do_getksig(machine: Machine, caller: Process, _request: SysGetksig) -> Message | int:
    """Fetch a process that has signals of the kernel, the lowest slot first; NONE if none has."""
    for process in machine.table.all():
        if (
            process.rts & RTS_SIGNALED
            and process.slot >= 0
            and process.privilege.signal_manager == caller.endpoint
        ):
            pending, process.signals_pending = process.signals_pending, 0
            machine.ready.unblock(process, RTS_SIGNALED)
            return SysGetksigReply(OK, pending, process.endpoint)
    return SysGetksigReply(OK, 0, NONE)


def do_endksig(machine: Machine, caller: Process, request: SysEndksig) -> Message | int:
    """The signals of a process that were fetched are dealt with."""
    process = machine.table.lookup(request.endpt)
    if process is None:
        return EINVAL
    if process.privilege.signal_manager != caller.endpoint:
        return EPERM
    if not process.rts & RTS_SIG_PENDING:
        return EINVAL
    if not process.rts & RTS_SIGNALED:
        machine.ready.unblock(process, RTS_SIG_PENDING)
    return OK


def do_sigsend(machine: Machine, caller: Process, request: SysSigsend) -> Message | int:
    """Let a process run its signal handler before it goes on with what it does.

    The request points to a `sigmsg` of the caller.  EINVAL if the program has no handler at the
    address that it names.

    Differs: MINIX saves the registers on the process's stack; here the kernel keeps the coroutine.
    """
    process = machine.table.lookup(request.endpt)
    if process is None:
        return EINVAL
    if process.slot < 0:
        return EPERM
    place = machine.copier.place(caller.endpoint, request.sigctx)
    data = machine.copier.read(caller, place, _SIGMSG.size)
    if isinstance(data, int):
        return data
    signal, mask, handler, _sigreturn, _stack = _SIGMSG.unpack(data)
    program = process.context.handlers.get(handler)
    if program is None:
        return EINVAL
    interrupt(process, program, signal, int.from_bytes(mask, "little"))
    return OK


def do_sigreturn(machine: Machine, _caller: Process, request: SysSigreturn) -> Message | int:
    """A process's signal handler is done; it goes on when it gets PM's answer."""
    process = machine.table.lookup(request.endpt)
    if process is None:
        return EINVAL
    if process.slot < 0:
        return EPERM
    return OK if process.interrupted else EINVAL


def do_trace(_machine: Machine, _caller: Process, _request: SysTrace) -> Message | int:
    """Debugger calls: processes here are not traced.

    Differs: MINIX reads and writes registers and memory of a stopped process.
    """
    return EINVAL


def do_getmcontext(machine: Machine, _caller: Process, request: SysGetmcontext) -> Message | int:
    """The floating point state of a process: there is none."""
    return OK if machine.table.lookup(request.endpt) is not None else EINVAL


def do_setmcontext(machine: Machine, _caller: Process, request: SysSetmcontext) -> Message | int:
    """The floating point state of a process: there is none."""
    return OK if machine.table.lookup(request.endpt) is not None else EINVAL
