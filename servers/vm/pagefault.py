"""Page faults: a process touched memory that is not mapped, or not for writing.

The kernel tells VM, in the process's name, and keeps the process from running until VM has cleared
the fault.  A page of a file that is not in the page cache is fetched first; the fault is then
looked at anew.

Source: MINIX ``servers/vm/pagefaults.c`` handle_pagefault, pf_cont.
"""

from __future__ import annotations

import types
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from ipc.endpoint import SELF
from ipc.errors import OK
from ipc.flags import VMCTL_CLEAR_PAGEFAULT, VMCTL_CLEARMAPCACHE, VMVFSREQ_FDIO
from ipc.kernelcalls import SysKill, SysVmctl
from ipc.signals import SIGSEGV
from ipc.traps import KernelCall, yields_traps
from ipc.vm import VmPagefault
from kernel.panic import Panic
from servers.vm.memory import Memory
from servers.vm.outcome import BAD_ADDRESS, MAPPED, NeedsPage, Outcome
from servers.vm.region import WRITABLE

if TYPE_CHECKING:
    from ipc.message import Message
    from servers.vm.server import VmServer

WRITE_FAULT: Final = 2  # the bit of the processor's error code
# Never changed: all machines share it.
CLEAR_MAP_CACHE: Final = KernelCall(SysVmctl(SELF, VMCTL_CLEARMAPCACHE))


@yields_traps
@types.coroutine
def do_pagefault(vm: VmServer, source: int, message: VmPagefault) -> Generator[Any, Any, None]:
    """Provide the page that `source` touched, or have it killed."""
    memory = vm.memory
    address, write = message.addr, message.flags & WRITE_FAULT != 0
    process, may_ask = vm.caller, True
    while True:
        region = process.regions.at(address)
        if region is None or (write and not region.flags & WRITABLE):
            outcome: Outcome = BAD_ADDRESS
            break
        outcome = memory.map_page(region, (address - region.vaddr) >> 12, write, may_ask)
        if type(outcome) is not NeedsPage:
            if may_ask or "major-and-minor" in memory.quirks:
                process.minor_faults += 1
            break
        process.major_faults += 1
        yield from vm.ask_vfs(VMVFSREQ_FDIO, outcome.fd, source, outcome.offset, 4096)
        # Whether VFS has failed does not matter: then the page is not in the cache.
        if vm.alive.get(source) is not process:  # it has died
            return
        may_ask = False
    if outcome is MAPPED:
        if vm.outgoing:
            yield from vm.flush()
        yield CLEAR_MAP_CACHE
    else:
        yield from _kill(vm, source)
    reply: Message = yield vm.clearing.get(source) or vm.clearing_fault(source)
    if reply.type != OK:
        # The kernel knows already that the process is dead, PM has not told VM yet.
        _demand_alive(memory, source)


async def do_strange_fault(vm: VmServer, source: int, _message: Message) -> None:
    """Have a process killed that VM does not know; it waits for no answer."""
    await vm.kernel(SysKill(source, SIGSEGV))
    await vm.vmctl(source, VMCTL_CLEAR_PAGEFAULT)


async def _kill(vm: VmServer, endpoint: int) -> None:
    reply = await vm.kernel(SysKill(endpoint, SIGSEGV))
    if reply.type != OK:
        _demand_alive(vm.memory, endpoint)


def _demand_alive(memory: Memory, endpoint: int) -> None:
    if "exit-vm-dead-pf" in memory.quirks:
        raise Panic(f"the kernel does not know {endpoint} any more", quirk="exit-vm-dead-pf")
