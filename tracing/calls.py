"""Which message answers which: the calls that are going on in a machine.

A call is a message that somebody may be working on.  It is answered by what reaches its sender in
SENDREC, or by a reply that was sent on its behalf.  A page fault, which the kernel sends in the
process's name, is over when VM clears it.
"""

from __future__ import annotations

import attrs

from ipc.message import Reply
from ipc.traps import FROM_KERNEL, SENDREC_CALL, STATUS_CALL_MASK
from kernel.probes import MessageDelivered


@attrs.define(eq=False)
class Call:
    """A delivered message, and what became of it.

    `waited` tells that its sender waits for the end of it, `aside` that its receiver has gone on to
    other things meanwhile; `depth` is how many calls it is nested in.
    """

    number: int
    source: int
    dest: int
    name: str
    from_kernel: bool
    waited: bool
    depth: int = 0
    aside: bool = False


@attrs.define(eq=False)
class Calls:
    """Follows deliveries, in their order, and knows what is going on."""

    _made: dict[int, Call] = attrs.field(factory=dict)  # by the event that delivered it
    _waiting: dict[int, Call] = attrs.field(factory=dict)  # by who waits for the answer
    _faults: dict[int, Call] = attrs.field(factory=dict)  # by who touched what is not mapped
    _working: dict[int, Call] = attrs.field(factory=dict)  # by who works on it

    def serving(self, cause: int) -> Call | None:
        """The call on whose behalf something with that cause happens; None if there is none."""
        return self._made.get(cause)

    def answered(self, event: MessageDelivered) -> Call | None:
        """The call that `event` answers, which is over now; None if it is no answer."""
        waiting = self._waiting.get(event.dest)
        if waiting is not None and waiting.dest == event.source and not event.status:
            del self._waiting[event.dest]
            waiting.waited = False
            return waiting
        call = self._made.get(event.cause)
        if call is None or not isinstance(event.message, Reply):
            return None
        return call if (call.dest, call.source) == (event.source, event.dest) else None

    def begin(self, event: MessageDelivered) -> Call:
        """The call that `event`, which is no answer, begins."""
        from_kernel = bool(event.status & FROM_KERNEL)
        asked = event.status & STATUS_CALL_MASK == SENDREC_CALL
        call = Call(
            event.seq,
            event.source,
            event.dest,
            event.message.name,
            from_kernel,
            from_kernel or asked,
        )
        self._made[event.seq] = self._working[event.dest] = call
        if asked:
            self._waiting[event.source] = call
        elif from_kernel:
            self._faults[event.source] = call
        return call

    def given_up(self, process: int) -> Call | None:
        """The call that `process` waits for, which nobody will answer; None if there is none."""
        call = self._waiting.pop(process, None)
        if call is not None:
            call.waited = False
        return call

    def fault_cleared(self, process: int) -> None:
        """VM has dealt with the page fault of `process`."""
        fault = self._faults.pop(process, None)
        if fault is not None:
            fault.waited = False

    def put_aside(self, receiver: int) -> Call | None:
        """`receiver` takes another message: the call that it has not answered, if there is one."""
        call = self._working.get(receiver)
        if call is None or not call.waited or call.aside:
            return None
        call.aside = True
        return call

    def take_up(self, call: Call, process: int) -> bool:
        """Whether `process` takes up again `call`, which it had put aside."""
        if not call.aside or call.dest != process:
            return False
        call.aside = False
        self._working[process] = call
        return True
