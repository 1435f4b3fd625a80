"""Kernel calls: what the kernel tells of itself, and what it prints.

Source: MINIX ``kernel/system/{do_getinfo,do_diagctl,do_abort}.c``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ipc.endpoint import NONE, endpoint_name
from ipc.errors import E2BIG, EINVAL, EPERM, OK
from ipc.flags import (
    DIAGCTL_CODE_DIAG,
    DIAGCTL_CODE_REGISTER,
    DIAGCTL_CODE_STACKTRACE,
    DIAGCTL_CODE_UNREGISTER,
    GET_HZ,
    GET_IDLETSC,
    GET_IMAGE,
    GET_LOADINFO,
    GET_MACHINE,
    GET_MONPARAMS,
    GET_WHOAMI,
)
from ipc.kernelcalls import SysAbort, SysDiagctl, SysGetinfo, SysGetinfoReply
from ipc.message import Message
from ipc.signals import SIGKMESS
from kernel.clock import HZ
from kernel.copying import Place
from kernel.hang import describe_process
from kernel.panic import Panic

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

DIAG_BUFSIZE: Final = 2000
_NAME_ROOM: Final = 16


def do_getinfo(machine: Machine, caller: Process, request: SysGetinfo) -> Message | int:
    """Copy one of the kernel's tables to the caller.

    Differs: there are those that say something here; EINVAL for the others.
    """
    if request.request == GET_WHOAMI:
        name = caller.name.encode("latin-1", "replace")[: _NAME_ROOM - 1]
        privilege = caller.privilege
        return SysGetinfoReply(OK, caller.endpoint, privilege.flags, privilege.init_flags, name)
    table = TABLES.get(request.request)
    if table is None:
        return EINVAL
    data = table(machine)
    if 0 < request.val_len < len(data):
        return E2BIG
    return machine.copier.write(caller, Place(caller, request.val_ptr), data)


def _hz(_machine: Machine) -> bytes:
    return struct.pack("<I", HZ)


def _machine_info(_machine: Machine) -> bytes:
    return struct.pack("<IIiIII", 1, 0, 0, 0, 0, 0)


def _image(machine: Machine) -> bytes:
    """The boot image: the processes of generation 0 that live, tasks first."""
    return b"".join(
        struct.pack(
            "<i16siII", process.slot, process.name.encode("latin-1", "replace"),
            process.endpoint, 0, 0,
        )
        for process in machine.table.all()
        if process.endpoint == process.slot
    )  # fmt: skip


def _load(machine: Machine) -> bytes:
    return struct.pack("<150HHxxI", *[0] * 150, 0, machine.clock.ticks & 0xFFFFFFFF)


def _boot_parameters(_machine: Machine) -> bytes:
    return bytes(1024)


def _idle_time(machine: Machine) -> bytes:
    """For how many cycles nobody ran; a cycle is taken for 1 ns."""
    return struct.pack("<Q", machine.dispatcher.idle_time)


TABLES: Final[dict[int, Callable[[Machine], bytes]]] = {
    GET_IMAGE: _image,
    GET_MONPARAMS: _boot_parameters,
    GET_MACHINE: _machine_info,
    GET_LOADINFO: _load,
    GET_HZ: _hz,
    GET_IDLETSC: _idle_time,
}


def do_diagctl(machine: Machine, caller: Process, request: SysDiagctl) -> Message | int:
    """Print a text of the caller, or what a process does; ask to be told of such texts."""
    if request.code == DIAGCTL_CODE_DIAG:
        if not 1 <= request.len <= DIAG_BUFSIZE:
            return EINVAL
        data = machine.copier.read(caller, Place(caller, request.buf), request.len)
        if isinstance(data, int):
            return data
        machine.complain(data.decode("utf-8", "replace"), caller)
        _tell_diagnostics(machine)
        return OK
    if request.code == DIAGCTL_CODE_STACKTRACE:
        process = machine.table.lookup(request.endpt)
        if process is None:
            return EINVAL
        machine.complain(f"{endpoint_name(process.endpoint)}: {describe_process(process)}", caller)
        return OK
    if request.code not in (DIAGCTL_CODE_REGISTER, DIAGCTL_CODE_UNREGISTER):
        return EINVAL
    if not caller.privilege.system:
        return EPERM
    caller.privilege.wants_diagnostics = request.code == DIAGCTL_CODE_REGISTER
    if caller.privilege.wants_diagnostics and machine.log:
        machine.signals.send(caller.endpoint, SIGKMESS)
    return OK


def _tell_diagnostics(machine: Machine) -> None:
    for privilege in machine.table.privileges:
        if privilege.slot != NONE and privilege.wants_diagnostics:
            machine.signals.send(machine.table.at(privilege.slot).endpoint, SIGKMESS)


def do_abort(_machine: Machine, caller: Process, request: SysAbort) -> Message | int:
    """Stop the machine, now.  Differs: MINIX gives processes one more second."""
    raise Panic(f"{caller.name} aborted the machine (how {request.how})")
