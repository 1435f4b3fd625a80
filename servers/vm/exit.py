"""The end of a process, or of its memory.  Source: MINIX ``servers/vm/exit.c``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.endpoint import RS, VFS, VM
from ipc.errors import EINVAL, ENOSYS, EPERM, OK
from ipc.flags import VMPPARAM_CLEAR, VMPPARAM_HANDLEMEM
from ipc.message import Message, Reply
from ipc.vm import VmExit, VmProcctl, VmWillexit
from ipc.wire import wire_number
from kernel.panic import Panic
from servers.lib.loop import Refused
from servers.vm.handle_memory import answer_later, handle_memory, memory_request
from servers.vm.mapping import free_regions
from servers.vm.memory import Memory
from servers.vm.process import EXITING, VM_INSTANCE, VmProcess
from servers.vm.regiontree import RegionTree

if TYPE_CHECKING:
    from servers.vm.server import VmServer


def do_willexit(vm: VmServer, source: int, message: VmWillexit) -> Reply:
    """PM is about to end a process."""
    _mortal(vm.memory, message.endpoint).flags |= EXITING
    return Reply()


def do_exit(vm: VmServer, source: int, message: VmExit) -> Reply:
    """A process is gone; free what it had.  EINVAL if its end was not announced."""
    process = _mortal(vm.memory, message.endpoint)
    if not process.is_exiting():
        raise Refused(EINVAL)
    if process.flags & VM_INSTANCE:
        process.flags &= ~VM_INSTANCE
        vm.memory.vm_instances -= 1
    free_process(vm.memory, process)
    clear_process(vm, process)
    return Reply()


def _mortal(memory: Memory, endpoint: int) -> VmProcess:
    """The process with that endpoint, unless it is VM, which cannot free its own memory."""
    process = memory.process(endpoint)
    if process is None:
        raise Refused(EINVAL)
    if endpoint == VM and "vm-exits" not in memory.quirks:
        raise Refused(EPERM)
    return process


def free_process(memory: Memory, process: VmProcess) -> None:
    """Free all memory of `process`.  MINIX: free_proc."""
    free_regions(memory, process)
    memory.mmu.free(process.space)
    process.region_top = 0
    process.reset_usage()


def clear_process(vm: VmServer, process: VmProcess) -> None:
    """Free the slot of `process`, which has no memory any more.  MINIX: clear_proc."""
    process.regions = RegionTree()
    vm.acls.clear(process)
    vm.memory.alive.pop(process.endpoint, None)
    process.flags = 0
    process.region_top = 0
    process.reset_usage()


async def do_procctl(vm: VmServer, source: int, message: VmProcctl) -> Message | None:
    """Empty a process's memory for a new program, or make a range of it accessible.

    A request that belongs to a transaction is answered asynchronously.  Only VFS has transactions:
    from others it is no call that VM knows.
    """
    if not message.transid:
        return await _procctl(vm, source, message, 0)
    if source != VFS:
        if "type-0xbXX" in vm.memory.quirks:
            raise stray_transaction(message)
        raise Refused(ENOSYS)
    try:
        reply = await _procctl(vm, source, message, message.transid)
    except Refused as refusal:
        reply = Reply(refusal.errno)
    if reply is not None:
        if "transid-not-suspend" in vm.memory.quirks:
            raise Panic("a transaction is answered at once", quirk="transid-not-suspend")
        await answer_later(vm, source, reply.type, message.transid)
    return None


def stray_transaction(message: Message) -> Panic:
    """The end of VM by a message with the number of a transaction, which is not VFS's."""
    return Panic(f"message number {wire_number(message):#x}", quirk="type-0xbXX")


async def _procctl(
    vm: VmServer, source: int, message: VmProcctl, transaction: int
) -> Message | None:
    process = _mortal(vm.memory, message.who)
    if message.param == VMPPARAM_CLEAR:
        if source not in (RS, VFS):
            raise Refused(EPERM)
        free_process(vm.memory, process)
        await vm.flush()
        process.space = vm.memory.mmu.new()
        vm.memory.mmu.bind(process.endpoint, process.space)
        return Reply(OK)
    if message.param != VMPPARAM_HANDLEMEM:
        raise Refused(EINVAL)
    if source != VFS:
        raise Refused(EPERM)
    request = memory_request(
        vm.memory, process, message.m1, message.len, bool(message.flags),
        VFS, VFS, transaction, vfs_free=True,
    )  # fmt: skip
    await handle_memory(vm, request)
    return None
