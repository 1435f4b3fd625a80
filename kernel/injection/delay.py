"""The trap of a process that an injected fault holds up."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from kernel.flags import RTS_DELAYED

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process


@attrs.frozen
class Delay:
    """The trap of a process that is to do nothing for `duration` virtual ns."""

    duration: int


def delaying(machine: Machine) -> Callable[[Process, Delay], None]:
    """The trap `Delay`: the process does not run until the time is over."""

    def enter(process: Process, trap: Delay) -> None:
        process.result = None
        machine.ready.block(process, RTS_DELAYED)
        end = functools.partial(_end_delay, machine, process)
        machine.clock.schedule(machine.clock.now + trap.duration, end)

    return enter


def _end_delay(machine: Machine, process: Process) -> None:
    if machine.table.lookup(process.endpoint) is process and process.rts & RTS_DELAYED:
        machine.ready.unblock(process, RTS_DELAYED)
