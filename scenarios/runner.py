"""Runs a scenario: does its lines in order, and compares what comes with what must come.

Rules.  A line is issued when the machine is quiet: no process can run, whatever the schedule
policy.  A plain call must return before the next line, and virtual time passes until it does; an
unfinished one must be blocked when the machine is quiet, without time having passed.  `expect`
looks at the messages since the last group of `expect` lines.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import attrs

from kernel.driven import Busy, ProcessEnded
from kernel.hang import report
from kernel.panic import Panic
from kernel.probes import Event, ProcessCreated
from kernel.process import Process
from scenarios import syntax
from scenarios.calls import CALLS
from scenarios.checks import DECLARATIONS, flatten
from scenarios.commands import Shown, make_command
from scenarios.evaluate import evaluate, evaluate_number, explain, is_true
from scenarios.expectations import unmet
from scenarios.failures import LineFailed, describe, last_messages
from scenarios.inject import inject
from scenarios.messagelog import MessageLog
from scenarios.patterns import match_outcome
from scenarios.questions import View, ask
from scenarios.scope import Scope
from scenarios.source import BadInput, Place
from scenarios.stage import Stage
from scenarios.values import Failed, Killed, ProcessName, Value, show
from servers.lib.driven import Raised, Returned
from servers.lib.libc import Usage

if TYPE_CHECKING:
    from kernel.injection import Armed

# Lines during which the machine stands still.
LOOKING: Final = (
    syntax.Expect, syntax.Check, syntax.Let, syntax.Include, syntax.Repeat, syntax.WithQuirk,
)  # fmt: skip

MOST_REPEATS: Final = 1_000_000
_NOT_YET: Final = object()


@attrs.define(eq=False)
class Pending:
    """A call that was made: the line, by whom, and what came of it (`_NOT_YET`: nothing)."""

    line: syntax.Call
    process: ProcessName
    outcome: Any = _NOT_YET

    @property
    def returned(self) -> bool:
        """Whether something came of it."""
        return self.outcome is not _NOT_YET


@attrs.define(eq=False)
class Runner:
    """One run of one scenario on the machine of `stage`.

    `log` holds the messages; `window` is where in it `expect` begins to look, and `looked_at` how
    far the last `expect` looked.  `moved`: the machine may have moved since.
    """

    stage: Stage
    scope: Scope = attrs.field(init=False)
    log: MessageLog = attrs.field(factory=MessageLog)
    at: Place | None = None  # of the line at hand
    window: int = 0
    looked_at: int = 0
    moved: bool = False
    pending: dict[str, Pending] = attrs.field(factory=dict)
    faults: list[tuple[syntax.Inject, Armed]] = attrs.field(factory=list)
    forking: dict[int, str] = attrs.field(factory=dict)  # by parent: what its child will be called

    def __attrs_post_init__(self) -> None:
        stage = self.stage
        view = View(stage.machine, stage.memory, stage.pm, self.log)
        self.scope = Scope({}, functools.partial(ask, view))
        for process in stage.known:
            self.scope.names[process.name] = process
        stage.machine.probes.listen(self._watch)

    def _watch(self, event: Event) -> None:
        self.log(event)
        if isinstance(event, ProcessCreated) and event.parent in self.forking:
            self.stage.names.given[event.process] = self.forking.pop(event.parent)

    def run(self, statements: Iterable[syntax.Statement]) -> None:
        """Do the lines.  Raises LineFailed, BadInput, and what ends a machine's run."""
        lines = [each for each in flatten(statements) if not isinstance(each, DECLARATIONS)]
        for line, following in zip_longest(lines, lines[1:]):
            if isinstance(following, syntax.ExpectPanic):
                self._do_until_panic(line, following)
            elif not isinstance(line, syntax.ExpectPanic):
                self._do(line)

    def _do(self, line: syntax.Statement) -> None:
        self.at = line.at
        self.moved = self.moved or not isinstance(line, LOOKING)
        self.do(line)

    def _do_until_panic(self, line: syntax.Statement, expected: syntax.ExpectPanic) -> None:
        try:
            self._do(line)
        except Panic as panic:
            if expected.quirk in ("", panic.quirk):
                return
            raise
        raise LineFailed(expected.at, "the machine did not panic", messages=self._messages())

    @functools.singledispatchmethod
    def do(self, statement: syntax.Statement) -> None:
        """Do one line."""
        raise AssertionError(f"no way to do {statement}")

    # ---- Calls

    @do.register
    def _call(self, line: syntax.Call) -> None:
        pending = self._issue(line)
        self._settle(pending)

    @do.register
    def _together(self, block: syntax.Together) -> None:
        lines = [line for line in flatten(block.body) if isinstance(line, syntax.Call)]
        for pending in [self._issue(line) for line in lines]:
            self._settle(pending)

    @do.register
    def _resumed(self, line: syntax.Resumed) -> None:
        name = line.process.name
        pending = self.pending.get(name)
        if pending is None or pending.line.call != line.call:
            raise BadInput(f"{name} has no unfinished {line.call}", line.at)
        self._wait_for(pending, line.at)
        del self.pending[name]
        self._compare(pending, line.pattern, line.at)

    def _issue(self, line: syntax.Call) -> Pending:
        """Have the process begin the call."""
        name, process = self._driven(line.process)
        if name.name in self.pending:
            begun = self.pending[name.name].line
            raise LineFailed(
                line.at, f"{name.name} is still in {begun.call}, which line {begun.at.line} began",
                hint=f"write {name.name}: <... {begun.call} resumed> where it has returned",
            )  # fmt: skip
        command = make_command(line, self.scope)
        pending = Pending(line, name)
        if line.call == "fork":
            self._expect_child(line, process)
        try:
            self.stage.machine.driven.inject(process, command, functools.partial(_note, pending))
        except Busy as error:
            raise BadInput(str(error), line.process.at) from error
        return pending

    def _expect_child(self, line: syntax.Call, parent: Process) -> None:
        match line.pattern:
            case syntax.Equals(value=syntax.Name(name=name)):
                self.forking[parent.endpoint] = name
            case _:
                self.forking.pop(parent.endpoint, None)

    def _driven(self, name: syntax.Name) -> tuple[ProcessName, Process]:
        value = self.scope.lookup(name)
        if not isinstance(value, ProcessName):
            raise BadInput(f"{name.name} is not a process, it is {show(value)}", name.at)
        process = self.stage.machine.table.lookup(value.endpoint)
        if process is None:
            raise LineFailed(name.at, f"{name.name} is dead", messages=self._messages())
        return value, process

    def _settle(self, pending: Pending) -> None:
        """Let the call go on until its line is true or cannot be."""
        line = pending.line
        if not line.unfinished:
            self._wait_for(pending, line.at)
            self._compare(pending, line.pattern, line.at)
            return
        self.stage.machine.run_nowait()
        if pending.returned:
            outcome = show(self._value(pending), CALLS[line.call].result)
            raise LineFailed(
                line.at, "the call did not block", [f"it returned {outcome}"], self._messages()
            )
        self.pending[pending.process.name] = pending

    def _wait_for(self, pending: Pending, at: Place) -> None:
        machine = self.stage.machine
        if machine.run_until_nowait(lambda: pending.returned):
            return
        name, call = pending.process.name, pending.line.call
        raise LineFailed(
            at, f"{call} of {name} did not return: nothing can run and nothing is due",
            self._hang(), self._messages(),
            "" if pending.line.unfinished else "if it is to block, write <unfinished ...> after it",
            hangs=True,
        )  # fmt: skip

    def _compare(self, pending: Pending, pattern: syntax.Pattern | None, at: Place) -> None:
        call = pending.line.call
        kind = CALLS[call].result
        outcome = self._value(pending)
        if pattern is None:
            if isinstance(outcome, Failed) or (isinstance(outcome, Killed) and call != "exit"):
                raise LineFailed(at, f"{call} failed", [f"got: {show(outcome)}"], self._messages())
            return
        mismatch = match_outcome(pattern, outcome, self.scope, kind)
        if mismatch is not None:
            details = [f"expected: {mismatch.expected}", f"got:      {mismatch.got}"]
            raise LineFailed(
                mismatch.at, f"{call} gave another result", details, self._messages(),
                correct=mismatch.correct,
            )  # fmt: skip
        self._name_child(pattern, outcome)

    def _name_child(self, pattern: syntax.Pattern, outcome: Value) -> None:
        """A process that a pattern has just bound is called by that name from now on."""
        match pattern, outcome:
            case syntax.Equals(value=syntax.Name(name=name)), ProcessName():
                if self.scope.names.get(name) is outcome:
                    outcome.name = name
                    self.stage.names.given[outcome.endpoint] = name

    def _value(self, pending: Pending) -> Value:
        """What came of a call, as patterns see it."""
        outcome = pending.outcome
        match outcome:
            case Returned(value=Shown(value=value)):
                if pending.line.call == "fork" and isinstance(value, int):
                    return self.stage.process_with_pid(value)
                return value
            case ProcessEnded():
                return Killed(self.stage.killing_signal(pending.process))
            case Raised(error=Usage() as error):
                raise BadInput(str(error), pending.line.at)
            case Raised(error=error):
                raise error
        raise AssertionError(f"an outcome of no kind: {outcome!r}")

    # ---- What must be true

    @do.register
    def _check(self, line: syntax.Check) -> None:
        if not is_true(evaluate(line.expression, self.scope)):
            details = explain(line.expression, self.scope)
            raise LineFailed(line.expression.at, "this is not true", details, self._messages())

    @do.register
    def _expect(self, line: syntax.Expect) -> None:
        deliveries = self.log.deliveries
        if self.moved:
            self.window, self.looked_at, self.moved = self.looked_at, len(deliveries), False
        failure = unmet(line, deliveries[self.window :], self.scope)
        if failure is None:
            return
        near = [f"the message: {describe(failure.near, self.stage.names)}"] if failure.near else []
        raise LineFailed(failure.at, failure.reason, near, self._messages())

    # ---- Time, names, blocks

    @do.register
    def _run(self, line: syntax.Run) -> None:
        machine = self.stage.machine
        if line.until is None:
            machine.run_quiet_nowait()
            return
        condition = line.until
        if not self.stage.run_until(lambda: is_true(evaluate(condition, self.scope))):
            details = [*explain(condition, self.scope), *self._hang()]
            raise LineFailed(
                line.at, "this never became true", details, self._messages(), hangs=True
            )

    @do.register
    def _advance(self, line: syntax.Advance) -> None:
        duration = evaluate_number(line.duration, self.scope)
        if duration < 0:
            raise BadInput("time does not go back", line.duration.at)
        self.stage.machine.advance_nowait(duration)

    @do.register
    def _let(self, line: syntax.Let) -> None:
        self.scope.names[line.name] = evaluate(line.value, self.scope)

    @do.register
    def _repeat(self, block: syntax.Repeat) -> None:
        times = evaluate_number(block.count, self.scope)
        if not 0 <= times <= MOST_REPEATS:
            raise BadInput(f"repeat takes 0..{MOST_REPEATS}", block.count.at)
        before = set(self.scope.names)
        for _ in range(times):
            for name in [each for each in self.scope.names if each not in before]:
                del self.scope.names[name]  # each time, the block binds its names anew
            self.run(block.body)

    @do.register
    def _with_quirk(self, block: syntax.WithQuirk) -> None:
        if (block.quirk in self.stage.machine.quirks) == block.present:
            self.run(block.body)

    @do.register
    def _inject(self, line: syntax.Inject) -> None:
        armed = inject(self.stage.machine, line, self.scope)
        if armed is not None:
            self.faults.append((line, armed))

    def demand_fired(self) -> None:
        """Raises LineFailed for a fault that was set and never struck: it has tested nothing."""
        for line, armed in self.faults:
            if not armed.fired:
                account = armed.account(self.stage.names(armed.process))
                raise LineFailed(line.at, "this fault never struck", [account], self._messages())

    def ended(self, reason: str, details: list[str]) -> LineFailed:
        """The failure of the line at hand because the machine runs no more."""
        assert self.at is not None, "a machine runs only in lines"
        return LineFailed(self.at, reason, details, self._messages())

    def _hang(self) -> list[str]:
        return str(report(self.stage.machine, self.stage.names)).splitlines()

    def _messages(self) -> list[str]:
        return last_messages(self.log.deliveries, self.stage.names)


def _note(pending: Pending, outcome: Any) -> None:
    pending.outcome = outcome
