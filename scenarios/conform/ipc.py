"""Replays `ipc-golden/1`: the real kernel's message passing, one operation a line.

The inputs are done on the kernel's own process table, run queue and rendezvous, with all quirks.
What an operation did is read from there: from messages delivered, from the order in which processes
joined the run queue, and by comparing the table before and after.
"""

from __future__ import annotations

from typing import Any, Final

from ipc.errors import EBADCALL, OK
from ipc.traps import SENDA_CALL
from kernel.clock import tick_time
from kernel.panic import Panic
from kernel.quirks import ALL_QUIRKS, Quirks
from scenarios.conform import ipc_input
from scenarios.conform.ipc_config import Member, members_of
from scenarios.conform.ipc_kernel import OPERATIONS, TRAPS, IpcKernel
from scenarios.conform.recording import Malformed, field, optional

_HANG: Final = "deadlock-endless-loop"
_STALE_LINK: Final = "stale-queue-link"


def start(header: dict[str, Any]) -> IpcReplay:
    """A kernel with the processes that the header lists.  Raises Malformed."""
    strict = optional(field(header, "config", dict), "strict", bool, False)
    return IpcReplay(members_of(header), strict)


class IpcReplay:
    """Goes through the lines of a recording with a `kernel` of its own."""

    def __init__(
        self, members: list[Member], strict: bool = False, quirks: Quirks = ALL_QUIRKS
    ) -> None:
        self.kernel = IpcKernel(members, strict, quirks)
        self._stopped = False

    def answer(self, line: dict[str, Any]) -> dict[str, Any]:
        """Do the operation of a line and say what it did."""
        operation: dict[str, Any] = line["in"]
        if self._stopped:
            raise Malformed("the recording goes on after the kernel has stopped")
        if "ticks" in operation:
            self.kernel.clock.now = tick_time(ipc_input.natural(operation, "ticks"))
        if operation.get("op") == "state":
            return {"state": self.kernel.effects.all_states()}
        try:
            if "op" in operation:
                return self._operate(operation)
            return self._call(operation)
        except Panic as panic:
            self._stopped = True
            return _end(panic)

    def _operate(self, operation: dict[str, Any]) -> dict[str, Any]:
        kernel = self.kernel
        name = field(operation, "op", str)
        do = OPERATIONS.get(name)
        if do is None:
            raise Malformed(f"unknown operation {name[:40]!r}")
        kernel.effects.remember()
        result = do(kernel, operation)
        answer = {"result": result, **kernel.effects.of(None)}
        if name == "fork" and result == OK:
            answer["endpoint"] = kernel.table.at(operation["nr"]).endpoint
        return answer

    def _call(self, operation: dict[str, Any]) -> dict[str, Any]:
        kernel = self.kernel
        caller = kernel.live(operation, "proc")
        if caller.rts:
            return {"error": "not runnable"}
        number = ipc_input.call(operation)
        do = TRAPS.get(number)
        if number == SENDA_CALL and "table" in operation:
            kernel.memory[caller.slot][:] = ipc_input.entries(operation)
        kernel.effects.remember()
        code = EBADCALL if do is None else do(kernel, caller, operation)
        waits = bool(caller.rts)
        result = None if waits and code >= 0 else code
        return {"result": result, "blocked": waits, **kernel.effects.of(caller)}


def _end(panic: Panic) -> dict[str, Any]:
    """How the real kernel ends where ours panics."""
    if panic.quirk == _HANG:
        return {"hang": "endless loop in the kernel"}
    if panic.quirk == _STALE_LINK:
        return {"assert": "caller_ptr->p_q_link == NULL"}
    return {"panic": panic.reason}
