"""Loads and stores, and the page faults that they meet.

An access goes page by page.  At the first page that is not mapped, or is not for writing, the
process is blocked with PAGEFAULT and the kernel sends VM a VM_PAGEFAULT in its name.  When VM has
cleared the fault the whole access is done again; what a store has already stored stays.

Source: MINIX ``kernel/arch/i386/exception.c`` pagefault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ipc.endpoint import VM
from ipc.signals import SIGSEGV
from ipc.vm import VmPagefault
from kernel.copying import ADDRESS_MASK, private_memory
from kernel.flags import MF_ACCESS_AGAIN, RTS_PAGEFAULT
from kernel.memory.frames import PAGE_MASK, PAGE_SIZE
from kernel.panic import Panic
from kernel.privilege import SYS_PROC

if TYPE_CHECKING:
    from ipc.traps import Load, Store
    from kernel.machine import Machine
    from kernel.process import Process

# The processor's error code: the page was there; the access was a write; it came from a user.
FAULT_PROTECTION: Final = 1
FAULT_WRITE: Final = 2
FAULT_USER: Final = 4


def loading(machine: Machine) -> Callable[[Process, Load], None]:
    """Read memory."""
    read = machine.frames.read

    def enter(process: Process, trap: Load) -> None:
        address, length = trap.address & ADDRESS_MASK, trap.length
        space = process.space
        if space is None:
            _load_private(machine, process, address, length)
        elif 0 < length <= PAGE_SIZE - (address & PAGE_MASK):
            phys = space.translate(address)
            if phys < 0:
                page_fault(machine, process, address, write=False)
            else:
                process.misc &= ~MF_ACCESS_AGAIN
                process.result = read(phys, length)
        else:
            _load_pages(machine, process, address, length)

    return enter


def _load_pages(machine: Machine, process: Process, address: int, length: int) -> None:
    parts = []
    done = 0
    while done < length:
        here = (address + done) & ADDRESS_MASK
        phys = process.space.translate(here)
        if phys < 0:
            page_fault(machine, process, here, write=False)
            return
        size = min(length - done, PAGE_SIZE - (here & PAGE_MASK))
        parts.append(machine.frames.read(phys, size))
        done += size
    process.misc &= ~MF_ACCESS_AGAIN
    process.result = b"".join(parts)


def storing(machine: Machine) -> Callable[[Process, Store], None]:
    """Write memory."""
    write = machine.frames.write

    def enter(process: Process, trap: Store) -> None:
        address, data = trap.address & ADDRESS_MASK, trap.data
        space = process.space
        if space is None:
            _store_private(machine, process, address, data)
        elif 0 < len(data) <= PAGE_SIZE - (address & PAGE_MASK):
            phys = space.translate(address, True)
            if phys < 0:
                page_fault(machine, process, address, write=True)
            else:
                process.misc &= ~MF_ACCESS_AGAIN
                process.result = None
                write(phys, data)
        else:
            _store_pages(machine, process, address, data)

    return enter


def _store_pages(machine: Machine, process: Process, address: int, data: bytes) -> None:
    length = len(data)
    done = 0
    while done < length:
        here = (address + done) & ADDRESS_MASK
        phys = process.space.translate(here, True)
        if phys < 0:
            page_fault(machine, process, here, write=True)
            return
        size = min(length - done, PAGE_SIZE - (here & PAGE_MASK))
        machine.frames.write(phys, data[done : done + size])
        done += size
    process.misc &= ~MF_ACCESS_AGAIN
    process.result = None


def page_fault(machine: Machine, process: Process, address: int, write: bool) -> None:
    """`process` needs the page at `address`; VM is told.  Panics if it is VM itself."""
    if process.endpoint == VM:
        raise Panic(f"pagefault in VM at {address:#x}")
    flags = FAULT_USER
    if write:
        flags |= FAULT_WRITE
    if process.space.lookup(address) & 1:
        flags |= FAULT_PROTECTION
    machine.clock.now += machine.costs.fault
    process.misc |= MF_ACCESS_AGAIN
    if machine.probes.emit is not None:
        machine.probes.faulted(process, address, flags)
    machine.ready.block(process, RTS_PAGEFAULT)
    code = machine.rendezvous.kernel_send(process, VM, VmPagefault(address, flags))
    if code < 0:
        raise Panic(f"the page fault of {process.name} could not be sent to VM: {code}")


def _load_private(machine: Machine, process: Process, address: int, length: int) -> None:
    if not process.privilege.flags & SYS_PROC:
        machine.signals.cause(process, SIGSEGV)
        return
    process.result = private_memory(process).read(address, max(0, length))


def _store_private(machine: Machine, process: Process, address: int, data: bytes) -> None:
    if not process.privilege.flags & SYS_PROC:
        machine.signals.cause(process, SIGSEGV)
        return
    private_memory(process).write(address, data)
    process.result = None
