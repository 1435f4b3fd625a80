"""Making mappings: of anonymous memory, of files, of physical memory.

Source: MINIX ``servers/vm/mmap.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import MEM, RS, SELF, TTY, VFS
from ipc.errors import EINVAL, ENOMEM, ENXIO, EPERM, ESRCH, OK
from ipc.flags import (
    MAP_ANON,
    MAP_CONTIG,
    MAP_FIXED,
    MAP_LOWER1M,
    MAP_LOWER16M,
    MAP_PREALLOC,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_THIRDPARTY,
    MAP_UNINITIALIZED,
    PROT_WRITE,
    SYS_PRIV_QUERY_MEM,
    VMVFSREQ_FDCLOSE,
    VMVFSREQ_FDLOOKUP,
)
from ipc.kernelcalls import SysPrivctl
from ipc.message import Message, Reply
from ipc.messageclass import maker
from ipc.vm import VmMapPhys, VmMapPhysReply, VmMmap, VmMmapReply, VmVfsMmap, VmVfsReply
from kernel.panic import Panic
from servers.lib.loop import Answering, Refused
from servers.vm.config import MMAP_BASE
from servers.vm.mapping import (
    build_region,
    link_region,
    map_region,
    may_unmap,
    round_up,
    unmap_range,
)
from servers.vm.memory import Memory
from servers.vm.memtypes import ANON, CONTIG, DIRECT, FILE, MemoryType
from servers.vm.process import PAGE, WORD, VmProcess
from servers.vm.region import ANON as ANON_FLAG
from servers.vm.region import DIRECT as DIRECT_FLAG
from servers.vm.region import LOWER1MB, LOWER16MB, PHYS64K, UNINITIALIZED, WRITABLE, Region

if TYPE_CHECKING:
    from servers.vm.server import VmServer

_vm_mmap_reply: Final = maker(VmMmapReply)

MAP_ALIGNMENT_64KB: Final = 0x10000000
MAP_FAILED: Final = WORD
_LONG: Final = 0xFFFFFFFFFFFFFFFF
_LONGEST: Final = 0xFFFFF000  # what more than that is rounded up to has more than 32 bits
_PRIVILEGED: Final = (VFS, RS)  # who may map for others, and memory that is not cleared

# What a flag of the call means for the region.
_REGION_FLAGS: Final = (
    (MAP_LOWER16M, LOWER16MB),
    (MAP_LOWER1M, LOWER1MB),
    (MAP_ALIGNMENT_64KB, PHYS64K),
    (MAP_UNINITIALIZED, UNINITIALIZED),
)
_SPECIAL: Final = MAP_LOWER16M | MAP_LOWER1M | MAP_ALIGNMENT_64KB | MAP_UNINITIALIZED


def do_mmap(vm: VmServer, source: int, message: VmMmap) -> Answering | Message:
    """Map memory, or a file, into the caller or (RS and VFS may) into another process."""
    memory = vm.memory
    flags = message.flags
    process: VmProcess | None = vm.caller
    if flags & MAP_THIRDPARTY:
        if source not in _PRIVILEGED:
            raise Refused(EPERM)
        process = memory.process(message.forwhom)
    if process is None:
        raise Refused(ESRCH)
    if not message.len:
        raise Refused(EINVAL)
    if message.addr % PAGE and "unaligned-mmap" not in memory.quirks:
        raise Refused(EINVAL)
    if message.fd != -1:
        if flags & MAP_ANON:
            raise Refused(EINVAL)
        return _map_file(vm, source, process, message)
    kind: MemoryType = ANON
    if flags & MAP_CONTIG:
        if not flags & MAP_PREALLOC:
            raise Refused(EINVAL)
        kind = CONTIG
    if flags & MAP_UNINITIALIZED and source not in _PRIVILEGED:
        raise Refused(ENOMEM)
    if flags & MAP_FIXED:
        return _map_fixed(vm, process, message, kind)
    region = place(memory, process, message.addr, message.len, flags, WRITABLE | ANON_FLAG, kind)
    if region is None:
        raise Refused(ENOMEM)
    return _vm_mmap_reply(OK, region.vaddr)


async def _map_fixed(
    vm: VmServer, process: VmProcess, message: VmMmap, kind: MemoryType
) -> VmMmapReply:
    """Map memory at an address, whatever is there."""
    region = await place_fixed(
        vm, process, message.addr, message.len, message.flags, WRITABLE | ANON_FLAG, kind
    )
    if region is None:
        raise Refused(ENOMEM)
    return _vm_mmap_reply(OK, region.vaddr)


def place(
    memory: Memory,
    process: VmProcess,
    address: int,
    length: int,
    map_flags: int,
    flags: int,
    kind: MemoryType,
) -> Region | None:
    """A new region where the caller of mmap wants it, or (without MAP_FIXED) elsewhere.

    None if there is no room or no memory.  MINIX: mmap_region.
    """
    if not length:
        return None
    if map_flags & _SPECIAL:
        flags |= _region_flags(map_flags)
    length = round_up(length)
    preallocate = map_flags & MAP_PREALLOC != 0
    if address or map_flags & MAP_FIXED:
        region = map_region(memory, process, address, 0, length, flags, kind, preallocate)
        if region is not None or map_flags & MAP_FIXED:
            return region
    top = memory.config.user_end
    return map_region(memory, process, MMAP_BASE, top, length, flags, kind, preallocate)


def _region_flags(map_flags: int) -> int:
    """What flags of the call mean for the region."""
    return sum(flag for map_flag, flag in _REGION_FLAGS if map_flags & map_flag)


async def place_fixed(
    vm: VmServer,
    process: VmProcess,
    address: int,
    length: int,
    map_flags: int,
    flags: int,
    kind: MemoryType,
) -> Region | None:
    """As `place`, with MAP_FIXED: what is at the address goes first, unless it cannot."""
    memory = vm.memory
    if address and length:
        size = round_up(length)
        if "fixed-unmaps-first" not in memory.quirks:
            if not _may_replace(memory, process, address, size):
                return None
            if map_flags & MAP_PREALLOC:
                flags |= _region_flags(map_flags)
                return _replace(memory, process, address, size, flags, kind)
        if unmap_range(memory, process, address, size) != OK:
            return None
        await vm.flush()
    return place(memory, process, address, length, map_flags, flags, kind)


def _may_replace(memory: Memory, process: VmProcess, address: int, length: int) -> bool:
    """Whether a region can be made at `address` once what is there is gone, and that can go."""
    end = address + length
    return (
        bool(length) and end <= memory.config.user_end and may_unmap(memory, process, address, end)
    )


def _replace(
    memory: Memory, process: VmProcess, address: int, length: int, flags: int, kind: MemoryType
) -> Region | None:
    """A preallocated region instead of what is at `address`, which stays if there is no memory."""
    region = build_region(memory, process, address, length, flags, kind, preallocate=True)
    if region is None:
        return None
    result = unmap_range(memory, process, address, length)
    assert result == OK, "it was asked before whether that range may be unmapped"
    process.region_top = address + length
    link_region(memory, region)
    return region


async def _map_file(
    vm: VmServer, source: int, process: VmProcess, message: VmMmap
) -> Message | None:
    """Map a file: VFS is asked which it is and gives VM a descriptor of its own for it."""
    memory = vm.memory
    quirks = memory.quirks
    if not memory.config.file_maps:
        raise Refused(ENXIO)
    if message.flags & MAP_SHARED and message.prot & PROT_WRITE:
        raise Refused(ENXIO)
    target = process.endpoint
    answer = await vm.ask_vfs(VMVFSREQ_FDLOOKUP, message.fd, target)
    owner = memory.process(answer.endpoint)
    if owner is None or (owner is not process and "file-mmap-killed" not in quirks):
        _map_for_dead(memory, answer)
        if "file-mmap-third-party" not in quirks:
            if memory.process(target) is process:  # VFS has named another
                raise Refused(EINVAL)
            if source != target:
                raise Refused(ESRCH)
        return None
    result, vaddr = answer.result, MAP_FAILED
    if result == OK:
        result, vaddr = await _finish_file(vm, owner, message, answer)
    reply = VmMmapReply(result, retaddr=vaddr)
    if "file-mmap-third-party" in quirks:
        await vm.reply(owner.endpoint, reply)
        return None
    return reply


def _map_for_dead(memory: Memory, answer: VmVfsReply) -> None:
    """VFS has found the file, but the process that wanted it is gone."""
    name = "file-mmap-killed" if answer.result != OK else "file-mmap-killed-ok"
    if name in memory.quirks:
        raise Panic("a file is to be mapped into a process that is dead", quirk=name)
    if answer.result == OK:
        memory.vfs.ask(VMVFSREQ_FDCLOSE, answer.fd, answer.endpoint)


async def _finish_file(
    vm: VmServer, process: VmProcess, message: VmMmap, answer: VmVfsReply
) -> tuple[int, int]:
    """Map the file that VFS has found: OK or why not, and the address."""
    if not answer.dev and "vfs-mmap-nodev" not in vm.memory.quirks:
        vm.memory.vfs.ask(VMVFSREQ_FDCLOSE, answer.fd, answer.endpoint)
        return EINVAL, MAP_FAILED
    flags = message.flags
    if "file-prealloc" not in vm.memory.quirks:
        flags &= ~MAP_PREALLOC
    return await map_file(
        vm, process, fd=answer.fd, device=answer.dev, inode=answer.ino, offset=message.offset,
        flags=flags, address=message.addr, length=message.len, clearend=0,
        writable=bool(message.prot & PROT_WRITE), may_close=True,
    )  # fmt: skip


async def map_file(
    vm: VmServer,
    process: VmProcess,
    *,
    fd: int,
    device: int,
    inode: int,
    offset: int,
    flags: int,
    address: int,
    length: int,
    clearend: int,
    writable: bool,
    may_close: bool,
) -> tuple[int, int]:
    """Map part of a file, and what of it is cached: OK or ENOMEM, and the address.

    `fd` is VM's own descriptor; `may_close`: whether it is to be closed if VM has another one for
    that file.  MINIX: mmap_file.
    """
    memory = vm.memory
    # As in C, what is left of a negative number is negative.
    inside = offset % PAGE if offset >= 0 else -(-offset % PAGE)
    too_long = length + inside > _LONGEST and "mmap-len-wrap" not in memory.quirks
    length = round_up((length + inside) & WORD)
    vr_flags = WRITABLE if writable else 0
    region = None
    if not (flags & MAP_UNINITIALIZED or too_long):
        if flags & MAP_FIXED:
            region = await place_fixed(vm, process, address, length, flags, vr_flags, FILE)
        else:
            region = place(memory, process, address, length, flags, vr_flags, FILE)
    if region is None:
        if "failed-mmap-keeps-fd" not in memory.quirks and may_close:
            memory.vfs.ask(VMVFSREQ_FDCLOSE, fd, process.endpoint)
        return ENOMEM, MAP_FAILED
    ref = memory.files.find(process, inode & _LONG, device & _LONG, fd, may_close)
    FILE.set_file(memory, region, ref, (offset - inside) & _LONG, clearend)
    FILE.prefill(memory, region)
    return OK, (region.vaddr + inside) & WORD


async def do_vfs_mmap(vm: VmServer, source: int, message: VmVfsMmap) -> Reply:
    """Map part of an executable into a process, for exec; `flags` not 0: writable."""
    memory = vm.memory
    quirks = memory.quirks
    if not memory.config.file_maps:
        raise Refused(ENXIO)
    process = memory.process(message.who)
    if process is None:
        if "vfs-mmap-bad-ep" in quirks:
            raise Panic(f"VFS maps a file for {message.who}, who is dead", quirk="vfs-mmap-bad-ep")
        raise Refused(EINVAL)
    if not message.dev and "vfs-mmap-nodev" not in quirks:
        raise Refused(EINVAL)
    if message.clearend >= PAGE and "clearend-too-big" not in quirks:
        raise Refused(EINVAL)
    if message.vaddr % PAGE and "unaligned-mmap" not in quirks:
        raise Refused(EINVAL)
    result, _ = await map_file(
        vm, process, fd=message.fd, device=message.dev, inode=message.ino, offset=message.offset,
        flags=MAP_PRIVATE | MAP_FIXED, address=message.vaddr, length=message.len,
        clearend=message.clearend, writable=bool(message.flags & 0xFFFF), may_close=False,
    )  # fmt: skip
    return Reply(result)


async def do_map_phys(vm: VmServer, source: int, message: VmMapPhys) -> VmMapPhysReply:
    """Map physical memory, such as a device's, for those whom the kernel permits it."""
    memory = vm.memory
    if not message.len:
        raise Refused(EINVAL)
    target = source if message.ep == SELF else message.ep
    process = memory.process(target)
    if process is None:
        raise Refused(EINVAL)
    start, length = message.phaddr, message.len
    if source not in (TTY, MEM) and await _query(vm, target, start, length) != OK:
        raise Refused(EPERM)
    offset = start % PAGE
    too_long = start + length > 1 << 32 or offset + length > _LONGEST
    if too_long and "map-phys-len-wrap" not in memory.quirks:
        raise Refused(EINVAL)
    length = round_up((length + offset) & WORD)
    if not length:
        raise Panic("a region needs a length", quirk="map-phys-len-wrap")
    top = memory.config.user_end
    flags = DIRECT_FLAG | WRITABLE
    region = map_region(memory, process, MMAP_BASE, top, length, flags, DIRECT)
    if region is None:
        raise Refused(ENOMEM)
    region.param = start - offset
    return VmMapPhysReply(reply=(region.vaddr + offset) & WORD)


async def _query(vm: VmServer, endpoint: int, start: int, length: int) -> int:
    """Whether the kernel permits `endpoint` to map that memory.  MINIX: sys_privquery_mem."""
    request = SysPrivctl(
        request=SYS_PRIV_QUERY_MEM, endpt=endpoint, phys_start=start, phys_len=length
    )
    return (await vm.kernel(request)).type
