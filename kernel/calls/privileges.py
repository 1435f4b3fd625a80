"""SYS_PRIVCTL: what a system process may do.

Source: MINIX ``kernel/system/do_privctl.c``; ``kernel/system.c`` set_sendto_bit.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ipc.endpoint import NONE, RS, SELF
from ipc.errors import EDEADSRCDST, EINVAL, ENOMEM, EPERM, OK
from ipc.flags import (
    SYS_PRIV_ADD_IO,
    SYS_PRIV_ADD_IRQ,
    SYS_PRIV_ADD_MEM,
    SYS_PRIV_ALLOW,
    SYS_PRIV_CLEAR_IPC_REFS,
    SYS_PRIV_DISALLOW,
    SYS_PRIV_QUERY_MEM,
    SYS_PRIV_SET_SYS,
    SYS_PRIV_SET_USER,
    SYS_PRIV_UPDATE_SYS,
    SYS_PRIV_YIELD,
)
from ipc.kernelcalls import SysPrivctl
from ipc.message import Message
from ipc.traps import RECEIVE_CALL
from kernel.copying import Place
from kernel.flags import RTS_NO_PRIV
from kernel.privilege import (
    ALL_KERNEL_CALLS,
    ALL_TARGETS,
    ALL_TRAPS,
    DYN_PRIV_ID,
    PREEMPTIBLE,
    SYS_PROC,
    USER_PRIV_ID,
    Privilege,
)

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

CHECK_IRQ: Final = 0x40
CHECK_MEM: Final = 0x80
NR_MEM_RANGE: Final = 20
NR_IRQ: Final = 16
DYNAMIC_SERVICE: Final = SYS_PROC | PREEMPTIBLE | DYN_PRIV_ID

# struct priv, i386: where what a caller may set lies.
_PRIV_SIZE: Final = 884
_ID_FLAGS: Final = struct.Struct("<hhi")  # at 4: id, flags, init flags
_TRAPS: Final = struct.Struct("<h2xQQii")  # at 24: traps, targets, calls, signal managers
_MEMORY: Final = struct.Struct("<i")  # at 632, with ranges from 636
_LINES: Final = struct.Struct("<i16i")  # at 796


def do_privctl(machine: Machine, caller: Process, request: SysPrivctl) -> Message | int:
    """Set or ask for a process's privileges.  Only system processes may."""
    if not caller.privilege.system:
        return EPERM
    endpoint = caller.endpoint if request.endpt == SELF else request.endpt
    process = machine.table.lookup(endpoint)
    action = REQUESTS.get(request.request)
    if process is None or action is None:
        return EINVAL
    return action(machine, caller, process, request)


def _allow(machine: Machine, _caller: Process, process: Process, _request: SysPrivctl) -> int:
    if not process.rts & RTS_NO_PRIV or process.privilege.slot == NONE:
        return EPERM
    machine.ready.unblock(process, RTS_NO_PRIV)
    return OK


def _yield(machine: Machine, caller: Process, process: Process, _request: SysPrivctl) -> int:
    if not process.rts & RTS_NO_PRIV or process.privilege.slot == NONE:
        return EPERM
    machine.ready.block(caller, RTS_NO_PRIV)
    machine.ready.unblock(process, RTS_NO_PRIV)
    return OK


def _disallow(machine: Machine, _caller: Process, process: Process, _request: SysPrivctl) -> int:
    if process.rts & RTS_NO_PRIV:
        return EPERM
    machine.ready.block(process, RTS_NO_PRIV)
    return OK


def _clear_ipc_refs(
    machine: Machine, _caller: Process, process: Process, _request: SysPrivctl
) -> int:
    machine.rendezvous.clear_references(process, EDEADSRCDST)
    return OK


def _set_system(machine: Machine, caller: Process, process: Process, request: SysPrivctl) -> int:
    if not process.rts & RTS_NO_PRIV:
        return EPERM
    data = b""
    static = None
    if request.arg_ptr:
        read = machine.copier.read(None, Place(caller, request.arg_ptr), _PRIV_SIZE)
        if isinstance(read, int):
            return read
        data = read
        identity, flags, _ = _ID_FLAGS.unpack_from(data, 4)
        static = None if flags & DYN_PRIV_ID else identity
    code = machine.table.give_privilege(process, static)
    if code != OK:
        return code
    privilege = process.privilege
    privilege.forget_messages(process.endpoint)
    machine.timers.clear_alarm(process)
    privilege.flags = DYNAMIC_SERVICE
    privilege.init_flags = 0
    privilege.trap_mask = ALL_TRAPS
    privilege.kernel_calls = ALL_KERNEL_CALLS
    privilege.signal_manager = RS
    privilege.backup_signal_manager = NONE
    privilege.interrupt_lines = []
    privilege.memory_ranges = []
    privilege.checks_interrupts = False
    privilege.wants_diagnostics = False
    privilege.grants = None
    privilege.grant_endpoint = process.endpoint
    set_targets(machine, privilege, ALL_TARGETS)
    return _update(machine, privilege, data) if data else OK


