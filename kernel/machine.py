"""The machine: everything of the kernel, wired together, and how the world outside runs it.

    machine = Machine(Configuration(policy="random", seed=7))
    server = machine.spawn(PM, "pm", pm.main, system=True, context=pm.context)
    machine.run_quiet_nowait()

A machine runs only inside one of its `run_*` methods, which are synchronous.  `kernel.bridge` runs
it in a trio task.  It is *quiet* when no process can run.  Then only the passing of virtual time
(`clock`) or the world outside (`driven`) can bring it to move.

Source: MINIX ``kernel/main.c`` kmain; ``kernel/system/do_clear.c``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import attrs

from ipc.endpoint import (
    ASYNCM,
    CLOCK,
    HARDWARE,
    IDLE,
    NONE,
    NR_PROCS,
    NR_TASKS,
    PM,
    SELF,
    SYSTEM,
    VM,
    make_endpoint,
)
from ipc.errors import EINVAL, OK
from ipc.traps import RECEIVE_CALL, SENDREC_CALL, Program
from kernel.calls import KernelCalls
from kernel.clock import NEVER, Clock
from kernel.copying import Copier
from kernel.costs import Costs
from kernel.dispatcher import Dispatcher
from kernel.driven import Driven
from kernel.fate import Fate
from kernel.flags import RTS_NO_QUANTUM, RTS_PROC_STOP, RTS_VMINHIBIT
from kernel.interrupts import Interrupts
from kernel.limits import Limits, Stuck
from kernel.memory.frames import Frames
from kernel.memory.mmu import MemoryEvent, Mmu
from kernel.memory.space import AddressSpace
from kernel.panic import Panic
from kernel.policies import make_policy
from kernel.privilege import (
    ALL_KERNEL_CALLS,
    ALL_TARGETS,
    ALL_TRAPS,
    BILLABLE,
    NR_STATIC_PRIV_IDS,
    PREEMPTIBLE,
    SYS_PROC,
    USER_PRIV_ID,
    Privilege,
)
from kernel.probes import (
    Diagnosed,
    MemoryChanged,
    Panicked,
    Probes,
    ProcessCreated,
    ProcessDied,
)
from kernel.process import Context, Process
from kernel.quirks import NO_QUIRKS, Quirks
from kernel.rendezvous import Rendezvous
from kernel.runqueue import RunQueue
from kernel.scheduling import MILLISECOND, Schedulers
from kernel.signals import Signals
from kernel.table import ProcessTable
from kernel.timers import Timers

if TYPE_CHECKING:
    from kernel.injection.table import FaultTable, Rationing

DEFAULT_QUANTUM: Final = 200 * MILLISECOND  # USR_QT
TASK_NAMES: Final = {
    ASYNCM: "asyncm",
    IDLE: "idle",
    CLOCK: "clock",
    SYSTEM: "system",
    HARDWARE: "kernel",
}


@attrs.frozen
class Configuration:
    """What a machine is made of.

    `memory` is its map of RAM, `(base, size)` in bytes; `policy` as `kernel.policies.make_policy`
    reads it.
    """

    memory: tuple[tuple[int, int], ...] = ((0, 16 << 20),)
    slots: int = NR_PROCS
    policy: str = "fifo"
    seed: int = 0
    costs: Costs = attrs.field(factory=Costs)
    limits: Limits = attrs.field(factory=Limits)
    quirks: Quirks = NO_QUIRKS


class MachineStopped(Exception):
    """The machine panicked earlier and runs no more; the cause is the panic."""


class TooManyServers(ValueError):
    """A process should have a privilege structure of its own, and none is left."""


class Machine:
    """One simulated machine.

    `programs` are what SYS_EXEC can start, by name: called with the process, each returns the
    program.  `log` is what the kernel and its servers printed.  `ration` has VM's allocator ask
    whether it may give out frames, see `kernel.injection.table`; who makes VM puts it here.
    """

    def __init__(self, configuration: Configuration | None = None) -> None:
        self.configuration = configuration or Configuration()
        self.costs = self.configuration.costs
        self.quirks = self.configuration.quirks
        self.clock = Clock()
        self.probes = Probes(self.clock)
        self.table = ProcessTable(self.configuration.slots)
        self.ready = RunQueue()
        self.rendezvous = Rendezvous(self.table, self.ready, self.quirks, self.clock, self.probes)
        self.frames = Frames(self.configuration.memory)
        self.mmu = Mmu(self.frames, self._bind)
        self.probes.on_change = self._watch_memory
        self.signals = Signals(self)
        self.rendezvous.sending_done = self.signals.delay_done
        self.copier = Copier(self)
        self.timers = Timers(self)
        self.interrupts = Interrupts(self)
        self.schedulers = Schedulers(self)
        self.kernel_calls = KernelCalls(self)
        self.driven = Driven(self)
        self.fate = Fate(self)
        self.ration: Callable[[Rationing | None], None] | None = None
        policy = make_policy(self.configuration.policy, self.configuration.seed)
        self.dispatcher = Dispatcher(self, policy, self.configuration.limits)
        self.programs: dict[str, Callable[[Process], Program]] = {}
        self.log: list[str] = []
        self.panic: Panic | None = None
        self.inspectors: list[Callable[[], None]] = []
        self._make_tasks()
        _grant_user(self.table.privileges[USER_PRIV_ID])

    @cached_property
    def faults(self) -> FaultTable:
        """The faults that are injected into this machine."""
        from kernel.injection.table import FaultTable

        return FaultTable(self)

    # Processes.

    def _make_tasks(self) -> None:
        for slot, name in TASK_NAMES.items():
            privilege = self.table.privileges[slot + NR_TASKS]
            privilege.flags = SYS_PROC | (BILLABLE if slot == IDLE else 0)
            privilege.trap_mask = 1 << RECEIVE_CALL if slot in (CLOCK, SYSTEM) else 0
            privilege.grant_endpoint = slot
            self.table.place(slot, slot, name, privilege, RTS_PROC_STOP)

    def spawn(
        self,
        slot: int,
        name: str,
        program: Program,
        *,
        system: bool = False,
        endpoint: int | None = None,
        privilege: Privilege | None = None,
        context: Context | None = None,
        held: int = 0,
    ) -> Process:
        """Make a process in a free slot that runs `program`, ready unless `held` (run flags).

        A `system` process gets a privilege structure of its own that allows everything (static
        for the slots of the boot image, else dynamic); others share the users'.  Give `privilege`
        to use one that is set up already.  `context` is shared with a program that watches it.
        Its endpoint is of generation 0 unless given.  Raises TooManyServers.
        """
        if privilege is None:
            privilege = self._own_privilege(slot) if system else self._user_privilege()
        if endpoint is None:
            endpoint = make_endpoint(0, slot)
        process = self.table.place(slot, endpoint, name, privilege, held or RTS_NO_QUANTUM)
        process.quantum = process.quantum_size = DEFAULT_QUANTUM
        if context is not None:
            process.context = context
        self.start(process, program)
        self.created(process, NONE)
        if not held:
            self.ready.unblock(process, RTS_NO_QUANTUM)
        return process

    def _own_privilege(self, slot: int) -> Privilege:
        if slot + NR_TASKS < NR_STATIC_PRIV_IDS - 1:
            privilege = self.table.privileges[slot + NR_TASKS]
        else:
            privilege = self._free_privilege()
        privilege.flags = SYS_PROC | (0 if slot == VM else PREEMPTIBLE)
        privilege.trap_mask = ALL_TRAPS
        privilege.ipc_to = ALL_TARGETS & ~privilege.bit
        privilege.kernel_calls = ALL_KERNEL_CALLS
        privilege.signal_manager = SELF if slot in (VM, PM) else PM
        return privilege

    def _free_privilege(self) -> Privilege:
        free = self.table.free_privilege()
        if free is None:
            raise TooManyServers("no privilege structure is left for another server")
        return free

    def _user_privilege(self) -> Privilege:
        return self.table.privileges[USER_PRIV_ID]

    def start(self, process: Process, program: Program) -> None:
        """Let `process` run `program` from its beginning when it next runs."""
        self.discard(process)
        process.coroutine = Start(process, program)  # type: ignore[assignment]

    def created(self, process: Process, parent: int) -> None:
        """Tell who listens that `process` came to be."""
        if self.probes.emit is not None:
            self.probes.tell(ProcessCreated, self._cause(), process.endpoint, parent, process.name)

    def _cause(self) -> int:
        """On whose behalf things happen now: that of the process that makes a kernel call."""
        current = self.dispatcher.current
        return 0 if current is None else current.context.cause

    def bury(self, process: Process) -> None:
        """`process` is no more: its slot is free, and all who wait for it are told.

        MINIX: do_clear.
        """
        if self.probes.emit is not None:
            self.probes.tell(ProcessDied, self._cause(), process.endpoint, process.name)
        self.interrupts.release(process)
        self.copier.forget(process)
        self.rendezvous.clear_endpoint(process)
        if process.privilege.system:
            self.timers.clear_alarm(process)
        self.table.free(process)
        process.space = None
        self.discard(process)
        self.driven.ended(process)

    def discard(self, process: Process) -> None:
        """Drop what `process` runs.

        What its program does about that (`finally`) reaches nobody any more, and if it does it for
        ever, the watchdog ends it.
        """
        dispatcher = self.dispatcher
        for coroutine in (process.coroutine, *(each.coroutine for each in process.interrupted)):
            if coroutine is not None:
                dispatcher.ending = True
                with suppress(Exception, Stuck):
                    coroutine.close()
                dispatcher.ending = False
        process.coroutine = None
        process.interrupted.clear()

    def _bind(self, endpoint: int, space: AddressSpace) -> int:
        process = self.table.lookup(endpoint)
        if process is None:
            return EINVAL
        process.space = space
        self.ready.unblock(process, RTS_VMINHIBIT)
        return OK

    # Running.

    @property
    def quiet(self) -> bool:
        """Whether no process can run."""
        return not self.ready.queue

    def run_nowait(self) -> None:
        """Run until the machine is quiet.  Virtual time passes only by what processes do.

        Raises Panic when the machine stops, LimitReached, and what a listener raised.
        """
        self.demand_running()
        self.dispatcher.run_nowait()

    def demand_running(self) -> None:
        """Raise MachineStopped if the machine has panicked."""
        if self.panic is not None:
            raise MachineStopped(f"the machine stopped: {self.panic}") from self.panic

    def run_quiet_nowait(self) -> None:
        """Run until the machine is quiet and nothing is due that anybody may wait for."""
        self.demand_running()
        self.dispatcher.run_nowait(idle=True)

    def run_until_nowait(self, done: Callable[[], bool]) -> bool:
        """Run, letting virtual time pass, until the machine is quiet and `done()` is true.

        False if that will not be: nothing can run and nothing is due (see kernel.hang).
        """
        self.run_nowait()
        while not done():
            if not self.clock.expected or self.dispatcher.stop_wanted:
                return False
            self.idle_once()
        return True

    def advance_nowait(self, duration: int) -> None:
        """Run for `duration` virtual ns, and then until the machine is quiet."""
        end = self.clock.now + duration
        self.run_nowait()
        while self.clock.now < end and not self.dispatcher.stop_wanted:
            self.idle_once(end)

    def idle_once(self, end: int = NEVER) -> None:
        """Let time pass to what is due next, but not beyond `end` (virtual ns), and run."""
        self.dispatcher.let_time_pass(end)
        self.run_nowait()

    # What is told.

    def complain(self, text: str, process: Process | None = None) -> None:
        """Write a line to the machine's log."""
        self.log.append(text)
        if self.probes.emit is not None:
            self.probes.happened(Diagnosed, process, text)

    def inspect(self) -> None:
        """Have whoever wants to check something do so, as the machine is quiet; they may panic."""
        for check in self.inspectors:
            check()

    def halt(self, panic: Panic) -> None:
        """The machine has panicked; it will not run again."""
        if self.panic is None:
            self.panic = panic
            self.complain(f"panic: {panic}")
            if self.probes.emit is not None:
                self.probes.happened(Panicked, self.dispatcher.current, str(panic))

    def _watch_memory(self, listened: bool) -> None:
        self.mmu.watch = self._memory_changed if listened else None

    def _memory_changed(self, event: MemoryEvent) -> None:
        vm = self.table.lookup(VM)
        cause = vm.context.cause if vm is not None else 0
        self.probes.tell(
            MemoryChanged, cause, event.action, event.endpoint, event.address, event.pages,
            event.frame, event.flags,
        )  # fmt: skip

    def check(self) -> None:
        """State the machine's invariants; tests call it between runs."""
        self.ready.check()
        queued = set(map(id, self.ready.queue))
        for process in self.table.all():
            assert bool(process.rts) != (id(process) in queued), f"{process.name} is lost"
            assert self.table.lookup(process.endpoint) is process, f"{process.name} has no name"


class Start:
    """Stands in for a coroutine until its process first runs, and takes no notice of the result."""

    __slots__ = ("_process", "_program")

    def __init__(self, process: Process, program: Program) -> None:
        self._process = process
        self._program = program

    def send(self, _result: Any) -> Any:
        """Start the program."""
        coroutine: Coroutine[Any, Any, int | None] = self._program()
        self._process.coroutine = coroutine
        return coroutine.send(None)

    def close(self) -> None:
        """Nothing has begun."""


def _grant_user(privilege: Privilege) -> None:
    """What every user process may do.  MINIX: minix/priv.h USR_F, USR_T."""
    privilege.flags = PREEMPTIBLE | BILLABLE
    privilege.trap_mask = 1 << SENDREC_CALL
    privilege.ipc_to = ALL_TARGETS & ~privilege.bit
    privilege.signal_manager = PM
