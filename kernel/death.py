"""What the death of a process does to everybody who has something going on with it.

Rules.  First the dying process leaves the queue that it waits in.  Then senders of asynchronous
messages to it are told (by ascending privilege id), then whoever waits for it, by ascending slot,
gets the error and runs on.  Who receives from anybody is not woken.  Messages that were delivered
stay delivered.

Source: MINIX ``kernel/system.c`` clear_endpoint, clear_ipc, clear_ipc_refs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.errors import EDEADSRCDST, IpcError
from kernel import senda
from kernel.deadlock import blocked_on
from kernel.flags import (
    MF_REPLY_PEND,
    MF_SENDING_FROM_KERNEL,
    RTS_NO_ENDPOINT,
    RTS_RECEIVING,
    RTS_SENDING,
    RTS_SLOT_FREE,
)
from kernel.panic import Panic

if TYPE_CHECKING:
    from kernel.process import Process
    from kernel.rendezvous import Rendezvous


def clear_endpoint(ipc: Rendezvous, dead: Process) -> None:
    """Take from `dead` the ability to send and receive; its slot and endpoint stay."""
    assert dead.rts != RTS_SLOT_FREE, "a free slot has no endpoint to clear"
    ipc.ready.block(dead, RTS_NO_ENDPOINT)
    if dead.privilege.system:
        dead.privilege.async_table = None
        dead.privilege.async_size = 0
    _stop_waiting(ipc, dead)
    clear_references(ipc, dead, EDEADSRCDST)


def clear_references(ipc: Rendezvous, dead: Process, code: int) -> None:
    """Nothing waits for or from `dead` any more; who waited for it gets `code`."""
    _cancel_async(ipc, dead)
    _clear_bits(ipc, dead)
    for process in ipc.table.all():
        if blocked_on(process) == dead.endpoint:
            _end_wait(ipc, process, code)


def _cancel_async(ipc: Rendezvous, dead: Process) -> None:
    privilege = dead.privilege
    pending = privilege.async_pending
    privilege.async_pending = 0
    shared = not privilege.system
    while pending:
        bit = pending & -pending
        pending ^= bit
        sender = ipc.table.owner(bit)
        if sender is None:
            continue
        senda.cancel(ipc, sender, dead)
        if shared and "user-death-drops-pending" not in ipc.quirks and sender.privilege.async_size:
            privilege.async_pending |= bit  # there may be messages for other users


def _clear_bits(ipc: Rendezvous, dead: Process) -> None:
    owner = dead.privilege
    if owner.slot != dead.slot and "user-death-drops-pending" not in ipc.quirks:
        return
    for privilege in ipc.table.privileges:
        privilege.notify_pending &= ~owner.bit
        privilege.async_pending &= ~owner.bit


def _end_wait(ipc: Rendezvous, process: Process, code: int) -> None:
    """The call of `process` that waits for the dead one ends with `code`."""
    kernels = process.rts & RTS_SENDING and process.misc & MF_SENDING_FROM_KERNEL
    if kernels and "kernel-send-outlives-target" not in ipc.quirks:
        process.misc &= ~MF_SENDING_FROM_KERNEL
    else:
        process.result = IpcError(code)
        if ipc.probes.emit is not None:
            ipc.probes.refused(process, code)
    if "stale-reply-pending" not in ipc.quirks:
        process.misc &= ~MF_REPLY_PEND
    _stop_waiting(ipc, process)


def _stop_waiting(ipc: Rendezvous, process: Process) -> None:
    """Take `process` out of the queue that it is in, and let it wait for nobody."""
    if process.rts & RTS_SENDING:
        queue = ipc.endpoints[process.send_to].callers
        if process in queue:
            process.stale_link = process is not queue[-1] and "stale-queue-link" in ipc.quirks
            queue.remove(process)
        ipc.ready.unblock(process, RTS_SENDING)
    ipc.ready.unblock(process, RTS_RECEIVING)


def meet_stale_sender(receiver: Process, sender: Process) -> None:
    """`receiver` finds in its queue a process that does not send to it.

    Only a forked process can have such a queue: a copy of its parent's.  Raises Panic if the sender
    is dead; one that is alive has its message delivered once more.
    """
    assert not receiver.rts, "a running process looks at its queue"
    if sender.rts & (RTS_SLOT_FREE | RTS_NO_ENDPOINT):
        raise Panic(
            f"{sender.name}, which is dead, is in the queue of {receiver.name}",
            quirk="fork-copies-queues",
        )
