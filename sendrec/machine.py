"""A running machine in a trio program."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

import attrs

from ipc.endpoint import slot_of
from kernel.memory.space import PTE_FRAME, PTE_PRESENT, PTE_WRITE
from kernel.probes import Event, MessageDelivered
from sendrec.process import Process
from servers.lib.libc import Program

if TYPE_CHECKING:
    from kernel.bridge import Bridge
    from kernel.hang import HangReport
    from kernel.injection import Armed, Fault
    from servers.boot import System
    from servers.vm.process import VmProcess
    from servers.vm.region import Region


@attrs.frozen
class Mapping:
    """A region of a process's memory: `length` bytes from `address` on.

    `pages` of it are resident; `kind` is the kind of memory.
    """

    address: int
    length: int
    pages: int
    writable: bool
    kind: str


@attrs.define(eq=False)
class Machine:
    """A machine with all its servers, running for as long as `sendrec.boot` is entered.

    `init` is its first process, driven from outside; `system` is the machine itself, to look at.
    It runs while some task awaits something of it.
    """

    system: System
    bridge: Bridge
    init: Process = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.init = Process(self, self.system.init)

    # Running.

    async def run_until_quiet(self) -> None:
        """Let the machine go on until nothing can run and nothing is due.

        Calls that were started are begun.  Raises MachineStopped.
        """
        await self.bridge.until_quiet()

    async def advance(self, duration: int) -> None:
        """Let `duration` virtual nanoseconds pass.

        Raises TypeError and ValueError for what is no whole number from 0 on; MachineStopped.
        """
        if isinstance(duration, bool) or not isinstance(duration, int):
            raise TypeError(f"a duration is a whole number of nanoseconds, not {duration!r}")
        if duration < 0:
            raise ValueError(f"time does not go back: {duration}")
        await self.bridge.advance(duration)

    @property
    def now(self) -> int:
        """Virtual nanoseconds since the machine was started."""
        return self.system.machine.clock.now

    async def spawn(self, program: Program, name: str = "") -> Process:
        """Have INIT fork, and the child run `program(libc)`; the child.

        INIT must not be busy with a call.  Raises CallFailed.
        """
        return await self.init.fork_program(program, name)

    async def add_process(self, name: str, *, system: bool = False) -> Process:
        """Have INIT fork, and drive the child.

        A `system` process may use all of the kernel's message passing.  Raises CallFailed.
        """
        process = await self.init.fork()
        process.kernel.name = name
        if system:
            self.system.promote(process.kernel)
        return process

    # Faults.

    def inject(self, fault: Fault) -> Armed:
        """Set a fault; what is returned counts how often it could strike, and did.

        It stays until the end, or until `injected` ends it.  Raises NoServer.
        """
        return self.system.machine.faults.arm(fault)

    @contextlib.contextmanager
    def injected(self, *faults: Fault) -> Iterator[tuple[Armed, ...]]:
        """Have faults set while the context lasts.

        Raises NoServer; NeverStruck at the end if one of them did not strike.
        """
        armed = tuple(map(self.inject, faults))
        try:
            yield armed
        finally:
            for each in armed:
                self.system.machine.faults.disarm(each)
        for each in armed:
            each.demand_fired()

    def crash(self, server: int | str) -> None:
        """Have a server (endpoint or name) crash now.  Raises NoServer; Panic if it is VM or PM."""
        self.system.machine.faults.crash(server)
        self.bridge.wake()

    # What happens.

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with every event (kernel.probes) from now on; returns what ends that."""
        return self.system.machine.probes.listen(listener)

    @contextlib.contextmanager
    def recorded(self) -> Iterator[list[Event]]:
        """A list to which every event is added while the context lasts."""
        events: list[Event] = []
        stop = self.listen(events.append)
        try:
            yield events
        finally:
            stop()

    @contextlib.contextmanager
    def recorded_messages(self) -> Iterator[list[MessageDelivered]]:
        """A list to which every message that is delivered is added while the context lasts."""
        messages: list[MessageDelivered] = []

        def keep(event: Event) -> None:
            if isinstance(event, MessageDelivered):
                messages.append(event)

        stop = self.listen(keep)
        try:
            yield messages
        finally:
            stop()

    async def messages(self) -> AsyncIterator[MessageDelivered]:
        """Every message from now on, as it is delivered: `async for message in …`."""
        import trio

        send, receive = trio.open_memory_channel[MessageDelivered](float("inf"))

        def pass_on(event: Event) -> None:
            if isinstance(event, MessageDelivered):
                send.send_nowait(event)

        stop = self.listen(pass_on)
        try:
            async for message in receive:
                yield message
        finally:
            stop()

    @property
    def log(self) -> list[str]:
        """What the kernel and the servers have printed."""
        return self.system.machine.log

    def hang_report(self) -> HangReport:
        """Who waits for whom at this moment."""
        from kernel.hang import report

        return report(self.system.machine)

    # Looking at memory, from outside and past all messages.

    def regions(self, process: Process) -> list[Mapping]:
        """What is mapped in the memory of `process`, by address."""
        known = self._in_vm(process)
        return [] if known is None else [_mapping(region) for region in known.regions]

    def frame(self, process: Process, address: int) -> int | None:
        """The physical address of the page frame behind `address`; None if there is none."""
        entry = self._entry(process, address)
        return entry & PTE_FRAME if entry & PTE_PRESENT else None

    def writable(self, process: Process, address: int) -> bool:
        """Whether `process` could write at `address` now, without a page fault."""
        entry = self._entry(process, address)
        return bool(entry & PTE_PRESENT and entry & PTE_WRITE)

    def refs(self, process: Process, address: int) -> int:
        """How many mappings share the page behind `address`; 0 if it is not resident."""
        known = self._in_vm(process)
        region = None if known is None else known.regions.floor(address)
        if region is None or address >= region.end:
            return 0
        block = region.block((address - region.vaddr) >> 12)
        return int(self.system.vm.memory.blocks.refs[block]) if block else 0

    def pages(self, process: Process) -> int:
        """How many pages of its memory are resident."""
        return sum(each.pages for each in self.regions(process))

    @property
    def free_pages(self) -> int:
        """How many page frames nobody uses."""
        return self.system.vm.memory.allocator.free_count

    def _entry(self, process: Process, address: int) -> int:
        space = process.kernel.space
        if space is None or not 0 <= address < 1 << 32:
            return 0
        return int(space.lookup(address))

    def _in_vm(self, process: Process) -> VmProcess | None:
        return self.system.vm.memory.process(process.endpoint)

    def process(self, pid: int) -> Process | None:
        """The process with this pid, if the kernel has it."""
        known = self.system.process(pid)
        return None if known is None else Process(self, known)

    def processes(self) -> list[Process]:
        """All processes but the kernel's tasks, by slot."""
        table = self.system.machine.table
        return [Process(self, each) for each in table.all() if slot_of(each.endpoint) >= 0]


def _mapping(region: Region) -> Mapping:
    from servers.vm.region import WRITABLE

    writable = bool(region.flags & WRITABLE)
    return Mapping(region.vaddr, region.length, region.resident(), writable, region.kind.name)
