"""Kernel calls: copies of bytes between memories, with and without grants.

Source: MINIX ``kernel/system/{do_copy,do_safecopy,do_safememset,do_setgrant,do_memset}.c``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.endpoint import NONE, SELF
from ipc.errors import EDOM, EFAULT, EINVAL, EPERM, ESRCH, OK
from ipc.flags import CP_FLAG_TRY, CPF_DIRECT, CPF_READ, CPF_WRITE
from ipc.kernelcalls import (
    SysMemset,
    SysPhyscopy,
    SysSafecopyfrom,
    SysSafecopyto,
    SysSafememset,
    SysSetgrant,
    SysVircopy,
    SysVsafecopy,
)
from ipc.message import Message
from kernel.copying import ADDRESS_MASK, Place, resumed_result
from kernel.flags import RTS_NO_PRIV
from kernel.grants import CPF_IN_USE, GRANT_INDEX, GRANT_SHIFT, Grant, MemoryTable, verify_grant

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

SCPVEC_NR: Final = 64
# The flags of plain grants, by what they allow.
_PLAIN: Final = CPF_IN_USE | CPF_DIRECT
_READABLE: Final = (_PLAIN | CPF_READ, _PLAIN | CPF_READ | CPF_WRITE)
_WRITABLE: Final = (_PLAIN | CPF_WRITE, _PLAIN | CPF_READ | CPF_WRITE)
_MEMORY_END: Final = ADDRESS_MASK + 1
_VECTOR: Final = struct.Struct("<iiiIII")  # vscp_vec, i386


def do_vircopy(
    machine: Machine, caller: Process, request: SysVircopy | SysPhyscopy
) -> Message | int:
    """Copy between the memories of two processes; NONE is physical memory, SELF the caller.

    With CP_FLAG_TRY memory that is missing is an EFAULT.
    """
    copier = machine.copier
    origin, target = request.src_endpt, request.dst_endpt
    source = copier.place(caller.endpoint if origin == SELF else origin, request.src_addr)
    dest = copier.place(caller.endpoint if target == SELF else target, request.dst_addr)
    if source is None or dest is None:
        return EINVAL
    waiting = None if request.flags & CP_FLAG_TRY else caller
    return copier.copy(
        waiting, source.process, source.address, dest.process, dest.address, request.nr_bytes
    )


def do_memset(machine: Machine, caller: Process, request: SysMemset) -> Message | int:
    """Fill memory of a process, or physical memory (NONE).

    Differs: MINIX answers OK whatever happened, and loses a call that has to wait for VM.
    """
    if (refusal := resumed_result(caller)) != OK:
        return refusal
    place = machine.copier.place(request.process, request.base)
    return machine.copier.fill(caller, place, request.pattern, request.count)


def do_safecopy(
    machine: Machine, caller: Process, request: SysSafecopyfrom | SysSafecopyto
) -> Message | int:
    """Copy from a grant of another process to the caller, or from the caller to the grant.

    Nearly all grants are plain: direct, to the caller by name, not only to try, and in a table that
    is not in some memory.  That such a one holds is found out here, as `verify_grant` would.
    """
    reading = type(request) is SysSafecopyfrom
    granter = machine.table.endpoints.get(request.from_to)
    if granter is None:
        return _safecopy_verified(machine, caller, request)
    privilege = granter.privilege
    table = privilege.grants
    number, offset, length = request.gid, request.offset, request.bytes
    index = number & GRANT_INDEX
    if (
        number < 0
        or not isinstance(table, list)
        or index >= len(table)
        or privilege.grant_endpoint != granter.endpoint
    ):
        return _safecopy_verified(machine, caller, request)
    grant: Grant = table[index]
    if (
        grant.flags not in (_READABLE if reading else _WRITABLE)
        or grant.sequence != number >> GRANT_SHIFT
        or grant.who_to != caller.endpoint
        or offset < 0
        or length < 0
        or offset + length > grant.length
        or grant.start + grant.length > _MEMORY_END
    ):
        return _safecopy_verified(machine, caller, request)
    theirs = grant.start + offset & ADDRESS_MASK
    mine = request.address & ADDRESS_MASK
    if reading:
        return machine.copier.copy(caller, granter, theirs, caller, mine, length)
    return machine.copier.copy(caller, caller, mine, granter, theirs, length)


def _safecopy_verified(
    machine: Machine, caller: Process, request: SysSafecopyfrom | SysSafecopyto
) -> int:
    """Copy from or to a grant of any kind."""
    access = CPF_READ if type(request) is SysSafecopyfrom else CPF_WRITE
    granter, length = request.from_to, request.bytes
    if granter == NONE:
        return EFAULT
    granted = verify_grant(
        machine, granter, caller.endpoint, request.gid, length, access, request.offset
    )
    if isinstance(granted, int):
        return granted
    process, theirs = granted.process, granted.address
    if process is None and granted.endpoint != NONE:
        return ESRCH if length else EDOM
    mine = request.address & ADDRESS_MASK
    waiting = None if granted.soft else caller
    if access == CPF_READ:
        code = machine.copier.copy(waiting, process, theirs, caller, mine, length)
    else:
        code = machine.copier.copy(waiting, caller, mine, process, theirs, length)
    if granted.soft and code == EFAULT:
        granted.soft_fault()
    return code


def do_vsafecopy(machine: Machine, caller: Process, request: SysVsafecopy) -> Message | int:
    """Do a vector of safe copies, in each of which one side is SELF.

    Differs: a vector that is too long for the kernel's room gets EINVAL.
    """
    if not 0 < request.vec_size <= SCPVEC_NR:
        return EINVAL
    place = Place(caller, request.vec_addr)
    data = machine.copier.read(caller, place, request.vec_size * _VECTOR.size)
    if isinstance(data, int):
        return data
    for source, dest, grant, offset, address, length in _VECTOR.iter_unpack(data):
        if source == SELF:
            request_to = SysSafecopyto(dest, grant, offset, address, length)
            code = do_safecopy(machine, caller, request_to)
        elif dest == SELF:
            request_from = SysSafecopyfrom(source, grant, offset, address, length)
            code = do_safecopy(machine, caller, request_from)
        else:
            return EINVAL
        if code != OK:
            return code
    return OK


def do_safememset(machine: Machine, caller: Process, request: SysSafememset) -> Message | int:
    """Fill memory that another process granted."""
    if request.dst == NONE:
        return EFAULT
    granter = machine.table.lookup(request.dst)
    if granter is None or granter.privilege.grants is None:
        return EINVAL
    granted = verify_grant(
        machine, request.dst, caller.endpoint, request.gid, request.bytes, CPF_WRITE,
        request.offset,
    )  # fmt: skip
    if isinstance(granted, int):
        return granted
    place = machine.copier.place(granted.endpoint, granted.address)
    if place is None:
        return ESRCH
    return machine.copier.fill(caller, place, request.pattern, request.bytes)


def do_setgrant(machine: Machine, caller: Process, request: SysSetgrant) -> Message | int:
    """Say where the caller's grant table is in its memory, and how many entries it has."""
    if caller.rts & RTS_NO_PRIV:
        return EPERM
    entries = max(0, request.size)
    table = MemoryTable(machine, caller, request.addr, entries) if request.addr else None
    caller.privilege.grants = table
    caller.privilege.grant_endpoint = caller.endpoint
    return OK
