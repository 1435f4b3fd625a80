"""`sendrec run`: scenarios, one line each, and what failed in them."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs
import click

from scenarios.catalog import exists, find
from scenarios.run import EXIT_STATUS, Outcome, Overrides, Status, run
from scenarios.source import BadInput, Source
from scenarios.values import show_time
from scenarios.words import counted
from sendrec.commands.options import overrides
from sendrec.commands.outputs import Outputs

LAST_LINES: Final = 8
WORDS: Final[dict[Status, str]] = {"ok": "ok", "failed": "FAILED", "bad": "BAD INPUT"}


def run_files(
    files: Sequence[str],
    *,
    trace: bool = False,
    maps: bool = False,
    update: bool = False,
    diagram: str | None = None,
    log: str | None = None,
    policy: str | None = None,
    seed: int | None = None,
    quirks: str | None = None,
) -> int:
    """Run the scenarios and print what came of them; the exit status.

    The picture of the last one is written to the file `diagram`, and its events to the file `log`.
    """
    machine = overrides(policy, seed, quirks)
    outputs = Outputs(diagram, log)
    outputs.refuse_each_other()
    counts: Counter[Status] = Counter()
    worst = 0
    for name in files:
        outcome = run_file(name, machine, outputs, trace=trace, update=update)
        _print_outcome(name, outcome, machine)
        if maps and outcome.stage is not None:
            from sendrec.commands.memory import print_maps

            print_maps(outcome.stage)
        counts[outcome.status] += 1
        worst = max(worst, EXIT_STATUS[outcome.status])
    click.echo(_summary(counts))
    outputs.write()
    return worst


def run_file(
    name: str,
    machine: Overrides,
    outputs: Outputs,
    *,
    trace: bool = False,
    update: bool = False,
) -> Outcome:
    """What came of the scenario called `name`, of which `outputs` keeps what it will write."""
    if update:
        _refuse_to_update(name)
    try:
        source = find(name)
    except BadInput as error:
        return Outcome("bad", str(error))
    outputs.refuse(source)
    if update:
        source = _updated(name, source, machine)
    outcome = run(source, machine, click.echo if trace else None, outputs.listener)
    outputs.stage = outcome.stage
    return outcome


def _refuse_to_update(name: str) -> None:
    """Raises click.BadParameter for what cannot be written as a whole."""
    if exists(Path(name)) and not Path(name).is_file():
        raise click.BadParameter(f"{name} is no regular file", param_hint="--update")


def _updated(name: str, source: Source, machine: Overrides) -> Source:
    """The scenario with its results rewritten, as they are in its file then."""
    from scenarios.update import update
    from scenarios.wholefile import write_whole

    updated = update(source, machine)
    if not updated.changes:
        return source
    assert source.path is not None, "find reads files"
    try:
        write_whole(source.path, updated.text.encode("utf-8-sig" if source.marked else "utf-8"))
    except OSError as error:
        raise click.FileError(name, error.strerror) from error
    click.echo(f"updated   {name}  ({counted(updated.changes, 'result')})")
    return attrs.evolve(source, text=updated.text)


def _print_outcome(name: str, outcome: Outcome, machine: Overrides) -> None:
    what = f"{outcome.messages} messages, {show_time(outcome.time)}" if outcome.stage else ""
    click.echo(f"{WORDS[outcome.status]:<9} {name}" + (f"  ({what})" if what else ""))
    if outcome.status == "bad":
        click.echo(outcome.reason, err=True)
    elif outcome.status == "failed":
        click.echo(outcome.reason)
        for line in _printed(outcome):
            click.echo(line)
        click.echo(f"  to see all messages: {_again(name, outcome, machine)}")


def _printed(outcome: Outcome) -> Iterator[str]:
    """The last that the kernel and the servers had to say, but for what is the reason already."""
    log = [] if outcome.stage is None else outcome.stage.machine.log
    said = [line for text in log for line in text.splitlines()]
    lines = [line for line in said if line.removeprefix("panic: ") not in outcome.reason]
    if lines:
        yield "  what the kernel and the servers have printed:"
        yield from (f"    {line}" for line in lines[-LAST_LINES:])


def _again(name: str, outcome: Outcome, machine: Overrides) -> str:
    """The command that makes the same run again; by its schedule, if the policy was chosen."""
    given = machine.given()
    if "policy" in given and outcome.schedule:
        given["policy"] = f"replay:{outcome.schedule}"
    options = [word for option, value in given.items() for word in (f"--{option}", str(value))]
    return shlex.join(["sendrec", "run", "--trace", name, *options])


def _summary(counts: Counter[Status]) -> str:
    total = sum(counts.values())
    parts = [f"{counts[status]} {WORDS[status].lower()}" for status in WORDS if counts[status]]
    return f"{counted(total, 'scenario')}: {', '.join(parts)}"