def set_targets(machine: Machine, privilege: Privilege, targets: int) -> None:
    """Let the owner of `privilege` send to the owners of the structures in `targets`, no others.

    Who may be sent to may answer, unless it only receives.  MINIX: fill_sendto_mask.
    """
    for each in machine.table.privileges:
        wanted = bool(targets & each.bit)
        if wanted and (each.slot == NONE or each is privilege):
            privilege.ipc_to &= ~each.bit
        elif wanted:
            privilege.ipc_to |= each.bit
            if each.trap_mask & ~(1 << RECEIVE_CALL):
                each.ipc_to |= privilege.bit
        else:
            privilege.ipc_to &= ~each.bit
            each.ipc_to &= ~privilege.bit


def _update(machine: Machine, privilege: Privilege, data: bytes) -> int:
    """Set what a `struct priv` says.  MINIX: update_priv."""
    _, flags, init_flags = _ID_FLAGS.unpack_from(data, 4)
    traps, targets, calls, manager, backup = _TRAPS.unpack_from(data, 24)
    privilege.flags = flags & 0xFFFF
    privilege.init_flags = init_flags
    privilege.signal_manager = manager
    privilege.backup_signal_manager = backup
    if flags & CHECK_IRQ:
        count, *lines = _LINES.unpack_from(data, 796)
        if not 0 <= count <= NR_IRQ:
            return EINVAL
        privilege.checks_interrupts = True
        privilege.interrupt_lines = lines[:count]
    if flags & CHECK_MEM:
        (count,) = _MEMORY.unpack_from(data, 632)
        if not 0 <= count <= NR_MEM_RANGE:
            return EINVAL
        privilege.memory_ranges = [
            struct.unpack_from("<II", data, 636 + 8 * index) for index in range(count)
        ]
    privilege.trap_mask = traps & ALL_TRAPS  # the last bit of the 16 stands for those behind it
    set_targets(machine, privilege, targets)
    privilege.kernel_calls = calls
    return OK


def _update_system(machine: Machine, caller: Process, process: Process, request: SysPrivctl) -> int:
    if not request.arg_ptr:
        return EINVAL
    data = machine.copier.read(None, Place(caller, request.arg_ptr), _PRIV_SIZE)
    return data if isinstance(data, int) else _update(machine, process.privilege, data)


def _set_user(machine: Machine, _caller: Process, process: Process, _request: SysPrivctl) -> int:
    if not process.rts & RTS_NO_PRIV:
        return EPERM
    process.privilege = machine.table.privileges[USER_PRIV_ID]
    return OK


def _add_io(_machine: Machine, _caller: Process, process: Process, _request: SysPrivctl) -> int:
    """Differs: ports are not checked here, so there is nothing to allow."""
    return EPERM if process.rts & RTS_NO_PRIV else OK


def _add_memory(machine: Machine, caller: Process, process: Process, request: SysPrivctl) -> int:
    if process.rts & RTS_NO_PRIV:
        return EPERM
    data = machine.copier.read(None, Place(caller, request.arg_ptr), 8)
    if isinstance(data, int):
        return data
    ranges = process.privilege.memory_ranges
    allowed = struct.unpack("<II", data)
    if allowed not in ranges:
        if len(ranges) >= NR_MEM_RANGE:
            return ENOMEM
        ranges.append(allowed)
    return OK


def _add_irq(machine: Machine, caller: Process, process: Process, request: SysPrivctl) -> int:
    if process.rts & RTS_NO_PRIV:
        return EPERM
    data = machine.copier.read(None, Place(caller, request.arg_ptr), 4)
    if isinstance(data, int):
        return data
    (line,) = struct.unpack("<i", data)
    privilege = process.privilege
    privilege.checks_interrupts = True
    if line not in privilege.interrupt_lines:
        if len(privilege.interrupt_lines) >= NR_IRQ:
            return ENOMEM
        privilege.interrupt_lines.append(line)
    return OK


def _query_memory(
    _machine: Machine, _caller: Process, process: Process, request: SysPrivctl
) -> int:
    first, size = request.phys_start, request.phys_len
    last = first + size - 1
    if last < first or last > 0xFFFFFFFF:
        return EPERM
    ranges = process.privilege.memory_ranges
    allowed = any(low <= first and last <= high for low, high in ranges)
    return OK if allowed else EPERM


REQUESTS: Final[dict[int, Callable[[Machine, Process, Process, SysPrivctl], int]]] = {
    SYS_PRIV_ALLOW: _allow,
    SYS_PRIV_DISALLOW: _disallow,
    SYS_PRIV_SET_SYS: _set_system,
    SYS_PRIV_SET_USER: _set_user,
    SYS_PRIV_ADD_IO: _add_io,
    SYS_PRIV_ADD_MEM: _add_memory,
    SYS_PRIV_ADD_IRQ: _add_irq,
    SYS_PRIV_QUERY_MEM: _query_memory,
    SYS_PRIV_UPDATE_SYS: _update_system,
    SYS_PRIV_YIELD: _yield,
    SYS_PRIV_CLEAR_IPC_REFS: _clear_ipc_refs,
}
