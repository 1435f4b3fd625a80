"""A scenario under many schedules: `explore(source)`."""

from __future__ import annotations

import attrs

from ipc.endpoint import endpoint_name
from ipc.notification import Notification
from kernel.limits import LimitReached
from kernel.panic import Panic
from kernel.probes import CommandFinished, Event, ProgramEnded
from scenarios import syntax
from scenarios.checks import check, flatten
from scenarios.explore.search import DEFAULT_BOUND, DEFAULT_RUNS, Exploration, Run, Search
from scenarios.explore.steps import Deviations
from scenarios.explore.watcher import Watcher
from scenarios.failures import describe
from scenarios.messagelog import Delivery
from scenarios.parser import parse
from scenarios.run import Overrides, config_of, play
from scenarios.source import BadInput, Source
from scenarios.stage import Stage, set_up
from tracing.names import Names


def explore(
    source: Source,
    *,
    bound: int = DEFAULT_BOUND,
    runs: int = DEFAULT_RUNS,
    seed: int | None = None,
    whole: bool = False,
    on: bool = False,
    quirks: str | None = None,
) -> Exploration:
    """Run a scenario under different schedules, the ones nearest to `fifo` first.

    Schedules with at most `bound` deviations are made, and at most `runs` of them, in random order
    if there is a `seed`.  `whole` leaves none out, `on` goes on after a failure.  Raises BadInput
    for what is no scenario, or one that names a policy itself.
    """
    return searching(source, bound, runs, seed, whole=whole, on=on, quirks=quirks).finish()


def searching(
    source: Source,
    bound: int = DEFAULT_BOUND,
    runs: int = DEFAULT_RUNS,
    seed: int | None = None,
    *,
    whole: bool = False,
    on: bool = False,
    quirks: str | None = None,
) -> Search:
    """The search that `explore` makes, for who wants to see it go on.  Raises BadInput."""
    scenario = parse(source)
    check(scenario)
    _refuse_policy(scenario)
    played = Played(scenario, Overrides(quirks=quirks))
    return Search(played, bound, runs, seed, whole, on)


def _refuse_policy(scenario: syntax.Scenario) -> None:
    for line in flatten(scenario.statements):
        for setting in line.settings if isinstance(line, syntax.Machine) else ():
            if setting.key == "policy":
                raise BadInput(
                    "this scenario names a policy, but explore chooses the order itself",
                    setting.at, "run it as it is with: sendrec run",
                )  # fmt: skip


@attrs.frozen
class Played:
    """Plays a scenario by any schedule."""

    scenario: syntax.Scenario
    overrides: Overrides

    def __call__(self, deviations: Deviations, careful: bool) -> tuple[Run, Watcher]:
        """Run the scenario with these deviations.  Raises BadInput if it is wrong in itself."""
        try:
            stage = set_up(self.scenario, config_of(self.scenario, self.overrides))
        except (Panic, LimitReached) as end:
            raise BadInput(f"the machine ended before the first line: {end}") from end
        watcher = Watcher(stage.machine, deviations, careful=careful)
        results = Results()
        stage.machine.probes.listen(results)
        outcome = play(self.scenario, stage)
        if outcome.ending == "bad" and not deviations:
            raise BadInput(outcome.reason)
        messages = tuple(_told(each, stage.names) for each in outcome.deliveries)
        return (
            Run(
                watcher.deviations, watcher.schedule, outcome.ending, outcome.reason,
                tuple(each for each in messages if each), results.by_process(stage),
            ),
            watcher,
        )  # fmt: skip


def _told(delivery: Delivery, names: Names) -> str:
    """A message in words, without the time; empty for a kernel call."""
    if delivery.is_kernel_call:
        return ""
    if isinstance(delivery.message, Notification):
        message = attrs.evolve(delivery.message, timestamp=0)
        delivery = attrs.evolve(delivery, message=message)
    return describe(delivery, names)


class Results:
    """Listens to a machine and keeps what calls and programs ended with."""

    def __init__(self) -> None:
        self._results: dict[int, list[str]] = {}

    def __call__(self, event: Event) -> None:
        """Keep what `event` tells."""
        match event:
            case CommandFinished():
                self._results.setdefault(event.process, []).append(event.outcome)
            case ProgramEnded():
                text = f"{event.status} {event.error}"
                self._results.setdefault(event.process, []).append(text)

    def by_process(self, stage: Stage | None = None) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The results of each process, by its endpoint."""
        name = endpoint_name if stage is None else stage.names
        found = sorted(self._results.items())
        return tuple((name(endpoint), tuple(each)) for endpoint, each in found)
