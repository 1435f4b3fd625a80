"""The table of kernel calls, and how a process gets into it.

Each function gets the machine, the caller and the request, and returns the answer: a message, or
just its result code.  VMSUSPEND means that the call waits for VM and will be done again from its
beginning; EDONTREPLY that the caller gets no answer.

Source: MINIX ``kernel/system.c`` kernel_call, kernel_call_dispatch, kernel_call_finish.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ipc import kernelcalls as calls
from ipc.errors import EBADREQUEST, ECALLDENIED, EDONTREPLY, OK
from ipc.message import Message, RawMessage, Reply
from kernel.calls.copies import (
    do_memset,
    do_safecopy,
    do_safememset,
    do_setgrant,
    do_vircopy,
    do_vsafecopy,
)
from kernel.calls.devices import do_devio, do_irqctl
from kernel.calls.information import do_abort, do_diagctl, do_getinfo
from kernel.calls.mapping import do_umap, do_umap_remote, do_vumap
from kernel.calls.privileges import do_privctl
from kernel.calls.processes import do_clear, do_exec, do_exit, do_fork, do_runctl
from kernel.calls.scheduling import do_schedctl, do_schedule
from kernel.calls.signals import (
    do_endksig,
    do_getksig,
    do_getmcontext,
    do_kill,
    do_setmcontext,
    do_sigreturn,
    do_sigsend,
    do_trace,
)
from kernel.calls.state import do_statectl, do_update
from kernel.calls.time import do_setalarm, do_settime, do_stime, do_times, do_vtimer
from kernel.calls.vmctl import do_vmctl
from kernel.copying import VMSUSPEND
from kernel.flags import MF_KCALL_RESUME

if TYPE_CHECKING:
    from ipc.traps import KernelCall
    from kernel.machine import Machine
    from kernel.process import Process

KERNEL_CALL: Final = 0x600
NR_SYS_CALLS: Final = 58

Call: TypeAlias = "Callable[[Machine, Process, Any], Message | int]"

CALLS: Final[dict[type[Message], Call]] = {
    calls.SysFork: do_fork,
    calls.SysExec: do_exec,
    calls.SysClear: do_clear,
    calls.SysExit: do_exit,
    calls.SysPrivctl: do_privctl,
    calls.SysTrace: do_trace,
    calls.SysSetgrant: do_setgrant,
    calls.SysRunctl: do_runctl,
    calls.SysUpdate: do_update,
    calls.SysStatectl: do_statectl,
    calls.SysKill: do_kill,
    calls.SysGetksig: do_getksig,
    calls.SysEndksig: do_endksig,
    calls.SysSigsend: do_sigsend,
    calls.SysSigreturn: do_sigreturn,
    calls.SysIrqctl: do_irqctl,
    calls.SysDevio: do_devio,
    calls.SysMemset: do_memset,
    calls.SysVmctl: do_vmctl,
    calls.SysUmap: do_umap,
    calls.SysUmapRemote: do_umap_remote,
    calls.SysVumap: do_vumap,
    calls.SysVircopy: do_vircopy,
    calls.SysPhyscopy: do_vircopy,
    calls.SysSafecopyfrom: do_safecopy,
    calls.SysSafecopyto: do_safecopy,
    calls.SysVsafecopy: do_vsafecopy,
    calls.SysSafememset: do_safememset,
    calls.SysTimes: do_times,
    calls.SysSetalarm: do_setalarm,
    calls.SysStime: do_stime,
    calls.SysSettime: do_settime,
    calls.SysVtimer: do_vtimer,
    calls.SysAbort: do_abort,
    calls.SysGetinfo: do_getinfo,
    calls.SysDiagctl: do_diagctl,
    calls.SysGetmcontext: do_getmcontext,
    calls.SysSetmcontext: do_setmcontext,
    calls.SysSchedule: do_schedule,
    calls.SysSchedctl: do_schedctl,
}

_NOT_RESUMED: Final = ~MF_KCALL_RESUME
_DONE: Final = Reply(OK)  # messages are never changed, so that one is enough


class KernelCalls:
    """Takes kernel calls from processes."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._probes = machine.probes

    def enter(self, caller: Process, trap: KernelCall) -> None:
        """Do a kernel call, or do one again for which VM has provided memory."""
        request = trap.request
        try:
            call = caller.privilege.calls[type(request)]
        except KeyError:
            call = self._call_unknown
        answer = call(self._machine, caller, request)
        if not answer:  # OK; a message never counts as false
            caller.result = _DONE
        elif not isinstance(answer, int):
            caller.result = answer
        elif answer == VMSUSPEND:
            self._suspend(caller, request)
            return
        else:
            caller.result = None if answer == EDONTREPLY else Reply(answer)
        if caller.misc:
            caller.misc &= _NOT_RESUMED
            caller.memory_request = None  # without the flag it is not looked at
        if self._probes.emit is not None and caller.result is not None:
            self._probes.called(caller, request, caller.result)

    def _suspend(self, caller: Process, request: Message) -> None:
        """The call waits for memory that VM is to provide, and will be done again."""
        caller.misc |= MF_KCALL_RESUME
        if self._probes.emit is not None:
            self._probes.called(caller, request, None)

    def _call_unknown(self, machine: Machine, caller: Process, request: Message) -> Message | int:
        """Do a call of which it is not known yet that `caller` may make it, if it may.

        The number says that.  If the message is of no class of its own its bytes say what it is.
        """
        number = request.type - KERNEL_CALL
        if not 0 <= number < NR_SYS_CALLS:
            return EBADREQUEST
        if not caller.privilege.kernel_calls >> number & 1:
            return ECALLDENIED
        if type(request) is RawMessage:
            from ipc.requests import as_request

            request = as_request(request)
        call = CALLS.get(type(request))
        if call is None:
            return EBADREQUEST
        caller.privilege.calls[type(request)] = call
        return call(machine, caller, request)
