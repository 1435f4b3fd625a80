"""A whole machine with a user program, for tests of what servers do together."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import attrs

from ipc.endpoint import endpoint_name
from ipc.message import Message
from kernel.probes import Event, KernelCalled, MessageDelivered
from servers.boot import System, assemble, boot
from servers.config import MachineConfig
from servers.lib.driven import Command, Raised, Returned, driven_image
from servers.lib.libc import CallFailed, Libc
from servers.lib.libc.processes import Image

Action = Callable[[Libc], Coroutine[Any, Any, Any]]


@attrs.define(eq=False)
class Record:
    """What a machine did while it was watched, one line of text each."""

    lines: list[str] = attrs.field(factory=list)

    def __call__(self, event: Event) -> None:
        if isinstance(event, MessageDelivered):
            source, dest = endpoint_name(event.source), endpoint_name(event.dest)
            self.lines.append(f"{source}>{dest} {label(event.message)}")
        elif isinstance(event, KernelCalled):
            self.lines.append(f"{endpoint_name(event.process)}! {event.request.name}")

    def of(self, *names: str, besides: tuple[str, ...] = ()) -> list[str]:
        """The lines in which one of these takes part, but for those that contain `besides`."""
        return [
            line
            for line in self.lines
            if any(name in line.split()[0] for name in names)
            and not any(word in line for word in besides)
        ]


def label(message: Message) -> str:
    """A message by its name; an answer by its result."""
    name = type(message).__dict__.get("name")
    if isinstance(message.type, int) and "type" in type(message).__annotations__:
        return f"= {message.type}"
    return name if isinstance(name, str) else f"= {message.type}"


def booted(**options: Any) -> System:
    """A machine at rest whose INIT is driven."""
    return boot(MachineConfig.of(options))


def tell(system: System, action: Action) -> Any:
    """Have INIT do something, let all be done that follows, and give back what came of it."""
    outcomes: list[Any] = []
    system.machine.driven.inject(system.init, Command(action, "an action"), outcomes.append)
    system.machine.run_quiet_nowait()
    assert outcomes, f"it did not come to an end: {system.machine.log}"
    match outcomes[0]:
        case Returned(value=value):
            return value
        case Raised(error=error):
            raise error
    raise AssertionError(outcomes[0])


def watched(system: System, action: Action) -> tuple[Any, Record]:
    """As `tell`, with a record of what the machine did."""
    record = Record()
    stop = system.machine.probes.listen(record)
    try:
        return tell(system, action), record
    finally:
        stop()


def check(system: System) -> None:
    """State the invariants of everything that has any."""
    system.machine.check()
    system.pm.table.check()
    system.sched.check()


async def failure(call: Coroutine[Any, Any, Any]) -> int:
    """The error number with which a call fails; 0 if it does not."""
    try:
        await call
    except CallFailed as failed:
        return failed.errno
    return 0


def sleeping() -> Action:
    """A program that waits for a signal for ever."""

    async def sleep(libc: Libc) -> None:
        while True:
            await libc.sigsuspend()

    return sleep


__all__ = [
    "Action",
    "Image",
    "Record",
    "assemble",
    "booted",
    "check",
    "driven_image",
    "failure",
    "label",
    "sleeping",
    "tell",
    "watched",
]
