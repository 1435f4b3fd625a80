"""Kernel calls: interrupts and I/O ports, for drivers.

Source: MINIX ``kernel/system/{do_irqctl,do_devio}.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import NONE
from ipc.errors import EINVAL, ENOSPC, EPERM, OK
from ipc.flags import IRQ_DISABLE, IRQ_ENABLE, IRQ_RMPOLICY, IRQ_SETPOLICY
from ipc.kernelcalls import SysDevio, SysDevioReply, SysIrqctl, SysIrqctlReply
from ipc.message import Message
from kernel.interrupts import NR_IRQ_HOOKS, NR_IRQ_VECTORS, Hook

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

MAXIMUM_NOTIFY_ID: Final = 31
DIO_DIRECTION: Final = 0x0F
DIO_INPUT: Final = 1
DIO_OUTPUT: Final = 2
DIO_TYPE: Final = 0xF0
DIO_ASKED: Final = DIO_TYPE | DIO_DIRECTION
DIO_WIDTHS: Final = {0x10: 0xFF, 0x20: 0xFFFF, 0x30: 0xFFFFFFFF}

# What SYS_DEVIO is asked for: in which direction, and which bits of the value count.
_DEVIO: Final = {
    width | direction: (direction, mask)
    for width, mask in DIO_WIDTHS.items()
    for direction in (DIO_INPUT, DIO_OUTPUT)
}


def do_irqctl(machine: Machine, caller: Process, request: SysIrqctl) -> Message | int:
    """Subscribe to an interrupt line, end that, or enable or disable the subscription."""
    if request.request == IRQ_SETPOLICY:
        return _set_policy(machine, caller, request)
    index = request.hook_id - 1
    if request.request not in (IRQ_RMPOLICY, IRQ_ENABLE, IRQ_DISABLE):
        return EINVAL
    interrupts = machine.interrupts
    if not 0 <= index < NR_IRQ_HOOKS or interrupts.hooks[index].owner == NONE:
        return EINVAL
    hook = interrupts.hooks[index]
    if hook.owner != caller.endpoint:
        return EPERM
    if request.request == IRQ_RMPOLICY:
        interrupts.subscribe(index, Hook())
    else:
        interrupts.enable(hook, request.request == IRQ_ENABLE)
    return OK


def _set_policy(machine: Machine, caller: Process, request: SysIrqctl) -> Message | int:
    line, notify_id = request.vector, request.hook_id
    if not 0 <= line < NR_IRQ_VECTORS:
        return EINVAL
    privilege = caller.privilege
    if privilege.checks_interrupts and line not in privilege.interrupt_lines:
        return EPERM
    # Differs: MINIX takes a negative identifier and shifts by it.
    if not 0 <= notify_id <= MAXIMUM_NOTIFY_ID:
        return EINVAL
    hooks = machine.interrupts.hooks
    mine = [
        index
        for index, hook in enumerate(hooks)
        if hook.owner == caller.endpoint and hook.notify_id == notify_id
    ]
    free = [index for index, hook in enumerate(hooks) if hook.owner == NONE]
    if not mine and not free:
        return ENOSPC
    index = (mine or free)[0]
    hook = Hook(caller.endpoint, line, notify_id, request.policy, enabled=True)
    machine.interrupts.subscribe(index, hook)
    return SysIrqctlReply(OK, index + 1)


def do_devio(machine: Machine, _caller: Process, request: SysDevio) -> Message | int:
    """Read or write an I/O port; a port without a device reads as ones and takes anything."""
    asked = _DEVIO.get(request.request & DIO_ASKED)
    if asked is None:
        return EINVAL
    direction, mask = asked
    device = machine.interrupts.ports.get(request.port)
    if direction == DIO_OUTPUT:
        if device is not None:
            device.write(request.port, request.value & mask)
        return OK
    value = mask if device is None else device.read(request.port) & mask
    return SysDevioReply(OK, value)
