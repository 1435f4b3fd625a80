"""Processes driven from outside the machine.

Such a process makes the trap `NextCommand` and waits (RTS_COMMAND) until somebody outside says
what to do; what became of it comes with its next `NextCommand`.  Commands are injected between
runs and recorded, so that a run can be made again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from kernel.flags import RTS_COMMAND
from kernel.probes import CommandFinished, CommandInjected
from kernel.process import Process

if TYPE_CHECKING:
    from kernel.machine import Machine


class ProcessEnded(Exception):
    """The process that was to do the command is no more, or became another program."""


class Busy(Exception):
    """The process has not finished its last command, or is not driven."""


@attrs.frozen
class Injection:
    """What was injected: before which step, into which process (endpoint), and what.

    That is a command, or a fault that was set or ended.
    """

    step: int
    process: int
    command: str


# Told what became of a command: the outcome that its process reported, or ProcessEnded.
Listener = Callable[[Any], None]


class Driven:
    """The driven processes of a machine, and the commands they have been given."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._waiting: dict[Process, Listener] = {}
        self._reasons: dict[Process, str] = {}
        self.injections: list[Injection] = []

    def is_free(self, process: Process) -> bool:
        """Whether `process` waits for a command."""
        return bool(process.rts & RTS_COMMAND) and process not in self._waiting

    def unfinished(self) -> list[Process]:
        """The processes that have a command and have not finished it, oldest command first."""
        return list(self._waiting)

    def inject(self, process: Process, command: Any, listener: Listener) -> None:
        """Give `process` its next command; `listener` hears its outcome, from within a run.

        Raises Busy if the process does not wait for one.
        """
        if not self.is_free(process):
            raise Busy(f"{process.name} does not wait for a command")
        machine = self._machine
        text = describe_command(command)
        self.record(process.endpoint, text)
        if machine.probes.emit is not None:
            machine.probes.happened(CommandInjected, process, text)
        self._waiting[process] = listener
        process.result = command
        machine.ready.unblock(process, RTS_COMMAND)

    def record(self, process: int, what: str) -> None:
        """Note that `what` was injected now."""
        self.injections.append(Injection(self._machine.dispatcher.steps, process, what))

    def finished(self, process: Process, outcome: Any) -> None:
        """`process` has done what it was told and waits."""
        self._machine.ready.block(process, RTS_COMMAND)
        listener = self._waiting.pop(process, None)
        if listener is None:
            return
        if self._machine.probes.emit is not None:
            text = describe_outcome(outcome)
            self._machine.probes.happened(CommandFinished, process, text)
        listener(outcome)

    def ended(self, process: Process) -> None:
        """`process` is no more: whatever it was told, it will not do."""
        listener = self._waiting.pop(process, None)
        if listener is not None:
            reason = self._reasons.pop(process, "")
            listener(ProcessEnded(f"{process.name} ended{reason and f': {reason}'}"))

    def explain(self, process: Process, reason: str) -> None:
        """`process` is about to end for `reason`, which is told if it has a command."""
        if process in self._waiting:
            self._reasons[process] = reason


def describe_command(command: Any) -> str:
    """What the record says of a command: its own `description`, else its name."""
    described = getattr(command, "description", None) or getattr(command, "__qualname__", None)
    return str(described or type(command).__name__)


def describe_outcome(outcome: Any) -> str:
    """What the record says of an outcome: its own `description`, else its `repr`."""
    described = getattr(outcome, "description", None)
    return str(described) if described is not None else f"{outcome!r:.100}"
