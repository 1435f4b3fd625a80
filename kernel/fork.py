"""The kernel's part of fork: a copy of a process table slot.

Source: MINIX ``kernel/system/do_fork.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.errors import EINVAL
from kernel.flags import (
    RTS_NO_PRIV,
    RTS_NO_QUANTUM,
    RTS_P_STOP,
    RTS_RECEIVING,
    RTS_SENDING,
    RTS_SIG_PENDING,
    RTS_SIGNALED,
    RTS_SLOT_FREE,
)
from kernel.privilege import USER_PRIV_ID

if TYPE_CHECKING:
    from kernel.process import Process
    from kernel.quirks import Quirks
    from kernel.table import ProcessTable

NAME_SIZE: Final = 16  # bytes, with the zero at the end
_MARK: Final = "*F"
_NOT_INHERITED: Final = RTS_SIGNALED | RTS_SIG_PENDING | RTS_P_STOP


def copy_slot(table: ProcessTable, quirks: Quirks, parent: Process, slot: int) -> Process | int:
    """A copy of `parent` in the free `slot`, which waits for the answer that the parent waits for.

    It has NO_QUANTUM set until somebody schedules it; and NO_PRIV if the parent is a system
    process, because the copy is a user process until it is given privileges.  Returns EINVAL if
    there is no such slot, it is in use, or the parent does not wait for an answer.
    """
    if slot not in table or table.at(slot).rts != RTS_SLOT_FREE:
        return EINVAL
    if not parent.rts & RTS_RECEIVING:
        return EINVAL
    exact = "fork-copies-queues" in quirks
    if parent.rts & RTS_SENDING and not exact:
        return EINVAL
    rts = (parent.rts | RTS_NO_QUANTUM) & ~_NOT_INHERITED
    privilege = parent.privilege
    if privilege.system:
        privilege = table.privileges[USER_PRIV_ID]
        rts |= RTS_NO_PRIV
    child = table.place(slot, table.next_endpoint(slot), _child_name(parent.name), privilege, rts)
    child.misc = parent.misc
    child.get_from = parent.get_from
    child.status = parent.status
    child.priority = parent.priority
    child.scheduler = parent.scheduler
    child.quantum_size = parent.quantum_size
    child.message_address = parent.message_address
    if exact:
        child.send_to = parent.send_to
        child.sending = parent.sending
        child.callers = list(parent.callers)
        child.stale_link = parent.stale_link
    return child


def _child_name(name: str) -> str:
    return name + _MARK if len(name) + len(_MARK) < NAME_SIZE else name
