"""What RS asks: call masks, and live updates of services.

Source: MINIX ``servers/vm/rs.c``; ``utility.c`` swap_proc_slot, map_proc_dyn_data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ipc.endpoint import VM
from ipc.errors import EINVAL, ENOMEM, ENOSYS, EPERM, OK
from ipc.flags import (
    VM_RS_MEM_GET_PREALLOC_MAP,
    VM_RS_MEM_HEAP_PREALLOC,
    VM_RS_MEM_MAKE_VM,
    VM_RS_MEM_MAP_PREALLOC,
    VM_RS_MEM_PIN,
)
from ipc.kernelcalls import SysUpdate
from ipc.message import Message, Reply
from ipc.vm import VmRsMemctl, VmRsMemctlReply, VmRsPrepare, VmRsSetPriv, VmRsUpdate
from kernel.panic import Panic
from servers.lib.loop import Refused
from servers.lib.memory import copy_in
from servers.vm.config import MMAP_BASE
from servers.vm.forking import copy_regions, write_page_tables
from servers.vm.mapping import extend, map_region, populate, round_up
from servers.vm.memory import Memory
from servers.vm.memtypes import ANON, SHARED_MEMORY
from servers.vm.process import VM_INSTANCE, WORD, VmProcess
from servers.vm.region import ANON as ANON_FLAG
from servers.vm.region import PREALLOC_MAP, UNINITIALIZED, WRITABLE, Region

if TYPE_CHECKING:
    from servers.vm.server import VmServer

SF_VM_ROLLBACK: Final = 0x80
SF_VM_NOMMAP: Final = 0x100
SYS_UPD_ROLLBACK: Final = 1
CALL_MASK_SIZE: Final = 8
MAX_INSTANCES: Final = 2

# Where VM itself would have its preallocated memory.
_OWN_MMAP_BASE: Final = 0x4804_8000
_OWN_MMAP_TOP: Final = _OWN_MMAP_BASE + (100 << 20)


async def do_rs_set_priv(vm: VmServer, source: int, message: VmRsSetPriv) -> Reply:
    """Give a process a call mask, which is in RS's memory, or the users' (no address)."""
    process = vm.memory.process(message.nr)
    if process is None:
        raise Refused(EINVAL)
    mask = None
    if message.buf:
        await vm.flush()
        data = await copy_in(source, message.buf, CALL_MASK_SIZE)
        if isinstance(data, int):
            raise Refused(data)
        mask = int.from_bytes(data, "little")
    elif message.sys:
        raise Refused(EINVAL)
    vm.acls.set(process, mask, bool(message.sys))
    return Reply()


async def do_rs_prepare(vm: VmServer, source: int, message: VmRsPrepare) -> Reply:
    """Make the new version of a service ready to take over from the old one.

    EINVAL if either has no heap, ENOMEM if there is not enough memory.
    """
    memory = vm.memory
    old, new = _both(memory, message)
    await pin(vm, old)
    old_heap, new_heap = old.regions.below(MMAP_BASE), new.regions.below(MMAP_BASE)
    if old_heap is None or new_heap is None:
        if "rs-prepare-assert" in memory.quirks:
            raise Panic("a service without a heap", quirk="rs-prepare-assert")
        raise Refused(EINVAL)
    if old_heap.end > new_heap.end:
        extend(memory, new, old_heap.end)
    await pin(vm, new)
    result = OK if message.flags & SF_VM_NOMMAP else share_mappings(memory, old, new)
    return Reply(result)


async def do_rs_update(vm: VmServer, source: int, message: VmRsUpdate) -> Reply | None:
    """Exchange the memory of the two versions of a service.

    ENOMEM if the new version could not be given copies of what the old one has mapped: they are
    exchanged all the same.
    """
    memory = vm.memory
    src, dst = _both(memory, message)
    if not message.flags & (SF_VM_ROLLBACK | SF_VM_NOMMAP) and _preallocated(dst) is not None:
        raise Refused(ENOSYS)
    shares = dst.endpoint != VM and not message.flags & (SF_VM_ROLLBACK | SF_VM_NOMMAP)
    empty = shares and not (len(src.regions) and len(dst.regions))
    if empty and "rs-update-empty" not in memory.quirks:
        raise Refused(EINVAL)
    rollback = SYS_UPD_ROLLBACK if message.flags & SF_VM_ROLLBACK else 0
    reply = await vm.kernel(SysUpdate(message.src, message.dst, rollback))
    if reply.type != OK:
        raise Refused(reply.type)
    _swap(src, dst)
    if "update-loses-sharers" not in memory.quirks:
        _follow(memory, src.endpoint, dst.endpoint)
    result = OK
    if empty:
        raise Panic("a service without memory is updated", quirk="rs-update-empty")
    if shares:
        result = share_mappings(memory, dst, src)
    memory.mmu.bind(src.endpoint, src.space)
    memory.mmu.bind(dst.endpoint, dst.space)
    # A caller that was updated itself has the other's endpoint now.
    dest = {message.src: message.dst, message.dst: message.src}.get(source, source)
    if source != VM:
        await vm.reply(dest, Reply(result))
    return None


def _both(memory: Memory, message: VmRsPrepare | VmRsUpdate) -> tuple[VmProcess, VmProcess]:
    src, dst = memory.process(message.src), memory.process(message.dst)
    if src is None or dst is None:
        raise Refused(EINVAL)
    return src, dst


def _swap(one: VmProcess, other: VmProcess) -> None:
    """Exchange all of two processes but their slots and endpoints.  MINIX: swap_proc_slot."""
    for name in (
        "flags", "space", "regions", "region_top", "acl",
        "total", "total_max", "minor_faults", "major_faults",
    ):  # fmt: skip
        mine, others = getattr(one, name), getattr(other, name)
        setattr(one, name, others)
        setattr(other, name, mine)
    for process in (one, other):
        for region in process.regions:
            region.owner = process


def _follow(memory: Memory, one: int, other: int) -> None:
    """Let shared regions find their sources, which two processes have exchanged."""
    exchanged = {one: other, other: one}
    for process in memory.processes.values():
        for region in process.regions:
            if region.kind is SHARED_MEMORY and region.param is not None:
                endpoint = exchanged.get(region.param.endpoint, region.param.endpoint)
                region.param = attrs.evolve(region.param, endpoint=endpoint)


def share_mappings(memory: Memory, source: VmProcess, dest: VmProcess) -> int:
    """Give `dest` copies of what `source` has mapped, unless it has them already.

    MINIX: map_proc_dyn_data.
    """
    config = memory.config
    result = _share_range(memory, source, dest, MMAP_BASE, config.user_end)
    if result == OK and config.user_stack < config.user_end:
        result = _share_range(memory, source, dest, config.user_stack, config.user_end)
    return result


def _share_range(memory: Memory, source: VmProcess, dest: VmProcess, start: int, end: int) -> int:
    """The regions between `start` and `end`.  MINIX: transfer_mmap_regions."""
    first = source.regions.ceiling(start)
    if first is None or first.vaddr >= end or dest.regions.exact(first.vaddr) is not None:
        return OK
    wanted = [region for region in source.regions if first.vaddr <= region.vaddr < end]
    if "update-overlap" not in memory.quirks:
        wanted = [region for region in wanted if _is_free(dest, region)]
    result = copy_regions(memory, dest, wanted)
    if result == OK:
        write_page_tables(memory, source)
        write_page_tables(memory, dest)
    return result


def _is_free(process: VmProcess, region: Region) -> bool:
    """Whether `process` has nothing where `region` is."""
    below = process.regions.below(region.end)
    return below is None or below.end <= region.vaddr


async def pin(vm: VmServer, process: VmProcess) -> None:
    """Put memory behind every page of `process`.  MINIX: map_pin_memory."""
    memory = vm.memory
    await vm.flush_tlb()
    for region in list(process.regions):
        write = bool(region.flags & WRITABLE) or "pin-readonly" in memory.quirks
        result = populate(memory, region, write)
        if result != OK:
            if "pin-enomem" in memory.quirks:
                raise Panic(f"memory could not be pinned ({result})", quirk="pin-enomem")
            raise Refused(result)
    await vm.flush_tlb()


async def do_rs_memctl(vm: VmServer, source: int, message: VmRsMemctl) -> Message:
    """Pin a service's memory, make it a new VM, or preallocate its heap or a mapping."""
    memory = vm.memory
    process = memory.process(message.endpt)
    if process is None:
        raise Refused(EINVAL)
    if message.req == VM_RS_MEM_PIN:
        if memory.vm_instances > 1:
            await pin(vm, process)
        return Reply()
    if message.req == VM_RS_MEM_MAKE_VM:
        return await _make_instance(vm, process)
    if message.req == VM_RS_MEM_HEAP_PREALLOC:
        return _heap_prealloc(memory, process, message.len)
    if message.req == VM_RS_MEM_MAP_PREALLOC:
        return _map_prealloc(memory, process, message.len)
    if message.req == VM_RS_MEM_GET_PREALLOC_MAP:
        region = _preallocated(process)
        if region is None:
            return VmRsMemctlReply()
        return VmRsMemctlReply(addr=region.vaddr, len=region.length)
    raise Refused(EINVAL)


