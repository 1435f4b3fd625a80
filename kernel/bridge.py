"""The bridge between a machine and the trio tasks outside it.

    bridge = Bridge(machine)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bridge.run)
        value = await bridge.command(process, command)

`run` is the machine's one task.  Any number of others give commands to driven processes and wait
for what becomes of them.

Rules.  Commands are injected only when the machine is quiet and every other task waits for
something, by ascending slot and then in the order in which they were given: so a run does not
depend on the order in which trio runs tasks.  Virtual time passes only while somebody waits for a
command and nothing can run.  A task that is cancelled gives up its command: one that was not
injected is forgotten, one that was is finished by the process, and nobody hears the outcome.  When
the machine stops, every task that waits gets an exception of its own that says why.
"""

from __future__ import annotations

from math import inf
from typing import Any, Final

import attrs
import trio

from kernel.clock import NEVER
from kernel.driven import ProcessEnded
from kernel.hang import Hang, HangReport, report
from kernel.machine import Machine, MachineStopped
from kernel.process import Process

# How many steps the machine makes before other tasks have a turn.
SLICE: Final = 20_000


@attrs.define(eq=False)
class _Wait:
    """Tasks wait for a command: `over` when it is done, or when that `hang` was found."""

    over: trio.Event = attrs.field(factory=trio.Event)
    hang: HangReport | None = None


@attrs.define(eq=False)
class Started:
    """A command that was given: to which process, what became of it, how many tasks wait."""

    process: Process
    sequence: int
    command: Any
    value: Any = None
    error: BaseException | None = None
    finished: bool = False  # it has been done, or never will be
    waiters: int = 0
    _wait: _Wait = attrs.field(factory=_Wait, init=False)

    async def result(self) -> Any:
        """Wait for the command's result.  Raises as `Bridge.command` does; can be asked again.

        What hung once may come to an end later, because of what somebody did meanwhile.
        """
        wait = self._wait
        if wait.hang is not None and not self.finished:
            # Others may not have heard of that hang yet.
            wait = self._wait = _Wait()
        self.waiters += 1
        try:
            await wait.over.wait()
        finally:
            self.waiters -= 1
        if not self.finished and wait.hang is not None:
            raise Hang(wait.hang)
        if self.error is not None:
            raise self.error
        return self.value

    def hangs(self, found: HangReport) -> None:
        """Nothing can bring the command to an end, so those who wait for it need not go on."""
        self._wait.hang = found
        self._wait.over.set()

    def finish(self, outcome: Any) -> None:
        """The process reported `outcome`, or is no more."""
        self.finished = True
        if isinstance(outcome, BaseException):
            self.error = outcome
        else:
            self.error = getattr(outcome, "error", None)
            self.value = getattr(outcome, "value", None)
        self._wait.over.set()


@attrs.define(eq=False)
class _Passage:
    """A task waits for virtual time to pass: to `end` (ns), or None: until nothing is due."""

    end: int | None
    done: trio.Event = attrs.field(factory=trio.Event)
    error: BaseException | None = None


