"""Faults that a scenario injects."""

from __future__ import annotations

from ipc.signals import SIGKILL
from scenarios import syntax
from scenarios.scope import Scope
from scenarios.source import BadInput
from scenarios.stage import Stage
from scenarios.values import ProcessName, show


def inject(stage: Stage, line: syntax.Inject, scope: Scope) -> None:
    """Let the fault of `line` happen now.  Raises BadInput.

    A killed process gets SIGKILL from the kernel, as if by the machine's own doing.
    """
    if line.what != "kill":
        raise BadInput(f"faults of the kind '{line.what}' are not supported", line.at)
    assert line.target is not None, "the grammar gives a kill its target"
    target = scope.lookup(line.target)
    if not isinstance(target, ProcessName):
        raise BadInput(f"a process is needed here, not {show(target)}", line.target.at)
    process = stage.machine.table.lookup(target.endpoint)
    if process is None:
        raise BadInput(f"{target.name} is dead", line.target.at)
    stage.machine.signals.cause(process, SIGKILL)
    stage.machine.run_nowait()
