"""Signals: who gets them, and what becomes of whom.

A signal kills, is ignored, is held back, or is caught.  To be caught, the process must first be
out of whatever call it waits in: PM ends its own (WAIT4, SIGSUSPEND) with EINTR, VFS is asked to
end any other.  While VFS works on a process for PM, its signals wait.

Source: MINIX ``servers/pm/signal.c``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.common import SigsSignalReceived
from ipc.endpoint import PM, RS, VM
from ipc.errors import EBUSY, EFAULT, EINTR, EINVAL, ENOMEM, EPERM, ESRCH, OK
from ipc.flags import PROC_EVENT_SIGNAL, SIG_DFL
from ipc.message import Message, Reply
from ipc.pm_vfs import VfsPmUnpause
from ipc.signals import (
    NSIG,
    SIGABRT,
    SIGBUS,
    SIGCHLD,
    SIGCONT,
    SIGEMT,
    SIGFPE,
    SIGILL,
    SIGINFO,
    SIGKILL,
    SIGPIPE,
    SIGQUIT,
    SIGSEGV,
    SIGTERM,
    SIGTRAP,
    SIGWINCH,
)  # fmt: skip
from ipc.traps import Store, trap
from kernel.panic import Panic
from servers.lib.kernel_calls import (
    sys_delay_stop,
    sys_diagctl_stacktrace,
    sys_kill,
    sys_resume,
    sys_sigsend,
)
from servers.lib.loop import Refused
from servers.lib.memory import SCRATCH
from servers.pm import exits, vfs
from servers.pm.events import publish_event
from servers.pm.mproc import (
    DELAY_CALL,
    EXITING,
    IN_USE,
    INIT_PID,
    PRIV_PROC,
    PROC_STOPPED,
    SIGSUSPENDED,
    SUPER_USER,
    UNPAUSED,
    WAITING,
    Mproc,
    SigAction,
    sigbit,
)

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

SA_RESETHAND: Final = 0x4
SA_NODEFER: Final = 0x10


def _set(*signals: int) -> int:
    return sum(sigbit(signal) for signal in signals)


CORE: Final = _set(SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGEMT, SIGFPE, SIGBUS, SIGSEGV)
IGNORED: Final = _set(SIGCHLD, SIGWINCH, SIGCONT, SIGINFO)
NOT_IGNORABLE: Final = _set(SIGILL, SIGTRAP, SIGEMT, SIGFPE, SIGBUS, SIGSEGV)
# What becomes of a system process: MINIX SIGS_IS_LETHAL, SIGS_IS_TERMINATION, SIGS_IS_STACKTRACE.
LETHAL: Final = _set(SIGILL, SIGBUS, SIGFPE, SIGSEGV, SIGEMT, SIGABRT)
TERMINATION: Final = LETHAL | _set(SIGKILL, SIGPIPE)
STACKTRACE: Final = LETHAL & ~_set(SIGABRT)

SIGMSG: Final = struct.Struct("<i16sIII")  # MINIX: struct sigmsg


async def check_sig(pm: ProcessManager, pid: int, signal: int, *, from_kernel: bool) -> int:
    """Send `signal` (0: only check) to whom `pid` means, on behalf of `pm.caller`.

    `pid`: a process; 0, the caller's group; -1, everybody; below that, the group -pid.  OK if
    there was anybody; ESRCH, EPERM, EINVAL otherwise.
    """
    if not 0 <= signal < NSIG or (pid == INIT_PID and signal == SIGKILL):
        return EINVAL
    if pid == -1 and signal == SIGTERM:
        await sys_kill(RS, signal)
    caller = pm.caller
    count, error = 0, ESRCH
    for process in pm.table.descending():
        if not _is_meant(caller, process, pid, signal):
            continue
        if (not from_kernel and _is_in(LETHAL, signal) and process.flags & PRIV_PROC) or not (
            _may_signal(caller, process)
        ):
            error = EPERM
            continue
        count += 1
        if signal == 0 or process.flags & EXITING or not process.flags & IN_USE:
            continue
        await sig_proc(pm, process, signal, from_kernel=from_kernel)
        if pid > 0:
            break
    return OK if count else error


def _is_meant(caller: Mproc, process: Mproc, pid: int, signal: int) -> bool:
    # VM is never signalled: PM may be waiting for it, and it for PM.
    if process.endpoint == VM:
        return False
    if pid > 0:
        return process.pid == pid
    if pid == 0:
        return process.procgrp == caller.procgrp
    if pid < -1:
        return process.procgrp == -pid
    return process.pid > INIT_PID and not (signal == SIGKILL and process.flags & PRIV_PROC)


def _may_signal(caller: Mproc, process: Mproc) -> bool:
    theirs = (process.realuid, process.effuid)
    return caller.effuid == SUPER_USER or caller.realuid in theirs or caller.effuid in theirs


def _is_in(signals: int, signal: int) -> bool:
    return signal > 0 and bool(signals & sigbit(signal))


async def sig_proc(pm: ProcessManager, process: Mproc, signal: int, *, from_kernel: bool) -> None:
    """Do to `process`, which is alive, what `signal` does."""
    if not process.alive:
        raise Panic(f"signal {signal} for {process.name}, which is exiting")
    if process.busy:
        _hold(process, signal, from_kernel)
        # Stopped, it cannot make another call before its signals have been looked at.
        if not process.flags & (PROC_STOPPED | DELAY_CALL):
            await stop_proc(process, may_delay=False)
    elif process.flags & PRIV_PROC:
        await _signal_service(pm, process, signal, from_kernel)
    else:
        await _signal_user(pm, process, signal, from_kernel)


async def _signal_service(
    pm: ProcessManager, process: Mproc, signal: int, from_kernel: bool
) -> None:
    """A system process gets a message instead, if it may live."""
    if process.endpoint == PM:
        return
    if not from_kernel:
        # The kernel knows its signal manager; if that is PM, the signal comes back.
        await sys_kill(process.endpoint, signal)
        return
    if _is_in(STACKTRACE, signal):
        await sys_diagctl_stacktrace(process.endpoint)
    if _is_in(TERMINATION, signal):
        await _kill(pm, process, signal)
    else:
        await pm.asynsend.send(process.endpoint, SigsSignalReceived(signal))


async def _signal_user(pm: ProcessManager, process: Mproc, signal: int, from_kernel: bool) -> None:
    bit = sigbit(signal)
    # A fault cannot be put off: the process would only meet it again.
    unavoidable = from_kernel and NOT_IGNORABLE & bit and (process.ignore | process.sigmask) & bit
    if not unavoidable:
        if process.ignore & bit:
            return
        if process.sigmask & bit:
            _hold(process, signal, from_kernel)
            return
        if process.catch & bit:
            if not await _unpause(pm, process):
                _hold(process, signal, from_kernel)
                return
            if await _sig_send(pm, process, signal):
                return
        elif IGNORED & bit:
            return
    await _kill(pm, process, signal)


def _hold(process: Mproc, signal: int, from_kernel: bool) -> None:
    process.sigpending |= sigbit(signal)
    if from_kernel:
        process.ksigpending |= sigbit(signal)


async def _kill(pm: ProcessManager, process: Mproc, signal: int) -> None:
    """MINIX: sig_proc_exit."""
    process.signal_status = signal
    dump_core = _is_in(CORE, signal)
    if dump_core and not process.flags & PRIV_PROC:
        await sys_diagctl_stacktrace(process.endpoint)
    await exits.exit_proc(pm, process, 0, dump_core=dump_core)


async def stop_proc(process: Mproc, *, may_delay: bool) -> bool:
    """Stop `process` in the kernel; False if it is sending, of whose end PM will be told."""
    result = await sys_delay_stop(process.endpoint)
    if result == OK:
        process.flags |= PROC_STOPPED
        return True
    if result != EBUSY or not may_delay:
        raise Panic(f"the kernel does not stop {process.name}: {result}")
    process.flags |= DELAY_CALL
    return False


async def _try_resume(process: Mproc) -> None:
    if process.busy or process.flags & EXITING:
        return
    if await sys_resume(process.endpoint) != OK:
        raise Panic(f"the kernel does not resume {process.name}")
    process.flags &= ~(PROC_STOPPED | UNPAUSED)


async def check_pending(pm: ProcessManager, process: Mproc) -> None:
    """Deliver the signals of `process` that wait and are no longer held back, lowest first."""
    for signal in range(1, NSIG):
        bit = sigbit(signal)
        if not process.sigpending & bit & ~process.sigmask:
            continue
        from_kernel = bool(process.ksigpending & bit)
        process.sigpending &= ~bit
        process.ksigpending &= ~bit
        await sig_proc(pm, process, signal, from_kernel=from_kernel)
        if process.busy or not process.alive:
            return


async def restart_sigs(pm: ProcessManager, process: Mproc) -> None:
    """VFS, or a subscriber, is done with `process`: look at the signals that came meanwhile."""
    if process.busy or process.flags & EXITING:
        return
    if process.flags & PROC_STOPPED:
        await check_pending(pm, process)
        await _try_resume(process)


async def _unpause(pm: ProcessManager, process: Mproc) -> bool:
    """Get `process` out of whatever call it waits in; False if that takes time."""
    if process.flags & UNPAUSED:
        return True
    if process.flags & DELAY_CALL:
        return False
    if process.flags & (WAITING | SIGSUSPENDED):
        await stop_proc(process, may_delay=False)
        return True
    if not process.flags & PROC_STOPPED and not await stop_proc(process, may_delay=True):
        return False
    request = VfsPmUnpause(process.endpoint)
    await pm.begin(_unpause_in_vfs(pm, process, request), process.endpoint, request)
    return False


async def _unpause_in_vfs(pm: ProcessManager, process: Mproc, request: Message) -> None:
    await vfs.ask_vfs(pm, process, request)
    process.flags |= UNPAUSED
    await publish_event(pm, process, PROC_EVENT_SIGNAL)
    await restart_sigs(pm, process)


async def _sig_send(pm: ProcessManager, process: Mproc, signal: int) -> bool:
    """Have `process` run its handler next; False if its stack cannot take the frame."""
    action = process.action(signal)
    mask = process.sigmask2 if process.flags & SIGSUSPENDED else process.sigmask
    bit = sigbit(signal)
    process.sigmask |= action.mask
    if action.flags & SA_NODEFER:
        process.sigmask &= ~bit
    else:
        process.sigmask |= bit
    if action.flags & SA_RESETHAND:
        process.catch &= ~bit
        process.actions[signal] = SigAction(SIG_DFL, action.mask, action.flags)
    process.sigpending &= ~bit
    process.ksigpending &= ~bit

    frame = SIGMSG.pack(signal, mask.to_bytes(16, "little"), action.handler, process.sigreturn, 0)
    await trap(Store(SCRATCH, frame))
    result = await sys_sigsend(process.endpoint, SCRATCH)
    if result in (EFAULT, ENOMEM):
        return False
    if result != OK:
        raise Panic(f"the kernel does not run a handler of {process.name}: {result}")
    await _interrupt(pm, process)
    return True


async def _interrupt(pm: ProcessManager, process: Mproc) -> None:
    """End the call of `process` that waits in PM, if one does, and let it run its handler."""
    if not process.flags & (WAITING | SIGSUSPENDED):
        return  # VFS has ended its call, and `restart_sigs` resumes it
    process.flags &= ~(WAITING | SIGSUSPENDED)
    ticket = process.wait.ticket if process.wait is not None else process.suspension
    process.wait = process.suspension = None
    assert ticket is not None, "who waits in PM has a ticket"
    if ticket.call is not None:
        await pm.resume(ticket, Refused(EINTR))
    else:  # a SIGSUSPEND that found a signal waiting has not come to wait itself
        await pm.reply(process.endpoint, Reply(EINTR))
    await _try_resume(process)
