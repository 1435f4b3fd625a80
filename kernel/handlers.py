"""Signal handlers: a coroutine that takes a process's place until it returns.

What the process was doing is put aside, together with the trap that it was to do again.  When the
handler has run, it tells PM (PM_SIGRETURN), and then the process goes on where it was.

Source: MINIX ``kernel/system/{do_sigsend,do_sigreturn}.c``; ``libc/sigreturn``.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

import attrs

from ipc.endpoint import PM
from ipc.pm import PmSigreturn
from ipc.traps import SendRec, trap
from kernel.flags import MF_ACCESS_AGAIN, MF_KCALL_RESUME
from kernel.process import Interruption

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process, SignalHandler

_AGAIN: Final = MF_ACCESS_AGAIN | MF_KCALL_RESUME


@attrs.frozen
class GoOn:
    """The trap of a handler that is done: the process goes on with what it did before."""


@types.coroutine
def _go_on() -> Generator[GoOn, Any, None]:
    yield GoOn()


def interrupt(process: Process, handler: SignalHandler, signal: int, mask: int) -> None:
    """Let `process` run `handler` next, and then go on with the signals in `mask` held back."""
    interruption = Interruption(
        process.coroutine, process.request, process.result, process.misc & _AGAIN
    )
    process.interrupted.append(interruption)
    process.misc &= ~_AGAIN
    process.coroutine = _StartHandler(process, interruption, handler, signal, mask)  # type: ignore[assignment]


async def _run(handler: SignalHandler, signal: int, mask: int) -> None:
    await handler(signal)
    await trap(SendRec(PM, PmSigreturn(set=mask)))
    await _go_on()


class _StartHandler:
    """Stands in for the handler's coroutine until it first runs.

    Until then the interrupted call may still get its answer; it is kept for when that goes on.
    """

    __slots__ = ("_handler", "_interruption", "_mask", "_process", "_signal")

    def __init__(
        self,
        process: Process,
        interruption: Interruption,
        handler: SignalHandler,
        signal: int,
        mask: int,
    ) -> None:
        self._process = process
        self._interruption = interruption
        self._handler = handler
        self._signal = signal
        self._mask = mask

    def send(self, result: Any) -> Any:
        """Start the handler."""
        self._interruption.result = result
        coroutine = _run(self._handler, self._signal, self._mask)
        self._process.coroutine = coroutine
        return coroutine.send(None)

    def close(self) -> None:
        """Nothing has begun."""


def going_on(_machine: Machine) -> Callable[[Process, GoOn], None]:
    """The handler is done; what it interrupted goes on."""

    def enter(process: Process, _trap: GoOn) -> None:
        # A program that makes this trap itself has no handler to return from.
        if not process.interrupted:
            process.result = None
            return
        finished = process.coroutine
        interruption = process.interrupted.pop()
        process.coroutine = interruption.coroutine
        process.request = interruption.request
        process.result = interruption.result
        process.misc |= interruption.misc
        if finished is not None:
            finished.close()

    return enter
