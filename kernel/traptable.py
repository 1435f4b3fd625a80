"""What each trap does: the table through which every process enters the kernel.

Each function here makes, for one machine, what does the trap: that gets the process and its trap
record.  It leaves in `process.result` what the process gets when it runs next, or leaves the
process blocked; or it returns an error number, of which the dispatcher makes the result.

Source: MINIX ``kernel/proc.c`` do_ipc.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

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
from kernel.faults import Accesses
from kernel.handlers import GoOn, going_on
from kernel.injection.delay import Delay, delaying
from kernel.senda import offer

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process


Enter: TypeAlias = "Callable[[Process, Any], int | None]"


def sending(machine: Machine) -> Enter:
    """SEND: hand over a message, waiting for the receiver."""
    return machine.rendezvous.enter_send


def receiving(machine: Machine) -> Enter:
    """RECEIVE: take a message, waiting for one."""
    return machine.rendezvous.enter_receive


def requesting(machine: Machine) -> Enter:
    """SENDREC: hand over a request and wait for the answer."""
    return machine.rendezvous.enter_sendrec


def notifying(machine: Machine) -> Enter:
    """NOTIFY: post a notification."""
    notify = machine.rendezvous.notify

    def enter(process: Process, trap: Notify) -> int:
        process.result = None
        return notify(process, trap.dest)

    return enter


def sending_at_once(machine: Machine) -> Enter:
    """SENDNB: hand over a message if the receiver waits for it."""
    return machine.rendezvous.enter_sendnb


def offering(machine: Machine) -> Enter:
    """SENDA: offer a table of messages."""
    return MethodType(offer, machine.rendezvous)


def calling(machine: Machine) -> Enter:
    """A call to the kernel itself."""
    return machine.kernel_calls.enter


def loading(machine: Machine) -> Enter:
    """Read memory."""
    return Accesses(machine).load


def storing(machine: Machine) -> Enter:
    """Write memory."""
    return Accesses(machine).store


def computing(machine: Machine) -> Enter:
    """Use the processor."""

    def enter(process: Process, trap: Compute) -> None:
        process.result = None
        machine.clock.now += max(0, operator.index(trap.duration))

    return enter


def awaiting_command(machine: Machine) -> Enter:
    """A driven process has done its command and waits for the next."""

    def enter(process: Process, trap: NextCommand) -> None:
        machine.driven.finished(process, trap.outcome)

    return enter


def vanishing(machine: Machine) -> Enter:
    """A process that PM could not end is no more."""

    def enter(process: Process, _trap: Vanish) -> None:
        machine.fate.vanish(process)

    return enter


@attrs.frozen
class Entry:
    """One trap: what makes the function that does it, and the kinds of cost that are paid."""

    enter: Callable[[Machine], Enter]
    kinds: tuple[str, ...] = ("trap",)

    def cost(self, costs: Costs) -> int:
        """Virtual ns for the trap itself."""
        return sum(getattr(costs, kind) for kind in self.kinds)


# Each message is received once, and that is where its delivery is paid.
TRAPS: Final[dict[type, Entry]] = {
    Send: Entry(sending),
    Receive: Entry(receiving, ("trap", "delivery")),
    SendRec: Entry(requesting, ("trap", "delivery")),
    ForkingSendRec: Entry(requesting, ("trap", "delivery")),
    Notify: Entry(notifying),
    SendNb: Entry(sending_at_once),
    SendA: Entry(offering),
    KernelCall: Entry(calling, ("trap", "kernel_call")),
    Load: Entry(loading, ("access",)),
    Store: Entry(storing, ("access",)),
    Compute: Entry(computing, ()),
    NextCommand: Entry(awaiting_command, ()),
    Vanish: Entry(vanishing, ()),
    GoOn: Entry(going_on, ()),
    Delay: Entry(delaying, ()),
}
