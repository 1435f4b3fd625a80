"""Whether waiting for somebody would close a circle of processes that wait for one another.

Source: MINIX ``kernel/proc.c`` deadlock; ``kernel/proc.h`` P_BLOCKEDON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.endpoint import ANY, NONE
from kernel.flags import RTS_RECEIVING, RTS_SENDING
from kernel.panic import Panic

if TYPE_CHECKING:
    from kernel.process import Process
    from kernel.quirks import Quirks
    from kernel.table import ProcessTable


def blocked_on(process: Process) -> int:
    """Whom `process` waits for: an endpoint, ANY, or NONE if it waits for no message.

    A SENDREC that is still sending waits for the one it sends to.
    """
    if process.rts & RTS_SENDING:
        return process.send_to
    if process.rts & RTS_RECEIVING:
        return process.get_from
    return NONE


def closes_circle(
    table: ProcessTable, quirks: Quirks, caller: Process, partner: Process, flag: int
) -> bool:
    """Whether `caller` would wait in vain for `partner`, sending or receiving as `flag` says.

    The chain of who waits for whom ends at a process that can run or that takes a message from
    anybody.  Of two processes, one that sends and one that receives do not wait in vain.
    """
    waiting = partner
    for length in range(len(table.endpoints)):
        endpoint = blocked_on(waiting)
        if endpoint == caller.endpoint:
            return bool(length) or not (waiting.rts ^ flag) & RTS_SENDING
        if endpoint in (NONE, ANY):
            return False
        waiting = table.endpoints[endpoint]
    # The chain is longer than there are processes: it runs in a circle that the caller is not in.
    if "deadlock-endless-loop" in quirks:
        raise Panic(
            f"the deadlock check of {caller.name} never ends: {partner.name} waits for a circle of"
            " processes that wait for one another",
            quirk="deadlock-endless-loop",
        )
    return True
