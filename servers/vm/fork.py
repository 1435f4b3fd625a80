"""A process has forked.  Source: MINIX ``servers/vm/fork.c``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.endpoint import NONE
from ipc.errors import EINVAL, OK
from ipc.flags import PFF_VMINHIBIT
from ipc.kernelcalls import SysFork, SysForkReply
from ipc.message import MESSAGE_SIZE
from ipc.vm import VmFork, VmForkReply
from kernel.panic import Panic
from servers.lib.loop import Refused
from servers.vm.exit import clear_process, free_process
from servers.vm.forking import copy_all
from servers.vm.handle_memory import handle_memory_once
from servers.vm.memory import Memory
from servers.vm.process import INUSE, VmProcess
from servers.vm.regiontree import RegionTree

if TYPE_CHECKING:
    from servers.vm.server import VmServer


async def do_fork(vm: VmServer, source: int, message: VmFork) -> VmForkReply:
    """Make a child of a process in a slot, which shares its memory copy-on-write.

    EINVAL if there is no such process or slot, ENOMEM if the memory cannot be shared.
    """
    memory = vm.memory
    parent = memory.process(message.endpoint)
    if parent is None or not 0 <= message.slotno < memory.config.slots:
        raise Refused(EINVAL)
    child = memory.slot(message.slotno)
    if child.flags & INUSE and "fork-busy-slot" not in memory.quirks:
        raise Refused(EINVAL)
    _inherit(memory, child, parent)
    vm.acls.fork(child)
    if not len(parent.regions) and "fork-empty" in memory.quirks:
        raise Panic("a process without regions forks", quirk="fork-empty")
    result = copy_all(memory, child, parent)
    if result != OK:
        clear_process(vm, child)
        raise Refused(result)
    child.flags &= INUSE
    address = await _tell_kernel(vm, child, parent)
    for process in (child, parent):
        done = handle_memory_once(memory, process, address, MESSAGE_SIZE, write=True)
        if done != OK and "fork-enomem" in memory.quirks:
            raise Panic(f"no memory for the message of a forked process ({done})", "fork-enomem")
    return VmForkReply(child_endpoint=child.endpoint)


def _inherit(memory: Memory, child: VmProcess, parent: VmProcess) -> None:
    """Make `child` like its parent, but without memory of its own yet."""
    child.flags = parent.flags
    child.region_top = parent.region_top
    child.acl = parent.acl
    child.reset_usage()
    if "fork-total-doubled" in memory.quirks:
        child.total, child.total_max = parent.total, parent.total_max
        child.minor_faults, child.major_faults = parent.minor_faults, parent.major_faults
    child.regions = RegionTree()
    memory.alive.pop(child.endpoint, None)  # there is one with the quirk fork-busy-slot
    child.endpoint = NONE
    child.space = memory.mmu.new()


async def _tell_kernel(vm: VmServer, child: VmProcess, parent: VmProcess) -> int:
    """Have the kernel make the child; where the answer to it will be in its memory."""
    reply = await vm.kernel(SysFork(parent.endpoint, child.slot, PFF_VMINHIBIT))
    result = reply.type
    address = 0
    if result == OK:
        assert isinstance(reply, SysForkReply), "the kernel names the child"
        vm.memory.enter(child, reply.endpt)
        address = reply.msgaddr
        result = vm.memory.mmu.bind(child.endpoint, child.space)
    if result != OK:
        if "fork-busy-slot" in vm.memory.quirks:
            raise Panic(f"the kernel refuses to fork ({result})", quirk="fork-busy-slot")
        free_process(vm.memory, child)
        clear_process(vm, child)
        raise Refused(result)
    return address
