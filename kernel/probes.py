"""What can be observed of a machine: events, and whoever listens to them.

Nothing is recorded and no event is made unless somebody listens.  Code that has something to tell
asks `probes.emit is not None` first, and then calls the method for its kind of event.

Rules.  Events of a machine are numbered from 1 in the order in which they happen; the number is
the only order that matters.  `time` is virtual nanoseconds.  `cause` is the number of the event on
whose behalf the process acts (0: nobody's), see `kernel.process.Context`.  A listener must not
change the machine.  One that raises is dismissed, and the run ends with its exception as soon as
the step at hand is complete, so that the machine is whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from ipc.endpoint import NONE
from ipc.message import Message
from ipc.traps import RECEIVE_CALL, TRAP_NUMBERS

if TYPE_CHECKING:
    from attrs import frozen

    from kernel.clock import Clock
    from kernel.process import Process
else:
    # Nobody changes an event, but to have attrs enforce it would double what recording costs.
    from attrs import define as frozen


@frozen
class Event:
    """What every event tells: its number, when it happened, and on whose behalf."""

    seq: int
    time: int
    cause: int


@frozen
class MessageSent(Event):
    """A process offered `message` to `dest` by the trap numbered `call` (ipc.traps.SEND_CALL …).

    The kernel sends page faults and ended quanta in a process's name: `from_kernel`.
    """

    source: int
    dest: int
    message: Message
    call: int
    from_kernel: bool = False


@frozen
class MessageDelivered(Event):
    """`dest` got `message`; `status` is its receive status word (0 when it waited in SENDREC)."""

    source: int
    dest: int
    message: Message
    status: int


@frozen
class TrapRefused(Event):
    """A trap that passes messages failed with `error`, at once or after it had blocked.

    `call` is the trap's number, `partner` whom it names (NONE: SENDA names several), and `message`
    what was to be sent.
    """

    process: int
    partner: int
    message: Message | None
    call: int
    error: int


@frozen
class Blocked(Event):
    """A process has to wait: in a trap for `partner` (an endpoint, ANY or NONE)."""

    process: int
    flags: int
    partner: int


@frozen
class KernelCalled(Event):
    """A process made a kernel call; `result` is its answer, None while VM is asked for memory."""

    process: int
    request: Message
    result: Message | None


@frozen
class PageFaulted(Event):
    """A process touched memory that is not mapped; `flags` are the processor's error bits."""

    process: int
    address: int
    flags: int


@frozen
class MemoryRequested(Event):
    """A kernel call of `process` met memory of `target` that VM must first provide."""

    process: int
    target: int
    address: int
    length: int
    write: bool


@frozen
class MemoryChanged(Event):
    """VM changed page tables or frames; the fields are those of kernel.memory.mmu.MemoryEvent."""

    action: str
    process: int
    address: int
    pages: int
    frame: int
    flags: int


@frozen
class ProcessCreated(Event):
    """A process came to be; `parent` is the one that forked, or NONE."""

    process: int
    parent: int
    name: str


@frozen
class ProcessReplaced(Event):
    """A process became another program, `name`, by exec."""

    process: int
    name: str


@frozen
class ProcessDied(Event):
    """A process ceased to be."""

    process: int
    name: str


@frozen
class ProgramEnded(Event):
    """The program of a user process returned `status`, or ended with the exception `error`."""

    process: int
    status: int
    error: str


@frozen
class SignalRaised(Event):
    """The kernel raised `signal` for a process; `manager` is the endpoint that is to handle it."""

    process: int
    signal: int
    manager: int


@frozen
class Interrupted(Event):
    """An alarm (`line` is -1) or a device's interrupt line told `process` something."""

    process: int
    line: int


@frozen
class Chosen(Event):
    """The policy chose the `index`-th of `ready` processes that could run."""

    process: int
    index: int
    ready: int


@frozen
class CommandInjected(Event):
    """The world outside told a driven process what to do next."""

    process: int
    command: str


@frozen
class CommandFinished(Event):
    """A driven process has done what it was told; `outcome` is what came of it, in words."""

    process: int
    outcome: str


