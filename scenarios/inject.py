"""Faults that a scenario injects."""

from __future__ import annotations

from scenarios import syntax
from scenarios.scope import Scope
from scenarios.source import BadInput
from scenarios.stage import Stage
from scenarios.values import ProcessName, show


def inject(stage: Stage, line: syntax.Inject, scope: Scope) -> None:
    """Let the fault of `line` happen, now or when it is due.  Raises BadInput."""
    if line.what != "kill":
        raise BadInput(f"faults of the kind '{line.what}' are not supported", line.at)
    assert line.target is not None, "the grammar gives a kill its target"
    target = scope.lookup(line.target)
    if not isinstance(target, ProcessName):
        raise BadInput(f"a process is needed here, not {show(target)}", line.target.at)
