"""The copy of bytes between the memories of processes.

Rules.  Addresses are virtual, of the process named with them; NONE names physical memory.  A copy
goes up from the lowest address, and what was copied before it met a page that is not there stays
copied.  A kernel call that meets such a page asks VM for it and is done again from its beginning
(VMSUSPEND); one that only tries, or that VM refused, gets an error.

Source: MINIX ``kernel/arch/i386/memory.c`` virtual_copy_f, lin_lin_copy, vm_memset, vm_suspend,
vm_check_range; ``kernel/system/do_vmctl.c`` VMCTL_MEMREQ_GET, VMCTL_MEMREQ_REPLY.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ipc.endpoint import NONE, VM
from ipc.errors import EDOM, EFAULT, ESRCH, OK
from ipc.signals import SIGKMEM
from kernel.flags import MF_KCALL_RESUME, RTS_VMREQUEST
from kernel.memory.frames import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, Frames
from kernel.memory.space import USER_READ, USER_WRITE, AddressSpace
from kernel.probes import MemoryRequested
from kernel.process import MemoryRequest, Process

if TYPE_CHECKING:
    from attrs import frozen

    from kernel.machine import Machine
else:
    # Nobody changes a place, but to have attrs enforce it would double what making one costs.
    from attrs import define as frozen

# The call is not over; it will be done again.  MINIX: minix/ipc.h
VMSUSPEND: Final = -996
ADDRESS_MASK: Final = 0xFFFFFFFF

Owner: TypeAlias = Process | None  # whose memory it is; None: physical memory

_NOWHERE: Final = AddressSpace()  # that of a user process whose memory is not set up


@frozen
class Place:
    """Where bytes are: an address in the memory of a process, or physical (`process` None).

    The address has 32 bits.
    """

    process: Process | None
    address: int


class Copier:
    """Copies for kernel calls, and asks VM for memory that they miss.

    `requests` are the processes whose kernel call waits for memory and of which VM does not know
    yet, the latest first.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._clock = machine.clock
        self._cost = machine.costs.page_copy
        self._endpoints = machine.table.endpoints
        self._frames = machine.frames
        self.requests: list[Process] = []

    def place(self, endpoint: int, address: int) -> Place | None:
        """Where `address` of `endpoint` (NONE: physical memory) is; None if nobody has it."""
        if endpoint == NONE:
            return Place(None, address & ADDRESS_MASK)
        process = self._endpoints.get(endpoint)
        return None if process is None else Place(process, address & ADDRESS_MASK)

    def _memory(self, process: Process | None) -> tuple[Frames, AddressSpace | None]:
        """The frames that hold what `process` has (None: all), and what maps them, if anything."""
        if process is None:
            return self._frames, None
        space = process.space
        if space is not None:
            return self._frames, space
        if process.privilege.system:
            return process.private or private_memory(process), None
        return self._frames, _NOWHERE

    def copy(
        self, caller: Process | None, source: Owner, at: int, dest: Owner, to: int, length: int
    ) -> int:
        """Copy `length` bytes from `at` in the memory of `source` to `to` in that of `dest`.

        The addresses have 32 bits.  Memory that is missing suspends `caller` (VMSUSPEND), or
        without one is an EFAULT.  Also EDOM for no bytes, and VM's refusal.
        """
        if length <= 0 or (caller is not None and caller.memory_request is not None):
            refusal = EDOM if length <= 0 else resumed_result(caller)
            if refusal != OK:
                return refusal
        origin = target = self._frames
        from_space = None if source is None else source.space
        if from_space is None:
            origin, from_space = self._memory(source)
        to_space = None if dest is None else dest.space
        if to_space is None:
            target, to_space = self._memory(dest)
        left = length
        while True:
            read = at >> PAGE_SHIFT if from_space is None else from_space.frame(at, USER_READ)
            if read < 0:
                return self._missing(caller, source, at + left - length, length, False)
            written = to >> PAGE_SHIFT if to_space is None else to_space.frame(to, USER_WRITE)
            if written < 0:
                return self._missing(caller, dest, to + left - length, length, True)
            read_at, write_at = at & PAGE_MASK, to & PAGE_MASK
            size = PAGE_SIZE - read_at
            if write_at > read_at:
                size = PAGE_SIZE - write_at
            if size > left:
                size = left
            if size == PAGE_SIZE:
                target.copy_frame(origin, read, written)
            else:
                target.put(written, write_at, origin.get(read, read_at, size))
            self._clock.now += self._cost
            if size == left:
                return OK
            left -= size
            at, to = (at + size) & ADDRESS_MASK, (to + size) & ADDRESS_MASK

    def read(self, caller: Process | None, source: Place | None, length: int) -> bytes | int:
        """The `length` bytes at `source` for the kernel itself, or an error as `copy` gives it."""
        if length <= 0:
            return EDOM
        if source is None:
            return ESRCH
        if (refusal := resumed_result(caller)) != OK:
            return refusal
        frames, space = self._memory(source.process)
        parts = []
        done = 0
        while done < length:
            start = (source.address + done) & ADDRESS_MASK
            if space is not None:
                start = space.translate(start)
                if start < 0:
                    return self._missing(caller, source.process, source.address, length, False)
            size = min(length - done, PAGE_SIZE - (start & PAGE_MASK))
            parts.append(frames.read(start, size))
            done += size
            self._clock.now += self._cost
        return b"".join(parts)

    def write(self, caller: Process | None, dest: Place | None, data: bytes) -> int:
        """Store the kernel's `data` at `dest`; results as those of `copy`."""
        return self._put(caller, dest, len(data), data, 0)

    def fill(self, caller: Process | None, dest: Place | None, byte: int, length: int) -> int:
        """Set `length` bytes at `dest` to `byte`; results as those of `copy`, but OK for none."""
        if length <= 0:
            return OK
        return self._put(caller, dest, length, None, byte & 0xFF)

    def _put(
        self, caller: Process | None, dest: Place | None, length: int, data: bytes | None, byte: int
    ) -> int:
        if length <= 0:
            return EDOM
        if dest is None:
            return ESRCH
        if (refusal := resumed_result(caller)) != OK:
            return refusal
        frames, space = self._memory(dest.process)
        done = 0
        while done < length:
            start = (dest.address + done) & ADDRESS_MASK
            if space is not None:
                start = space.translate(start, True)
                if start < 0:
                    return self._missing(caller, dest.process, dest.address, length, True)
            size = min(length - done, PAGE_SIZE - (start & PAGE_MASK))
            if data is None:
                frames.fill(start, byte, size)
            else:
                frames.write(start, data[done : done + size])
            done += size
            self._clock.now += self._cost
        return OK

    def _missing(
        self, caller: Process | None, target: Process | None, address: int, length: int, write: bool
    ) -> int:
        """What a call answers that misses memory: it began at `address`, modulo 32 bits."""
        assert target is not None, "all physical memory is there"
        # Differs: VM would wait for itself for ever; it is told instead.
        if caller is None or caller.endpoint == VM:
            return EFAULT
        return self.suspend(caller, target, address & ADDRESS_MASK, length, write)

    def suspend(
        self, caller: Process, target: Process, address: int, length: int, write: bool
    ) -> int:
        """Let `caller` wait until VM has provided memory of `target`.  Returns VMSUSPEND."""
        machine = self._machine
        machine.ready.block(caller, RTS_VMREQUEST)
        caller.memory_request = MemoryRequest(target.endpoint, address, length, write)
        if machine.probes.emit is not None:
            machine.probes.happened(
                MemoryRequested, caller, target.endpoint, address, length, write
            )
        self.requests.insert(0, caller)
        if len(self.requests) == 1:
            machine.signals.send(VM, SIGKMEM)
        return VMSUSPEND

    def answer(self, process: Process, result: int) -> None:
        """VM has dealt with the memory that `process` waits for: its call is done again."""
        assert process.memory_request is not None, "a process in VMREQUEST has a request"
        process.memory_request.result = result
        process.misc |= MF_KCALL_RESUME
        self._machine.ready.unblock(process, RTS_VMREQUEST)

    def forget(self, process: Process) -> None:
        """`process` is no more: VM need not provide what it waited for.  MINIX: clear_memreq."""
        if process in self.requests:
            self.requests.remove(process)
        process.memory_request = None
        process.misc &= ~MF_KCALL_RESUME


def resumed_result(caller: Process | None) -> int:
    """What VM answered if the caller's call is done again, else OK.

    MINIX: check_resumed_caller.
    """
    if caller is None or caller.memory_request is None or not caller.misc & MF_KCALL_RESUME:
        return OK
    return caller.memory_request.result or OK


def private_memory(process: Process) -> Frames:
    """The memory of a system process that has no address space: flat, all there, its own.

    Differs: MINIX maps VM's and the boot processes' memory; here their programs are not in it.
    """
    if process.private is None:
        process.private = Frames()
    return process.private
