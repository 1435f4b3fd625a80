"""Taking mappings away.  Source: MINIX ``servers/vm/mmap.c`` do_munmap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import MEM, RS, SELF, TTY, VM
from ipc.errors import EFAULT, EINVAL, EPERM, OK
from ipc.message import Message, Reply
from ipc.vm import VmMunmap, VmShmUnmap, VmUnmapPhys
from kernel.panic import Panic
from servers.lib.loop import Refused
from servers.vm.mapping import round_up, unmap_range
from servers.vm.memory import Memory
from servers.vm.memtypes import DIRECT, SHARED_MEMORY
from servers.vm.process import PAGE, VmProcess

if TYPE_CHECKING:
    from servers.vm.server import VmServer


def do_munmap(vm: VmServer, source: int, message: VmMunmap) -> Message | None:
    """Unmap a range of the caller's memory; where nothing is mapped nothing happens."""
    if source == VM:
        return None
    if message.addr % PAGE:
        raise Refused(EFAULT)
    return _unmap(vm.memory, vm.caller, message.addr, round_up(message.len))


def do_unmap_phys(vm: VmServer, source: int, message: VmUnmapPhys) -> Message | None:
    """Unmap the physical memory that is mapped at an address."""
    memory = vm.memory
    if source == VM:
        return None
    process = _target(memory, source, message.ep)
    if "unmap-phys-any-proc" not in memory.quirks:
        if process.endpoint != source and source not in (TTY, MEM, RS):
            raise Refused(EPERM)
        region = process.regions.at(message.vaddr)
        if region is not None and region.kind is not DIRECT:
            raise Refused(EINVAL)
    return _unmap_region(memory, process, message.vaddr)


def do_shm_unmap(vm: VmServer, source: int, message: VmShmUnmap) -> Message | None:
    """Unmap the shared memory that is mapped at an address of a process."""
    if source == VM:
        return None
    process = _target(vm.memory, source, message.forwhom)
    if process.endpoint != source and "unmap-phys-any-proc" not in vm.memory.quirks:
        region = process.regions.at(message.addr)
        if region is not None and region.kind is not SHARED_MEMORY:
            raise Refused(EINVAL)
    return _unmap_region(vm.memory, process, message.addr)


def _target(memory: Memory, source: int, endpoint: int) -> VmProcess:
    """The process `endpoint`, which may be SELF."""
    process = memory.process(source if endpoint == SELF else endpoint)
    if process is None:
        if "unmap-phys-bad-ep" in memory.quirks:
            raise Panic(f"{source} unmaps for {endpoint}, who is dead", quirk="unmap-phys-bad-ep")
        raise Refused(EINVAL)
    return process


def _unmap_region(memory: Memory, process: VmProcess, address: int) -> Reply:
    """Unmap as much from `address` on as the region there is long."""
    if address % PAGE:
        raise Refused(EFAULT)
    region = process.regions.at(address)
    if region is None:
        raise Refused(EFAULT)
    if region.vaddr != address and "unmap-overrun" not in memory.quirks:
        raise Refused(EINVAL)
    return _unmap(memory, process, address, region.length)


_DONE: Final = Reply()


def _unmap(memory: Memory, process: VmProcess, address: int, length: int) -> Reply:
    result = unmap_range(memory, process, address, length)
    if result != OK:
        raise Refused(result)
    return _DONE
