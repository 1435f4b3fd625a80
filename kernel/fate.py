"""What becomes of a process whose program does not go on as programs should.

A user program that returns exits through PM; one that raises gets the signal that a faulting
process would get.  A server that raises is a panic: the machine stops.  Nothing that a program
does ends the simulator.
"""

from __future__ import annotations

import functools
import traceback
import types
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import attrs

from ipc.endpoint import PM
from ipc.errors import EDEADSRCDST, IpcError
from ipc.message import Message
from ipc.pm import PmExit
from ipc.signals import SIGABRT, SIGILL, SIGKILL, SIGSEGV, signal_name
from ipc.traps import SendRec, Trap, trap
from kernel.handlers import GoOn
from kernel.limits import Stuck
from kernel.panic import Panic
from kernel.probes import ProgramEnded
from kernel.wellformed import Malformed, demand_well_formed

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process


class Crashed(Exception):
    """Ends the program of a server that an injected fault lets crash."""

    def __str__(self) -> str:
        return "crashes, as was injected"


class Fate:
    """Deals with the ends of programs."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def program_ended(self, process: Process, error: BaseException) -> None:
        """The coroutine of `process` returned (StopIteration) or raised.

        Raises Panic if it was a server, unless an injected fault let it crash; KeyboardInterrupt
        if it was the person at the keyboard.
        """
        if isinstance(error, KeyboardInterrupt):
            raise error
        if process.privilege.system and not isinstance(error, Crashed):
            self._server_ended(process, error)
        status = exit_status(error)
        if status is not None:
            self._report(process, status, "")
            self._end(process, status)
            return
        self._raised(process, error)

    def _raised(self, process: Process, error: BaseException) -> None:
        if isinstance(error, Crashed):
            # PM, which is to handle its signal, may itself be waiting for it.  Where there is RS,
            # that sees to it (SYS_PRIV_CLEAR_IPC_REFS) before it asks PM.
            self._machine.rendezvous.clear_references(process, EDEADSRCDST)
        signal = signal_for(error)
        text = describe(error)
        self._report(process, -1, text)
        self._explain(process, text, signal)
        # Should the process outlive the signal, it has nothing to do but to leave.
        self._end(process, 1)
        self._machine.signals.cause(process, signal)

    def _explain(self, process: Process, why: str, signal: int) -> None:
        """Write down why `process` gets `signal`, and let who gave it a command know."""
        reason = f"{why}; {signal_name(signal)}"
        self._machine.complain(f"{process.name}: {reason}")
        self._machine.driven.explain(process, reason)

    def _end(self, process: Process, status: int) -> None:
        """Let `process` leave when it next runs, whatever it was doing."""
        self._machine.start(process, functools.partial(leave, status))
        process.interrupted.clear()
        process.result = None

    def _server_ended(self, process: Process, error: BaseException) -> None:
        if isinstance(error, Panic):
            error.during(process.name, "", "")
            raise error
        reason = "its main loop returned" if isinstance(error, StopIteration) else describe(error)
        panic = Panic(reason)
        panic.during(process.name, "program", describe_result(process.result))
        raise panic from (None if isinstance(error, StopIteration) else error)

    def _report(self, process: Process, status: int, error: str) -> None:
        probes = self._machine.probes
        if probes.emit is not None:
            probes.happened(ProgramEnded, process, status, error)

    def trap_failed(self, process: Process, request: object, error: Exception) -> None:
        """The kernel could not do a trap: the process's fault if it is none, or ill-formed.

        Raises the error otherwise, as a panic unless it is one.
        """
        if not isinstance(request, Trap | Vanish | GoOn):
            self._bad_trap(process, f"yielded {request!r:.100}, which is no trap")
            return
        if not isinstance(error, Panic) and (flaw := flaw_of(request)):
            self._bad_trap(process, flaw)
            return
        if isinstance(error, Panic):
            error.during(process.name, type(request).__name__, describe_request(request))
            raise error
        panic = Panic(f"the kernel failed: {describe(error)}")
        panic.during(process.name, type(request).__name__, describe_request(request))
        raise panic from error

    def _bad_trap(self, process: Process, flaw: str) -> None:
        if process.privilege.system:
            panic = Panic(flaw)
            panic.during(process.name, "program", describe_result(process.result))
            raise panic
        self._report(process, -1, flaw)
        self._explain(process, flaw, SIGILL)
        self._end(process, 1)
        self._machine.signals.cause(process, SIGILL)

    def unmanaged(self, process: Process, signal: int) -> None:
        """`process` got a signal, and nobody is there to handle it: it is no more.

        Differs: MINIX panics.  A machine without PM is for tests of the kernel alone.
        """
        if process.privilege.system:
            raise Panic(f"{process.name} got {signal_name(signal)} and has no signal manager")
        self._machine.bury(process)

    def vanish(self, process: Process) -> None:
        """`process` wants to be no more: PM, if it is there, would not end it when it asked.

        MINIX: libc _exit, which then makes the process commit suicide.
        """
        if process.privilege.system:
            self._machine.bury(process)
        else:
            self._machine.signals.cause(process, SIGKILL)


@attrs.frozen
class Vanish:
    """The trap of a process that is to be no more and that nobody else will clear."""


@types.coroutine
def _vanish() -> Generator[Vanish, Any, None]:
    yield Vanish()


async def leave(status: int) -> None:
    """What a process does after its program: it asks PM to end it."""
    with suppress(IpcError):  # if there is no PM, or none that talks to us
        await trap(SendRec(PM, PmExit(status)))
    await _vanish()


def exit_status(error: BaseException) -> int | None:
    """The exit status if a program ended in an orderly way, else None."""
    if isinstance(error, StopIteration):
        return error.value if isinstance(error.value, int) else 0
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    return None


def signal_for(error: BaseException) -> int:
    """The signal that stands for an exception which a user program did not catch."""
    if isinstance(error, Stuck):
        return SIGKILL
    return next((signal for kind, signal in SIGNALS if isinstance(error, kind)), SIGABRT)


SIGNALS: Final[tuple[tuple[type[BaseException], int], ...]] = (
    (Crashed, SIGSEGV),
    (RecursionError, SIGSEGV),
    (MemoryError, SIGKILL),
)


def describe(error: BaseException) -> str:
    """An exception in one line."""
    if isinstance(error, Stuck):
        return error.reason
    if isinstance(error, Crashed):
        return str(error)
    return "".join(traceback.format_exception_only(error)).strip()


def describe_result(result: Any) -> str:
    """What a process had got when it failed, in a few words."""
    if isinstance(result, tuple) and len(result) == 3:
        return f"{describe_message(result[1])} from {result[0]}"
    return describe_message(result)


def describe_request(request: object) -> str:
    """A trap in a few words."""
    message = message_in(request)
    return describe_message(message) if message is not None else repr(request)[:100]


def message_in(request: object) -> Any:
    """What a trap sends, or asks the kernel for; None if it does neither."""
    return getattr(request, "message", None) or getattr(request, "request", None)


def describe_message(message: Any) -> str:
    """A message in a few words."""
    return repr(message)[:200]


def flaw_of(request: Any) -> str:
    """What is ill-formed about a trap record, which a program made itself; empty if nothing."""
    for attribute in attrs.fields(type(request)):
        value = getattr(request, attribute.name)
        expected = FIELD_TYPES.get(attribute.name)
        if expected is not None and not isinstance(value, expected):
            return f"made a {type(request).__name__} whose {attribute.name} is {value!r:.100}"
    message = message_in(request)
    if message is not None:
        try:
            demand_well_formed(message)
        except Malformed as flaw:
            return f"sent what is no message: {flaw}"
    return ""


FIELD_TYPES: Final[dict[str, Any]] = {
    "dest": int,
    "source": int,
    "message": Message,
    "request": Message,
    "table": list,
    "address": int,
    "length": int,
    "duration": int,
    "data": (bytes, bytearray, memoryview),
}
