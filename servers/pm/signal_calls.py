"""The calls with which processes send, catch, hold back and await signals.

Source: MINIX ``servers/pm/signal.c``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.endpoint import RS
from ipc.errors import EINVAL, EPERM, OK
from ipc.flags import SIG_BLOCK, SIG_DFL, SIG_IGN, SIG_SETMASK, SIG_UNBLOCK
from ipc.message import Message, Reply
from ipc.pm import (
    PmKill,
    PmSigaction,
    PmSigpending,
    PmSigpendingReply,
    PmSigprocmask,
    PmSigprocmaskReply,
    PmSigreturn,
    PmSigsuspend,
    PmSrvKill,
)
from ipc.signals import NSIG, SIGKILL, SIGSTOP
from servers.lib.kernel_calls import sys_sigreturn
from servers.lib.loop import Refused, Ticket, wait
from servers.lib.memory import copy_in, copy_out
from servers.pm.mproc import SIGSUSPENDED, Mproc, SigAction, sigbit
from servers.pm.signals import check_pending, check_sig

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

SIG_INQUIRE: Final = 10

SIGACTION: Final = struct.Struct("<I16si")  # MINIX: struct sigaction
NEVER_HELD: Final = sigbit(SIGKILL) | sigbit(SIGSTOP)
EVERY_SIGNAL: Final = (1 << (NSIG - 1)) - 1


async def do_kill(pm: ProcessManager, _source: int, message: PmKill) -> Message | None:
    """PM_KILL: signal processes.  EINVAL, ESRCH, EPERM; no answer to one that killed itself."""
    caller = pm.caller
    result = await check_sig(pm, message.pid, message.nr, from_kernel=False)
    return Reply(result) if caller.alive else None


async def do_srv_kill(pm: ProcessManager, _source: int, message: PmSrvKill) -> Message | None:
    """PM_SRV_KILL: RS signals a system process as if the kernel did.  Others: EPERM."""
    caller = pm.caller
    if caller.endpoint != RS:
        raise Refused(EPERM)
    result = await check_sig(pm, message.pid, message.nr, from_kernel=True)
    return Reply(result) if caller.alive else None


async def do_sigaction(pm: ProcessManager, source: int, message: PmSigaction) -> Message:
    """PM_SIGACTION: get and set what a signal does.  EINVAL: no such signal; EFAULT."""
    caller = pm.caller
    signal = message.nr
    if signal == SIGKILL:
        return Reply(OK)
    if not 1 <= signal < NSIG:
        raise Refused(EINVAL)
    if message.oact:
        old = caller.action(signal)
        data = SIGACTION.pack(old.handler, old.mask.to_bytes(16, "little"), old.flags)
        result = await copy_out(data, source, message.oact)
        if result != OK:
            raise Refused(result)
    if message.act:
        new = await copy_in(source, message.act, SIGACTION.size)
        if isinstance(new, int):
            raise Refused(new)
        handler, mask, flags = SIGACTION.unpack(new)
        action = SigAction(handler, int.from_bytes(mask, "little") & ~NEVER_HELD, flags)
        _set_action(caller, signal, action)
        caller.sigreturn = message.ret
    return Reply(OK)


def _set_action(process: Mproc, signal: int, action: SigAction) -> None:
    bit = sigbit(signal)
    process.ignore &= ~bit
    process.catch &= ~bit
    if action.handler == SIG_IGN:
        process.ignore |= bit
        process.sigpending &= ~bit
        process.ksigpending &= ~bit
    elif action.handler != SIG_DFL:
        process.catch |= bit
    process.actions[signal] = action


async def do_sigpending(pm: ProcessManager, _source: int, _message: PmSigpending) -> Message:
    """PM_SIGPENDING: the signals that are held back."""
    return PmSigpendingReply(OK, pm.caller.sigpending)


async def do_sigprocmask(
    pm: ProcessManager, _source: int, message: PmSigprocmask
) -> Message | None:
    """PM_SIGPROCMASK: hold signals back, or no longer; the mask before is the answer.

    EINVAL: no such way to change it.
    """
    caller = pm.caller
    before = caller.sigmask
    signals = message.set & EVERY_SIGNAL
    if message.how == SIG_BLOCK:
        caller.sigmask |= signals & ~NEVER_HELD
    elif message.how == SIG_UNBLOCK:
        caller.sigmask &= ~signals
        await check_pending(pm, caller)
    elif message.how == SIG_SETMASK:
        caller.sigmask = message.set & ~NEVER_HELD
        await check_pending(pm, caller)
    elif message.how != SIG_INQUIRE:
        raise Refused(EINVAL)
    return PmSigprocmaskReply(OK, before) if caller.alive else None


async def do_sigsuspend(pm: ProcessManager, _source: int, message: PmSigsuspend) -> Message | None:
    """PM_SIGSUSPEND: wait, with another mask, for a signal that is caught.  Always EINTR."""
    caller = pm.caller
    caller.sigmask2 = caller.sigmask
    caller.sigmask = message.set & ~NEVER_HELD
    caller.suspension = ticket = Ticket(reason="a signal")
    caller.flags |= SIGSUSPENDED
    await check_pending(pm, caller)
    if caller.suspension is not ticket:
        return None  # a signal that had been held back has ended the call already, or the caller
    await wait(ticket)
    raise AssertionError("only a refusal ends a SIGSUSPEND")


async def do_sigreturn(pm: ProcessManager, source: int, message: PmSigreturn) -> Message | None:
    """PM_SIGRETURN: a handler is done; with the answer the process goes back to what it did."""
    caller = pm.caller
    caller.sigmask = message.set & ~NEVER_HELD
    result = await sys_sigreturn(source, message.ctx)
    await check_pending(pm, caller)
    return Reply(result) if caller.alive else None
