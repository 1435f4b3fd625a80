"""`sendrec check-determinism`: the same scenario in several environments, byte for byte.

Each run is a process of its own: with another seed of Python's hashes, with a module imported that
changes global state, in another working directory, without the collection of garbage.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Final

import attrs
import click

from scenarios.catalog import find
from scenarios.run import EXIT_STATUS, Overrides, Status
from scenarios.source import BadInput
from sendrec.commands.options import overrides

# What a run's process does: whatever comes first, then the scenario, whose name is an argument.
PROGRAM: Final = "{before}; from sendrec.commands.determinism import print_run; print_run()"


MARK: Final = b"\0"  # between what a run's process prints and the status, the last that it says
NEW_LINE: Final = os.linesep.encode()

# Only who develops has it.
IMPORT_HYPOTHESIS: Final = (
    "import importlib.util; importlib.util.find_spec('hypothesis') and __import__('hypothesis')"
)


@attrs.frozen
class Environment:
    """How one run differs from the others; `before` is what its process does first."""

    name: str
    hash_seed: str
    before: str = "pass"
    elsewhere: bool = False


ENVIRONMENTS: Final = (
    Environment("hash seed 0", "0"),
    Environment("hash seed 1, hypothesis imported", "1", IMPORT_HYPOTHESIS),
    Environment("hash seed 4242, another directory", "4242", elsewhere=True),
    Environment("random hash seed, no garbage collection", "random", "import gc; gc.disable()"),
)


@attrs.frozen
class Printed:
    """What a run has come to: the trace, and how it ended."""

    status: Status
    text: bytes


class Crashed(Exception):
    """A run ended without an outcome: the program has a defect, or somebody's module ended it.

    `said` is what it had to say of that.
    """

    def __init__(self, reason: str, said: str) -> None:
        super().__init__(reason)
        self.said = said


def check_files(
    files: Iterable[str],
    times: int,
    policy: str | None = None,
    seed: int | None = None,
    quirks: str | None = None,
) -> int:
    """Run each scenario `times` times and print whether all traces are equal; the exit status."""
    machine = overrides(policy, seed, quirks)
    return max((_check(name, times, machine) for name in files), default=0)


def _check(name: str, times: int, machine: Overrides) -> int:
    try:
        source = find(name)
    except BadInput as error:
        click.echo(error, err=True)
        return 2
    assert source.path is not None, "find reads files"
    path = str(source.path.resolve())
    environments = [ENVIRONMENTS[number % len(ENVIRONMENTS)] for number in range(times)]
    first: Printed | None = None
    for environment in environments:
        try:
            printed = _run(path, environment, machine)
        except Crashed as crash:
            click.echo(f"CRASHED   {name}: {environment.name}: {crash}")
            click.echo(crash.said, err=True, nl=False)
            return EXIT_STATUS["failed"]
        first = first or printed
        if printed != first:
            click.echo(f"DIFFERS   {name}: {environments[0].name} and {environment.name}")
            click.echo(_first_difference(first.text, printed.text))
            return EXIT_STATUS["failed"]
        if printed.status == "bad":
            click.echo(printed.text, err=True, nl=False)
            return EXIT_STATUS["bad"]
    assert first is not None, "there are at least two runs"
    click.echo(f"same      {name}  ({times} runs, {first.text.count(NEW_LINE)} lines)")
    return 0


def _run(path: str, environment: Environment, machine: Overrides) -> Printed:
    """One run.  Raises Crashed."""
    done = _start(path, environment, machine)
    text, _, last = done.stdout.rpartition(MARK)
    for status, code in EXIT_STATUS.items():
        if (done.returncode, last) == (code, status.encode()):
            return Printed(status, text)
    raise Crashed(
        f"it ended with status {done.returncode}, without an outcome",
        done.stderr.decode("utf-8", "replace"),
    )


def _start(
    path: str, environment: Environment, machine: Overrides
) -> subprocess.CompletedProcess[bytes]:
    """One run's process, when it has ended."""
    options = [machine.policy or "", "" if machine.seed is None else str(machine.seed)]
    paths = [str(Path(each or ".").resolve()) for each in sys.path]
    with tempfile.TemporaryDirectory() as elsewhere:
        return subprocess.run(  # noqa: S603 - this program itself, with checked options
            [sys.executable, "-c", PROGRAM.format(before=environment.before), path, *options,
             machine.quirks or ""],
            env=os.environ | {
                "PYTHONHASHSEED": environment.hash_seed, "PYTHONPATH": os.pathsep.join(paths),
            },
            cwd=elsewhere if environment.elsewhere else None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )  # fmt: skip


def print_run() -> None:
    """What the process of one run does: print the trace and the outcome of a scenario."""
    from scenarios.run import run

    path, policy, seed, quirks = sys.argv[1:]
    machine = Overrides(policy or None, int(seed) if seed else None, quirks or None)
    outcome = run(find(path), machine, click.echo)
    click.echo(
        outcome.reason
        if outcome.status == "bad"
        else f"{outcome.status} {outcome.reason} {outcome.schedule}"
    )
    click.echo(MARK + outcome.status.encode(), nl=False)
    sys.exit(EXIT_STATUS[outcome.status])


def _first_difference(one: bytes, other: bytes) -> str:
    lines = zip_longest(one.splitlines(), other.splitlines(), fillvalue=b"(end of trace)")
    for number, (left, right) in enumerate(lines, start=1):
        if left != right:
            first, second = left.decode("utf-8", "replace"), right.decode("utf-8", "replace")
            return f"  line {number} of the trace:\n    {first}\n    {second}"
    return "  in the ends of lines"