async def _make_instance(vm: VmServer, process: VmProcess) -> Reply:
    """`process` is to become the new VM; there cannot be three."""
    memory = vm.memory
    await vm.flush_tlb()
    if not 1 <= memory.vm_instances <= MAX_INSTANCES:
        raise Panic(f"there are {memory.vm_instances} VMs", quirk="vm-exits")
    if memory.vm_instances == MAX_INSTANCES:
        raise Refused(EPERM)
    process.flags |= VM_INSTANCE
    memory.vm_instances += 1
    try:
        await pin(vm, process)
    except Refused:
        process.flags &= ~VM_INSTANCE
        memory.vm_instances -= 1
        raise
    await vm.flush_tlb()
    await vm.flush_tlb()
    return Reply()


def _heap_prealloc(memory: Memory, process: VmProcess, length: int) -> VmRsMemctlReply:
    """Let the heap grow by `length` bytes."""
    if not length:
        raise Refused(EINVAL)
    heap = process.regions.below(MMAP_BASE)
    if heap is None:
        if "heap-prealloc-null" in memory.quirks:
            raise Panic("a service without a heap", quirk="heap-prealloc-null")
        raise Refused(EINVAL)
    address = heap.end
    if address + length > WORD and "heap-prealloc-wrap" not in memory.quirks:
        raise Refused(ENOMEM)
    if extend(memory, process, (address + length) & WORD) != OK:
        raise Refused(ENOMEM)
    return VmRsMemctlReply(addr=address, len=length)


def _map_prealloc(memory: Memory, process: VmProcess, length: int) -> VmRsMemctlReply:
    """Map `length` bytes with memory behind them."""
    if not length:
        raise Refused(EINVAL)
    length = round_up(length)
    base, top = MMAP_BASE, memory.config.user_end
    if process.endpoint == VM:
        base, top = _OWN_MMAP_BASE, _OWN_MMAP_TOP
    flags = ANON_FLAG | WRITABLE | UNINITIALIZED
    region = map_region(memory, process, base, top, length, flags, ANON, preallocate=True)
    if region is None:
        raise Refused(ENOMEM)
    region.flags |= PREALLOC_MAP
    return VmRsMemctlReply(addr=region.vaddr, len=length)


def _preallocated(process: VmProcess) -> Region | None:
    """The preallocated mapping of `process`.  MINIX: map_region_lookup_type."""
    return next((each for each in process.regions if each.flags & PREALLOC_MAP), None)
