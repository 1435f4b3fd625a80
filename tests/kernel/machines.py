"""Machines with the smallest servers that the kernel's own tests need.

`TinyVm` gives each page that is asked for a frame of its own, below `LIMIT`; `TinyPm` clears
whoever exits or has a signal.  Programs are coroutines; `run` collects what they return.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from ipc.endpoint import INIT, NONE, PM, SELF, SYSTEM, VM
from ipc.errors import EFAULT, OK
from ipc.flags import VMCTL_CLEAR_PAGEFAULT, VMCTL_MEMREQ_GET, VMCTL_MEMREQ_REPLY
from ipc.kernelcalls import SysClear, SysEndksig, SysGetksig, SysKill, SysVmctl
from ipc.message import Message, Reply
from ipc.notification import Notification
from ipc.pm import PmExit
from ipc.signals import SIGSEGV
from ipc.traps import KernelCall, Receive, SendNb, trap
from ipc.vm import VmPagefault
from kernel.machine import Configuration, Machine
from kernel.memory.frames import PAGE_MASK, PAGE_SIZE
from kernel.memory.space import PTE_PRESENT, PTE_USER, PTE_WRITE
from kernel.process import Process

LIMIT = 0x8000_0000
WRITABLE = PTE_PRESENT | PTE_WRITE | PTE_USER
READABLE = PTE_PRESENT | PTE_USER


async def call(request: Message) -> Any:
    """Make a kernel call."""
    return await trap(KernelCall(request))


class TinyVm:
    """Maps what is missing below LIMIT, page by page; sends SIGSEGV for the rest."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.next_frame = 1
        self.asked: list[Any] = []

    async def main(self) -> None:
        while True:
            source, message, _ = await trap(Receive())
            self.asked.append(message)
            if isinstance(message, VmPagefault):
                await self.fault(source, message)
            elif isinstance(message, Notification) and source == SYSTEM:
                await self.requests()

    async def fault(self, source: int, message: VmPagefault) -> None:
        if message.addr < LIMIT:
            self.map(self.machine.table.lookup(source), message.addr)
        else:
            await call(SysKill(source, SIGSEGV))
        await call(SysVmctl(source, VMCTL_CLEAR_PAGEFAULT))

    async def requests(self) -> None:
        while True:
            wanted = await call(SysVmctl(SELF, VMCTL_MEMREQ_GET))
            if wanted.type < 0:
                return
            self.asked.append(wanted)
            result = OK if wanted.addr + wanted.length <= LIMIT else EFAULT
            target = self.machine.table.lookup(wanted.target)
            for address in range(wanted.addr & ~PAGE_MASK, wanted.addr + wanted.length, PAGE_SIZE):
                if result == OK:
                    self.map(target, address)
            await call(SysVmctl(wanted.requestor, VMCTL_MEMREQ_REPLY, result & 0xFFFFFFFF))

    def map(self, process: Process | None, address: int, flags: int = WRITABLE) -> int:
        """Give the page at `address` a frame of its own; returns that."""
        assert process is not None
        old = process.space.lookup(address)
        frame = old & ~PAGE_MASK
        if not old:
            frame = self.next_frame * PAGE_SIZE
            self.next_frame += 1
        self.machine.mmu.map_page(process.space, address & ~PAGE_MASK, frame | flags)
        return frame


class TinyPm:
    """Clears processes that exit or that have a signal, and remembers both."""

    def __init__(self) -> None:
        self.exited: list[tuple[int, int]] = []
        self.signaled: list[tuple[int, int]] = []

    async def main(self) -> None:
        while True:
            source, message, _ = await trap(Receive())
            if isinstance(message, PmExit):
                self.exited.append((source, message.status))
                await call(SysClear(source))
            elif isinstance(message, Notification) and source == SYSTEM:
                await self.signals()
            else:
                await trap(SendNb(source, Reply(OK)))

    async def signals(self) -> None:
        while True:
            found = await call(SysGetksig())
            if found.endpt == NONE:
                return
            self.signaled.append((found.endpt, found.map.bit_length()))
            await call(SysEndksig(found.endpt))
            await call(SysClear(found.endpt))


class Small:
    """A machine with a tiny VM and a tiny PM, in which tests run programs."""

    def __init__(self, configuration: Configuration | None = None) -> None:
        self.machine = Machine(configuration)
        self.vm = TinyVm(self.machine)
        self.pm = TinyPm()
        self.machine.spawn(VM, "vm", self.vm.main, system=True)
        self.machine.spawn(PM, "pm", self.pm.main, system=True)
        self.results: dict[str, Any] = {}

    def user(
        self, name: str, program: Callable[[], Coroutine[Any, Any, Any]], slot: int
    ) -> Process:
        """A user process with an empty address space, whose program's value goes to `results`."""
        return self._spawn(name, program, slot, system=False)

    def server(
        self, name: str, program: Callable[[], Coroutine[Any, Any, Any]], slot: int
    ) -> Process:
        """The same with every privilege; it then waits for ever."""
        return self._spawn(name, program, slot, system=True)

    def _spawn(
        self, name: str, program: Callable[[], Coroutine[Any, Any, Any]], slot: int, system: bool
    ) -> Process:
        async def main() -> int:
            self.results[name] = await program()
            if system:
                await trap(Receive())
            return 0

        process = self.machine.spawn(slot, name, main, system=system)
        if not system:
            self.machine.mmu.bind(process.endpoint, self.machine.mmu.new())
        return process

    def run(self) -> None:
        """Run till quiet, and check the machine."""
        self.machine.run_quiet_nowait()
        self.machine.check()

    def result(self, program: Callable[[], Coroutine[Any, Any, Any]], system: bool = True) -> Any:
        """What `program` returns, run in a process of its own."""
        self._spawn("probe", program, INIT + 1 if not system else 20, system)
        self.run()
        return self.results["probe"]
