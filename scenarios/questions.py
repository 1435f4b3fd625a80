"""The functions of expressions: questions about a machine at a moment when it is quiet.

They look into the machine from outside, past all messages, and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from ipc.endpoint import NONE, slot_of
from kernel.flags import (
    RTS_COMMAND,
    RTS_DELAYED,
    RTS_PAGEFAULT,
    RTS_PROC_STOP,
    RTS_RECEIVING,
    RTS_SENDING,
    RTS_VMREQUEST,
)
from kernel.machine import Machine
from kernel.memory.space import PTE_FRAME, PTE_PRESENT, PTE_WRITE
from kernel.process import Process
from scenarios import syntax
from scenarios.evaluate import evaluate
from scenarios.expectations import count
from scenarios.messagelog import MessageLog
from scenarios.scope import Scope
from scenarios.source import BadInput, Place
from scenarios.values import ProcessName, Value, show
from servers.pm.server import ProcessManager
from servers.vm.memory import Memory
from servers.vm.process import VmProcess

NO_FRAME: Final = -1

# What a process does, by the first of its run flags that is set.
STATES: Final = (
    (RTS_PROC_STOP, b"stopped"),
    (RTS_DELAYED, b"delayed"),
    (RTS_PAGEFAULT, b"faulting"),
    (RTS_VMREQUEST, b"faulting"),
    (RTS_SENDING, b"sending"),
    (RTS_RECEIVING, b"receiving"),
    (RTS_COMMAND, b"idle"),
)


@attrs.frozen
class View:
    """What questions are asked of: the machine, what VM and PM know, and the messages."""

    machine: Machine
    memory: Memory
    pm: ProcessManager
    log: MessageLog

    def process(self, name: ProcessName) -> Process | None:
        """The kernel's process, or None if it is no more."""
        return self.machine.table.lookup(name.endpoint)


@attrs.frozen
class Question:
    """A function: the kinds of its parameters, and what answers it."""

    parameters: tuple[str, ...]
    answer: Callable[..., Value]


def ask(view: View, apply: syntax.Apply, scope: Scope) -> Value:
    """The answer to a question.  Raises BadInput where an argument makes no sense."""
    question = FUNCTIONS[apply.function]
    arguments = [
        _argument(kind, argument, scope)
        for kind, argument in zip(question.parameters, apply.arguments, strict=True)
    ]
    if question.parameters == ("messages",):
        return count(arguments[0], view.log.deliveries, scope)
    return question.answer(view, *arguments)


def _argument(kind: str, argument: syntax.Argument, scope: Scope) -> Any:
    if isinstance(argument, syntax.MessagePattern):
        return argument
    if isinstance(argument, syntax.Structure | syntax.ListOf):
        raise BadInput(f"a {kind} is needed here", argument.at)
    value = evaluate(argument, scope)
    if kind == "process":
        return _process(value, argument.at)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(f"an {kind} is needed here, not {show(value)}", argument.at)
    return value


def _process(value: Value, at: Place) -> ProcessName:
    """Servers are processes too: a scenario names them by their endpoints."""
    if isinstance(value, ProcessName):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return ProcessName(show(value, "endpoint"), value)
    raise BadInput(f"a process is needed here, not {show(value)}", at)


# ---- Answers


def _regions(view: View, name: ProcessName) -> int:
    """How many regions the process's memory has."""
    known = _in_vm(view, name)
    return 0 if known is None else len(known.regions)


def _pages(view: View, name: ProcessName) -> int:
    """How many pages of its memory are resident."""
    known = _in_vm(view, name)
    return 0 if known is None else sum(region.resident() for region in known.regions)


def _frame(view: View, name: ProcessName, address: int) -> int:
    """The physical address of the page at `address`, or -1 where none is mapped."""
    entry = _entry(view, name, address)
    return entry & PTE_FRAME if entry & PTE_PRESENT else NO_FRAME


def _writable(view: View, name: ProcessName, address: int) -> bool:
    """Whether the page table lets the process write at `address` now."""
    entry = _entry(view, name, address)
    return bool(entry & PTE_PRESENT and entry & PTE_WRITE)


def _entry(view: View, name: ProcessName, address: int) -> int:
    process = view.process(name)
    if process is None or process.space is None or not 0 <= address < 1 << 32:
        return 0
    return int(process.space.lookup(address))


def _refs(view: View, name: ProcessName, address: int) -> int:
    """How many pages of regions, and the page cache, share the frame at `address`."""
    known = _in_vm(view, name)
    region = None if known is None else known.regions.floor(address)
    if region is None or address >= region.end:
        return 0
    block = region.block((address - region.vaddr) >> 12)
    return int(view.memory.blocks.refs[block]) if block else 0


def _in_vm(view: View, name: ProcessName) -> VmProcess | None:
    return view.memory.process(name.endpoint)


def _state(view: View, name: ProcessName) -> bytes:
    """What the process does: ready, idle (waits for its next line), sending …, zombie, dead."""
    process = view.process(name)
    if process is None:
        return b"zombie" if _is_zombie(view, name) else b"dead"
    for flag, word in STATES:
        if process.rts & flag:
            return word
    return b"blocked" if process.rts else b"ready"


def _is_zombie(view: View, name: ProcessName) -> bool:
    known = view.pm.table.find(name.pid) if name.pid is not None else None
    return known is not None and known.endpoint == name.endpoint


def _waits_for(view: View, name: ProcessName) -> int:
    """The endpoint that the process waits for, sending or receiving; NONE if it does not."""
    process = view.process(name)
    if process is not None and process.rts & RTS_SENDING:
        return process.send_to
    if process is not None and process.rts & RTS_RECEIVING:
        return process.get_from
    return NONE


def _priority(view: View, name: ProcessName) -> int:
    """In which of MINIX's queues the process stands; 0 goes first."""
    process = view.process(name)
    return -1 if process is None else process.priority


def _slot(_view: View, name: ProcessName) -> int:
    """The slot of the process table that the process is, or was, in."""
    return slot_of(name.endpoint)


def _free_pages(view: View) -> int:
    """How many pages of memory nobody uses."""
    return view.memory.allocator.free_count


def _now(view: View) -> int:
    """Virtual time since boot, in nanoseconds."""
    return view.machine.clock.now


def _count(_view: View) -> int:
    raise AssertionError("ask counts messages itself: it knows the names in the pattern")


FUNCTIONS: Final[dict[str, Question]] = {
    "regions": Question(("process",), _regions),
    "pages": Question(("process",), _pages),
    "frame": Question(("process", "address"), _frame),
    "refs": Question(("process", "address"), _refs),
    "writable": Question(("process", "address"), _writable),
    "state": Question(("process",), _state),
    "waits_for": Question(("process",), _waits_for),
    "priority": Question(("process",), _priority),
    "slot": Question(("process",), _slot),
    "free_pages": Question((), _free_pages),
    "count": Question(("messages",), _count),
    "now": Question((), _now),
}
