"""The faults that are set in a machine, and what they have met so far.

Rules.  Faults are set while the machine is quiet.  Each counts on its own, from when it was set,
what it could strike.  When several strike at once their delays add up, a crash comes before an
error, and of errors the one set first is taken.  A fault of one server is looked for only by that
server's stand-in (`kernel.injection.tampering`), which is there only while such a fault is set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from ipc.endpoint import VM, endpoint_name
from ipc.message import Message
from ipc.refusals import answers_apart, can_be_refused, is_answer
from ipc.signals import SIGKILL
from ipc.traps import NOTIFY_CALL, SENDREC_CALL, STATUS_CALL_MASK
from kernel.fate import Crashed
from kernel.injection.faults import AllocationFault, Fault, ReplyFault
from kernel.injection.tampering import Tampered
from kernel.panic import Panic
from kernel.probes import FaultInjected

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

# Asked for so many allocations, answers how many of them succeed before the first that fails.
Rationing = Callable[[int], int]


class NoServer(ValueError):
    """A fault is for a process that is no server, or for none at all."""


class NeverStruck(AssertionError):
    """A fault was set and met nothing that it could strike, so that nothing was tested by it."""


@attrs.define(eq=False)
class Armed:
    """A fault that was set: what it could have struck so far (`seen`), and did (`fired`).

    `process` is the endpoint of the server.  One that is not `live` will strike no more.
    """

    fault: Fault
    process: int
    seen: int = 0
    fired: int = 0
    live: bool = True

    def meet(self) -> bool:
        """Count an occurrence; whether the fault strikes it."""
        self.seen += 1
        strikes = self.seen in self.fault.when
        self.fired += strikes
        self.live = not self.fault.when.is_over(self.seen)
        return strikes

    def demand_fired(self) -> None:
        """Raises NeverStruck unless the fault has struck."""
        if not self.fired:
            raise NeverStruck(f"{self} never struck: {self.account()}")

    def __str__(self) -> str:
        request = getattr(self.fault, "request", None)
        name = f"{request.name} " if request is not None else ""
        return f"{name}{self.fault} when={self.fault.when}"

    def account(self, name: str = "") -> str:
        """In words what it has met; `name` is what the server is called."""
        if isinstance(self.fault, AllocationFault):
            what = "made" + _counted(self.seen, "allocation")
        else:
            request = self.fault.request
            what = "received" + _counted(self.seen, request.name if request else "request")
        return f"{name or endpoint_name(self.process)} {what} since the fault was set"


def _counted(number: int, what: str) -> str:
    return f" {number or 'no'} {what}{'s' if number != 1 and what.islower() else ''}"


class FaultTable:
    """The faults of one machine; `armed` are all that were ever set, in order.

    Whoever makes VM puts `ration` into the machine: called with a `Rationing` it has VM's allocator
    ask that, and no more when called with None.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.armed: list[Armed] = []

    def arm(self, fault: Fault) -> Armed:
        """Set `fault`.  Raises NoServer."""
        if isinstance(fault, AllocationFault):
            if self._machine.ration is None:
                raise NoServer("there is no VM whose allocations could fail")
            armed = Armed(fault, VM)
            self._machine.ration(self._succeeding)
        else:
            process = self.server(fault.server)
            armed = Armed(fault, process.endpoint)
            if not isinstance(process.coroutine, Tampered):
                process.coroutine = Tampered(self, process)  # type: ignore[assignment]
        self.armed.append(armed)
        self._machine.driven.record(armed.process, f"inject {armed}")
        return armed

    def disarm(self, armed: Armed) -> None:
        """Let a fault strike no more."""
        if armed.live:
            self._machine.driven.record(armed.process, f"end {armed}")
        armed.live = False
        self._end_rationing()

    def disarm_all(self) -> None:
        """Let no fault that is set now strike any more."""
        for armed in self.armed:
            self.disarm(armed)

    def server(self, which: int | str) -> Process:
        """The server with this endpoint or name.  Raises NoServer."""
        wanted = which.lower() if isinstance(which, str) else which
        for process in self._machine.table.all():
            if process.slot >= 0 and wanted in (process.endpoint, process.name.lower()):
                if not process.privilege.system:
                    raise NoServer(f"{process.name} is no server")
                return process
        name = which if isinstance(which, str) else endpoint_name(which)
        raise NoServer(f"there is no server {name}")

    # What happens at once.

    def kill(self, process: Process) -> None:
        """Have the kernel kill `process`."""
        self._machine.driven.record(process.endpoint, "inject kill")
        self._tell(process, "kill")
        self._machine.signals.cause(process, SIGKILL)

    def crash(self, which: int | str) -> None:
        """Have a server crash now, in whatever it does.  Raises NoServer; Panic if it is VM."""
        process = self.server(which)
        self._machine.driven.record(process.endpoint, "inject crash")
        self._tell(process, "crash")
        try:
            self._machine.fate.program_ended(process, Crashed())
        except Panic as panic:
            self._machine.halt(panic)
            raise

    # What is asked from within a run.

    def struck(self, process: Process, message: Message, status: int) -> list[Fault]:
        """The faults that strike `process` as it receives `message`, which they count."""
        found = []
        for armed in self._live(process.endpoint):
            if _concerns(armed.fault, message, status) and armed.meet():
                found.append(armed.fault)
                self._tell(
                    process, f"{message.name} {armed.fault}", armed.seen, process.context.delivered
                )
        return found

    def is_safe(self, process: Process) -> bool:
        """Whether no fault can strike `process` any more."""
        return not self._live(process.endpoint)

    def _succeeding(self, count: int) -> int:
        """How many of VM's next `count` allocations succeed before one fails."""
        for number in range(count):
            # Each fault must count each allocation, so all of them are asked.
            struck = [each for each in self._live_allocations() if each.meet()]
            if struck:
                vm = self._machine.table.lookup(VM)
                assert vm is not None, "VM allocates"
                for armed in struck:
                    self._tell(vm, str(armed.fault), armed.seen, vm.context.cause)
                self._end_rationing()
                return number
        return count

    def _end_rationing(self) -> None:
        if self._machine.ration is not None and not self._live_allocations():
            self._machine.ration(None)

    def _live(self, endpoint: int) -> list[Armed]:
        return [
            each
            for each in self.armed
            if each.live and each.process == endpoint
            and not isinstance(each.fault, AllocationFault)
        ]  # fmt: skip

    def _live_allocations(self) -> list[Armed]:
        return [
            each for each in self.armed if each.live and isinstance(each.fault, AllocationFault)
        ]

    def _tell(self, process: Process, fault: str, number: int = 0, cause: int = 0) -> None:
        probes = self._machine.probes
        if probes.emit is not None:
            probes.tell(FaultInjected, cause, process.endpoint, fault, number)


def _concerns(fault: Any, message: Message, status: int) -> bool:
    """Whether `message`, which came with `status`, is one that `fault` counts."""
    if status & STATUS_CALL_MASK == NOTIFY_CALL or is_answer(message):
        return False
    if fault.request is not None and type(message) is not fault.request:
        return False
    if not isinstance(fault, ReplyFault) or fault.error is None:
        return True
    if not can_be_refused(type(message)):
        return False
    return status & STATUS_CALL_MASK == SENDREC_CALL or answers_apart(message)
