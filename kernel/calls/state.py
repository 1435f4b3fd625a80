"""Kernel calls: live update.

Source: MINIX ``kernel/system/{do_statectl,do_update}.c``; ``kernel/system.c`` add_ipc_filter.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import attrs

from ipc.errors import E2BIG, EBUSY, EDEADSRCDST, EFAULT, EINVAL, EPERM, OK
from ipc.flags import (
    SYS_STATE_ADD_IPC_BL_FILTER,
    SYS_STATE_ADD_IPC_WL_FILTER,
    SYS_STATE_CLEAR_IPC_FILTERS,
    SYS_STATE_CLEAR_IPC_REFS,
    SYS_STATE_SET_STATE_TABLE,
)
from ipc.kernelcalls import SysStatectl, SysUpdate
from ipc.message import Message
from kernel.copying import Place
from kernel.filters import BLACKLIST, MAXIMUM_ELEMENTS, WHITELIST, FilterElement, add_filter
from kernel.flags import (
    MF_SENDING_FROM_KERNEL,
    RTS_NO_PRIV,
    RTS_RECEIVING,
    RTS_SENDING,
    RTS_SIG_PENDING,
)

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

SYS_UPD_ROLLBACK: Final = 1
MATCH_SOURCE: Final = 1
MATCH_TYPE: Final = 2
_ELEMENT: Final = struct.Struct("<iii")  # ipc_filter_el_t

_KINDS: Final = {SYS_STATE_ADD_IPC_BL_FILTER: BLACKLIST, SYS_STATE_ADD_IPC_WL_FILTER: WHITELIST}


def do_statectl(machine: Machine, caller: Process, request: SysStatectl) -> Message | int:
    """Change how others reach the caller."""
    if request.request == SYS_STATE_CLEAR_IPC_REFS:
        machine.rendezvous.clear_references(caller, EDEADSRCDST)
        return OK
    if request.request == SYS_STATE_SET_STATE_TABLE:
        return OK  # nothing here reads a service's state
    if request.request == SYS_STATE_CLEAR_IPC_FILTERS:
        caller.privilege.filters.clear()
        return OK
    kind = _KINDS.get(request.request)
    return EINVAL if kind is None else _add_filter(machine, caller, request, kind)


def _add_filter(machine: Machine, caller: Process, request: SysStatectl, kind: int) -> int:
    count, rest = divmod(request.length, _ELEMENT.size)
    if rest:
        return EINVAL
    if not 0 < count <= MAXIMUM_ELEMENTS:
        return E2BIG
    data = machine.copier.read(None, Place(caller, request.address), request.length)
    if isinstance(data, int):
        return EFAULT
    elements = [
        FilterElement(
            source if flags & MATCH_SOURCE else None, number if flags & MATCH_TYPE else None
        )
        for flags, source, number in _ELEMENT.iter_unpack(data)
    ]
    return add_filter(machine.table, caller, kind, elements)


# What stays with the slot when two processes change places.
_KEPT: Final = frozenset({"slot", "endpoint", "privilege", "callers", "scheduler", "stale_link"})
_KEPT_PRIVILEGE: Final = frozenset(
    {
        "id", "bit", "slot", "async_pending", "notify_pending", "interrupts_pending",
        "signals_pending", "alarm", "wants_diagnostics",
    }
)  # fmt: skip


def do_update(machine: Machine, _caller: Process, request: SysUpdate) -> Message | int:
    """Let two system processes change places: each goes on under the other's endpoint.

    Both must be at rest: without privileges, with a signal pending, or receiving.
    """
    source = machine.table.lookup(request.src_endpt)
    dest = machine.table.lookup(request.dst_endpt)
    if source is None or dest is None:
        return EINVAL
    if not (source.privilege.system and dest.privilege.system):
        return EPERM
    if not (_at_rest(source) and _at_rest(dest)):
        return EBUSY
    if request.flags & SYS_UPD_ROLLBACK:
        _stop_sending(machine, source)
    for line in source.privilege.interrupt_lines:
        if line not in dest.privilege.interrupt_lines:
            dest.privilege.interrupt_lines.append(line)
    dest.privilege.ipc_to |= source.privilege.ipc_to & ~dest.privilege.bit
    _exchange(source, dest, _KEPT)
    _exchange(source.privilege, dest.privilege, _KEPT_PRIVILEGE)
    requests = machine.copier.requests
    swapped = {id(source): dest, id(dest): source}
    requests[:] = [swapped.get(id(process), process) for process in requests]
    return OK


def _at_rest(process: Process) -> bool:
    receiving = process.rts & (RTS_RECEIVING | RTS_SENDING) == RTS_RECEIVING
    return bool(process.rts & (RTS_NO_PRIV | RTS_SIG_PENDING)) or receiving


def _stop_sending(machine: Machine, process: Process) -> None:
    if process.rts & RTS_SENDING:
        receiver = machine.table.lookup(process.send_to)
        assert receiver is not None, "a process sends to one that lives"
        receiver.callers.remove(process)
        process.misc &= ~MF_SENDING_FROM_KERNEL
        machine.ready.unblock(process, RTS_SENDING)


def _exchange(one: object, other: object, kept: frozenset[str]) -> None:
    fields: Any = attrs.fields
    for attribute in fields(type(one)):
        if attribute.name not in kept:
            mine, theirs = getattr(one, attribute.name), getattr(other, attribute.name)
            setattr(one, attribute.name, theirs)
            setattr(other, attribute.name, mine)
