"""The files that `sendrec run` writes: a picture of a run, and its events.

They are written when everything has been printed, whole or not at all, and never over what the run
has read.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import click

from kernel.probes import Event
from scenarios.parser import included, parse
from scenarios.source import BadInput, Source
from scenarios.stage import Stage
from scenarios.wholefile import write_whole


@attrs.define(eq=False)
class Outputs:
    """Where the picture and the log of a run go (None: nowhere), and what will be in them."""

    diagram: str | None = None
    log: str | None = None
    stage: Stage | None = None
    _events: list[Event] = attrs.field(factory=list)

    def _wanted(self) -> Iterator[tuple[str, str]]:
        for name, option in ((self.diagram, "--diagram"), (self.log, "--log")):
            if name is not None:
                yield name, option

    @property
    def listener(self) -> Callable[[Event], None] | None:
        """What hears every event of the run; None if nothing is to be written."""
        return self._events.append if any(self._wanted()) else None

    def refuse_each_other(self) -> None:
        """Raises click.BadParameter if both go to the same file."""
        if self.diagram is not None and self.log is not None:
            _refuse(self.log, "--log", Path(self.diagram))

    def refuse(self, source: Source) -> None:
        """Raises click.BadParameter if a file would be written that the run of `source` reads."""
        for name, option in self._wanted():
            for path in _read_by(source):
                _refuse(name, option, path)

    def write(self) -> None:
        """Write the files, if there was a run.  Raises click.BadParameter."""
        if self.stage is None:
            return
        if self.diagram is not None:
            from tracing.diagram import svg

            _write(self.diagram, svg(self._events, self.stage.names), "--diagram")
        if self.log is not None:
            from tracing.eventlog import write_log

            lines = io.StringIO()
            write_log(self._events, lines)
            _write(self.log, lines.getvalue(), "--log")


def _read_by(source: Source) -> Iterator[Path]:
    """The files of a scenario; without what cannot be understood, for that is not run."""
    if source.path is not None:
        yield source.path
    try:
        yield from included(parse(source).statements)
    except BadInput:
        return


def _refuse(name: str, option: str, other: Path) -> None:
    if _same(Path(name), other) and not other.is_char_device():
        raise click.BadParameter(f"{name} is another file of this command", param_hint=option)


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them is not there yet
        return path.absolute() == other.absolute() or path.resolve() == other.resolve()


def _write(name: str, text: str, option: str) -> None:
    path = Path(name)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file is not None and Path(file).name == path.name:
            _refuse(name, option, Path(file))
    try:
        if _is_standard_output(path):
            click.echo(text, nl=False)
        else:
            write_whole(path, text.encode())
    except OSError as error:
        raise click.BadParameter(f"{name}: {error.strerror}", param_hint=option) from error


def _is_standard_output(path: Path) -> bool:
    """Whether what was printed is in that file: it must not be replaced."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    return False
