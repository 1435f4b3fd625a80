"""Signals that the kernel has for processes.

Source: MINIX ``servers/pm/signal.c`` process_ksig, ``lib/libsys/sef_signal.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import NONE, PM, slot_of
from ipc.errors import OK
from ipc.notification import Notification
from ipc.signals import (
    SIGINFO,
    SIGINT,
    SIGKSIG,
    SIGPROF,
    SIGQUIT,
    SIGS_FIRST,
    SIGS_LAST,
    SIGSNDELAY,
    SIGVTALRM,
    SIGWINCH,
)
from kernel.panic import Panic
from servers.lib.kernel_calls import sys_endksig, sys_getksig
from servers.pm.alarms import check_vtimer
from servers.pm.mproc import DELAY_CALL, Mproc, sigbit
from servers.pm.signals import check_pending, check_sig, stop_proc

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

# These come from a keyboard and are meant for whoever reads from it.
TO_GROUP: Final = frozenset({SIGINT, SIGQUIT, SIGWINCH, SIGINFO})


async def do_system_notify(pm: ProcessManager, _source: int, message: Notification) -> None:
    """The kernel has signals for processes: fetch and deliver them all."""
    if not message.sigset & sigbit(SIGKSIG):
        return
    while True:
        endpoint, signals = await sys_getksig()
        if endpoint == NONE:
            return
        if await _deliver(pm, endpoint, signals) and await sys_endksig(endpoint) != OK:
            raise Panic("the kernel does not take back a process whose signals are handled")


async def _deliver(pm: ProcessManager, endpoint: int, signals: int) -> bool:
    """Give a process the kernel's signals, lowest first; whether it is still alive then."""
    process = pm.table.lookup(endpoint)
    if process is None:
        return False
    for signal in range(SIGS_FIRST, SIGS_LAST + 1):
        if not signals & sigbit(signal):
            continue
        if not process.alive:
            return False
        await _process_ksig(pm, process, signal)
    return process.alive


async def _process_ksig(pm: ProcessManager, process: Mproc, signal: int) -> None:
    # The signal is PM's, but from within the group of the process.
    pm.caller = sender = pm.table.slots[slot_of(PM)]
    if signal in (SIGVTALRM, SIGPROF):
        await check_vtimer(process, signal)
    own, sender.procgrp = sender.procgrp, process.procgrp
    try:
        pid = 0 if signal in TO_GROUP else process.pid
        await check_sig(pm, pid, signal, from_kernel=True)
    finally:
        sender.procgrp = own
    if signal == SIGSNDELAY and process.alive and process.flags & DELAY_CALL:
        await _delay_done(pm, process)


async def _delay_done(pm: ProcessManager, process: Mproc) -> None:
    """`process`, which could not be stopped while it was sending, no longer is."""
    process.flags &= ~DELAY_CALL
    if process.busy:
        # What it sent was a call to PM that VFS works on; its signals wait for that.
        await stop_proc(process, may_delay=False)
    else:
        await check_pending(pm, process)
