"""The kinds of faults, as data."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from ipc.errors import error_name
from ipc.message import Message
from ipc.notification import Notification
from ipc.refusals import answer_classes, can_be_refused
from ipc.registry import BY_NAME
from kernel.injection.when import EVERY, When


def _request(value: type[Message] | str | None) -> type[Message] | None:
    if isinstance(value, str):
        if value not in BY_NAME:
            raise ValueError(f"there is no message {value}")
        value = BY_NAME[value]
    if value is not None and (value in answer_classes() or value is Notification):
        raise ValueError(f"{value.name} is not a request")
    return value


def _when(value: When | int | str) -> When:
    return When.of(value)


def _duration(time: int) -> str:
    """`time`, in ns, in the largest unit in which it is whole."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        if time % size == 0:
            return f"{time // size}{unit}"
    return f"{time}ns"


@attrs.frozen
class ReplyFault:
    """`server` refuses requests with `error`, or is late with its reply to them, or both.

    A request that is refused is not carried out.  A server that is late does nothing for `delay`
    virtual ns before it takes the request up, as if it waited for something; others run meanwhile.

    `server` is an endpoint or a name; `error` an error number (negative); `request` the class of
    the requests that count, or MINIX's name for it, None for all; `when` tells which of them.
    Raises ValueError for what makes no sense.
    """

    server: int | str
    error: int | None = attrs.field(default=None, kw_only=True)
    delay: int = attrs.field(default=0, kw_only=True)
    request: type[Message] | None = attrs.field(default=None, kw_only=True, converter=_request)
    when: When = attrs.field(default=EVERY, kw_only=True, converter=_when)

    def __attrs_post_init__(self) -> None:
        if self.error is None and not self.delay:
            raise ValueError("a reply fault needs an error or a delay")
        if self.error is not None and self.error >= 0:
            raise ValueError(f"{self.error} is no error: error numbers are negative")
        if self.delay < 0:
            raise ValueError("a delay is not negative")
        if self.error is not None and self.request and not can_be_refused(self.request):
            raise ValueError(f"{self.request.name} has no reply that could be an error")

    def __str__(self) -> str:
        effects = [] if self.error is None else [f"error={error_name(self.error)}"]
        effects += [f"delay={_duration(self.delay)}"] if self.delay else []
        return " ".join(effects)


@attrs.frozen
class Crash:
    """`server` crashes over a request, which it has received and will not answer.

    Fields as those of `ReplyFault`; by default it is the next request.
    """

    server: int | str
    request: type[Message] | None = attrs.field(default=None, kw_only=True, converter=_request)
    when: When = attrs.field(default=When(1, 1), kw_only=True, converter=_when)

    def __str__(self) -> str:
        return "crash"


@attrs.frozen
class AllocationFault:
    """VM finds no memory where it takes frames, however much there is.

    `when` counts allocations, each of which is for one page or for several in a row.
    """

    when: When = attrs.field(default=EVERY, kw_only=True, converter=_when)

    def __str__(self) -> str:
        return "allocation fails"


Fault: TypeAlias = ReplyFault | Crash | AllocationFault
