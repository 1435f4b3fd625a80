"""Asynchronous messages: a table of them, in the sender's memory, from which receivers are served.

Rules.  The table stays in its sender's memory: the kernel remembers only where it is, reads it when
a receiver comes, and writes each entry's result back into it.  An entry that is done stays done.  A
new table takes the place of the old one.  A receiver has one pending bit per sender, which means no
more than that it is worth looking; bits are looked at by ascending id of the sender's privilege
structure, entries in table order.  A sender that wants to be told is notified by ASYNCM after the
scan.  Only system processes send asynchronously; to themselves they always may.

Source: MINIX ``kernel/proc.c`` mini_senda, try_deliver_senda, try_async, try_one, cancel_async.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Final

from ipc.endpoint import ASYNCM, NR_TASKS, SELF
from ipc.errors import ECALLDENIED, EDEADSRCDST, EDOM, EINVAL, ENOTREADY, EPERM, OK
from ipc.traps import (
    AMF_DONE,
    AMF_NOREPLY,
    AMF_NOTIFY,
    AMF_NOTIFY_ERR,
    AMF_VALID,
    SENDA_CALL,
    AsyncEntry,
    SendA,
)
from kernel import notify
from kernel.filters import admits
from kernel.flags import MF_REPLY_PEND, RTS_NO_ENDPOINT

if TYPE_CHECKING:
    from ipc.message import Message
    from kernel.privilege import Privilege
    from kernel.process import Process
    from kernel.rendezvous import Rendezvous
    from kernel.table import ProcessTable

_KNOWN_FLAGS: Final = AMF_VALID | AMF_DONE | AMF_NOTIFY | AMF_NOREPLY | AMF_NOTIFY_ERR
# The flags that an entry may be offered with: AMF_VALID, and any but AMF_DONE.
_OFFERED: Final = frozenset(
    flags for flags in range(_KNOWN_FLAGS + 1) if flags & (AMF_VALID | AMF_DONE) == AMF_VALID
)
_WANTS_FAILURE: Final = AMF_NOTIFY | AMF_NOTIFY_ERR
_ENTRIES_PER_SLOT: Final = 16


def offer(ipc: Rendezvous, caller: Process, trap: SendA, size: int | None = None) -> int:
    """Deliver what receivers wait for, and keep the table while there is more.

    `size` is how many entries the caller says the table has, if not as many as it has.  OK, EDOM
    (too large) or EPERM (a user process); what becomes of a message is stored in its entry, and one
    whose entry makes no sense is passed over in silence.
    """
    privilege = caller.privilege
    entries = table = trap.table
    if size is None:
        size = len(table)
    else:
        entries = table[: max(size, 0)]
    if not 0 <= size <= ipc.most_offers:
        return EDOM
    if not privilege.system:
        return EPERM
    caller.result = None
    if privilege.async_table is not None:
        _forget(privilege)
    privilege.async_endpoint = caller.endpoint
    tell = False
    for entry in entries:
        if (flags := entry.flags) not in _OFFERED:
            operator.index(flags)  # what is no number is a mistake in a server here
            continue
        dest = entry.dest
        receiver = caller if dest == SELF else ipc.endpoints.get(dest)
        if (
            receiver is None
            or receiver.slot < 0
            or not (privilege.reaches[receiver.privilege.id] or receiver is caller)
        ):
            tell |= _store(caller, entry, EDEADSRCDST if receiver is None else ECALLDENIED)
            continue
        if receiver.misc:
            code = _answer(ipc, caller, receiver, entry)
        else:
            code = ipc.deliver(caller, receiver, entry.message, SENDA_CALL)
        if code == OK:  # as `_store` does, in line: most messages are taken at once
            entry.dest, entry.result, entry.flags = receiver.endpoint, OK, flags | AMF_DONE
            if flags & AMF_NOTIFY:
                tell = True
        elif code == EDEADSRCDST:
            tell |= _store(caller, entry, code)
        else:
            receiver.privilege.async_pending |= privilege.bit
            privilege.async_table, privilege.async_size = table, size
    if tell:
        notify.post(ipc, ipc.table.at(ASYNCM), caller.endpoint)
    return OK


def take(ipc: Rendezvous, receiver: Process, sender: Process | None) -> bool:
    """Give `receiver`, which runs, an asynchronous message from `sender` (None: from anybody).

    Returns whether there was one.
    """
    pending = receiver.privilege.async_pending
    if sender is not None:
        return bool(pending & sender.privilege.bit) and _serve(ipc, sender, receiver)
    while pending:
        bit = pending & -pending
        source = ipc.table.owner(bit)
        if source is not None and _serve(ipc, source, receiver):
            return True
        pending ^= bit
    return False


def cancel(ipc: Rendezvous, sender: Process, dead: Process) -> None:
    """Store EDEADSRCDST in what `sender` offers to `dead`, and tell it if it wants to know."""
    privilege = sender.privilege
    if not privilege.system:
        return
    table, size = privilege.async_table, privilege.async_size
    _forget(privilege)
    if table is None or not size:
        return
    if not privilege.reaches[dead.privilege.id] and "cancel-drops-table" in ipc.quirks:
        return
    tell = False
    more = False
    for index in range(size):
        if index >= len(table):
            return
        entry = table[index]
        if not entry.flags or (entry.flags & AMF_DONE and not _is_invalid(entry)):
            continue
        if _dest_of(sender, entry) != dead.endpoint:
            more = True
            continue
        tell |= _store(sender, entry, EINVAL if _is_invalid(entry) else EDEADSRCDST)
    if tell:
        notify.post(ipc, ipc.table.at(ASYNCM), sender.endpoint)
    if more:
        privilege.async_table = table
        privilege.async_size = size


def _serve(ipc: Rendezvous, sender: Process, receiver: Process) -> bool:
    """Look through the table of `sender` for a message to `receiver`, which runs, and give it."""
    privilege = sender.privilege
    if not privilege.system:
        return False
    receiver.privilege.async_pending &= ~privilege.bit
    table = privilege.async_table
    if table is None or privilege.async_endpoint != sender.endpoint:
        return False
    if not _may_send(sender, receiver):
        return False
    delivered = tell = more = False
    for index in range(privilege.async_size):
        if index >= len(table):
            return False
        entry = table[index]
        if _is_invalid(entry):
            if "senda-invalid-entry-blocks" in ipc.quirks:
                more = True
                tell = _store(sender, entry, EINVAL)
                break
            if not entry.flags & AMF_DONE:
                tell |= _store(sender, entry, EINVAL)
            continue
        if not entry.flags or entry.flags & AMF_DONE:
            continue
        # Even if this very entry is delivered now: only the next scan sees that all are done.
        more = True
        if _dest_of(sender, entry) == receiver.endpoint and _fits(receiver, sender, entry):
            ipc.give(sender, receiver, _said(ipc, sender, entry), SENDA_CALL, sender.context.cause)
            tell |= _store(sender, entry, OK)
            delivered = True
            break
    if tell:
        notify.post(ipc, ipc.table.at(ASYNCM), sender.endpoint)
    if more:
        receiver.privilege.async_pending |= privilege.bit
    else:
        _forget(privilege)
    return delivered


def _answer(ipc: Rendezvous, caller: Process, receiver: Process, entry: AsyncEntry) -> int:
    """Deliver `entry` if `receiver`, which may be in SENDREC, waits for it.

    Returns OK if it did, or else as `Rendezvous.deliver` does.
    """
    answers = receiver.misc & MF_REPLY_PEND
    if answers and entry.flags & AMF_NOREPLY:
        return EDEADSRCDST if receiver.rts & RTS_NO_ENDPOINT else ENOTREADY
    code = ipc.deliver(caller, receiver, entry.message, SENDA_CALL)
    if code == OK and answers and "stale-reply-pending" in ipc.quirks:
        receiver.misc |= MF_REPLY_PEND
    return code


def _fits(receiver: Process, sender: Process, entry: AsyncEntry) -> bool:
    """Whether `receiver` may have `entry`: its filters let it pass, and it may be an answer."""
    if entry.flags & AMF_NOREPLY and receiver.misc & MF_REPLY_PEND:
        return False
    return not receiver.privilege.filters or admits(receiver, sender, entry.message.type)


def _said(ipc: Rendezvous, sender: Process, entry: AsyncEntry) -> Message:
    """The message of `entry`, which is about to be delivered."""
    if ipc.probes.emit is not None:
        ipc.probes.sent(sender, _dest_of(sender, entry), entry.message, SENDA_CALL)
    return entry.message


def _may_send(sender: Process, receiver: Process) -> bool:
    """MINIX: kernel/priv.h may_asynsend_to."""
    return sender is receiver or sender.privilege.reaches[receiver.privilege.id]


def _dest_of(sender: Process, entry: AsyncEntry) -> int:
    return sender.endpoint if entry.dest == SELF else entry.dest


def _is_invalid(entry: AsyncEntry) -> bool:
    """Whether an entry that is not empty has unknown flags or says that it has no message."""
    flags = entry.flags
    return bool(flags) and (bool(flags & ~_KNOWN_FLAGS) or not flags & AMF_VALID)


def _store(sender: Process, entry: AsyncEntry, code: int) -> bool:
    """Write the result `code` into the sender's memory.  Returns whether it wants to be told."""
    if entry.dest == SELF:
        entry.dest = sender.endpoint
    entry.result = code
    entry.flags |= AMF_DONE
    return entry.flags & (AMF_NOTIFY if code == OK else _WANTS_FAILURE) != 0


def most_offers(table: ProcessTable) -> int:
    """How many entries a table of messages to the processes of `table` may have."""
    return _ENTRIES_PER_SLOT * (NR_TASKS + table.slots)


def _forget(privilege: Privilege) -> None:
    privilege.async_table = None
    privilege.async_size = 0
