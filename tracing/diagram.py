"""A run as a picture: a sequence diagram in SVG, one line of life a process, one arrow a message.

Requests are solid arrows, answers dashed ones.  A grey bar on a process's line shows that it waits
for the end of a call.  The same events give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape

import attrs

from ipc.endpoint import KERNEL, MFS, PM, SCHED, VFS, VM
from ipc.flags import VMCTL_CLEAR_PAGEFAULT
from ipc.kernelcalls import SysVmctl
from ipc.traps import FROM_KERNEL
from kernel.probes import CommandInjected, Event, KernelCalled, MessageDelivered
from tracing.calls import Call, Calls
from tracing.names import Names

COLUMN: Final = 150
ROW: Final = 22
TOP: Final = 56
LEFT: Final = 60
TIME_WIDTH: Final = 74

# Servers stand to the right of the users, in this order; drivers and others after them.
ORDER: Final = (PM, VM, VFS, MFS, SCHED)

STYLE: Final = """\
text { font: 11px ui-monospace, Menlo, Consolas, monospace; fill: #24292f }
.who { font-weight: bold; text-anchor: middle }
.what { text-anchor: middle }
.when { fill: #6e7781; text-anchor: end }
.did { fill: #0a3069 }
.life { stroke: #d0d7de }
.wait { fill: #d0d7de }
.arrow { stroke: #0969da; fill: none; marker-end: url(#head) }
.answer { stroke: #1a7f37; stroke-dasharray: 5 3 }
"""


@attrs.frozen
class _Arrow:
    row: int
    time: int
    source: int
    dest: int
    text: str
    answer: bool


@attrs.frozen
class _Note:
    row: int
    time: int
    process: int
    text: str


@attrs.define(eq=False)
class _Bar:
    process: int
    first: int
    last: int | None = None


class Diagram:
    """Collects what is to be drawn from events, in their order, and draws it."""

    def __init__(self, names: Names | None = None) -> None:
        self.names = names or Names()
        self._calls = Calls()
        self._rows = 0
        self._arrows: list[_Arrow] = []
        self._notes: list[_Note] = []
        self._bars: dict[Call, _Bar] = {}
        self._faults: dict[int, Call] = {}
        self._parties: list[int] = []

    def feed(self, event: Event) -> None:
        """Add `event` to the picture if it belongs there."""
        self.names.learn(event)
        match event:
            case MessageDelivered():
                self._delivered(event)
            case CommandInjected():
                self._meet(event.process)
                self._notes.append(_Note(self._row(), event.time, event.process, event.command))
            case KernelCalled(request=SysVmctl(param=param, who=who)):
                if param == VMCTL_CLEAR_PAGEFAULT and who in self._faults:
                    self._end(self._faults.pop(who))

    def _row(self) -> int:
        self._rows += 1
        return self._rows - 1

    def _meet(self, *endpoints: int) -> None:
        for endpoint in endpoints:
            if endpoint not in self._parties:
                self._parties.append(endpoint)

    def _delivered(self, event: MessageDelivered) -> None:
        from_kernel = bool(event.status & FROM_KERNEL)
        call = self._calls.answered(event)
        row = self._row()
        text = event.message.name
        if call is not None:
            self._end(call)
            text = f"{call.name} reply"
        else:
            call = self._calls.begin(event)
            if call.waited:
                self._bars[call] = _Bar(event.source, row)
            if from_kernel:
                self._faults[event.source] = call
        self._meet(event.source, event.dest)
        answer = text.endswith(" reply")
        self._arrows.append(_Arrow(row, event.time, event.source, event.dest, text, answer))

    def _end(self, call: Call) -> None:
        bar = self._bars.get(call)
        if bar is not None and bar.last is None:
            bar.last = self._rows - 1

    # Drawing.

    def svg(self) -> str:
        """The picture of everything fed so far."""
        columns = {endpoint: place for place, endpoint in enumerate(self._in_order())}
        width = LEFT + COLUMN * max(1, len(columns)) + 20
        height = TOP + ROW * (self._rows + 1)
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
                f' viewBox="0 0 {width} {height}">'
            ),
            f"<style>{STYLE}</style>",
            (
                '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7"'
                ' markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#57606a"/>'
                "</marker></defs>"
            ),
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        ]
        parts += [self._life(place, endpoint, height) for endpoint, place in columns.items()]
        parts += [self._waiting(bar, columns) for bar in self._bars.values()]
        parts += [self._arrow(arrow, columns) for arrow in self._arrows]
        parts += [self._note(note, columns) for note in self._notes]
        return "\n".join([*parts, "</svg>"]) + "\n"

    def _in_order(self) -> list[int]:
        users = [each for each in self._parties if self._is_user(each)]
        servers = [each for each in ORDER if each in self._parties]
        others = [each for each in self._parties if each not in users and each not in servers]
        return [*users, *servers, *others]

    def _is_user(self, endpoint: int) -> bool:
        return any(note.process == endpoint for note in self._notes)

    def _life(self, place: int, endpoint: int, height: int) -> str:
        x = _x(place)
        name = "kernel" if endpoint == KERNEL else self.names(endpoint)
        return (
            f'<text class="who" x="{x}" y="24">{escape(name)}</text>'
            f'<path class="life" d="M{x} 34V{height - 8}"/>'
        )

    def _waiting(self, bar: _Bar, columns: dict[int, int]) -> str:
        last = self._rows - 1 if bar.last is None else bar.last
        x, y = _x(columns[bar.process]) - 3, _y(bar.first)
        return f'<rect class="wait" x="{x}" y="{y}" width="6" height="{_y(last) - y}"/>'

    def _arrow(self, arrow: _Arrow, columns: dict[int, int]) -> str:
        source, dest, y = _x(columns[arrow.source]), _x(columns[arrow.dest]), _y(arrow.row)
        kind = "arrow answer" if arrow.answer else "arrow"
        return (
            f'<path class="{kind}" d="M{source} {y}H{dest}"/>'
            f'<text class="what" x="{(source + dest) / 2:g}" y="{y - 4}">{escape(arrow.text)}'
            "</text>"
            f"{_when(arrow.time, y)}"
        )

    def _note(self, note: _Note, columns: dict[int, int]) -> str:
        y = _y(note.row)
        text = f'<text class="did" x="{_x(columns[note.process]) + 8}" y="{y}">'
        return f"{text}{escape(note.text)}</text>{_when(note.time, y)}"


def _x(place: int) -> int:
    return LEFT + TIME_WIDTH + COLUMN * place


def _y(row: int) -> int:
    return TOP + ROW * row


def _when(time: int, y: int) -> str:
    return f'<text class="when" x="{TIME_WIDTH}" y="{y}">{time // 1000}.{time % 1000:03d}</text>'


def svg(events: Iterable[Event], names: Names | None = None) -> str:
    """The sequence diagram of `events`."""
    diagram = Diagram(names)
    for event in events:
        diagram.feed(event)
    return diagram.svg()
