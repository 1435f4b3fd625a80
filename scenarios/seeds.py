"""The library under many random schedules: `python -m scenarios.seeds --seeds 100`.

A scenario that names a policy itself is about that policy, and is run as it says.
"""

from __future__ import annotations

import sys

import click

from scenarios import syntax
from scenarios.catalog import find, shipped
from scenarios.checks import flatten
from scenarios.parser import parse
from scenarios.run import Overrides, run
from scenarios.source import BadInput
from scenarios.words import counted


@click.command()
@click.option(
    "--seeds", type=click.IntRange(0), default=100, show_default=True, help="How many seeds to try."
)
@click.option(
    "--first", type=click.IntRange(0), default=0, show_default=True, help="The first seed."
)
@click.argument("names", nargs=-1)
def main(seeds: int, first: int, names: tuple[str, ...]) -> None:
    """Run shipped scenarios (or NAMES) under every policy and many seeds of the random one."""
    schedules = [Overrides("fifo"), Overrides("priority")]
    schedules += [Overrides("random", seed) for seed in range(first, first + seeds)]
    failed = [name for name in names or shipped() if not _holds(name, schedules)]
    click.echo(f"{len(failed)} of {len(names or shipped())} scenarios failed")
    sys.exit(1 if failed else 0)


def _holds(name: str, schedules: list[Overrides]) -> bool:
    """Whether a scenario comes true under each of `schedules`; says so."""
    try:
        source = find(name)
        if _names_a_policy(parse(source)):
            schedules = [Overrides()]
    except BadInput as error:
        raise click.UsageError(str(error)) from error
    for schedule in schedules:
        outcome = run(source, schedule)
        if outcome.status != "ok":
            options = (f" --{option} {value}" for option, value in schedule.given().items())
            click.echo(f"FAILED    {name}{''.join(options)}")
            click.echo(outcome.reason)
            return False
    click.echo(f"ok        {name} ({counted(len(schedules), 'schedule')})")
    return True


def _names_a_policy(scenario: syntax.Scenario) -> bool:
    return any(
        setting.key == "policy"
        for line in flatten(scenario.statements)
        if isinstance(line, syntax.Machine)
        for setting in line.settings
    )


if __name__ == "__main__":
    main()
