"""A process as the kernel knows it.  Source: MINIX ``kernel/proc.h``."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import attrs

from ipc.endpoint import NONE
from ipc.message import Message
from ipc.traps import Program, Trap
from kernel.flags import RTS_SLOT_FREE
from kernel.privilege import Privilege


@attrs.define(eq=False)
class Context:
    """What a running program may leave for whoever watches it.

    A server's loop says here which request it is working on (`cause`, the number of the event
    that delivered it), so that a trace can nest what follows under that request.
    """

    delivered: int = 0  # the event that delivered the last message to this process
    cause: int = 0  # the event on whose behalf the process acts now


@attrs.define(eq=False)
class Process:
    """One slot of the process table.

    Run flags (`rts`) change only through the ready queue's `block` and `unblock`, which also
    dequeue and enqueue.
    """

    slot: int
    endpoint: int
    name: str = ""
    privilege: Privilege = attrs.field(kw_only=True)
    rts: int = RTS_SLOT_FREE
    misc: int = 0

    # Message passing.
    send_to: int = NONE  # meaningful while RTS_SENDING
    get_from: int = NONE  # meaningful while RTS_RECEIVING
    sending: Message | None = None  # the message of a process that is SENDING
    callers: list[Process] = attrs.field(factory=list)  # processes sending to this one, first in front
    status: int = 0  # what the next completed RECEIVE returns as its status word

    # Execution: the coroutine, the trap it last made, and what it gets back when it runs next.
    coroutine: Coroutine[Trap, Any, int | None] | None = None
    child: Program | None = None  # what a fork of this process would run
    request: Trap | None = None
    result: Any = None
    context: Context = attrs.field(factory=Context)

    # Scheduling and time.
    priority: int = 7
    quantum: int = 0  # virtual ns left
    scheduler: int = NONE
    user_time: int = 0  # virtual ns
    system_time: int = 0  # virtual ns

    # Memory.
    space: Any = None  # kernel.memory.space.AddressSpace, once VM has bound one
    message_address: int = 0  # where the program keeps its message buffer (bytes)
    signals_pending: int = 0
