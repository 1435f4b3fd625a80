"""The messages of a run, as `expect`, `count` and failing lines look at them.

A delivery is what a receiver got: a request, an answer, a notification.  Kernel calls are kept
among them, as messages to the kernel.
"""

from __future__ import annotations

import functools

import attrs

from ipc.endpoint import KERNEL, SYSTEM
from ipc.message import Message, Reply
from ipc.registry import BY_NAME, reply_class
from ipc.traps import FROM_KERNEL, SENDREC_CALL
from kernel.probes import Event, KernelCalled, MessageDelivered, MessageSent


@attrs.frozen
class Delivery:
    """One message that arrived.

    `name` is what scenarios call it: a request's own name, else `VM_MMAP reply` if it is known what
    it answers.  `from_kernel`: the kernel sent it in the source's name.  `result` is the answer of
    a kernel call, which is a delivery to the kernel.
    """

    seq: int
    source: int
    dest: int
    message: Message
    name: str
    from_kernel: bool = False
    result: Message | None = None

    @property
    def is_kernel_call(self) -> bool:
        """Whether this is a kernel call and not a message."""
        return self.result is not None


class MessageLog:
    """Listens to a machine and keeps its deliveries, in order."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self._asked: dict[int, tuple[int, Message]] = {}  # by who waits in SENDREC: whom, what
        self._requests: dict[int, Delivery] = {}  # by number of the event

    def __call__(self, event: Event) -> None:
        """Keep what `event` tells; the log is a listener of `kernel.probes`."""
        match event:
            case MessageDelivered():
                self._delivered(event)
            case MessageSent(call=call) if call == SENDREC_CALL:
                self._asked[event.source] = (event.dest, event.message)
            case KernelCalled(result=result) if result is not None:
                self.deliveries.append(
                    Delivery(event.seq, event.process, SYSTEM, event.request, event.request.name,
                             result=result)
                )  # fmt: skip

    def _delivered(self, event: MessageDelivered) -> None:
        message = event.message
        from_kernel = bool(event.status & FROM_KERNEL)
        answered = self._answered(event)
        name = f"{answered} reply" if answered else message.name
        delivery = Delivery(event.seq, event.source, event.dest, message, name, from_kernel)
        self.deliveries.append(delivery)
        if not answered:
            self._requests[event.seq] = delivery

    def _answered(self, event: MessageDelivered) -> str:
        """The name of the request that `event` answers; empty if it is no answer, or unknown."""
        if not isinstance(event.message, Reply):
            return ""
        asked = self._asked.get(event.dest)
        if asked is not None and asked[0] == event.source and not event.status:
            del self._asked[event.dest]
            return asked[1].name
        request = self._requests.get(event.cause)
        if request is not None and (request.dest, request.source) == (event.source, event.dest):
            return request.name
        return _request_of_reply().get(type(event.message), "")


def is_kernel(endpoint: int) -> bool:
    """Whether `endpoint` is one of those in whose name the kernel itself speaks or listens."""
    return endpoint in (KERNEL, SYSTEM)


@functools.cache
def _request_of_reply() -> dict[type[Message], str]:
    """By class of answer, the one request that is answered so."""
    names = {reply_class(cls): name for name, cls in BY_NAME.items()}
    return {cls: name for cls, name in names.items() if cls is not Reply}
