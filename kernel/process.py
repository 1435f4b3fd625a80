"""A process as the kernel knows it.  Source: MINIX ``kernel/proc.h``."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from ipc.endpoint import NONE
from ipc.message import Message
from ipc.traps import Trap
from kernel.flags import RTS_SLOT_FREE
from kernel.privilege import Privilege

if TYPE_CHECKING:
    from kernel.memory.frames import Frames

# A program's signal handler: called with the signal's number, it returns what then runs.
SignalHandler: TypeAlias = Callable[[int], Coroutine[Any, Any, None]]


@attrs.define(eq=False)
class Context:
    """What a running program may leave for whoever watches it.

    A server's loop says here which request it is working on (`cause`, the number of the event
    that delivered it), so that a trace can nest what follows under that request.
    """

    delivered: int = 0  # the event that delivered the last message to this process
    cause: int = 0  # the event on whose behalf the process acts now

    # The calls that a server has put aside, as it keeps them: str() of a key says which call, and
    # `awaits` (an endpoint or NONE) and `reason` of its value say what for.
    parked: Mapping[Any, Any] = attrs.field(factory=dict)

    # What runs on a signal, by the address that stands for it in messages; a fork inherits it.
    handlers: dict[int, SignalHandler] = attrs.field(factory=dict)


@attrs.define(eq=False)
class MemoryRequest:
    """Memory that a kernel call found missing and that VM is asked to provide.

    `result` is None until VM has asked what is wanted and answered.
    """

    target: int  # endpoint
    address: int
    length: int
    write: bool
    taken: bool = False  # VM knows of it
    result: int | None = None


@attrs.define(eq=False)
class Interruption:
    """What a process was doing when a signal handler took its place."""

    coroutine: Any
    request: Trap | None
    result: Any
    misc: int


@attrs.define(eq=False)
class Process:
    """One slot of the process table.

    Run flags (`rts`) change only in the ready queue's `block` and `unblock`, and in message
    passing, which does the same in line: with the last one that goes, and the first that comes, the
    process enters or leaves that queue.
    """

    slot: int
    endpoint: int
    name: str = ""
    privilege: Privilege = attrs.field(kw_only=True)
    rts: int = RTS_SLOT_FREE
    misc: int = 0

    # Message passing.  What is meaningful only with a run flag keeps its last value without it.
    send_to: int = NONE  # meaningful while RTS_SENDING
    get_from: int = NONE  # meaningful while RTS_RECEIVING
    sending: Message | None = None  # meaningful while RTS_SENDING
    callers: list[Process] = attrs.field(factory=list)  # who is sending to it, the first in front
    status: int = 0  # the status word of the last RECEIVE
    stale_link: bool = False  # MINIX: p_q_link still points to the next in a queue it has left

    # Execution: the coroutine, the trap it last made, and what it gets back when it runs next.
    coroutine: Coroutine[Trap, Any, int | None] | None = None
    request: Trap | None = None
    result: Any = None
    context: Context = attrs.field(factory=Context)

    # Scheduling and time.
    priority: int = 7
    quantum: int = 0  # virtual ns left
    quantum_size: int = 0  # virtual ns
    scheduler: int = NONE
    user_time: int = 0  # virtual ns
    system_time: int = 0  # virtual ns
    virtual_left: int = 0  # virtual ns of own time until SIGVTALRM; 0: no timer
    profile_left: int = 0  # virtual ns of own and system time until SIGPROF; 0: no timer

    # Memory.
    space: Any = None  # kernel.memory.space.AddressSpace, once VM has bound one
    message_address: int = 0  # where the program keeps its message buffer (bytes)
    private: Frames | None = None  # the memory of a system process without an address space
    memory_request: MemoryRequest | None = None  # meaningful while RTS_VMREQUEST, or resuming
    signals_pending: int = 0
    interrupted: list[Interruption] = attrs.field(factory=list)  # under signal handlers
