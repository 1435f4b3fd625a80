"""Kernel calls: from virtual to physical addresses, for drivers.

Source: MINIX ``kernel/system/{do_umap,do_umap_remote,do_vumap}.c``;
``kernel/arch/i386/memory.c`` vm_lookup_range, vm_check_range.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.endpoint import ANY, NONE, SELF
from ipc.errors import EFAULT, EINVAL, EPERM, OK
from ipc.flags import CPF_READ, CPF_WRITE, VUA_READ, VUA_WRITE
from ipc.kernelcalls import (
    SysUmap,
    SysUmapRemote,
    SysUmapRemoteReply,
    SysUmapReply,
    SysVumap,
    SysVumapReply,
)
from ipc.message import Message
from kernel.copying import Place, resumed_result
from kernel.grants import verify_grant
from kernel.memory.frames import PAGE_MASK, PAGE_SIZE
from kernel.memory.space import PTE_FRAME, PTE_PRESENT

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

SEGMENT_TYPE: Final = 0xFF00
SEGMENT_INDEX: Final = 0x00FF
LOCAL_VM_SEG: Final = 0x1000
MEM_GRANT: Final = 3
VIR_ADDR: Final = 1
MAPVEC_NR: Final = 64
_VIRTUAL: Final = struct.Struct("<II")  # vumap_vir
_PHYSICAL: Final = struct.Struct("<II")  # vumap_phys


def do_umap(machine: Machine, caller: Process, request: SysUmap) -> Message | int:
    """The physical address of the caller's own memory, or of what was granted to it."""
    if request.segment & SEGMENT_INDEX != MEM_GRANT and request.src_endpt != SELF:
        return EPERM
    found = _umap(machine, caller, request, SELF)
    return found if found < 0 else SysUmapReply(OK, found)


def do_umap_remote(machine: Machine, caller: Process, request: SysUmapRemote) -> Message | int:
    """The physical address of a process's memory, or of what it granted to another."""
    found = _umap(machine, caller, request, request.dst_endpt)
    return found if found < 0 else SysUmapRemoteReply(OK, found)


def _umap(machine: Machine, caller: Process, request: SysUmap | SysUmapRemote, grantee: int) -> int:
    endpoint = caller.endpoint if request.src_endpt == SELF else request.src_endpt
    process = machine.table.lookup(endpoint)
    if process is None:
        return EINVAL
    segment = request.segment & SEGMENT_INDEX
    if grantee == SELF:
        grantee = caller.endpoint
    elif grantee in (NONE, ANY) or segment != MEM_GRANT or machine.table.lookup(grantee) is None:
        return EINVAL
    if request.segment & SEGMENT_TYPE != LOCAL_VM_SEG:
        return EINVAL
    place: Place | None = Place(process, request.src_addr)
    if segment == MEM_GRANT:
        granted = verify_grant(
            machine, process.endpoint, grantee, request.src_addr, request.nr_bytes, 0, 0
        )
        if isinstance(granted, int):
            return EFAULT
        place = machine.copier.place(granted.endpoint, granted.address)
    elif segment != VIR_ADDR:
        return EFAULT
    if place is None or place.process is None or not place.address:
        return EFAULT
    phys, size = contiguous(place.process, place.address, max(1, request.nr_bytes))
    # Differs: MINIX takes physical page 0 for a failure too, and panics.
    return phys if size and size >= request.nr_bytes else EFAULT


def contiguous(process: Process, address: int, length: int) -> tuple[int, int]:
    """The physical address of `address`, and how many of `length` bytes lie there in one piece.

    No bytes if nothing is mapped there.  A process without an address space uses physical ones.
    """
    space = process.space
    if space is None:
        return address, length
    first = space.lookup(address)
    if not first & PTE_PRESENT:
        return 0, 0
    phys = first & PTE_FRAME | address & PAGE_MASK
    size = PAGE_SIZE - (address & PAGE_MASK)
    while size < length:
        entry = space.lookup(address + size)
        if not entry & PTE_PRESENT or entry & PTE_FRAME != phys + size:
            break
        size += PAGE_SIZE
    return phys, min(size, length)


def do_vumap(machine: Machine, caller: Process, request: SysVumap) -> Message | int:
    """The physical ranges of a vector of buffers, the caller's own or granted to it."""
    if request.vcount <= 0 or request.pmax <= 0:
        return EINVAL
    access = (CPF_READ if request.access & VUA_READ else 0) | (
        CPF_WRITE if request.access & VUA_WRITE else 0
    )
    if not access or request.access & ~(VUA_READ | VUA_WRITE):
        return EINVAL
    count = min(request.vcount, MAPVEC_NR)
    vector = machine.copier.read(None, Place(caller, request.vaddr), count * _VIRTUAL.size)
    if isinstance(vector, int):
        return EFAULT
    ranges = _ranges(machine, caller, request, vector, access)
    if isinstance(ranges, int):
        return ranges
    data = b"".join(_PHYSICAL.pack(phys, size) for phys, size in ranges)
    code = machine.copier.write(caller, Place(caller, request.paddr), data)
    return code if code != OK else SysVumapReply(OK, len(ranges))


def _ranges(
    machine: Machine, caller: Process, request: SysVumap, vector: bytes, access: int
) -> list[tuple[int, int]] | int:
    most = min(request.pmax, MAPVEC_NR)
    ranges: list[tuple[int, int]] = []
    offset = request.offset
    for start, size in _VIRTUAL.iter_unpack(vector):
        if len(ranges) >= most:
            break
        if size <= offset:
            return EINVAL
        place = _buffer(machine, caller, request.endpt, start, size - offset, access, offset)
        if isinstance(place, int):
            return place
        code = _append_ranges(machine, caller, place, size - offset, access, ranges, most)
        if code != OK:
            return code
        offset = 0
    return ranges


def _buffer(
    machine: Machine,
    caller: Process,
    granter: int,
    start: int,
    size: int,
    access: int,
    offset: int,
) -> Place | int:
    if granter == SELF:
        return Place(caller, start + offset)
    granted = verify_grant(machine, granter, caller.endpoint, start, size, access, offset)
    if isinstance(granted, int):
        return granted
    place = machine.copier.place(granted.endpoint, granted.address)
    return EINVAL if place is None or place.process is None else place


def _append_ranges(
    machine: Machine,
    caller: Process,
    place: Place,
    size: int,
    access: int,
    ranges: list[tuple[int, int]],
    most: int,
) -> int:
    process, address = place.process, place.address
    assert process is not None, "a buffer is in somebody's memory"
    while size > 0 and len(ranges) < most:
        phys, chunk = contiguous(process, address, size)
        if not chunk:
            if access & CPF_READ:
                return EFAULT
            refusal = resumed_result(caller)
            return refusal or machine.copier.suspend(caller, process, address, size, write=True)
        ranges.append((phys, chunk))
        address += chunk
        size -= chunk
    return OK
