"""A server's stand-in: it runs the server's program, and interferes where a fault strikes.

It takes the place of the process's coroutine, so that nothing else in the kernel need know of
faults.  Whenever the server has received a message it asks whether a fault strikes; if so it
makes traps of its own in the server's name (waits, answers) before the server goes on, or has it
receive the next message instead.  When no fault is left it steps aside.
"""

from __future__ import annotations

import types
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from ipc.errors import ELOCKED, IpcError
from ipc.message import Message
from ipc.refusals import refusal
from ipc.traps import Receive, Send
from kernel.fate import Crashed
from kernel.injection.delay import Delay
from kernel.injection.faults import Crash, Fault, ReplyFault
from kernel.limits import is_running

if TYPE_CHECKING:
    from kernel.injection.table import FaultTable
    from kernel.process import Process


@types.coroutine
def _trap(request: Send | Delay) -> Generator[Any, Any, Any]:
    return (yield request)


# What the server gets in the end: nothing, so that it makes its last trap once more.
_NOTHING: Final = object()
_PAID: Final = object()  # the same, when what it owes has been tried

Steps = Generator[Any, Any, Any]


class Tampered:
    """Stands in for the coroutine of `process`, a server."""

    __slots__ = ("_faults", "_inner", "_made", "_owed", "_process", "_steps")

    def __init__(self, faults: FaultTable, process: Process) -> None:
        self._faults = faults
        self._process = process
        self._inner: Any = process.coroutine
        self._made: Any = process.request  # the server's own last trap
        self._steps: Steps | None = None  # traps made in its name
        self._owed: list[Send] = []  # answers that could not be sent yet

    def send(self, result: Any) -> Any:
        """The process's next trap, now that its last one has this result."""
        if self._steps is None:
            if type(self._made) is not Receive or type(result) is not tuple:
                return self._go_on(result)
            struck = self._faults.struck(self._process, result[1], result[2])
            if not struck:
                return self._go_on(result)
            self._steps = self._suffer(struck, result)
            result = None
        try:
            return self._steps.send(result)
        except StopIteration as done:
            self._steps = None
            if done.value is _PAID:
                return self._made
            return self._receive() if done.value is _NOTHING else self._go_on(done.value)

    @property
    def cr_running(self) -> bool:
        """Whether the server's program runs at this moment; see `kernel.limits`."""
        return is_running(self._inner)

    def close(self) -> None:
        """End the server's program."""
        self._inner.close()

    def _go_on(self, result: Any) -> Any:
        """Let the server run."""
        process = self._process
        made = self._inner.send(result)
        running: Any = process.coroutine
        if running is not self:  # the program has only now begun
            self._inner, process.coroutine = running, self  # type: ignore[assignment]
        self._made = made
        return self._receive() if type(made) is Receive else made

    def _receive(self) -> Any:
        """Let the server receive, once it has sent what it owes."""
        if self._owed:
            self._steps = self._pay()
            return self._steps.send(None)
        if self._faults.is_safe(self._process):
            self._process.coroutine = self._inner
        return self._made

    def _suffer(self, struck: list[Fault], received: tuple[int, Message, int]) -> Steps:
        """What happens in the server's name; what it gets in the end."""
        context = self._process.context
        outer, context.cause = context.cause, context.delivered
        delay = sum(fault.delay for fault in struck if isinstance(fault, ReplyFault))
        if delay:
            yield from _trap(Delay(delay))
        if any(isinstance(fault, Crash) for fault in struck):
            raise Crashed
        errors = [each.error for each in struck if isinstance(each, ReplyFault) and each.error]
        if errors:
            source, message, _status = received
            yield from self._answer(Send(source, refusal(message, errors[0])))
            context.cause = outer
            return _NOTHING
        context.cause = outer
        return received

    def _pay(self) -> Steps:
        """Send what is owed, as far as it can be sent now."""
        owed, self._owed = self._owed, []
        for answer in owed:
            yield from self._answer(answer)
        return _PAID

    def _answer(self, answer: Send) -> Steps:
        """Send an answer.  One who has died needs none; where it would close a circle, it is owed.

        Servers that use no SENDREC with one another may both be sending.  Then the other is in the
        server's own queue, and the server's next RECEIVE ends that.
        """
        failure = yield from _trap(answer)
        if isinstance(failure, IpcError) and failure.code == ELOCKED:
            self._owed.append(answer)
