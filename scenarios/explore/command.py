"""`sendrec explore`: scenarios under many schedules, and what is told of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scenarios.catalog import find
from scenarios.explore.exploration import searching
from scenarios.explore.search import Exploration, Run, Search, Seen
from scenarios.source import BadInput
from scenarios.words import counted
from servers.config import BadConfig, MachineConfig

FAILED: Final = 1
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130
WIDEST: Final = 140


def explore_files(
    files: Sequence[str], *, show: bool = False, quirks: str | None = None, **options: Any
) -> int:
    """Explore the scenarios and print what came of them; the exit status.

    The other options are those of `scenarios.explore.explore`.  With `show`, all schedules are run
    even if one fails.
    """
    _check(quirks)
    worst = 0
    for name in files:
        try:
            search = searching(find(name), on=show, quirks=quirks, **options)
            finished = go(search)
        except BadInput as error:
            click.echo(f"BAD INPUT {name}")
            click.echo(error, err=True)
            worst = BAD_INPUT
            continue
        report(name, search.found, finished=finished, quirks=quirks)
        if show:
            _show(search.found.orders.values())
        if not search.found.ok:
            worst = max(worst, FAILED)
        if not finished:
            return worst or INTERRUPTED
    return worst


def _check(quirks: str | None) -> None:
    try:
        MachineConfig(quirks=quirks or "none")
    except BadConfig as error:
        raise click.BadParameter(error.reason, param_hint="--quirks") from error


def go(search: Search) -> bool:
    """Make the runs; False if the person at the keyboard has had enough."""
    console = Console(stderr=True, highlight=False)
    with _bar(console) if console.is_terminal else nullcontext() as bar:
        task = None if bar is None else bar.add_task("schedules", total=None)
        try:
            for run in search.go():
                if bar is not None and task is not None:
                    found = search.found
                    total = min(search.runs, found.runs + found.left)
                    deviations = counted(len(run.deviations), "deviation")
                    bar.update(task, description=deviations, completed=found.runs, total=total)
        except KeyboardInterrupt:
            return False
    return True


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, transient=True,
    )  # fmt: skip


def report(
    name: str, found: Exploration, *, finished: bool = True, quirks: str | None = None
) -> None:
    """Print what came of a scenario."""
    click.echo(f"{'ok' if found.ok else 'FAILED':<9} {name}")
    orders, outcomes = len(found.orders), len(found.outcomes)
    click.echo(f"  {found}" + ("" if finished else " (interrupted)"))
    click.echo(
        f"  {counted(orders, 'order')} of messages, {counted(outcomes, 'outcome')}"
        + (
            f", {len(found.failures)} of {counted(found.runs, 'run')} failed"
            * (len(found.failures) > 1)
        )
    )
    if not found.ok:
        _report_failure(name, found.failures[0], quirks)


def _report_failure(name: str, run: Run, quirks: str | None) -> None:
    click.echo(f"  with {counted(len(run.deviations), 'deviation')} ({run.ending}):")
    click.echo(run.text)
    options = f" --quirks {shlex.quote(quirks)}" if quirks is not None else ""
    click.echo(
        f"  to see it: sendrec run --trace{options} --policy replay:{run.schedule}"
        f" {shlex.quote(name)}"
    )


def _show(orders: Iterable[Seen]) -> None:
    """Each order of messages: the first as it is, the others from where they differ from it."""
    first: tuple[str, ...] = ()
    for number, seen in enumerate(orders, start=1):
        run = seen.run
        schedule = run.schedule or "0"
        click.echo(
            f"  order {number}: {counted(seen.count, 'schedule')}, {run.ending},"
            f" such as replay:{schedule}"
        )
        first = first or run.messages
        start, end = _differing(first, run.messages) if number > 1 else (0, len(run.messages))
        if start:
            click.echo(f"    ({start} as in order 1)")
        for message in run.messages[start:end]:
            cut = len(message) > WIDEST
            click.echo(f"    {message[: WIDEST - 3]}..." if cut else f"    {message}")
        if end < len(run.messages):
            click.echo(f"    ({len(run.messages) - end} as in order 1)")


def _differing(first: tuple[str, ...], other: tuple[str, ...]) -> tuple[int, int]:
    """From where to where in `other` it is not the same as `first`."""
    shortest = min(len(first), len(other))
    start = next((at for at in range(shortest) if first[at] != other[at]), shortest)
    left = shortest - start
    same = next((at for at in range(left) if first[-1 - at] != other[-1 - at]), left)
    return start, len(other) - same
