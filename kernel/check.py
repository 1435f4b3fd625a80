"""The invariants of message passing, in words and checked.

They hold between any two operations of a kernel without quirks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.endpoint import ANY, NONE, slot_of
from kernel.deadlock import blocked_on
from kernel.flags import (
    MF_REPLY_PEND,
    MF_SENDING_FROM_KERNEL,
    RTS_NO_ENDPOINT,
    RTS_RECEIVING,
    RTS_SENDING,
    RTS_SLOT_FREE,
)
from kernel.privilege import USER_PRIV_ID

if TYPE_CHECKING:
    from kernel.process import Process
    from kernel.table import ProcessTable


def check(table: ProcessTable) -> None:
    """Raise AssertionError, with the invariant and the process, if one does not hold."""
    processes = list(table.all())
    assert sorted(table.endpoints.values(), key=lambda each: each.slot) == processes, (
        "`endpoints` has exactly the processes that are not free"
    )
    for process in processes:
        _check_names(table, process)
        _check_waiting(table, process)
        _check_queue(process)
        _check_privilege(table, process)


def _check_names(table: ProcessTable, process: Process) -> None:
    who = f"{process.name} in slot {process.slot}"
    assert table.at(process.slot) is process, f"{who}: it is what its slot holds"
    assert table.lookup(process.endpoint) is process, f"{who}: its endpoint finds it"
    assert slot_of(process.endpoint) == process.slot, f"{who}: its endpoint names its slot"
    assert not process.rts & RTS_SLOT_FREE, f"{who}: a live process is not free"


def _check_waiting(table: ProcessTable, process: Process) -> None:
    who = f"{process.name} in slot {process.slot}"
    rts, misc = process.rts, process.misc
    if rts & RTS_NO_ENDPOINT:
        assert not rts & (RTS_SENDING | RTS_RECEIVING), f"{who}: without endpoint nobody waits"
        return
    partner = blocked_on(process)
    if partner not in (ANY, NONE):
        other = table.lookup(partner)
        assert other is not None, f"{who}: whom it waits for is alive"
        assert not other.rts & RTS_NO_ENDPOINT, f"{who}: whom it waits for has an endpoint"
        if rts & RTS_SENDING:
            assert other.callers.count(process) == 1, f"{who}: it is in the queue once"
            assert process.sending is not None, f"{who}: who sends has a message"
    if misc & MF_REPLY_PEND:
        assert rts & RTS_RECEIVING, f"{who}: an answer is pending only while it waits for it"
        assert process.get_from != ANY, f"{who}: an answer comes from somebody"
    if misc & MF_SENDING_FROM_KERNEL:
        assert rts & RTS_SENDING, f"{who}: the kernel's message is one that is being sent"
    if rts & RTS_SENDING and rts & RTS_RECEIVING:
        assert misc & MF_REPLY_PEND, f"{who}: only SENDREC sends and receives"
        assert process.send_to == process.get_from, f"{who}: SENDREC is with one process"
    assert not process.stale_link, f"{who}: who has left a queue has no link in it"


def _check_queue(process: Process) -> None:
    who = f"the queue of {process.name} in slot {process.slot}"
    for caller in process.callers:
        assert caller.rts & RTS_SENDING, f"{who}: {caller.name} is sending"
        assert not caller.rts & RTS_SLOT_FREE, f"{who}: {caller.name} is alive"
        assert caller.send_to == process.endpoint, f"{who}: {caller.name} sends to it"


def _check_privilege(table: ProcessTable, process: Process) -> None:
    who = f"{process.name} in slot {process.slot}"
    privilege = process.privilege
    assert table.privileges[privilege.id] is privilege, f"{who}: its privileges are in the table"
    if privilege.system:
        assert privilege.slot == process.slot, f"{who}: its privileges are its own"
    else:
        assert privilege.id == USER_PRIV_ID, f"{who}: users share one privilege structure"
        assert privilege.async_table is None, f"{who}: users do not send asynchronously"
    pending = privilege.notify_pending | privilege.async_pending
    for source in table.privileges:
        if pending & source.bit:
            assert source.slot != NONE, f"{who}: what is pending is from somebody"
    assert bool(privilege.async_size) == (privilege.async_table is not None), (
        f"{who}: a table of asynchronous messages has a size"
    )
