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

from collections.abc import Callable
from math import inf
from typing import Any, Final

import attrs
import trio

from kernel.driven import ProcessEnded
from kernel.hang import Hang, report
from kernel.machine import Machine, MachineStopped
from kernel.process import Process

# How many steps the machine makes before other tasks have a turn.
SLICE: Final = 20_000


@attrs.define(eq=False)
class _Wanted:
    """A command that a task has given: for which process, and what became of it."""

    process: Process
    sequence: int
    command: Any
    done: trio.Event = attrs.field(factory=trio.Event)
    value: Any = None
    error: BaseException | None = None
    abandoned: bool = False

    def finish(self, outcome: Any) -> None:
        """The process reported `outcome`, or is no more."""
        if isinstance(outcome, BaseException):
            self.error = outcome
        else:
            self.error = getattr(outcome, "error", None)
            self.value = getattr(outcome, "value", None)
        self.done.set()


class Bridge:
    """Runs a machine in a trio task, and takes commands for its driven processes."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.failure: BaseException | None = None
        self._pending: list[_Wanted] = []
        self._injected: list[_Wanted] = []
        self._sequence = 0
        self._wake = trio.Event()

    # For tasks outside.

    async def command(self, process: Process, command: Any) -> Any:
        """Let `process` do `command` and wait for its result.

        Raises what the command raised; ProcessEnded if the process is no more before it is done;
        Hang if nothing can bring it to an end; MachineStopped, from its cause, if the machine
        stops.
        """
        self._demand_running()
        self._sequence += 1
        wanted = _Wanted(process, self._sequence, command)
        self._pending.append(wanted)
        self._wake.set()
        try:
            await wanted.done.wait()
        finally:
            self._give_up(wanted)
        if wanted.error is not None:
            raise wanted.error
        return wanted.value

    def _demand_running(self) -> None:
        if self.failure is not None:
            raise MachineStopped(f"the machine stopped: {self.failure}") from self.failure

    def _give_up(self, wanted: _Wanted) -> None:
        wanted.abandoned = True
        if wanted in self._pending:
            self._pending.remove(wanted)

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
            if not self._waited_for():
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

    def _waited_for(self) -> list[_Wanted]:
        self._injected = [each for each in self._injected if not each.done.is_set()]
        live = [each for each in self._injected if not each.abandoned]
        return live + self._pending

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

    def _tell_hang(self) -> None:
        found = report(self.machine)
        self._end_all(lambda: Hang(found))

    def _fail(self, failure: BaseException) -> bool:
        """The machine runs no more; whether anybody waited who was told."""
        self.failure = failure
        return self._end_all(lambda: _explained(failure))

    def _end_all(self, make: Callable[[], BaseException]) -> bool:
        waiting = self._waited_for()
        for wanted in waiting:
            wanted.error = make()
            wanted.abandoned = True
            wanted.done.set()
        self._pending.clear()
        return bool(waiting)


def _order(wanted: _Wanted) -> tuple[int, int]:
    return wanted.process.slot, wanted.sequence


def _explained(failure: BaseException) -> BaseException:
    stopped = MachineStopped(f"the machine stopped: {failure}")
    stopped.__cause__ = failure
    return stopped