class Bridge:
    """Runs a machine in a trio task, and takes commands for its driven processes."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.failure: BaseException | None = None
        self._pending: list[Started] = []
        self._injected: list[Started] = []
        self._passing: list[_Passage] = []
        self._sequence = 0
        self._wake = trio.Event()

    # For tasks outside.

    async def command(self, process: Process, command: Any) -> Any:
        """Let `process` do `command` and wait for its result.

        Raises what the command raised; ProcessEnded if the process is no more before it is done;
        Hang if nothing can bring it to an end; MachineStopped, from its cause, if the machine
        stops.
        """
        started = self.start(process, command)
        try:
            return await started.result()
        finally:
            if started in self._pending:
                self._pending.remove(started)

    def start(self, process: Process, command: Any) -> Started:
        """Let `process` do `command`; its `result()` can be waited for later.

        Raises MachineStopped.
        """
        self._demand_running()
        self._sequence += 1
        started = Started(process, self._sequence, command)
        self._pending.append(started)
        self.wake()
        return started

    def wake(self) -> None:
        """Have the machine's task look whether there is something to do."""
        self._wake.set()

    async def until_quiet(self) -> None:
        """Wait until no process can run and nothing is due that anybody may wait for.

        What was commanded before is begun.  Raises MachineStopped.
        """
        await self._pass(_Passage(None))

    async def advance(self, duration: int) -> None:
        """Let `duration` virtual ns pass, and wait until the machine is quiet then.

        Raises MachineStopped.
        """
        await self._pass(_Passage(self.machine.clock.now + duration))

    async def _pass(self, passage: _Passage) -> None:
        self._demand_running()
        self._passing.append(passage)
        self.wake()
        try:
            await passage.done.wait()
        finally:
            if passage in self._passing:
                self._passing.remove(passage)
        if passage.error is not None:
            raise passage.error

    def _demand_running(self) -> None:
        if self.failure is not None:
            raise MachineStopped(f"the machine stopped: {self.failure}") from self.failure

    # The machine's task.

    async def run(self) -> None:
        """Run the machine for as long as it goes, giving way to other tasks now and then.

        When the machine fails the failure goes to the tasks that wait for commands; if none does,
        it is raised here.
        """
        try:
            await self._run()
        except trio.Cancelled:
            self._fail(MachineStopped("nobody runs the machine any more"))
            raise
        except Exception as failure:
            if not self._fail(failure):
                raise

    async def _run(self) -> None:
        machine = self.machine
        while True:
            await self._run_until_quiet()
            await self._others_blocked()
            if self._inject():
                continue
            if self._passing:
                self._let_time_pass()
            elif not self._waited_for():
                await self._woken()
            elif machine.clock.expected:
                machine.idle_once()
            elif trio.lowlevel.current_statistics().seconds_to_next_deadline == inf:
                self._tell_hang()
            else:
                await self._woken()  # a task has a time limit of its own

    async def _run_until_quiet(self) -> None:
        machine = self.machine
        machine.demand_running()
        while not machine.quiet:
            machine.dispatcher.run_nowait(SLICE)
            await trio.lowlevel.checkpoint()

    async def _others_blocked(self) -> None:
        from trio.testing import wait_all_tasks_blocked  # trio offers it nowhere else

        await wait_all_tasks_blocked()

    async def _woken(self) -> None:
        self._wake = trio.Event()
        await self._wake.wait()

    def _waited_for(self) -> list[Started]:
        self._injected = [each for each in self._injected if not each.finished]
        return [each for each in self._injected + self._pending if each.waiters]

    def _inject(self) -> bool:
        """Inject what can be; whether anything changed."""
        changed = False
        driven = self.machine.driven
        table = self.machine.table
        for wanted in sorted(self._pending, key=_order):
            process = wanted.process
            if table.lookup(process.endpoint) is not process:
                wanted.finish(ProcessEnded(f"{process.name} has ended"))
            elif driven.is_free(process):
                driven.inject(process, wanted.command, wanted.finish)
                self._injected.append(wanted)
            else:
                continue
            self._pending.remove(wanted)
            changed = True
        return changed

    def _let_time_pass(self) -> None:
        """Bring those who wait for time to pass a step further, the one whose end is first."""
        passage = min(self._passing, key=self._end)
        end = self._end(passage)
        if self.machine.clock.now < end:
            self.machine.idle_once(end)
        else:
            self._passing.remove(passage)
            passage.done.set()

    def _end(self, passage: _Passage) -> int:
        """When `passage` is over (ns), as far as that can be said now."""
        if passage.end is not None:
            return passage.end
        clock = self.machine.clock
        return NEVER if clock.expected else clock.now

    def _tell_hang(self) -> None:
        found = report(self.machine)
        for started in self._waited_for():
            started.hangs(found)

    def _fail(self, failure: BaseException) -> bool:
        """The machine runs no more; whether anybody waited who was told."""
        self.failure = failure
        told = bool(self._waited_for() or self._passing)
        for passage in self._passing:
            passage.error = _explained(failure)
            passage.done.set()
        for started in (*self._injected, *self._pending):
            if not started.finished:
                started.finish(_explained(failure))
        self._passing.clear()
        self._pending.clear()
        return told


def _order(wanted: Started) -> tuple[int, int]:
    return wanted.process.slot, wanted.sequence


def _explained(failure: BaseException) -> BaseException:
    stopped = MachineStopped(f"the machine stopped: {failure}")
    stopped.__cause__ = failure
    return stopped
