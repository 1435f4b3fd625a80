"""An async test under many schedules: `sendrec.explore(test)`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import attrs
import trio

from kernel.hang import Hang
from kernel.limits import LimitReached
from kernel.machine import MachineStopped
from kernel.panic import Panic
from kernel.probes import MessageDelivered
from scenarios.explore.exploration import Results
from scenarios.explore.search import DEFAULT_BOUND, DEFAULT_RUNS, Exploration, Run, Search
from scenarios.explore.steps import Deviations
from scenarios.explore.watcher import Watcher
from scenarios.run import Ending
from sendrec.booting import boot
from sendrec.machine import Machine

_ENDINGS: Final[dict[type[Exception], Ending]] = {
    Hang: "hang", Panic: "panic", MachineStopped: "panic", LimitReached: "limit",
}  # fmt: skip

Test = Callable[[Machine], Awaitable[Any]]


def explore(
    test: Test,
    *,
    bound: int = DEFAULT_BOUND,
    runs: int = DEFAULT_RUNS,
    seed: int | None = None,
    whole: bool = False,
    **options: Any,
) -> Exploration:
    """Run `async def test(machine)` under different schedules, the ones nearest to fifo first.

    The test gets a new machine each time, booted with the `options` of `sendrec.boot`, and must do
    the same each time.  The other arguments are those of `scenarios.explore.explore`; ValueError is
    raised for those that make no search.  What the test raises first is raised, with a note of the
    schedule: `policy="replay:…"` makes it again.  Not to be called from within trio.
    """
    if "policy" in options:
        raise ValueError("explore chooses the order itself, so it takes no policy")
    search = Search(Played(test, options), bound, runs, seed, whole)
    for run in search.go():
        if run.failure is not None:
            run.failure.add_note(f"under the schedule policy={f'replay:{run.schedule}'!r}")
            raise run.failure
    return search.found


@attrs.frozen
class Played:
    """Plays a test by any schedule."""

    test: Test
    options: dict[str, Any]

    def __call__(self, deviations: Deviations, careful: bool) -> tuple[Run, Watcher]:
        """Run the test with these deviations."""
        return trio.run(self._play, deviations, careful)

    async def _play(self, deviations: Deviations, careful: bool) -> tuple[Run, Watcher]:
        failure: Exception | None = None
        async with boot(**self.options) as machine:
            watcher = Watcher(machine.system.machine, deviations, careful=careful)
            results = Results()
            messages: list[str] = []
            machine.listen(results)
            machine.listen(lambda event: _keep(messages, event))
            try:
                await self.test(machine)
            except Exception as error:
                failure = error
        ending: Ending = "ok" if failure is None else _ENDINGS.get(type(failure), "failed")
        run = Run(
            watcher.deviations, watcher.schedule, ending, str(failure or ""), tuple(messages),
            results.by_process(), failure,
        )  # fmt: skip
        return run, watcher


def _keep(messages: list[str], event: object) -> None:
    if isinstance(event, MessageDelivered):
        messages.append(f"{event.source} -> {event.dest}: {event.message}")
