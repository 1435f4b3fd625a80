"""Loads and stores, and the page faults that they meet.

An access goes page by page.  At the first page that is not mapped, or is not for writing, the
process is blocked with PAGEFAULT and the kernel sends VM a VM_PAGEFAULT in its name.  When VM has
cleared the fault the whole access is done again; what a store has already stored stays.

Source: MINIX ``kernel/arch/i386/exception.c`` pagefault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import VM
from ipc.errors import EDEADSRCDST
from ipc.messageclass import maker
from ipc.signals import SIGSEGV
from ipc.traps import FROM_KERNEL, SEND_CALL
from ipc.vm import VmPagefault
from kernel.copying import ADDRESS_MASK, private_memory
from kernel.flags import MF_ACCESS_AGAIN, RTS_PAGEFAULT
from kernel.memory.frames import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from kernel.memory.space import PTE_PRESENT, TABLE_INDEX, TABLE_SHIFT, USER_READ, USER_WRITE
from kernel.panic import Panic

if TYPE_CHECKING:
    from ipc.traps import Load, Store
    from kernel.machine import Machine
    from kernel.process import Process

_vm_pagefault: Final = maker(VmPagefault)

# The processor's error code: the page was there; the access was a write; it came from a user.
FAULT_PROTECTION: Final = 1
FAULT_WRITE: Final = 2
FAULT_USER: Final = 4

_DONE: Final = ~MF_ACCESS_AGAIN


class Accesses:
    """What the two traps that touch memory do, for one machine."""

    __slots__ = (
        "_clock",
        "_cost",
        "_endpoints",
        "_frames",
        "_probes",
        "_ready",
        "_rendezvous",
        "_signals",
    )

    def __init__(self, machine: Machine) -> None:
        self._clock = machine.clock
        self._cost = machine.costs.fault
        self._endpoints = machine.table.endpoints
        self._frames = machine.frames
        self._probes = machine.probes
        self._ready = machine.ready
        self._rendezvous = machine.rendezvous
        self._signals = machine.signals

    def load(self, process: Process, trap: Load) -> None:
        """Read memory."""
        address, length = trap.address & ADDRESS_MASK, trap.length
        space = process.space
        if space is None:
            self._load_private(process, address, length)
            return
        offset = address & PAGE_MASK
        if 0 < length <= PAGE_SIZE - offset:
            # `lookup`, written out here and in `store` because every access asks that.
            entry = space.tables[address >> TABLE_SHIFT][address >> PAGE_SHIFT & TABLE_INDEX]
            if entry & USER_READ == USER_READ:
                if process.misc:
                    process.misc &= _DONE
                process.result = self._frames.get(entry >> PAGE_SHIFT, offset, length)
            else:
                self._fault(process, address, entry, FAULT_USER)
        else:
            self._load_pages(process, address, length)

    def _load_pages(self, process: Process, address: int, length: int) -> None:
        parts = []
        done = 0
        while done < length:
            here = (address + done) & ADDRESS_MASK
            entry = process.space.lookup(here)
            if entry & USER_READ != USER_READ:
                self._fault(process, here, entry, FAULT_USER)
                return
            offset = here & PAGE_MASK
            size = min(length - done, PAGE_SIZE - offset)
            parts.append(self._frames.get(entry >> PAGE_SHIFT, offset, size))
            done += size
        process.misc &= _DONE
        process.result = b"".join(parts)

    def store(self, process: Process, trap: Store) -> None:
        """Write memory."""
        address, data = trap.address & ADDRESS_MASK, trap.data
        space = process.space
        if space is None:
            self._store_private(process, address, data)
            return
        offset = address & PAGE_MASK
        if 0 < len(data) <= PAGE_SIZE - offset:
            entry = space.tables[address >> TABLE_SHIFT][address >> PAGE_SHIFT & TABLE_INDEX]
            if entry & USER_WRITE == USER_WRITE:
                if process.misc:
                    process.misc &= _DONE
                process.result = None
                self._frames.put(entry >> PAGE_SHIFT, offset, data)
            else:
                self._fault(process, address, entry, FAULT_USER | FAULT_WRITE)
        else:
            self._store_pages(process, address, data)

    def _store_pages(self, process: Process, address: int, data: bytes) -> None:
        length = len(data)
        done = 0
        while done < length:
            here = (address + done) & ADDRESS_MASK
            entry = process.space.lookup(here)
            if entry & USER_WRITE != USER_WRITE:
                self._fault(process, here, entry, FAULT_USER | FAULT_WRITE)
                return
            offset = here & PAGE_MASK
            size = min(length - done, PAGE_SIZE - offset)
            self._frames.put(entry >> PAGE_SHIFT, offset, data[done : done + size])
            done += size
        process.misc &= _DONE
        process.result = None

    def _fault(self, process: Process, address: int, entry: int, flags: int) -> None:
        """`process` needs the page at `address`; VM is told.  Panics if it is VM itself.

        `entry` is the page's table entry, `flags` the error code but for what the entry tells.
        """
        if process.endpoint == VM:
            raise Panic(f"pagefault in VM at {address:#x}")
        if entry & PTE_PRESENT:
            flags |= FAULT_PROTECTION
        self._clock.now += self._cost
        process.misc |= MF_ACCESS_AGAIN
        if self._probes.emit is not None:
            self._probes.faulted(process, address, flags)
        self._ready.block(process, RTS_PAGEFAULT)
        vm = self._endpoints.get(VM)
        if vm is None:
            code = EDEADSRCDST
        else:
            fault = _vm_pagefault(address, flags)
            code = self._rendezvous.deliver(process, vm, fault, SEND_CALL, FROM_KERNEL)
        if code < 0:
            raise Panic(f"the page fault of {process.name} could not be sent to VM: {code}")

    # Without page tables: a system process that VM has not given any.

    def _load_private(self, process: Process, address: int, length: int) -> None:
        if not process.privilege.system:
            self._signals.cause(process, SIGSEGV)
            return
        memory = process.private or private_memory(process)
        offset = address & PAGE_MASK
        if 0 < length <= PAGE_SIZE - offset:
            process.result = memory.get(address >> PAGE_SHIFT, offset, length)
        else:
            process.result = memory.read(address, max(0, length))

    def _store_private(self, process: Process, address: int, data: bytes) -> None:
        if not process.privilege.system:
            self._signals.cause(process, SIGSEGV)
            return
        memory = process.private or private_memory(process)
        offset = address & PAGE_MASK
        if 0 < len(data) <= PAGE_SIZE - offset:
            memory.put(address >> PAGE_SHIFT, offset, data)
        else:
            memory.write(address, data)
        process.result = None
