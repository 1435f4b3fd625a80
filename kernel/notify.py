"""Notifications: a bit that says that somebody has something to tell, and the message it becomes.

Rules.  A notification is never refused for lack of room: those from the same source become one.  A
process that waits in SENDREC never gets one.  What came with it (interrupt lines from HARDWARE,
signals from SYSTEM) waits beside the bits, in the receiver's privilege structure, and is taken by a
notification from there only.  Pending notifications are delivered by ascending id of the source's
privilege structure; users share one, so a pending one of theirs seems to come from its owner, init.

Source: MINIX ``kernel/proc.c`` mini_notify, has_pending_notify, BuildNotifyMessage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import ANY, HARDWARE, SYSTEM
from ipc.errors import EDEADSRCDST, OK
from ipc.messageclass import maker
from ipc.notification import Notification
from ipc.traps import NOTIFY_CALL
from kernel.filters import admits
from kernel.flags import MF_REPLY_PEND, RTS_RECEIVING, RTS_SENDING

if TYPE_CHECKING:
    from kernel.privilege import Privilege
    from kernel.process import Process
    from kernel.rendezvous import Rendezvous

_notification: Final = maker(Notification)

_EMPTY = Notification()
_WAITING = RTS_SENDING | RTS_RECEIVING


def post(ipc: Rendezvous, sender: Process, dest: int) -> int:
    """Notify `dest` in the name of `sender`, which needs no permission.

    The kernel itself notifies as one of its tasks.  Returns OK or EDEADSRCDST.
    """
    receiver = ipc.endpoints.get(dest)
    if receiver is None:
        return EDEADSRCDST
    tell(ipc, sender, receiver)
    return OK


def tell(ipc: Rendezvous, sender: Process, receiver: Process) -> None:
    """Notify `receiver`, which lives, in the name of `sender`."""
    if ipc.probes.emit is not None:
        ipc.probes.sent(sender, receiver.endpoint, _EMPTY, NOTIFY_CALL)
    privilege = receiver.privilege
    if (
        receiver.rts & _WAITING == RTS_RECEIVING
        and (receiver.get_from == ANY or receiver.get_from == sender.endpoint)
        and not receiver.misc & MF_REPLY_PEND
        and (not privilege.filters or admits(receiver, sender, Notification.type))
    ):
        _give(ipc, sender, receiver, sender.context.cause)
        ipc.ready.unblock(receiver, RTS_RECEIVING)
    else:
        privilege.notify_pending |= sender.privilege.bit


def take(ipc: Rendezvous, receiver: Process, sender: Process | None) -> bool:
    """Give `receiver`, which runs, a notification that is pending from `sender` (None: anybody).

    Returns whether there was one that it may have.
    """
    pending = receiver.privilege.notify_pending
    if sender is not None:
        pending &= sender.privilege.bit
    while pending:
        bit = pending & -pending
        source = ipc.table.owner(bit)
        if (
            source is not None
            and (sender is None or source is sender)
            and admits(receiver, source, Notification.type)
        ):
            receiver.privilege.notify_pending &= ~bit
            _give(ipc, source, receiver, 0)
            return True
        if "filter-hides-notifications" in ipc.quirks:
            return False
        pending ^= bit
    return False


def _give(ipc: Rendezvous, sender: Process, receiver: Process, cause: int) -> None:
    """Make a notification what `receiver`, who waits for no answer, gets when it runs next.

    What the message says is what holds at the moment of its delivery.  Else as `Rendezvous.give`.
    """
    privilege: Privilege = receiver.privilege
    interrupts = signals = 0
    if sender.slot == HARDWARE:
        interrupts, privilege.interrupts_pending = privilege.interrupts_pending, 0
    elif sender.slot == SYSTEM:
        signals, privilege.signals_pending = privilege.signals_pending, 0
    message = _notification(ipc.clock.ticks, interrupts, signals)
    receiver.status = NOTIFY_CALL
    receiver.result = (sender.endpoint, message, NOTIFY_CALL)
    if ipc.probes.emit is not None:
        ipc.probes.delivered(sender.endpoint, receiver, message, NOTIFY_CALL, cause)
