"""SYS_VMCTL: what VM alone tells the kernel about processes and memory.

Source: MINIX ``kernel/system/do_vmctl.c``, ``kernel/arch/i386/arch_do_vmctl.c``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ipc.endpoint import SELF, SYSTEM, VM
from ipc.errors import EINVAL, ENOENT, OK
from ipc.flags import (
    VMCTL_BOOTINHIBIT_CLEAR,
    VMCTL_CLEAR_PAGEFAULT,
    VMCTL_CLEARMAPCACHE,
    VMCTL_FLUSHTLB,
    VMCTL_GET_PDBR,
    VMCTL_I386_INVLPG,
    VMCTL_KERN_MAP_REPLY,
    VMCTL_KERN_PHYSMAP,
    VMCTL_MEMREQ_GET,
    VMCTL_MEMREQ_REPLY,
    VMCTL_SETADDRSPACE,
    VMCTL_VMINHIBIT_CLEAR,
    VMCTL_VMINHIBIT_SET,
)
from ipc.kernelcalls import SysVmctl, SysVmctlMemreqReply, SysVmctlReply
from ipc.message import Message, signed
from ipc.notification import Notification
from kernel.copying import VMSUSPEND
from kernel.filters import admits
from kernel.flags import RTS_BOOTINHIBIT, RTS_PAGEFAULT, RTS_VMINHIBIT, RTS_VMREQUEST
from kernel.panic import Panic

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

# What VM is asked to do about memory: check that it is there.
VMPTYPE_CHECK: Final = 1

# There is no translation buffer, and the kernel maps nothing of its own.
_WITHOUT_EFFECT: Final = frozenset({VMCTL_I386_INVLPG, VMCTL_FLUSHTLB, VMCTL_CLEARMAPCACHE})


def do_vmctl(machine: Machine, caller: Process, request: SysVmctl) -> Message | int:
    """Do what the request's parameter says to the process that it names."""
    process = caller if request.who == SELF else machine.table.endpoints.get(request.who)
    parameter = PARAMETERS.get(request.param)
    if process is None or (parameter is None and request.param not in _WITHOUT_EFFECT):
        return EINVAL
    return OK if parameter is None else parameter(machine, process, request.value)


# Differs: MINIX asserts that the flag which is cleared is set.


def _clear_pagefault(machine: Machine, process: Process, _value: int) -> Message | int:
    if not process.rts & RTS_PAGEFAULT:
        if "fake-pagefault" in machine.quirks:
            raise Panic(f"{process.name} has no page fault", quirk="fake-pagefault")
        return EINVAL
    machine.ready.unblock(process, RTS_PAGEFAULT)
    return OK


def _memreq_get(machine: Machine, _process: Process, _value: int) -> Message | int:
    """The memory that a suspended kernel call wants, the latest first; ENOENT if none does."""
    vm = machine.table.lookup(VM)
    if vm is not None and not admits(vm, machine.table.at(SYSTEM), Notification.type):
        return ENOENT
    if not machine.copier.requests:
        return ENOENT
    process = machine.copier.requests.pop(0)
    wanted = process.memory_request
    assert wanted is not None, "a process that waits for memory has a request"
    wanted.taken = True
    return SysVmctlMemreqReply(
        VMPTYPE_CHECK,
        target=wanted.target,
        addr=wanted.address,
        length=wanted.length,
        requestor=process.endpoint,
        flag=int(wanted.write),
    )


def _memreq_reply(machine: Machine, process: Process, value: int) -> Message | int:
    wanted = process.memory_request
    if not process.rts & RTS_VMREQUEST or wanted is None or not wanted.taken:
        return EINVAL
    if signed(value) == VMSUSPEND:
        raise Panic("VM answers that it has not answered", quirk="vfs-reply-no-error")
    machine.copier.answer(process, signed(value))
    return OK


def _inhibit(machine: Machine, process: Process, _value: int) -> Message | int:
    machine.ready.block(process, RTS_VMINHIBIT)
    return OK


def _uninhibit(machine: Machine, process: Process, _value: int) -> Message | int:
    if not process.rts & RTS_VMINHIBIT:
        return EINVAL
    machine.ready.unblock(process, RTS_VMINHIBIT)
    return OK


def _bootinhibit_clear(machine: Machine, process: Process, _value: int) -> Message | int:
    machine.ready.unblock(process, RTS_BOOTINHIBIT)
    return OK


def _set_address_space(machine: Machine, process: Process, _value: int) -> Message | int:
    """The process's page tables are in place.  VM gives them to it with its handle (`bind`)."""
    if process.space is None:
        return EINVAL
    machine.ready.unblock(process, RTS_VMINHIBIT)
    return OK


def _page_directory(_machine: Machine, process: Process, _value: int) -> Message | int:
    """Differs: page tables have no address here; the number only tells whether there are any."""
    return SysVmctlReply(OK, 0 if process.space is None else process.endpoint & 0xFFFFFFFF)


def _no_more(_machine: Machine, _process: Process, _value: int) -> Message | int:
    """The kernel has nothing (more) that VM should map for it."""
    return EINVAL


PARAMETERS: Final[dict[int, Callable[[Machine, Process, int], Message | int]]] = {
    VMCTL_CLEAR_PAGEFAULT: _clear_pagefault,
    VMCTL_GET_PDBR: _page_directory,
    VMCTL_MEMREQ_GET: _memreq_get,
    VMCTL_MEMREQ_REPLY: _memreq_reply,
    VMCTL_KERN_PHYSMAP: _no_more,
    VMCTL_KERN_MAP_REPLY: _no_more,
    VMCTL_SETADDRSPACE: _set_address_space,
    VMCTL_VMINHIBIT_SET: _inhibit,
    VMCTL_VMINHIBIT_CLEAR: _uninhibit,
    VMCTL_BOOTINHIBIT_CLEAR: _bootinhibit_clear,
}
