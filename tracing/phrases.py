"""How each kind of event reads, apart from where in a trace it stands.

Messages are written as the scenario language writes them, with MINIX's names for calls, fields,
flags and errors, so that a line can be used as a pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ipc.endpoint import NONE
from ipc.errors import error_name
from ipc.message import Message, Reply
from ipc.signals import signal_name
from ipc.text import NameOf, field_texts
from ipc.traps import (
    NOTIFY_CALL,
    RECEIVE_CALL,
    SEND_CALL,
    SENDA_CALL,
    SENDNB_CALL,
    SENDREC_CALL,
    STATUS_CALL_MASK,
)
from kernel.probes import (
    Diagnosed,
    Event,
    FaultInjected,
    Interrupted,
    MemoryChanged,
    MemoryRequested,
    PageFaulted,
    Panicked,
    ProcessCreated,
    ProcessDied,
    ProcessReplaced,
    ProgramEnded,
    SignalRaised,
    TrapRefused,
)

TRAP_NAMES: Final = {
    SEND_CALL: "send",
    RECEIVE_CALL: "receive",
    SENDREC_CALL: "sendrec",
    NOTIFY_CALL: "notify",
    SENDNB_CALL: "sendnb",
    SENDA_CALL: "senda",
}

PTE_FLAGS: Final = ((1, "PTE_P"), (2, "PTE_RW"), (4, "PTE_U"))
PAGE_SIZE: Final = 4096


# How a field reads that is 0 or empty, and so need not be shown.
EMPTY: Final = frozenset({"0", "0x0", '""', "[]"})


def fields_text(message: Message, name: NameOf, before: str = "") -> str:
    """The fields of `message`, after what is to stand `before` them, as `{addr: 0x5000, len: 8K}`.

    Those that are 0 are left out, as scenarios do; an answer's result is none of them.
    """
    texts = [before] if before else []
    for field, text in field_texts(message, name):
        if text not in EMPTY and not (field == "type" and isinstance(message, Reply)):
            texts.append(f"{field.rstrip('_')}: {text}")
    return "{" + ", ".join(texts) + "}"


def message_text(message: Message, name: NameOf, before: str = "") -> str:
    """`message` as `VM_MMAP {len: 8K, …}`; `before` as for `fields_text`."""
    return f"{message.name} {fields_text(message, name, before)}"


def answer_text(message: Message, name: NameOf) -> str:
    """What an answer says, as `OK {retaddr: 0x5000}`; without braces where there is no more.

    Some answers have a number of their own, and are shown as messages.
    """
    if not isinstance(message, Reply):
        return message_text(message, name)
    result = error_name(message.type)
    fields = fields_text(message, name)
    return result if fields == "{}" else f"{result} {fields}"


def trap_text(status: int) -> str:
    """By which trap a message came, from its receive status word."""
    return TRAP_NAMES[status & STATUS_CALL_MASK]


def refusal_text(event: TrapRefused, began: bool, name: NameOf) -> str:
    """A trap that failed, as `a -> b: VM_BRK {…} = ELOCKED (sendrec)`.

    `began` tells that its message was shown before, as sent or as waiting to be taken.
    """
    who, partner = name(event.process), name(event.partner)
    trap, error = TRAP_NAMES[event.call], error_name(event.error)
    if event.call == RECEIVE_CALL:
        return f"{who}: {trap}({partner}) = {error}"
    if event.partner == NONE:
        return f"{who}: {trap} = {error}"
    if event.message is None:
        return f"{who} -> {partner}: {trap} = {error}"
    text = f"<... {event.message.name} failed>" if began else message_text(event.message, name)
    return f"{who} -> {partner}: {text} = {error} ({trap})"


def kernel_call_text(request: Message, result: Message, name: NameOf) -> str:
    """A kernel call and its answer, as `SYS_FORK {…} = OK {…}`."""
    return f"{message_text(request, name)} = {answer_text(result, name)}"


def flags_text(flags: int, table: tuple[tuple[int, str], ...], joiner: str) -> str:
    """The names of those bits of `flags` that are set."""
    return joiner.join(word for bit, word in table if flags & bit)


def pages_text(address: int, pages: int) -> str:
    """The range of `pages` pages from `address` on."""
    if pages <= 1:
        return f"{address:#x}"
    return f"{address:#x}..{address + pages * PAGE_SIZE - 1:#x} ({pages} pages)"


def page_faulted(event: PageFaulted, name: NameOf) -> str:
    access = "write" if event.flags & 2 else "read"
    missing = "not allowed" if event.flags & 1 else "not mapped"
    return f"{name(event.process)}: page fault at {event.address:#x}: {access}, {missing}"


def memory_requested(event: MemoryRequested, name: NameOf) -> str:
    access = "write" if event.write else "read"
    return (
        f"{name(event.process)}: waits for VM: memory of {name(event.target)} at"
        f" {event.address:#x}, {event.length} bytes to {access}"
    )


def _whose(event: MemoryChanged, name: NameOf) -> str:
    """Whose page table it is; that of a child is made before the child is."""
    return "a new process" if event.process == NONE else name(event.process)


def _mapped(event: MemoryChanged, name: NameOf) -> str:
    rights = flags_text(event.flags, PTE_FLAGS, "|")
    pages = pages_text(event.address, event.pages)
    return f"map {_whose(event, name)} {pages} -> frame {event.frame:#x} {rights}"


def _unmapped(event: MemoryChanged, name: NameOf) -> str:
    return f"unmap {_whose(event, name)} {pages_text(event.address, event.pages)}"


def _copied(event: MemoryChanged, name: NameOf) -> str:
    count = f" ({event.pages} pages)" if event.pages > 1 else ""
    return f"copy frame {event.frame:#x} -> {event.address:#x}{count}"


def _cleared(event: MemoryChanged, name: NameOf) -> str:
    return f"clear frame {pages_text(event.frame, event.pages)}"


def _bound(event: MemoryChanged, name: NameOf) -> str:
    return f"new page table for {name(event.process)}"


def _freed(event: MemoryChanged, name: NameOf) -> str:
    return f"free the page table of {_whose(event, name)}"


MEMORY_ACTIONS: Final[dict[str, Callable[[MemoryChanged, NameOf], str]]] = {
    "map": _mapped,
    "unmap": _unmapped,
    "copy": _copied,
    "clear": _cleared,
    "bind": _bound,
    "free": _freed,
}


def memory_changed(event: MemoryChanged, name: NameOf) -> str:
    return f"VM: {MEMORY_ACTIONS[event.action](event, name)}"


def process_created(event: ProcessCreated, name: NameOf) -> str:
    origin = "" if event.parent == NONE else f", forked from {name(event.parent)}"
    return f"{name(event.process)}: made, endpoint {event.process}{origin}"


def process_replaced(event: ProcessReplaced, name: NameOf) -> str:
    return f"{name(event.process)}: is now the program {event.name}"


def process_died(event: ProcessDied, name: NameOf) -> str:
    return f"{name(event.process)}: is no more"


def program_ended(event: ProgramEnded, name: NameOf) -> str:
    end = event.error or f"returned {event.status}"
    return f"{name(event.process)}: program ended: {end}"


def signal_raised(event: SignalRaised, name: NameOf) -> str:
    return (
        f"kernel: {signal_name(event.signal)} for {name(event.process)},"
        f" which {name(event.manager)} is to handle"
    )


def interrupted(event: Interrupted, name: NameOf) -> str:
    what = "alarm" if event.line < 0 else f"interrupt {event.line}"
    return f"kernel: {what} for {name(event.process)}"


def fault_injected(event: FaultInjected, name: NameOf) -> str:
    number = f", number {event.number}" if event.number else ""
    return f"{name(event.process)}: injected: {event.fault}{number}"


def diagnosed(event: Diagnosed, name: NameOf) -> str:
    who = "kernel" if event.process == NONE else name(event.process)
    return f"{who}: prints {event.text.rstrip()!r}"


def panicked(event: Panicked, name: NameOf) -> str:
    return f"PANIC: {event.reason}"


# Events that are a line of their own, whatever came before them.
PHRASES: Final[dict[type[Event], Callable[[Any, NameOf], str]]] = {
    PageFaulted: page_faulted,
    MemoryRequested: memory_requested,
    MemoryChanged: memory_changed,
    ProcessCreated: process_created,
    ProcessReplaced: process_replaced,
    ProcessDied: process_died,
    ProgramEnded: program_ended,
    SignalRaised: signal_raised,
    Interrupted: interrupted,
    FaultInjected: fault_injected,
    Diagnosed: diagnosed,
    Panicked: panicked,
}
