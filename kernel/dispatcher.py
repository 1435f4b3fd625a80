"""The only scheduler: it steps one process's coroutine until its next trap, and does the trap.

Rules.  Nothing but this loop runs processes.  Between two steps the machine is whole: what is due
has happened, no trap is half done, and a listener's failure or a request to stop has been heeded.
A process that has MF_KCALL_RESUME or MF_ACCESS_AGAIN is not stepped; its last trap is done again.

Source: MINIX ``kernel/proc.c`` switch_to_user, pick_proc, proc_no_time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ipc.errors import IpcError
from kernel.clock import NEVER
from kernel.flags import MF_ACCESS_AGAIN, MF_KCALL_RESUME, RTS_PREEMPTED
from kernel.limits import WATCHDOG, LimitReached, Limits
from kernel.panic import Panic
from kernel.policies.base import Policy
from kernel.privilege import PREEMPTIBLE
from kernel.probes import Chosen
from kernel.process import Process
from kernel.traptable import TRAPS, Enter

if TYPE_CHECKING:
    from kernel.machine import Machine

_AGAIN: Final = MF_ACCESS_AGAIN | MF_KCALL_RESUME


class Dispatcher:
    """Steps the processes of one machine.

    `steps` counts the steps made, `choices` holds the policy's answers (indexes into the ready
    list, asked only when more than one process was ready), and `current` is the process that made
    the last step.  `careful` tells that somebody must know at once when a time is used up: there
    are quanta, or a virtual timer.
    """

    def __init__(self, machine: Machine, policy: Policy, limits: Limits) -> None:
        self.machine = machine
        self.policy = policy
        self.limits = limits
        self.choices: list[int] = []
        self.steps = 0
        self.ending = False  # a program is being ended, and does what it does about that
        self.current: Process | None = None
        self.billed: Process | None = None
        self.billed_since = 0
        self.billed_time = 0
        self.billed_idle = 0
        self.idle_time = 0
        self.since = 0
        self.careful = policy.quanta
        self.thread = 0
        self.stop_wanted = False
        self._table: dict[type, tuple[Enter, int]] = {
            kind: (entry.enter(machine), entry.cost(machine.costs)) for kind, entry in TRAPS.items()
        }
        self._watched = False
        policy.attach(machine.ready)

    def change_policy(self, policy: Policy) -> None:
        """Let `policy` decide from now on; to be called between steps."""
        self.policy = policy
        self.careful = self.careful or policy.quanta
        self.machine.ready.tell_nobody()  # of whom the policy before wanted to know
        policy.attach(self.machine.ready)

    def wrap_traps(self, wrap: Callable[[Enter], Enter]) -> None:
        """Have each kind of trap done by what `wrap` makes of the function that does it."""
        self._table = {kind: (wrap(enter), cost) for kind, (enter, cost) in self._table.items()}

    def stop(self) -> None:
        """End the run that is going on once the step at hand is complete."""
        self.stop_wanted = True
        self.machine.clock.attend()

    def run_nowait(self, most: int = NEVER, idle: bool = False) -> None:
        """Step processes until none can run, `stop` was called, or `most` steps were made.

        With `idle`, if none can run time passes to what is due next, as long as somebody may wait
        for that.  Raises Panic when the machine stops, LimitReached, and what a listener raised.
        """
        if not self._watched:
            self._watched = True
            WATCHDOG.watch(self)
        self.thread = threading.get_ident()
        self.stop_wanted = False
        machine = self.machine
        clock, queue = machine.clock, machine.ready.queue
        clock.attend()
        limit = self.limits.steps
        last = min(self.steps + most, limit)
        try:
            while True:
                if clock.now >= clock.deadline:
                    self._attend()  # which may make the first process ready, or change the policy
                    queue = machine.ready.queue
                    if not self.stop_wanted:
                        continue
                elif queue and not self._step(last):
                    continue
                if queue:
                    break
                # Nobody can run.
                if machine.inspectors:
                    machine.inspect()
                if not idle or not clock.expected or self.stop_wanted:
                    break
                self.let_time_pass()
        except Panic as panic:
            machine.halt(panic)
            raise
        finally:
            self.account()
        if self.steps >= limit and queue and not self.stop_wanted:
            raise LimitReached(f"the machine made {self.steps} steps, which is its limit")

    def let_time_pass(self, end: int = NEVER) -> None:
        """Let virtual time pass to what is due next, but not beyond `end` (ns).

        To be called when no process can run.
        """
        if self.careful:
            self.account()
        clock = self.machine.clock
        now = clock.now
        if self.current is not None:
            self.current.user_time += now - self.since
            self.current = None
        time = clock.next_due()
        if time > end:
            time = end
        if time > now:
            self.idle_time += time - now
            clock.now = now = time
        self.since = now

    def _step(self, last: int) -> bool:
        """Make steps until something is due or nobody can run; True if the `last` one is made."""
        machine, current = self.machine, self.current
        clock, queue, table = machine.clock, machine.ready.queue, self._table
        takes_head = self.policy.takes_head
        record = self.choices.append
        first = self.steps + 1
        for self.steps in range(first, last + 1):
            if len(queue) > 1:
                if takes_head:
                    record(0)
                else:
                    self._choose()
            process = queue[0]
            if process is not current:
                if self.careful:
                    if not self._switch(process):
                        return False
                    current = process
                else:
                    now = clock.now
                    if current is not None:
                        current.user_time += now - self.since
                    self.since = now
                    self.current = current = process
                    if process.privilege.billable and process is not self.billed:
                        self._bill(process)
            if process.misc and process.misc & _AGAIN:
                request = process.request
            else:
                try:
                    request = process.coroutine.send(process.result)  # type: ignore[union-attr]
                except BaseException as error:
                    machine.fate.program_ended(process, error)
                    return False
                process.request = request
            try:
                enter, cost = table[type(request)]
                clock.now += cost
                code = enter(process, request)
                if code and code < 0:
                    self._refuse(process, code)
            except Exception as error:
                machine.fate.trap_failed(process, request, error)
            if clock.now >= clock.deadline or not queue:
                return False
        return True

    def _refuse(self, process: Process, code: int) -> None:
        """The trap that `process` made last has failed."""
        process.result = IpcError(code)
        if self.machine.probes.emit is not None:
            self.machine.probes.refused(process, code)

    def _choose(self) -> None:
        """Bring to the front of the queue who makes the next step."""
        ready = self.machine.ready
        try:
            index = self.policy.choose(ready.queue, self.current)
        except Exception:
            self.steps -= 1  # which is not made
            raise
        self.choices.append(index)
        if index:
            ready.to_front(index)
            probes = self.machine.probes
            if probes.emit is not None:
                probes.happened(Chosen, ready.queue[0], index, len(ready.queue))

    def _switch(self, process: Process) -> bool:
        """Let `process` be the one that runs; False if its quantum is used up."""
        self.account()
        self.current = process
        if process.privilege.billable:
            self._bill(process)
        if self.policy.quanta and process.quantum <= 0:
            self.current = None
            self.steps -= 1  # which is not made
            self._no_time(process)
            return False
        self._watch_times(process)
        return True

    def _watch_times(self, process: Process) -> None:
        """Look up again when a time of `process`, which runs, is used up."""
        left = process.quantum if self.policy.quanta else NEVER
        if process.virtual_left:
            left = min(left, process.virtual_left)
        profiled = process if process.profile_left else self.billed
        if profiled is not None and profiled.profile_left:
            left = min(left, profiled.profile_left)
        clock = self.machine.clock
        clock.deadline = min(clock.deadline, clock.now + left)

    def account(self) -> None:
        """Bring the times of the process that runs, and of the one that is billed, up to date."""
        process = self.current
        now = self.machine.clock.now
        elapsed = now - self.since
        self.since = now
        if process is not None:
            process.user_time += elapsed
            if self.careful:
                process.quantum -= elapsed
                self.machine.timers.used(process, elapsed, own=True)
        self._bill(self.billed)

    def _bill(self, process: Process | None) -> None:
        """Charge what servers did since the last time to who was billed; now `process` is.

        Between two billable processes only servers run, so what the billed one did not use itself
        is theirs.  Source: MINIX ``kernel/clock.c`` timer_int_handler, which samples it.
        """
        billed = self.billed
        now = self.machine.clock.now
        if billed is not None:
            idle = self.idle_time - self.billed_idle
            servers = now - idle - self.billed_since - (billed.user_time - self.billed_time)
            billed.system_time += servers
            if self.careful and servers:
                self.machine.timers.used(billed, servers, own=False)
        self.billed_idle = self.idle_time
        self.billed = process
        self.billed_since = now
        self.billed_time = process.user_time if process is not None else 0

    def _attend(self) -> None:
        """Look up from stepping: what is due, whose quantum is over, who wants to stop."""
        machine = self.machine
        clock = machine.clock
        probes = machine.probes
        clock.deadline = limit = self.limits.time
        if probes.failure is not None:
            failure, probes.failure = probes.failure, None
            raise failure
        due = clock.happen()
        if clock.now >= limit:
            raise LimitReached(
                f"the machine ran for {self.limits.time} virtual nanoseconds, which is its limit"
            )
        if due < clock.deadline:
            clock.deadline = due
        process = self.current
        if process is None:
            return
        self.account()
        if not self.careful or process.rts:
            return
        if self.policy.quanta and process.quantum <= 0:
            self.current = None
            self._no_time(process)
        else:
            self._watch_times(process)

    def _no_time(self, process: Process) -> None:
        """The quantum of `process` is over.  MINIX: proc_no_time."""
        if not process.privilege.flags & PREEMPTIBLE:
            process.quantum = process.quantum_size or NEVER
            return
        if self.machine.schedulers.tell_no_quantum(process):
            return
        # Differs: MINIX lets a process that the kernel schedules go on; then nobody of the same
        # queue ever runs while it computes.
        process.quantum = process.quantum_size or NEVER
        ready = self.machine.ready
        ready.block(process, RTS_PREEMPTED)
        ready.unblock(process, RTS_PREEMPTED)
