"""A trace as text: every message a line, nested under the call that caused it.

    12.400  init: store(buf, "hello")
    13.100    init: page fault at 0x5000: write, not mapped
    13.100      kernel -> VM: VM_PAGEFAULT {source: init, addr: 0x5000, flags: …} (send)

Rules.  The first column is virtual microseconds.  Messages are shown when they are delivered, and
before that only if the sender has to wait (`<blocked ...>`).  What a process does on behalf of a
message stands indented under it.  The answer follows `=`, on the same line if nothing happened in
between.  A call that its server puts aside while it does something else is marked
`<unfinished ...>`, and `<... NAME resumed>` where the server takes it up again, as strace does.
The same events give the same bytes, always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import attrs

from ipc.endpoint import KERNEL, VM
from ipc.flags import VMCTL_CLEAR_PAGEFAULT
from ipc.kernelcalls import SysVmctl
from ipc.message import Reply
from ipc.traps import FROM_KERNEL
from kernel.flags import RTS_SENDING
from kernel.probes import (
    Blocked,
    CommandFinished,
    CommandInjected,
    Event,
    Interrupted,
    KernelCalled,
    MemoryChanged,
    MessageDelivered,
    MessageSent,
    PageFaulted,
    TrapRefused,
)
from tracing.calls import Call, Calls
from tracing.names import Names
from tracing.phrases import (
    PHRASES,
    answer_text,
    kernel_call_text,
    message_text,
    refusal_text,
    trap_text,
)

INDENT: Final = "  "


@attrs.define(eq=False)
class _Line:
    """A line not yet given out, because its answer may still be put on it."""

    time: int
    depth: int
    text: str
    key: object = None

    def __str__(self) -> str:
        stamp = f"{self.time // 1000:9d}.{self.time % 1000:03d}"
        return f"{stamp}  {INDENT * self.depth}{self.text}"


class TextView:
    """Turns the events of one machine into lines, one event after the other."""

    def __init__(self, names: Names | None = None) -> None:
        self.names = names or Names()
        self._calls = Calls()
        self._commands: dict[int, str] = {}  # what a driven process was told
        self._sent: dict[int, MessageSent] = {}  # what a process sent last
        self._blocked: set[int] = set()  # who waits for a message to be taken
        self._faulting: dict[int, int] = {}  # the depth below a process's page fault
        self._kernel_calls: dict[int, KernelCalled] = {}  # those that wait for VM
        self._held: _Line | None = None
        self._lines: list[str] = []

    def feed(self, event: Event) -> list[str]:
        """The lines that are complete now that `event` has happened."""
        self.names.learn(event)
        handler = HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)
        elif type(event) in PHRASES:
            self._happened(event)
        lines, self._lines = self._lines, []
        return lines

    def finish(self) -> list[str]:
        """The lines that were held back; to be called after the last event."""
        self._flush()
        lines, self._lines = self._lines, []
        return lines

    # Giving out lines.

    def _flush(self) -> None:
        if self._held is not None:
            self._lines.append(str(self._held))
            self._held = None

    def _say(self, event: Event, depth: int, text: str, key: object = None) -> None:
        """Give out a line; hold it back if something with the same `key` may complete it."""
        self._flush()
        self._held = _Line(event.time, depth, text, key)
        if key is None:
            self._flush()

    def _complete(self, key: object, text: str) -> bool:
        """Append `text` to the line that is held back with `key`; False if it is not."""
        if self._held is None or self._held.key != key:
            return False
        self._held.text += text
        self._held.key = None
        self._flush()
        return True

    def _depth(self, event: Event, process: int) -> int:
        """How deep what `process` does now stands; marks the call it serves as taken up again."""
        call = self._calls.serving(event.cause)
        if call is None:
            return 1 if process in self._commands else 0
        if self._calls.take_up(call, process):
            self._say(event, call.depth, f"{self._arrow(call)}: <... {call.name} resumed>")
        return call.depth + 1

    def _arrow(self, call: Call) -> str:
        return f"{self.names(call.source)} -> {self.names(call.dest)}"

    # Messages.

    def _on_sent(self, event: MessageSent) -> None:
        self._sent[event.source] = event

    def _on_blocked(self, event: Blocked) -> None:
        sent = self._sent.get(event.process)
        if not event.flags & RTS_SENDING or sent is None or event.process in self._blocked:
            return
        self._blocked.add(event.process)
        source = KERNEL if sent.from_kernel else sent.source
        depth = self._faulting.get(sent.source) if sent.from_kernel else None
        if depth is None:
            depth = self._depth(event, event.process)
        text = f"{self._party(source)} -> {self.names(sent.dest)}: {self._request(sent)}"
        self._say(event, depth, f"{text} <blocked ...>")

    def _on_delivered(self, event: MessageDelivered) -> None:
        call = self._calls.answered(event)
        if call is None:
            self._request_delivered(event)
            return
        answer = f" = {answer_text(event.message, self.names)}"
        if self._complete(call, answer):
            return
        resumed = self._calls.take_up(call, event.source)
        name = f"<... {call.name} resumed>" if resumed else f"{call.name} reply"
        arrow = f"{self.names(call.dest)} -> {self.names(call.source)}"
        self._say(event, call.depth, f"{arrow}: {name}{answer}")

    def _request_delivered(self, event: MessageDelivered) -> None:
        from_kernel = bool(event.status & FROM_KERNEL)
        depth = self._faulting.pop(event.source, None) if from_kernel else None
        if depth is None:
            depth = self._depth(event, event.source)
        self._put_aside(event)
        call = self._calls.begin(event)
        call.depth = depth
        source = self._party(KERNEL if from_kernel else event.source)
        if event.source in self._blocked:
            self._blocked.discard(event.source)
            text = f"<... {call.name} taken>"
        elif isinstance(event.message, Reply):
            text = f"reply = {answer_text(event.message, self.names)}"
        else:
            text = self._request(event)
        # The receiver of an answer is not told by which trap it was sent.
        trap = f" ({trap_text(event.status)})" if event.status else ""
        line = f"{source} -> {self.names(event.dest)}: {text}{trap}"
        self._say(event, depth, line, key=call if call.waited else None)

    def _on_refused(self, event: TrapRefused) -> None:
        call = self._calls.given_up(event.process)
        began = call is not None or event.process in self._blocked
        self._blocked.discard(event.process)
        if not began and self._held is not None and self._held.key == event.process:
            return  # a command that did nothing else; what became of it will say so
        depth = self._depth(event, event.process)
        text = refusal_text(event, began, self.names)
        self._say(event, depth if call is None else call.depth, text)

    def _put_aside(self, event: MessageDelivered) -> None:
        """The receiver takes another message: what it works on and has not answered must wait."""
        call = self._calls.put_aside(event.dest)
        unfinished = " <unfinished ...>"
        if call is not None and not self._complete(call, unfinished):
            self._say(event, call.depth, f"{self._arrow(call)}: {call.name}{unfinished}")

    def _request(self, event: MessageSent | MessageDelivered) -> str:
        if isinstance(event, MessageSent):
            from_kernel = event.from_kernel
        else:
            from_kernel = bool(event.status & FROM_KERNEL)
        before = f"source: {self.names(event.source)}" if from_kernel else ""
        return message_text(event.message, self.names, before)

    def _party(self, endpoint: int) -> str:
        return "kernel" if endpoint == KERNEL else self.names(endpoint)

    # Everything else.

    def _on_kernel_call(self, event: KernelCalled) -> None:
        depth = self._depth(event, event.process)
        who = self.names(event.process)
        asked = self._kernel_calls.pop(event.process, None)
        if event.result is None:
            self._kernel_calls[event.process] = event
            text = f"{message_text(event.request, self.names)} <unfinished ...>"
        elif asked is not None:
            answer = answer_text(event.result, self.names)
            text = f"<... {event.request.name} resumed> = {answer}"
        else:
            text = kernel_call_text(event.request, event.result, self.names)
        self._say(event, depth, f"{who}: {text}")
        request = event.request
        if isinstance(request, SysVmctl) and request.param == VMCTL_CLEAR_PAGEFAULT:
            self._calls.fault_cleared(request.who)

    def _on_command(self, event: CommandInjected) -> None:
        self._commands[event.process] = event.command
        self._say(event, 0, f"{self.names(event.process)}: {event.command}", key=event.process)

    def _on_command_finished(self, event: CommandFinished) -> None:
        command = self._commands.pop(event.process, None)
        if command is None or self._complete(event.process, f" = {event.outcome}"):
            return
        call = command.partition("(")[0]
        who = self.names(event.process)
        self._say(event, 0, f"{who}: <... {call} resumed> = {event.outcome}")

    def _happened(self, event: Any) -> None:
        # It is VM that changes the memory of others; nobody has asked for an interrupt.
        depth = 0
        if not isinstance(event, Interrupted):
            depth = self._depth(event, VM if isinstance(event, MemoryChanged) else event.process)
        if isinstance(event, PageFaulted):
            self._faulting[event.process] = depth + 1
        self._say(event, depth, PHRASES[type(event)](event, self.names))


HANDLERS: Final[dict[type[Event], Callable[[TextView, Any], None]]] = {
    MessageSent: TextView._on_sent,
    MessageDelivered: TextView._on_delivered,
    Blocked: TextView._on_blocked,
    TrapRefused: TextView._on_refused,
    KernelCalled: TextView._on_kernel_call,
    CommandInjected: TextView._on_command,
    CommandFinished: TextView._on_command_finished,
}


def trace_lines(events: Iterable[Event], names: Names | None = None) -> Iterator[str]:
    """The trace of `events`, line by line, without line ends."""
    view = TextView(names)
    for event in events:
        yield from view.feed(event)
    yield from view.finish()


def trace_text(events: Iterable[Event], names: Names | None = None) -> str:
    """The trace of `events` as one text, which ends with a line end unless it is empty."""
    return "".join(f"{line}\n" for line in trace_lines(events, names))
