"""What each trap does: the table through which every process enters the kernel.

Each function gets the machine, the process and its trap record.  It leaves in `process.result`
what the process gets when it runs next, or leaves the process blocked.

Source: MINIX ``kernel/proc.c`` do_ipc.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import attrs

from ipc.errors import IpcError
from ipc.traps import (
    Compute,
    ForkingSendRec,
    KernelCall,
    Load,
    NextCommand,
    Notify,
    Receive,
    Send,
    SendA,
    SendNb,
    SendRec,
    Store,
)
from kernel.costs import Costs
from kernel.fate import Vanish
from kernel.faults import enter_load, enter_store
from kernel.handlers import GoOn, enter_go_on

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process


def enter_send(machine: Machine, process: Process, trap: Send) -> None:
    """SEND: hand over a message, waiting for the receiver."""
    process.result = None
    code = machine.rendezvous.send(process, trap.dest, trap.message)
    if code < 0:
        process.result = IpcError(code)


def enter_receive(machine: Machine, process: Process, trap: Receive) -> None:
    """RECEIVE: take a message, waiting for one."""
    code = machine.rendezvous.receive(process, trap.source)
    if code < 0:
        process.result = IpcError(code)


def enter_sendrec(machine: Machine, process: Process, trap: SendRec) -> None:
    """SENDREC: hand over a request and wait for the answer."""
    process.child = None
    code = machine.rendezvous.sendrec(process, trap.dest, trap.message)
    if code < 0:
        process.result = IpcError(code)


def enter_forking_sendrec(machine: Machine, process: Process, trap: ForkingSendRec) -> None:
    """SENDREC of a request that may fork the caller."""
    process.child = trap.child
    code = machine.rendezvous.sendrec(process, trap.dest, trap.message)
    if code < 0:
        process.result = IpcError(code)


def enter_notify(machine: Machine, process: Process, trap: Notify) -> None:
    """NOTIFY: post a notification."""
    code = machine.rendezvous.notify(process, trap.dest)
    process.result = IpcError(code) if code < 0 else None


def enter_sendnb(machine: Machine, process: Process, trap: SendNb) -> None:
    """SENDNB: hand over a message if the receiver waits for it."""
    code = machine.rendezvous.sendnb(process, trap.dest, trap.message)
    process.result = IpcError(code) if code < 0 else None


def enter_senda(machine: Machine, process: Process, trap: SendA) -> None:
    """SENDA: offer a table of messages."""
    code = machine.rendezvous.senda(process, trap.table)
    process.result = IpcError(code) if code < 0 else None


def enter_kernel_call(machine: Machine, process: Process, trap: KernelCall) -> None:
    """A call to the kernel itself."""
    machine.kernel_calls.enter(process, trap.request)


def enter_compute(machine: Machine, process: Process, trap: Compute) -> None:
    """Use the processor."""
    process.result = None
    machine.clock.now += max(0, trap.duration)


def enter_next_command(machine: Machine, process: Process, trap: NextCommand) -> None:
    """A driven process has done its command and waits for the next."""
    machine.driven.finished(process, trap.outcome)


def enter_vanish(machine: Machine, process: Process, trap: Vanish) -> None:
    """A process that PM could not end is no more."""
    machine.bury(process)


@attrs.frozen
class Entry:
    """One trap: the function that does it, and the kinds of cost that are paid for it."""

    enter: Callable[[Machine, Process, Any], None]
    kinds: tuple[str, ...] = ("trap",)

    def cost(self, costs: Costs) -> int:
        """Virtual ns for the trap itself."""
        return sum(getattr(costs, kind) for kind in self.kinds)


# Each message is received once, and that is where its delivery is paid.
TRAPS: Final[dict[type, Entry]] = {
    Send: Entry(enter_send),
    Receive: Entry(enter_receive, ("trap", "delivery")),
    SendRec: Entry(enter_sendrec, ("trap", "delivery")),
    ForkingSendRec: Entry(enter_forking_sendrec, ("trap", "delivery")),
    Notify: Entry(enter_notify),
    SendNb: Entry(enter_sendnb),
    SendA: Entry(enter_senda),
    KernelCall: Entry(enter_kernel_call, ("trap", "kernel_call")),
    Load: Entry(enter_load, ("access",)),
    Store: Entry(enter_store, ("access",)),
    Compute: Entry(enter_compute, ()),
    NextCommand: Entry(enter_next_command, ()),
    Vanish: Entry(enter_vanish, ()),
    GoOn: Entry(enter_go_on, ()),
}
