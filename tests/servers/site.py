"""A booted machine whose processes tests give commands, and the messages that it passes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import attrs

from ipc.endpoint import endpoint_name
from ipc.message import Message
from kernel.probes import Event, MessageDelivered
from kernel.process import Process
from servers.boot import System, boot
from servers.config import MachineConfig
from servers.lib.driven import Command, Raised, Returned, driven_image
from servers.lib.libc import CallFailed, Libc

Action = Callable[[Libc], Coroutine[Any, Any, Any]]


@attrs.define(eq=False)
class Site:
    """A machine; `said` are the messages that were delivered, as (source, dest, message)."""

    system: System
    said: list[tuple[int, int, Message]] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.system.machine.probes.listen(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, MessageDelivered):
            self.said.append((event.source, event.dest, event.message))

    def begin(self, action: Action, process: Process | None = None) -> list[Any]:
        """Let a process (INIT) begin a command; its outcome will be in the list."""
        outcomes: list[Any] = []
        driven = self.system.machine.driven
        driven.inject(process or self.system.init, Command(action, "test"), outcomes.append)
        self.system.machine.run_quiet_nowait()
        return outcomes

    def do(self, action: Action, process: Process | None = None) -> Any:
        """Let a process (INIT) do a command; what it returned.  A failure is raised."""
        outcomes = self.begin(action, process)
        self.system.machine.run_until_nowait(lambda: bool(outcomes))
        assert outcomes, "the command came to no end"
        if isinstance(outcomes[0], Raised):
            raise outcomes[0].error
        assert isinstance(outcomes[0], Returned)
        return outcomes[0].value

    def fails(self, action: Action, process: Process | None = None) -> int:
        """The error number with which a call in a command fails; 0 if none does."""
        try:
            self.do(action, process)
        except CallFailed as failure:
            return failure.errno
        return 0

    def fork(self, process: Process | None = None) -> Process:
        """A driven child of a process (INIT)."""

        async def action(libc: Libc) -> int:
            return await libc.fork_image(driven_image(libc.copied()))

        child = self.system.process(self.do(action, process))
        assert child is not None
        return child

    def heard(self, *names: str) -> list[str]:
        """The messages said so far, those to and from the endpoints called `names`; then none."""
        lines = [
            f"{endpoint_name(source)} -> {endpoint_name(dest)}: {text(message)}"
            for source, dest, message in self.said
            if not names or {endpoint_name(source), endpoint_name(dest)} <= set(names)
        ]
        self.said.clear()
        return lines

    def check(self) -> None:
        """The books of the file servers are in order, and nobody has anything under way."""
        vfs, mfs = self.system.servers["vfs"], self.system.servers["mfs"]
        vfs.check()
        mfs.fs.check()
        assert vfs.grants.in_use() == 0, "every grant of VFS is taken back"
        assert mfs.grants.in_use() == 0, "every grant of MFS is taken back"
        for vnode in vfs.vnodes.all():
            if vnode.mount is not None:
                assert mfs.fs.find_inode(vnode.inode).count == vnode.fs_count, "VFS and MFS agree"


def site(**options: Any) -> Site:
    """A machine with these options of `MachineConfig`."""
    return Site(boot(MachineConfig(**options)))


def text(message: Message) -> str:
    """A message as the tables of expected sequences write it."""
    kind = type(message)
    values = dict(zip(kind.field_names, kind.values_of(message), strict=True))
    values.pop("transid", None)
    result = values.pop("type", None)
    if result is not None:
        name = kind.__name__.removesuffix("Reply") or "Reply"
        return f"{name} = {result}"
    return f"{message.name}({', '.join(f'{key}={value}' for key, value in values.items())})"
