"""Kernel calls: schedulers.

Source: MINIX ``kernel/system/{do_schedule,do_schedctl}.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.endpoint import NONE
from ipc.errors import EINVAL, EPERM, OK
from ipc.flags import SCHEDCTL_FLAG_KERNEL
from ipc.kernelcalls import SysSchedctl, SysSchedule
from ipc.message import Message

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process


def do_schedule(machine: Machine, caller: Process, request: SysSchedule) -> Message | int:
    """Give a process priority and time; only its scheduler may."""
    process = machine.table.lookup(request.endpoint)
    if process is None:
        return EINVAL
    if process.scheduler != caller.endpoint:
        return EPERM
    return machine.schedulers.schedule(
        process, request.priority, request.quantum, bool(request.niced)
    )


def do_schedctl(machine: Machine, caller: Process, request: SysSchedctl) -> Message | int:
    """Become a process's scheduler, or leave it to the kernel."""
    if request.flags & ~SCHEDCTL_FLAG_KERNEL:
        return EINVAL
    process = machine.table.lookup(request.endpoint)
    if process is None:
        return EINVAL
    if not request.flags & SCHEDCTL_FLAG_KERNEL:
        process.scheduler = caller.endpoint
        return OK
    code = machine.schedulers.schedule(process, request.priority, request.quantum, niced=False)
    if code == OK:
        process.scheduler = NONE
    return code
