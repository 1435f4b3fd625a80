"""The machine that a scenario runs on, and its processes by the names of the scenario."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs

from kernel.machine import Machine
from kernel.process import Process
from scenarios import syntax
from scenarios.checks import BOOT_NAMES, flatten
from scenarios.settings import ProcessSettings, check_server, file_content, process_settings
from scenarios.source import BadInput, Place
from scenarios.values import ProcessName
from servers.boot import System, boot
from servers.config import BadConfig, MachineConfig
from servers.lib.driven import Command, Returned, drive
from servers.lib.libc import Libc, Program
from servers.pm.server import ProcessManager
from servers.vm.memory import Memory
from tracing.names import Names

Declared: TypeAlias = syntax.File | syntax.Server | syntax.Process

# What each option of a machine is made of.
LINES_OF: Final[dict[str, type[Declared]]] = {
    "files": syntax.File, "servers": syntax.Server, "driven": syntax.Process,
}  # fmt: skip

# What the reason of a BadConfig is about: a path in quotes, or a name.
_SUBJECT = re.compile(
    r"'(?P<path>/[^']*)'|(?:there is a server|the __init__ of) (?P<other>\w+) |(?P<name>\w+)"
)


@attrs.define(eq=False)
class Stage:
    """A booted machine, and what a scenario calls its processes; `names` is the tracer's table."""

    system: System
    names: Names = attrs.field()
    known: list[ProcessName] = attrs.field(factory=list)

    @names.default
    def _kernel_names(self) -> Names:
        return Names.of(self.machine.table.all())

    @property
    def machine(self) -> Machine:
        """The kernel's part of the machine."""
        return self.system.machine

    @property
    def memory(self) -> Memory:
        """What VM knows."""
        return self.system.vm.memory

    @property
    def pm(self) -> ProcessManager:
        """The process manager."""
        return self.system.pm

    def add(self, name: str, process: Process) -> ProcessName:
        """Call `process` by `name` from now on."""
        known = ProcessName(name, process.endpoint, self.system.pid(process) or None)
        self.known.append(known)
        self.names.given[process.endpoint] = name
        return known

    def process_with_pid(self, pid: int) -> ProcessName:
        """A process that was just made, under no name of its own yet."""
        known = self.pm.table.find(pid)
        assert known is not None, "PM knows whom it has just made"
        return ProcessName(f"pid {pid}", known.endpoint, pid)

    def killing_signal(self, name: ProcessName) -> int:
        """The signal that has killed a process that is a zombie; 0 if it exited by itself."""
        known = self.pm.table.find(name.pid) if name.pid is not None else None
        return 0 if known is None else known.signal_status

    def run_until(self, condition: Callable[[], bool]) -> bool:
        """Let the machine go on, step by step, until `condition` holds; False if it never does."""
        machine = self.machine
        while not condition():
            if not machine.quiet:
                machine.dispatcher.run_nowait(1)
            elif machine.clock.expected:
                machine.idle_once()
            else:
                return False
        return True


def set_up(scenario: syntax.Scenario, config: MachineConfig) -> Stage:
    """The machine of a scenario, at rest, with its files and processes.  Raises BadInput."""
    statements = list(flatten(scenario.statements))
    for statement in statements:
        if isinstance(statement, syntax.Process | syntax.Server):
            _look_beside(statement.at)
    stage = Stage(_boot(config, statements))
    for process in stage.machine.table.all():
        if process.name in BOOT_NAMES:
            stage.add(process.name, process)
    for statement in statements:
        if isinstance(statement, syntax.Process):
            settings = process_settings(statement)
            if settings.endpoint is None:
                _add_process(stage, settings, statement.at)
            else:
                stage.add(statement.name, _process_called(stage.machine, statement.name))
        elif isinstance(statement, syntax.Server):
            stage.add(statement.name, _process_called(stage.machine, statement.name))
    return stage


def _boot(config: MachineConfig, statements: Iterable[syntax.Statement]) -> System:
    declared = [each for each in statements if isinstance(each, Declared)]
    files: dict[str, bytes] = {}
    servers: dict[str, str] = {}
    driven: dict[str, int] = {}
    for line in declared:
        match line:
            case syntax.File():
                _add_file(files, line)
            case syntax.Server():
                check_server(line)
                servers[line.name] = line.program
            case syntax.Process():
                _add_driven(driven, line)
    try:
        return boot(attrs.evolve(config, files=files, servers=servers, driven=driven))
    except BadConfig as error:
        raise BadInput(f"{error.key}: {error.reason}", _place_of(error, declared)) from error


def _add_file(files: dict[str, bytes], line: syntax.File) -> None:
    file = file_content(line)
    if file.path in files:
        raise BadInput(f"files: {file.path!r} is there twice", line.at)
    files[file.path] = file.content


def _add_driven(driven: dict[str, int], line: syntax.Process) -> None:
    endpoint = process_settings(line).endpoint
    if endpoint is None:
        return
    if endpoint in driven.values():
        raise BadInput("driven: two processes have the same endpoint", line.at)
    driven[line.name] = endpoint


def _place_of(error: BadConfig, declared: list[Declared]) -> Place | None:
    """The line that the error is about: the one that it names, or the first of that kind."""
    kind = LINES_OF.get(error.key)
    lines = [each for each in declared if kind is None or isinstance(each, kind)]
    subject = _SUBJECT.match(error.reason)
    for statement in lines:
        name = statement.path if isinstance(statement, syntax.File) else statement.name
        if subject is not None and subject[subject.lastgroup or 0] == name:
            return statement.at
    return lines[0].at if lines else None


def _process_called(machine: Machine, name: str) -> Process:
    return next(process for process in machine.table.all() if process.name == name)


def _add_process(stage: Stage, settings: ProcessSettings, at: Place) -> None:
    """Make a further process: a child of init."""
    program = find_program(settings.program, at) if settings.program else drive

    async def fork(libc: Libc) -> int:
        return await libc.fork(program)

    outcomes: list[Any] = []
    machine = stage.machine
    machine.driven.inject(
        stage.system.init, Command(fork, f"fork() = {settings.name}"), outcomes.append
    )
    if not machine.run_until_nowait(lambda: bool(outcomes)):
        raise BadInput(f"{settings.name} cannot be made: there is no PM that forks", at)
    if not isinstance(outcomes[0], Returned):
        raise BadInput(f"{settings.name} cannot be made: {outcomes[0].error}", at)
    process = stage.system.process(outcomes[0].value)
    if process is None:
        return  # its program has ended already
    if settings.system:
        try:
            stage.system.promote(process)
        except BadConfig as error:
            raise BadInput(error.reason, at) from error
    stage.add(settings.name, process)


def find_program(where: str, at: Place) -> Program:
    """The program at `module:function`.  Raises BadInput."""
    module, _, name = where.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise BadInput(f"there is no program {where}: {error}", at) from error
    except (Exception, SystemExit) as error:  # a module does what it likes when it is imported
        raise BadInput(f"{where}: {type(error).__name__}: {error}", at) from error
    if not callable(found):
        raise BadInput(f"{where} is no program: it cannot be called", at)
    return found  # type: ignore[no-any-return]


def _look_beside(place: Place) -> None:
    """Let modules be found that lie where the scenario does."""
    beside = str((place.source.path or Path()).parent.resolve())
    if beside not in sys.path:
        sys.path.insert(0, beside)
