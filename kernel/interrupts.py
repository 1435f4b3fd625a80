"""Interrupt lines and I/O ports: how a driver hears from its device and talks to it.

A driver subscribes to a line (SYS_IRQCTL); when a device raises it, the driver gets a notification
from HARDWARE with the bit that it chose.  A device is an object in `ports` that is read and written
with SYS_DEVIO; it may schedule what happens later on the machine's clock, and raise lines.

Source: MINIX ``kernel/interrupt.c``, ``kernel/system/do_irqctl.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import attrs

from ipc.endpoint import HARDWARE, NONE
from ipc.flags import IRQ_REENABLE
from kernel import notify
from kernel.probes import Interrupted

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

NR_IRQ_VECTORS: Final = 16
NR_IRQ_HOOKS: Final = 16


class Device(Protocol):
    """A simulated device behind I/O ports."""

    def read(self, port: int) -> int:
        """What the driver reads from `port`."""
        ...

    def write(self, port: int, value: int) -> None:
        """The driver writes `value` to `port`."""
        ...


@attrs.define(eq=False)
class Hook:
    """A driver's subscription to a line; `owner` NONE: the hook is free."""

    owner: int = NONE
    line: int = 0
    notify_id: int = 0
    policy: int = 0
    enabled: bool = False
    pending: bool = False


class Interrupts:
    """The interrupt lines and the ports of a machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.hooks = [Hook() for _ in range(NR_IRQ_HOOKS)]
        self._subscribed: dict[int, list[Hook]] = {}  # by line, in the order of the hooks
        self.ports: dict[int, Device] = {}

    def raise_line(self, line: int) -> None:
        """A device raises `line`: its subscribers are notified, or will be when they enable it."""
        for hook in self._subscribed.get(line, ()):
            if hook.enabled:
                self._notify(hook)
            else:
                hook.pending = True

    def subscribe(self, index: int, hook: Hook) -> None:
        """Put `hook` (a free one: nobody subscribes) in the place of the one at `index`."""
        self.hooks[index] = hook
        self._subscribed = {}
        for each in self.hooks:
            if each.owner != NONE:
                self._subscribed.setdefault(each.line, []).append(each)

    def enable(self, hook: Hook, enabled: bool) -> None:
        """Let `hook` hear of its line, or not."""
        hook.enabled = enabled
        if enabled and hook.pending:
            hook.pending = False
            self._notify(hook)

    def _notify(self, hook: Hook) -> None:
        machine = self._machine
        endpoints = machine.table.endpoints
        process = endpoints[hook.owner]  # a dead one has no hooks
        hook.enabled = hook.policy & IRQ_REENABLE != 0
        process.privilege.interrupts_pending |= 1 << hook.notify_id
        if machine.probes.emit is not None:
            machine.probes.happened(Interrupted, process, hook.line)
        notify.tell(machine.rendezvous, endpoints[HARDWARE], process)

    def release(self, process: Process) -> None:
        """`process` is no more: its hooks are free."""
        for index, hook in enumerate(self.hooks):
            if hook.owner == process.endpoint:
                self.subscribe(index, Hook())
