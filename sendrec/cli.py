"""The command `sendrec`.

Exit status: 0 if all is as it should be, 1 if an expectation failed (or the machine stopped), 2 if
the input was bad.  What the user did wrong is told in one message, never by a traceback.

A command imports what it needs when it runs, so that a small scenario starts quickly.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from sendrec.version import VERSION

FAILED: Final = 1
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130

CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> None:
    """The program."""
    try:
        status = commands(standalone_mode=False)
        click.echo(nl=False)  # writes out what is written, so that a failure to do so is one here
    except click.ClickException as error:
        _tell(error.show)
        status = BAD_INPUT
    except click.Abort:
        _tell(lambda: click.echo("interrupted", err=True))
        status = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not try to flush to it again.
        sys.stdout = None
        status = FAILED
    except OSError as error:
        sys.stdout = None
        place = error.filename or "cannot write the output"
        message = f"Error: {place}: {error.strerror or error}"
        _tell(lambda: click.echo(message, err=True))
        status = BAD_INPUT
    sys.exit(status)


def _tell(show: Callable[[], None]) -> None:
    """Show an error; where that cannot be, the exit status says it alone."""
    if sys.stderr is None:
        return
    try:
        show()
    except OSError:
        sys.stderr = None


@contextmanager
def _quick_imports() -> Iterator[None]:
    """Import without looking for garbage, of which modules make none.

    That is a sixth of the time in which a small scenario runs.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@click.group(context_settings=CONTEXT)
@click.version_option(VERSION, prog_name="sendrec", message="%(prog)s %(version)s")
def commands() -> None:
    """A MINIX 3 machine, simulated message by message."""


def _machine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how the machine is made, whatever the scenario says."""
    for option in (
        click.option(
            "--quirks", metavar="NAME,…", help="Defects of the real system to have; or all."
        ),
        click.option(
            "--policy",
            metavar="POLICY",
            help="Who runs next: fifo, priority, random or replay:CHOICES.",
        ),
        click.option("--seed", type=int, metavar="N", help="The seed of whatever is random."),
    ):
        command = option(command)
    return command


@commands.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--trace", is_flag=True, help="Print every message, under the call that caused it.")
@click.option("--maps", is_flag=True, help="Print the memory map of each process at the end.")
@click.option("--update", is_flag=True, help="Rewrite the results in the files to what comes.")
@click.option("--diagram", metavar="FILE", help="Write a sequence diagram (SVG) of the run.")
@click.option("--log", metavar="FILE", help="Write every event of the run as a line of JSON.")
@_machine_options
def run(
    files: tuple[str, ...],
    trace: bool,
    maps: bool,
    update: bool,
    diagram: str | None,
    log: str | None,
    **machine: Any,
) -> int:
    """Run scenarios: files, or names such as library/copy-on-write."""
    for path, option in ((diagram, "--diagram"), (log, "--log")):
        if path is not None and len(files) > 1:
            raise click.BadParameter("such a file is of one scenario", param_hint=option)
    with _quick_imports():
        from sendrec.commands.run import run_files

    return run_files(
        files, trace=trace, maps=maps, update=update, diagram=diagram, log=log, **machine
    )


@commands.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
def conform(paths: tuple[str, ...]) -> int:
    """Replay recordings of the real system and name the first difference."""
    from scenarios.conform import conform as replay
    from scenarios.source import BadInput

    try:
        return replay(paths)
    except BadInput as error:
        click.echo(error, err=True)
        return BAD_INPUT


@commands.command("check-determinism")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--times", type=click.IntRange(2, 100), default=4, show_default=True, metavar="N",
    help="How often to run each scenario.",
)  # fmt: skip
@_machine_options
def check_determinism(files: tuple[str, ...], times: int, **machine: Any) -> int:
    """Run scenarios several times, each in another environment, and compare the traces."""
    from sendrec.commands.determinism import check_files

    return check_files(files, times, **machine)


@commands.command()
@click.argument("file", metavar="FILE")
@_machine_options
def memory(file: str, **machine: Any) -> int:
    """Print who uses how much memory at the end of a scenario."""
    from sendrec.commands.memory import print_usage

    return print_usage(file, **machine)


def _file_name(_context: click.Context, _option: click.Parameter, name: str | None) -> Path | None:
    if name == "":
        raise click.BadParameter("'' is no name of a file")
    return None if name is None else Path(name)


@commands.command()
@click.option(
    "--operations", type=click.IntRange(1), default=10_000, show_default=True, metavar="N",
    help="How many to do in all.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0), show_default="1", metavar="N",
    help="The seed of the first run.",
)  # fmt: skip
@click.option(
    "--quirks", metavar="NAME,…", show_default="none",
    help="Defects of the real system to have, and to find; or all.",
)  # fmt: skip
@click.option(
    "--world", metavar="WORLD", show_default="vm",
    help="What to work on: vm (VM alone, fast) or machine (all servers).",
)  # fmt: skip
@click.option(
    "--length", type=click.IntRange(1), show_default="300", metavar="N",
    help="How many operations a run has at most; each begins with a new machine.",
)  # fmt: skip
@click.option(
    "--resume", callback=_file_name, metavar="FILE",
    help="Keep the campaign in this file, and go on from there if it exists.",
)  # fmt: skip
def campaign(**options: Any) -> int:
    """Do random operations, with every invariant checked after each."""
    from scenarios.campaign.command import campaign as go
    from scenarios.source import BadInput

    try:
        return go(**options)
    except BadInput as error:
        raise click.ClickException(str(error)) from error


@commands.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--bound", type=click.IntRange(0), default=2, show_default=True, metavar="N",
    help="How often a schedule may deviate from first come, first served.",
)  # fmt: skip
@click.option(
    "--runs", type=click.IntRange(1), default=1000, show_default=True, metavar="N",
    help="How many schedules to run at most, for each scenario.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0), metavar="N",
    help="Take those with equally many deviations in random order.",
)  # fmt: skip
@click.option(
    "--all", "whole", is_flag=True,
    help="Run also those that differ only in what cannot matter.",
)  # fmt: skip
@click.option("--show", is_flag=True, help="List the different orders of messages.")
@click.option("--quirks", metavar="NAME,…", help="Defects of the real system to have; or all.")
def explore(files: tuple[str, ...], **options: Any) -> int:
    """Run scenarios under every schedule that can matter, the simplest first."""
    from scenarios.explore.command import explore_files

    return explore_files(files, **options)


@commands.command("library")
def library() -> int:
    """List the scenarios that come with the program."""
    from sendrec.commands.library import print_library

    return print_library()
