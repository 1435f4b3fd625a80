"""Timers: alarms of system processes, and timers that run with a process's own time.

Source: MINIX ``kernel/system/do_setalarm.c``, ``kernel/system/do_vtimer.c``, ``kernel/clock.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.endpoint import CLOCK
from ipc.signals import SIGPROF, SIGVTALRM
from kernel.clock import ALARM, tick_time
from kernel.probes import Interrupted

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

ALARM_LINE = -1  # what an `Interrupted` event says for an alarm


class Timers:
    """The timers of a machine's processes."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def set_alarm(self, process: Process, tick: int) -> None:
        """Notify `process` from CLOCK when the clock's `tick`-th tick comes, or soon if it has."""
        self.clear_alarm(process)
        clock = self._machine.clock
        # An alarm for a tick that has come already goes off with the next one, as in MINIX.
        time = tick_time(max(tick, clock.ticks + 1))
        endpoint = process.endpoint
        process.privilege.alarm = clock.schedule(
            time, lambda: self._ring(endpoint), ALARM, process.privilege.background
        )

    def clear_alarm(self, process: Process) -> None:
        """Forget the alarm of `process`, if one is set."""
        privilege = process.privilege
        if privilege.alarm is not None:
            self._machine.clock.cancel(privilege.alarm)
            privilege.alarm = None

    def _ring(self, endpoint: int) -> None:
        machine = self._machine
        process = machine.table.lookup(endpoint)
        if process is None:
            return
        process.privilege.alarm = None
        if machine.probes.emit is not None:
            machine.probes.happened(Interrupted, process, ALARM_LINE)
        machine.rendezvous.kernel_notify(CLOCK, endpoint)

    def used(self, process: Process, elapsed: int, own: bool) -> None:
        """`process` used `elapsed` virtual ns, its `own` or a system process's for it.

        MINIX: vtimer_check.
        """
        if own and process.virtual_left:
            process.virtual_left = max(0, process.virtual_left - elapsed)
            if not process.virtual_left:
                self._machine.signals.cause(process, SIGVTALRM)
        if process.profile_left:
            process.profile_left = max(0, process.profile_left - elapsed)
            if not process.profile_left:
                self._machine.signals.cause(process, SIGPROF)
