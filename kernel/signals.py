"""Signals as the kernel knows them: a process gets one through its signal manager.

A process with a pending signal is blocked (SIGNALED, SIG_PENDING) until its manager, PM for
ordinary processes, has fetched it with SYS_GETKSIG and dealt with it (SYS_ENDKSIG).  A manager is
told by a notification from SYSTEM that carries SIGKSIG.

Source: MINIX ``kernel/system.c`` cause_sig, send_sig, sig_delay_done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import NONE, SELF, SYSTEM
from ipc.errors import EINVAL, OK
from ipc.signals import (
    SIGABRT,
    SIGBUS,
    SIGEMT,
    SIGFPE,
    SIGILL,
    SIGKSIG,
    SIGKSIGSM,
    SIGSEGV,
    SIGSNDELAY,
    signal_bit,
    signal_name,
)
from kernel.flags import MF_SIG_DELAY, RTS_NO_PRIV, RTS_SIG_PENDING, RTS_SIGNALED
from kernel.panic import Panic
from kernel.probes import SignalRaised

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

# Signals that a signal manager cannot be asked to handle for itself.  MINIX: SIGS_IS_LETHAL
LETHAL: Final = frozenset({SIGILL, SIGBUS, SIGFPE, SIGSEGV, SIGEMT, SIGABRT})


class Signals:
    """Raises signals on a machine's processes."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def send(self, endpoint: int, signal: int) -> int:
        """Tell a system process of `signal` directly: OK, or EINVAL if there is none such."""
        machine = self._machine
        process = machine.table.lookup(endpoint)
        if process is None:
            return EINVAL
        process.privilege.signals_pending |= signal_bit(signal)
        machine.rendezvous.kernel_notify(SYSTEM, process.endpoint)
        return OK

    def cause(self, process: Process, signal: int) -> None:
        """Raise `signal` on `process` by way of its signal manager.

        Panics when a manager would have to handle its own death.
        """
        machine = self._machine
        privilege = process.privilege
        manager = privilege.signal_manager
        if manager == SELF:
            manager = process.endpoint
        if machine.probes.emit is not None:
            machine.probes.happened(SignalRaised, process, signal, manager)
        if manager == process.endpoint:
            self._cause_for_manager(process, signal)
            return
        bit = signal_bit(signal)
        if process.signals_pending & bit:
            return
        process.signals_pending |= bit
        if process.rts & RTS_SIGNALED:
            return
        machine.ready.block(process, RTS_SIGNALED | RTS_SIG_PENDING)
        if self.send(manager, SIGKSIG) != OK:
            machine.fate.unmanaged(process, signal)

    def _cause_for_manager(self, process: Process, signal: int) -> None:
        machine = self._machine
        privilege = process.privilege
        if signal in LETHAL:
            backup = machine.table.lookup(privilege.backup_signal_manager)
            if backup is None:
                raise Panic(
                    f"signal manager {process.name} gets lethal signal {signal_name(signal)}"
                    " for itself"
                )
            privilege.signal_manager = backup.endpoint
            privilege.backup_signal_manager = NONE
            machine.ready.unblock(backup, RTS_NO_PRIV)
            self.cause(process, signal)
            return
        privilege.signals_pending |= signal_bit(signal)
        self.send(process.endpoint, SIGKSIGSM)

    def delay_done(self, process: Process) -> None:
        """`process` no longer sends, for which its manager waits.  MINIX: sig_delay_done."""
        process.misc &= ~MF_SIG_DELAY
        self.cause(process, SIGSNDELAY)
