"""A scenario file from its path to what came of it.

Whatever ends a run (a line that fails, bad input, a panic, a limit) is its outcome, in words; only
a defect of this program is an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Literal

import attrs

from kernel.limits import LimitReached
from kernel.machine import Machine, MachineStopped
from kernel.panic import Panic
from kernel.policies import PolicyError
from kernel.policies.replay import Schedule, format_schedule
from kernel.probes import Listener
from scenarios import syntax
from scenarios.checks import check, flatten
from scenarios.failures import LineFailed
from scenarios.messagelog import Delivery
from scenarios.parser import parse
from scenarios.runner import Runner
from scenarios.settings import machine_config
from scenarios.source import BadInput, Source
from scenarios.stage import Stage, set_up
from servers.config import MachineConfig
from tracing.text import TextView

Status = Literal["ok", "failed", "bad"]

# How a run ended, more closely: `failed` is a line that did not come true, `hang` one that cannot.
Ending = Literal["ok", "failed", "hang", "panic", "limit", "bad"]

EXIT_STATUS: Final[dict[Status, int]] = {"ok": 0, "failed": 1, "bad": 2}


@attrs.frozen
class Overrides:
    """What the command line says about the machine, whatever the file says; None: nothing."""

    policy: str | None = None
    seed: int | None = None
    quirks: str | None = None

    def given(self) -> dict[str, Any]:
        """What was said, by the names of `MachineConfig`."""
        return {name: value for name, value in attrs.asdict(self).items() if value is not None}


@attrs.frozen
class Outcome:
    """What came of a run: its status, why in words, and what can be said of it afterwards.

    `messages` were delivered in `time` virtual ns; `schedule` is the policy's choices, as
    `--policy replay:` takes them.  `stage` is the machine as it stands, if it was ever made, and
    `failure` the line that failed, if one did.  `ending` says more closely than the status what
    happened, and `deliveries` are the messages, with the kernel calls among them.
    """

    status: Status
    reason: str = ""
    messages: int = 0
    time: int = 0
    schedule: str = ""
    stage: Stage | None = None
    failure: LineFailed | None = None
    ending: Ending = "ok"
    deliveries: Sequence[Delivery] = attrs.field(default=(), repr=False)


Print = Callable[[str], None]


def run(
    source: Source,
    overrides: Overrides | None = None,
    trace: Print | None = None,
    listener: Listener | None = None,
) -> Outcome:
    """Run the scenario in `source`.

    `trace` gets each line of the trace as it is complete, `listener` every event.
    """
    try:
        scenario = parse(source)
        check(scenario)
        stage = set_up(scenario, config_of(scenario, overrides or Overrides()))
    except (BadInput, PolicyError) as error:
        return Outcome("bad", str(error), ending="bad")
    except (Panic, LimitReached) as end:
        reason = f"{source.name}: {_kind(end)} before the first line: {end}"
        return Outcome("failed", reason, ending=_ending(end))
    if listener is not None:
        stage.machine.probes.listen(listener)
    return play(scenario, stage, trace)


def play(scenario: syntax.Scenario, stage: Stage, trace: Print | None = None) -> Outcome:
    """Run the lines of `scenario` on the machine that was set up for it."""
    view = TextView(stage.names)
    runner = Runner(stage)
    if trace is not None:
        stage.machine.probes.listen(lambda event: _print(trace, view.feed(event)))
    result = _result(runner, scenario)
    if trace is not None:
        _print(trace, view.finish())
    machine = stage.machine
    return attrs.evolve(
        result,
        messages=sum(not each.is_kernel_call for each in runner.log.deliveries),
        time=machine.clock.now,
        schedule=schedule_of(machine),
        stage=stage,
        deliveries=runner.log.deliveries,
    )


def _result(runner: Runner, scenario: syntax.Scenario) -> Outcome:
    try:
        runner.run(scenario.statements)
        runner.demand_fired()
    except LineFailed as failure:
        ending: Ending = "hang" if failure.hangs else "failed"
        return Outcome("failed", str(failure), failure=failure, ending=ending)
    except (BadInput, PolicyError) as error:
        return Outcome("bad", str(error), ending="bad")
    except (Panic, LimitReached, MachineStopped) as end:
        stopped = runner.ended(_kind(end), str(end).splitlines())
        return Outcome("failed", str(stopped), ending=_ending(end))
    return Outcome("ok")


def _ending(end: Exception) -> Ending:
    return "limit" if isinstance(end, LimitReached) else "panic"


def _kind(end: Exception) -> str:
    match end:
        case Panic():
            return "the machine panicked"
        case LimitReached():
            return "the machine reached a limit"
        case _:
            return "the machine has stopped"


def schedule_of(machine: Machine) -> str:
    """The choices that the policy made, in the form that `replay:` reads."""
    dispatcher = machine.dispatcher
    return format_schedule(Schedule(dispatcher.choices, dispatcher.policy.quanta))


def config_of(scenario: syntax.Scenario, overrides: Overrides) -> MachineConfig:
    """How the machine of a scenario is made.  Raises BadInput."""
    config = MachineConfig()
    for statement in flatten(scenario.statements):
        if isinstance(statement, syntax.Machine):
            config = machine_config(statement.settings)
    return attrs.evolve(config, **overrides.given())


def _print(trace: Print, lines: Iterable[str]) -> None:
    for line in lines:
        trace(line)
