"""Faults that a scenario injects.

Few scenarios do, so what faults are is fetched only then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.endpoint import BY_NAME
from kernel.machine import Machine
from scenarios import syntax
from scenarios.messages import message_class
from scenarios.scope import Scope
from scenarios.settings import fault_settings
from scenarios.source import BadInput
from scenarios.values import ProcessName, show

if TYPE_CHECKING:
    from kernel.injection import Armed, Fault


def inject(machine: Machine, line: syntax.Inject, scope: Scope) -> Armed | None:
    """Do what `line` says: set a fault, which is returned, or let one happen now.

    Raises BadInput; Panic if what happens now is the end of the machine.
    """
    from kernel.injection import NoServer

    faults = machine.faults
    if line.what == "nothing":
        faults.disarm_all()
        return None
    if line.what == "kill":
        _kill(machine, line, scope)
        return None
    server = _server(line, scope)
    fault = fault_of(line, server)
    try:
        if fault is not None:
            return faults.arm(fault)
        faults.crash(server)
    except NoServer as error:
        raise BadInput(str(error), line.target.at if line.target else line.at) from error
    machine.run_nowait()
    return None


def fault_of(line: syntax.Inject, server: int | str) -> Fault | None:
    """The fault that `line` sets in `server`; None if something is to happen at once.

    Raises BadInput.
    """
    from kernel.injection import AllocationFault, Crash, ReplyFault

    given = fault_settings(line)
    request = None
    if line.request is not None:
        request = message_class((line.request.name,), line.request.at)
    if line.what == "allocation":
        return AllocationFault(**given)
    if line.what == "reply" and not given.keys() & {"error", "delay"}:
        raise BadInput("inject reply needs error= or delay=", line.at)
    try:
        if line.what == "reply":
            return ReplyFault(server, request=request, **given)
        if line.what == "crash" and (request or given):
            return Crash(server, request=request, **given)
        return None
    except ValueError as error:
        raise BadInput(str(error), line.request.at if line.request else line.at) from error


def _server(line: syntax.Inject, scope: Scope) -> int | str:
    """The endpoint of the server that `line` names; servers of the boot image have names too."""
    if line.target is None:
        return ""
    name = line.target.name
    known = scope.names.get(name)
    if isinstance(known, ProcessName):
        return known.endpoint
    return BY_NAME.get(name, name)


def _kill(machine: Machine, line: syntax.Inject, scope: Scope) -> None:
    """SIGKILL from the kernel, as if by the machine's own doing."""
    assert line.target is not None, "the grammar gives a kill its target"
    target = scope.lookup(line.target)
    if not isinstance(target, ProcessName):
        raise BadInput(f"a process is needed here, not {show(target)}", line.target.at)
    process = machine.table.lookup(target.endpoint)
    if process is None:
        raise BadInput(f"{target.name} is dead", line.target.at)
    machine.faults.kill(process)
    machine.run_nowait()
