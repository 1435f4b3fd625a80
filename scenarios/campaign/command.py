"""`sendrec campaign`: the campaign at work on a terminal, and its report."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scenarios.campaign.campaign import Verdict, go_on, quirks_of, world_maker
from scenarios.campaign.record import Record, read_record
from scenarios.campaign.run import Run
from scenarios.source import BadInput
from scenarios.words import counted

LAST_OPERATIONS: Final = 20
DEFAULT: Final[dict[str, Any]] = {"seed": 1, "world": "vm", "quirks": "none", "length": 300}


def campaign(
    operations: int,
    seed: int | None = None,
    quirks: str | None = None,
    world: str | None = None,
    resume: Path | None = None,
    length: int | None = None,
) -> int:
    """Do so many random operations in all, and report; the exit status.

    With `resume`, a file in which the campaign is kept, it goes on where it was if that exists;
    then the file says what the campaign is, and an option that says something else is a mistake.
    Without, an option that is None has its DEFAULT.  Raises BadInput.
    """
    options = {"seed": seed, "world": world, "quirks": quirks, "length": length}
    given = {name: value for name, value in options.items() if value is not None}
    record = _record(given, resume)
    console = Console(highlight=False)
    try:
        with _bar(console) as bar:
            task = bar.add_task("operations", total=operations, completed=record.operations)

            def progress(record: Record) -> None:
                bar.update(task, completed=min(record.operations, operations))
                if record.found:
                    bar.update(task, description=_quirks_found(record))
                if resume is not None:
                    record.write(resume)

            verdict = go_on(record, operations, progress)
    except KeyboardInterrupt:
        return _interrupted(console, record, resume)
    _report(console, record, verdict)
    return 1 if verdict.failed is not None else 0


def _record(given: dict[str, Any], resume: Path | None) -> Record:
    """The campaign that is to go on, or a new one.  Raises BadInput."""
    if resume is None or not resume.exists():
        record = Record(**DEFAULT | given)
        _check(record)
        if resume is not None:
            record.write(resume)  # if that cannot be, it is better known before the work
        return record
    record = read_record(resume)
    for name, value in given.items():
        kept = getattr(record, name)
        if kept != value:
            raise BadInput(f"{resume}: a campaign with {name} {kept}, not {value}")
    try:
        _check(record)
    except BadInput as error:
        raise BadInput(f"{resume}: a record that makes no sense: {error}") from error
    return record


def _check(record: Record) -> None:
    quirks = quirks_of(record.quirks)
    known = world_maker(record.world).names
    names = [found.quirk for found in record.found]
    for name in names:
        if name not in known or name not in quirks:
            raise BadInput(f"{name} was found, which was not looked for")
        if names.count(name) > 1:
            raise BadInput(f"{name} was found twice")


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip


def _interrupted(console: Console, record: Record, resume: Path | None) -> int:
    console.print(f"interrupted after {counted(record.operations, 'operation')}")
    if resume is not None:
        console.print(f"to go on: the same command, with --resume {shlex.quote(str(resume))}")
    return 130


def _report(console: Console, record: Record, verdict: Verdict) -> None:
    if record.quirks != "none":
        _report_found(console, record, verdict.missing)
    if verdict.failed is not None:
        _report_failure(console, record, verdict.failed)
        return
    runs = (
        f"{counted(record.operations, 'operation')} in {counted(record.runs, 'run')}"
        f" (seed {record.seed})"
    )
    console.print(f"{runs}: nothing is wrong" if record.quirks == "none" else runs)


def _report_found(console: Console, record: Record, missing: Sequence[str]) -> None:
    for found in record.found:
        console.print(f"{found.quirk}: {found.how}: {found.text}", markup=False)
        console.print(
            f"    run {found.seed}, {counted(len(found.operations), 'operation')},"
            f" the last {found.last}",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    console.print(_quirks_found(record))
    if missing:
        console.print(f"not found: {', '.join(missing)}")


def _quirks_found(record: Record) -> str:
    return f"{counted(len(record.found), 'quirk')} found"


def _report_failure(console: Console, record: Record, run: Run) -> None:
    failure = run.failure
    assert failure is not None
    shown = run.operations[-LAST_OPERATIONS:]
    console.print(f"{failure.kind}: {failure.text}", markup=False)
    console.print(f"after these operations ({len(run.operations)}, the last {len(shown)} shown):")
    for operation in shown:
        console.print(f"    {operation}", markup=False, soft_wrap=True)
    console.print(
        "to see it again: sendrec campaign"
        f" --world {record.world} --seed {run.seed} --operations {record.length}"
        f" --quirks {record.quirks} --length {record.length}"
    )
