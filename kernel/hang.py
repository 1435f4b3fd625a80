"""Who waits for whom, when nothing moves any more.

A machine that is quiet may be at rest: servers wait for requests, driven processes for commands.
If something is left that waits for somebody in particular and nothing is due, it hangs.  The report
says, for each process that waits, for whom and in which trap; which circles they form; and which
calls servers have put aside, with what for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import attrs

from ipc.endpoint import ANY, NONE, VM, WELL_KNOWN, endpoint_name
from ipc.traps import KernelCall
from kernel.flags import (
    RTS_BOOTINHIBIT,
    RTS_COMMAND,
    RTS_DELAYED,
    RTS_NO_ENDPOINT,
    RTS_NO_PRIV,
    RTS_NO_QUANTUM,
    RTS_P_STOP,
    RTS_PAGEFAULT,
    RTS_PROC_STOP,
    RTS_RECEIVING,
    RTS_SENDING,
    RTS_SIG_PENDING,
    RTS_SIGNALED,
    RTS_VMINHIBIT,
    RTS_VMREQUEST,
)

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

# Why a process may be blocked other than by message passing, in words.
REASONS: Final[dict[int, str]] = {
    RTS_PROC_STOP: "is stopped",
    RTS_SIGNALED: "has a signal that its manager has not fetched",
    RTS_SIG_PENDING: "has a signal that its manager has not dealt with",
    RTS_P_STOP: "is stopped by its tracer",
    RTS_NO_PRIV: "has no privileges yet",
    RTS_NO_ENDPOINT: "has lost its endpoint",
    RTS_VMINHIBIT: "has no page tables yet",
    RTS_PAGEFAULT: "has a page fault",
    RTS_VMREQUEST: "needs memory for a kernel call",
    RTS_NO_QUANTUM: "waits to be scheduled",
    RTS_BOOTINHIBIT: "waits for VM to boot it",
    RTS_DELAYED: "is held up by an injected fault",
}


@attrs.frozen
class Waiting:
    """A process that waits: its endpoint and name, for whom (endpoint or NONE), and why."""

    process: int
    name: str
    partner: int
    reason: str


@attrs.frozen
class Parked:
    """A call that a server has put aside: in whom, which, for whom (or NONE), and what for."""

    server: int
    call: str
    awaits: int
    reason: str


@attrs.frozen
class HangReport:
    """What stands still: who waits, which circles there are (endpoints), which calls are parked.

    `name_of` says how the report calls an endpoint that is not of one who waits.
    """

    waiting: tuple[Waiting, ...]
    circles: tuple[tuple[int, ...], ...]
    parked: tuple[Parked, ...]
    name_of: Callable[[int], str] = attrs.field(default=endpoint_name, eq=False, repr=False)

    def __str__(self) -> str:
        names = {each.process: each.name for each in self.waiting}
        lines = [f"{each.name} {each.reason}" for each in self.waiting]
        for circle in self.circles:
            path = [names.get(endpoint) or self.name_of(endpoint) for endpoint in circle]
            lines.append(f"a circle: {' -> '.join([*path, path[0]])}")
        for each in self.parked:
            what_for = f" for {self.name_of(each.awaits)}" if each.awaits != NONE else ""
            why = f" ({each.reason})" if each.reason else ""
            lines.append(
                f"{self.name_of(each.server)} has put aside {each.call}, waiting{what_for}{why}"
            )
        return "\n".join(lines) or "nobody waits"


class Hang(Exception):
    """Nothing can run and nothing is due, but somebody waits; `report` says who and for whom."""

    def __init__(self, report: HangReport) -> None:
        super().__init__(f"nothing can run and nothing is due:\n{report}")
        self.report = report


def report(machine: Machine, name_of: Callable[[int], str] | None = None) -> HangReport:
    """What stands still in a quiet machine; `name_of` knows endpoints by better names."""
    names = name_of or functools.partial(_name_in, machine)
    processes = [process for process in machine.table.all() if process.slot >= 0]
    waiting = tuple(
        _waiting(
            each, names, _told_apart(machine, each) if name_of is None else names(each.endpoint)
        )
        for each in processes
        if not at_rest(each)
    )
    parked = tuple(entry for each in processes for entry in _parked(each))
    return HangReport(waiting, _circles(waiting), parked, names)


def _name_in(machine: Machine, endpoint: int) -> str:
    """A well-known name, or what the process table calls `endpoint`."""
    process = machine.table.lookup(endpoint)
    if process is None or endpoint in WELL_KNOWN:
        return endpoint_name(endpoint)
    return _told_apart(machine, process)


def _told_apart(machine: Machine, process: Process) -> str:
    """The name of `process`, with its endpoint if others have the same one, as children do."""
    alike = sum(each.name == process.name for each in machine.table.all())
    return process.name if alike == 1 else f"{process.name} ({process.endpoint})"


def at_rest(process: Process) -> bool:
    """Whether `process` is where it should be when there is nothing to do."""
    if not process.rts or process.rts == RTS_COMMAND:
        return True
    receives_any = process.rts == RTS_RECEIVING and process.get_from == ANY
    return receives_any and process.privilege.system


def partner_of(process: Process) -> int:
    """Whose act `process` waits for: an endpoint, ANY, or NONE."""
    if process.rts & RTS_SENDING:
        return process.send_to
    if process.rts & (RTS_PAGEFAULT | RTS_VMREQUEST | RTS_VMINHIBIT | RTS_BOOTINHIBIT):
        return VM
    if process.rts & (RTS_SIGNALED | RTS_SIG_PENDING):
        return process.privilege.signal_manager
    if process.rts & RTS_NO_QUANTUM:
        return process.scheduler
    return process.get_from if process.rts & RTS_RECEIVING else NONE


def _waiting(process: Process, name_of: Callable[[int], str], name: str) -> Waiting:
    reason = describe_process(process, name_of)
    return Waiting(process.endpoint, name, partner_of(process), reason)


def describe_process(process: Process, name_of: Callable[[int], str] = endpoint_name) -> str:
    """What `process` does or waits for, in words."""
    parts = []
    if process.rts & RTS_SENDING:
        parts.append(f"sends {_message_of(process)} to {name_of(process.send_to)}")
    elif process.rts & RTS_RECEIVING:
        whom = "anybody" if process.get_from == ANY else name_of(process.get_from)
        asked = _message_of(process)
        parts.append(f"waits for {whom}" + (f" to answer {asked}" if asked else ""))
    parts += [reason for flag, reason in REASONS.items() if process.rts & flag]
    if process.rts & RTS_COMMAND:
        parts.append("waits for a command")
    if process.rts & RTS_VMREQUEST and isinstance(process.request, KernelCall):
        parts.append(f"in {_name(process.request.request)}")
    return ", ".join(parts) or "can run"


def _message_of(process: Process) -> str:
    message = getattr(process.request, "message", None)
    return "" if message is None else _name(message)


def _name(message: object) -> str:
    name = getattr(type(message), "name", None)
    return name if isinstance(name, str) else type(message).__name__


def _parked(process: Process) -> list[Parked]:
    return [
        Parked(process.endpoint, str(call), getattr(ticket, "awaits", NONE),
               getattr(ticket, "reason", ""))
        for call, ticket in process.context.parked.items()
    ]  # fmt: skip


def _circles(waiting: tuple[Waiting, ...]) -> tuple[tuple[int, ...], ...]:
    """The circles among those who wait, each from its lowest endpoint on."""
    partners = {each.process: each.partner for each in waiting}
    circles = set()
    for start in partners:
        path: list[int] = []
        here = start
        while here in partners and here not in path:
            path.append(here)
            here = partners[here]
        if here in path:
            circle = path[path.index(here) :]
            lowest = circle.index(min(circle))
            circles.add((*circle[lowest:], *circle[:lowest]))
    return tuple(sorted(circles))
