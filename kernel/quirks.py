"""Quirks: the defects of the real system, by name.

A machine has no quirks unless it asks for them.  With a quirk it does at that place exactly what
MINIX does, and where MINIX would bring itself down it panics and names the quirk.

This table holds the kernel's own.  A server that has quirks keeps a table of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs


@attrs.frozen
class Quirk:
    """A defect: its name, `where` in MINIX it is, and a `summary` of what it does to whom."""

    name: str
    where: str
    summary: str


class Quirks(frozenset[str]):
    """The quirks that a machine has, by name; `name in quirks` asks, many times a message."""

    __slots__ = ()


class _Every(Quirks):
    """All quirks that there are, in whosever table."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return True


NO_QUIRKS: Final = Quirks()
ALL_QUIRKS: Final[Quirks] = _Every({"all"})


class UnknownQuirk(ValueError):
    """A quirk was asked for that does not exist; the text says which there are."""


def parse_quirks(text: str, known: Iterable[str]) -> Quirks:
    """The quirks from `all`, `none`, or names separated by commas.

    `known` are the names that there are.  Raises UnknownQuirk.
    """
    if text == "all":
        return ALL_QUIRKS
    names = frozenset() if text == "none" else frozenset(text.split(","))
    choices = sorted(known)
    for name in sorted(names):
        if name not in choices:
            raise UnknownQuirk(f"unknown quirk {name!r}; {_instead(name, choices)}")
    return Quirks(names)


def _instead(name: str, choices: Sequence[str]) -> str:
    import difflib  # only for a mistake

    near = difflib.get_close_matches(name, choices)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"there are all, none, {', '.join(choices)}"


KERNEL_QUIRKS: Final[Mapping[str, Quirk]] = {
    quirk.name: quirk
    for quirk in (
        Quirk(
            "deadlock-endless-loop",
            "kernel/proc.c deadlock",
            "The deadlock check never leaves a circle of waiting processes that its caller is not"
            " part of, such as one process that receives from itself: the kernel hangs.  Without"
            " the quirk the caller gets ELOCKED.",
        ),
        Quirk(
            "stale-queue-link",
            "kernel/system.c clear_ipc",
            "A process that is taken out of the middle of a queue of senders keeps its link to the"
            " next one; the next time that it has to queue, an assertion brings the kernel down."
            "  Without the quirk the link is forgotten.",
        ),
        Quirk(
            "fork-copies-queues",
            "kernel/system/do_fork.c",
            "A forked process seems to have its parent's queue of senders, so that their messages"
            " are delivered twice; and the copy of a parent that is itself still queued waits in"
            " no queue, for ever.  Without the quirk the child's queue is empty, and a process"
            " that is still sending is not forked (EINVAL).",
        ),
        Quirk(
            "stale-reply-pending",
            "kernel/proc.c do_sync_ipc, try_deliver_senda; kernel/system.c clear_ipc",
            "A SENDREC that fails, that its partner's death ends, or that an asynchronous message"
            " answers at once, is not forgotten: what the process sends next is labelled SENDREC"
            " in the receiver's status word, which then owes an answer that nobody waits for."
            "  Without the quirk a SENDREC that has ended has ended.",
        ),
        Quirk(
            "kernel-send-outlives-target",
            "kernel/system.c clear_ipc_refs",
            "If the receiver dies of a message that the kernel queued in a process's name, the"
            " process's own result is overwritten with EDEADSRCDST, and the next message that it"
            " queues itself is flagged as the kernel's.  Without the quirk neither happens.",
        ),
        Quirk(
            "elocked-while-queued",
            "kernel/proc.c mini_receive",
            "A SENDREC to a process that waits for the caller, but whose filter refuses the"
            " message, returns ELOCKED although the message stays queued and is delivered when"
            " the filter is gone.  Without the quirk the caller waits, as it does in SEND.",
        ),
        Quirk(
            "filter-hides-notifications",
            "kernel/proc.c mini_receive",
            "If a filter refuses the first of several pending notifications, the others are not"
            " looked at, and the receiver waits although one of them is for it.  Without the"
            " quirk the first that the filter lets pass is delivered.",
        ),
        Quirk(
            "senda-invalid-entry-blocks",
            "kernel/proc.c try_one",
            "An entry with invalid flags in an asynchronous send table ends every scan on a"
            " receiver's behalf: what stands behind it is not delivered by RECEIVE.  Without the"
            " quirk the entry gets its EINVAL once and the scan goes on.",
        ),
        Quirk(
            "cancel-drops-table",
            "kernel/system.c cancel_async",
            "When a receiver dies to which a sender may no longer send, the sender's whole table"
            " is forgotten, messages for others included.  Without the quirk only the entries for"
            " the dead one are cancelled.",
        ),
        Quirk(
            "user-death-drops-pending",
            "kernel/system.c clear_ipc_refs",
            "User processes share one set of pending bits, and the death of any of them clears"
            " it: asynchronous messages for other users, and notifications from them, are lost."
            "  Without the quirk they stay.",
        ),
    )
}
