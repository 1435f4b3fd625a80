"""`sendrec run`: scenarios, one line each, and what failed in them."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from kernel.probes import Event
from scenarios.catalog import find
from scenarios.run import EXIT_STATUS, Outcome, Overrides, Status, run
from scenarios.source import BadInput
from scenarios.stage import Stage
from scenarios.values import show_time
from sendrec.commands.options import overrides

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
    """Run the scenarios and print what came of them; the exit status."""
    machine = overrides(policy, seed, quirks)
    _refuse_to_overwrite(files, diagram, log)
    counts: Counter[Status] = Counter()
    worst = 0
    for name in files:
        if update:
            _update(name, machine)
        outcome = run_file(name, machine, trace=trace, diagram=diagram, log=log)
        _print_outcome(name, outcome, machine)
        if maps and outcome.stage is not None:
            from sendrec.commands.memory import print_maps

            print_maps(outcome.stage)
        counts[outcome.status] += 1
        worst = max(worst, EXIT_STATUS[outcome.status])
    click.echo(_summary(counts))
    return worst


def run_file(
    name: str,
    machine: Overrides,
    *,
    trace: bool = False,
    diagram: str | None = None,
    log: str | None = None,
) -> Outcome:
    """What came of the scenario called `name`.

    Its picture is written to the file `diagram`, and its events to the file `log`.
    """
    try:
        source = find(name)
    except BadInput as error:
        return Outcome("bad", str(error))
    events: list[Event] = []
    listener = events.append if diagram is not None or log is not None else None
    outcome = run(source, machine, click.echo if trace else None, listener)
    if diagram is not None and outcome.stage is not None:
        _draw(diagram, events, outcome.stage)
    if log is not None and outcome.stage is not None:
        _log(log, events)
    return outcome


def _refuse_to_overwrite(files: Iterable[str], diagram: str | None, log: str | None) -> None:
    """Raises click.BadParameter if a file would be written that is read, or written twice."""
    known = [Path(name).resolve() for name in files]
    for name, option in ((diagram, "--diagram"), (log, "--log")):
        if name is None:
            continue
        path = Path(name).resolve()
        if path in known and not path.is_char_device():
            raise click.BadParameter(f"{name} is another file of this command", param_hint=option)
        known.append(path)


def _update(name: str, machine: Overrides) -> None:
    """Rewrite the results in the file `name`."""
    from scenarios.update import update
    from scenarios.wholefile import write_whole

    try:
        source = find(name)
        updated = update(source, machine)
        if updated.changes:
            assert source.path is not None, "find reads files"
            encoding = "utf-8-sig" if source.marked else "utf-8"
            write_whole(source.path, updated.text.encode(encoding))
            noun = "result" if updated.changes == 1 else "results"
            click.echo(f"updated   {name}  ({updated.changes} {noun})")
    except BadInput:
        return  # the run that follows says so
    except OSError as error:
        raise click.FileError(name, error.strerror) from error


def _draw(path: str, events: list[Event], stage: Stage) -> None:
    from tracing.diagram import svg

    _write(path, svg(events, stage.names), "--diagram")


def _log(path: str, events: list[Event]) -> None:
    from tracing.eventlog import write_log

    lines = io.StringIO()
    write_log(events, lines)
    _write(path, lines.getvalue(), "--log")


def _write(path: str, text: str, option: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}", param_hint=option) from error


def _print_outcome(name: str, outcome: Outcome, machine: Overrides) -> None:
    what = f"{outcome.messages} messages, {show_time(outcome.time)}" if outcome.stage else ""
    click.echo(f"{WORDS[outcome.status]:<9} {name}" + (f"  ({what})" if what else ""))
    if outcome.status == "bad":
        click.echo(outcome.reason, err=True)
    elif outcome.status == "failed":
        click.echo(outcome.reason)
        for line in _printed(outcome):
            click.echo(line)
        click.echo(f"  to see all messages: sendrec run --trace {name}{_again(outcome, machine)}")


def _printed(outcome: Outcome) -> Iterator[str]:
    """The last that the kernel and the servers had to say, but for what is the reason already."""
    log = [] if outcome.stage is None else outcome.stage.machine.log
    said = [line for text in log for line in text.splitlines()]
    lines = [line for line in said if line.removeprefix("panic: ") not in outcome.reason]
    if lines:
        yield "  what the kernel and the servers have printed:"
        yield from (f"    {line}" for line in lines[-LAST_LINES:])


def _again(outcome: Outcome, machine: Overrides) -> str:
    """The options that make the same run again where the policy is a matter of chance."""
    if machine.policy is None or not outcome.schedule:
        return ""
    return f" --policy replay:{outcome.schedule}"


def _summary(counts: Counter[Status]) -> str:
    total = sum(counts.values())
    noun = "scenario" if total == 1 else "scenarios"
    parts = [f"{counts[status]} {WORDS[status].lower()}" for status in WORDS if counts[status]]
    return f"{total} {noun}: {', '.join(parts)}"