@frozen
class FaultInjected(Event):
    """A fault that was set struck `process`; `number`: which occurrence it was (0: at once)."""

    process: int
    fault: str
    number: int


@frozen
class Diagnosed(Event):
    """A process printed `text` (SYS_DIAGCTL), or the kernel did (process NONE)."""

    process: int
    text: str


@frozen
class Panicked(Event):
    """The machine stopped."""

    process: int
    reason: str


Listener: TypeAlias = Callable[[Event], None]


class Probes:
    """Where events go.  `emit` is None exactly while nobody listens.

    `on_change` is told whenever somebody begins to listen or nobody does any more.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seq = 0
        self.emit: Listener | None = None
        self.failure: Exception | None = None
        self.on_change: Callable[[bool], None] | None = None
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event from now on; returns what ends that."""
        self._listeners = (*self._listeners, listener)
        self._settle()

        def unlisten() -> None:
            self._dismiss(listener)

        return unlisten

    def _dismiss(self, listener: Listener) -> None:
        self._listeners = tuple(each for each in self._listeners if each is not listener)
        self._settle()

    def _settle(self) -> None:
        self.emit = self._tell if self._listeners else None
        if self.on_change is not None:
            self.on_change(self.emit is not None)

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:
                self._dismiss(listener)
                if self.failure is None:
                    self.failure = error
                self.clock.attend()

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    # One method a kind of event; to be called only while `emit` is not None.

    def sent(
        self, source: Process, dest: int, message: Message, call: int, from_kernel: bool = False
    ) -> None:
        """`source` offered `message` to the endpoint `dest`."""
        self.seq = seq = self.seq + 1
        self._tell(
            MessageSent(
                seq, self.clock.now, source.context.cause, source.endpoint, dest, message, call,
                from_kernel,
            )
        )  # fmt: skip

    def delivered(
        self, source: int, dest: Process, message: Message, status: int, cause: int = 0
    ) -> None:
        """`dest` got `message` from the endpoint `source`; `cause` is the sender's."""
        self.seq = seq = self.seq + 1
        dest.context.delivered = seq
        self._tell(
            MessageDelivered(seq, self.clock.now, cause, source, dest.endpoint, message, status)
        )

    def refused(self, process: Process, error: int) -> None:
        """The trap of `process` failed; nothing happens if it is not one that passes messages."""
        trap = process.request
        call = TRAP_NUMBERS.get(type(trap))
        if call is not None:
            partner = getattr(trap, "source" if call == RECEIVE_CALL else "dest", NONE)
            message = getattr(trap, "message", None)
            self.happened(TrapRefused, process, partner, message, call, error)

    def blocked(self, process: Process, flags: int, partner: int) -> None:
        """`process` waits for `partner` with these run flags set."""
        self._tell(
            Blocked(
                self._next(), self.clock.now, process.context.cause, process.endpoint, flags,
                partner,
            )
        )  # fmt: skip

    def called(self, process: Process, request: Message, result: Message | None) -> None:
        """`process` made a kernel call."""
        self._tell(
            KernelCalled(
                self._next(), self.clock.now, process.context.cause, process.endpoint, request,
                result,
            )
        )  # fmt: skip

    def faulted(self, process: Process, address: int, flags: int) -> None:
        """`process` met a page fault at `address`."""
        self._tell(
            PageFaulted(
                self._next(), self.clock.now, process.context.cause, process.endpoint, address,
                flags,
            )
        )  # fmt: skip

    def happened(
        self, kind: Callable[..., Event], process: Process | None, *fields: object
    ) -> None:
        """An event of one of the rarer kinds, whose first field is the process (None: NONE)."""
        cause, endpoint = 0, NONE
        if process is not None:
            cause, endpoint = process.context.cause, process.endpoint
        self._tell(kind(self._next(), self.clock.now, cause, endpoint, *fields))

    def tell(self, kind: Callable[..., Event], cause: int, *fields: object) -> None:
        """An event of any kind, whose `fields` are all that come after the cause."""
        self._tell(kind(self._next(), self.clock.now, cause, *fields))
