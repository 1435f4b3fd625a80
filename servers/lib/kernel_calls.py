"""Kernel calls and calls between servers, by the names that MINIX's system library gives them.

Each returns the result code (OK or an error number) unless it says otherwise; none raises.  Those
that yield values return them, or a negative error number where the value cannot be negative.
Times are in ticks, lengths in bytes.

Source: MINIX ``lib/libsys``.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Final, TypeAlias

from ipc.endpoint import NONE, VM
from ipc.errors import OK, IpcError
from ipc.flags import DIAGCTL_CODE_STACKTRACE, RC_DELAY, RC_RESUME, RC_STOP
from ipc.kernelcalls import (
    SysAbort,
    SysClear,
    SysDiagctl,
    SysEndksig,
    SysExec,
    SysFork,
    SysGetksig,
    SysKill,
    SysRunctl,
    SysSafecopyfrom,
    SysSafecopyto,
    SysSchedctl,
    SysSchedule,
    SysSetalarm,
    SysSettime,
    SysSigreturn,
    SysSigsend,
    SysStime,
    SysTimes,
    SysVircopy,
    SysVtimer,
)
from ipc.message import Message, Reply
from ipc.traps import KernelCall, SendRec, trap, yields_traps
from ipc.vm import VmExit, VmFork, VmGetrusage, VmWillexit

UNCHANGED: Final = -1

# What is to be awaited for the result code of a call.
Result: TypeAlias = Coroutine[Any, Any, int]


@yields_traps
def kernel_call(request: Message) -> Generator[KernelCall, Message, int]:
    """Make a kernel call that answers nothing but a result code."""
    reply = yield KernelCall(request)
    return reply.type


@yields_traps
def ask(dest: int, request: Message) -> Generator[SendRec, Any, Any]:
    """Ask another server and wait; its answer, or one with the error with which SENDREC failed.

    MINIX: _taskcall.
    """
    reply = yield SendRec(dest, request)
    return Reply(reply.code) if isinstance(reply, IpcError) else reply


@yields_traps
def taskcall(dest: int, request: Message) -> Generator[SendRec, Any, int]:
    """As `ask`; the result code alone."""
    reply = yield SendRec(dest, request)
    return reply.code if isinstance(reply, IpcError) else int(reply.type)


# Processes.


async def sys_fork(parent: int, slot: int, flags: int = 0) -> tuple[int, int, int]:
    """Make a child of `parent` in `slot`: result, the child's endpoint, its message's address."""
    reply = await trap(KernelCall(SysFork(parent, slot, flags)))
    if reply.type != OK:
        return reply.type, NONE, 0
    return OK, reply.endpt, reply.msgaddr


def sys_exec(endpoint: int, stack: int, name: int, entry: int, strings: int) -> Result:
    """Start `endpoint` anew at `entry`; the address of its name is the caller's."""
    return kernel_call(SysExec(endpoint, entry, stack, name, strings))


def sys_clear(endpoint: int) -> Result:
    """Free the slot of a process that has exited."""
    return kernel_call(SysClear(endpoint))


def sys_stop(endpoint: int) -> Result:
    """Keep a process from running."""
    return kernel_call(SysRunctl(endpoint, RC_STOP, 0))


def sys_delay_stop(endpoint: int) -> Result:
    """Stop a process unless it is sending (EBUSY; SIGSNDELAY follows when it is done)."""
    return kernel_call(SysRunctl(endpoint, RC_STOP, RC_DELAY))


def sys_resume(endpoint: int) -> Result:
    """Let a stopped process run again."""
    return kernel_call(SysRunctl(endpoint, RC_RESUME, 0))


def sys_abort(how: int) -> Result:
    """Stop the machine."""
    return kernel_call(SysAbort(how))


# Scheduling.


def sys_schedule(endpoint: int, priority: int, quantum: int, cpu: int, niced: bool) -> Result:
    """Give a process a priority and a quantum (ms), UNCHANGED for either, and let it run."""
    return kernel_call(SysSchedule(endpoint, quantum, priority, cpu, int(niced)))


def sys_schedctl(flags: int, endpoint: int, priority: int, quantum: int, cpu: int) -> Result:
    """Become the scheduler of a process, or with SCHEDCTL_FLAG_KERNEL leave it to the kernel."""
    return kernel_call(SysSchedctl(flags, endpoint, priority, quantum, cpu))


# Signals.


def sys_kill(endpoint: int, signal: int) -> Result:
    """Have a process signalled by its signal manager."""
    return kernel_call(SysKill(endpt=endpoint, sig=signal))


async def sys_getksig() -> tuple[int, int]:
    """A process with signals for the caller to handle, and their set; (NONE, 0) if none is left."""
    reply = await trap(KernelCall(SysGetksig()))
    return (reply.endpt, reply.map) if reply.type == OK else (NONE, 0)


def sys_endksig(endpoint: int) -> Result:
    """Say that a process's signals have been handled."""
    return kernel_call(SysEndksig(endpt=endpoint))


def sys_sigsend(endpoint: int, context: int) -> Result:
    """Have a process run its handler; the `struct sigmsg` is at `context` in the caller."""
    return kernel_call(SysSigsend(endpt=endpoint, sigctx=context))


def sys_sigreturn(endpoint: int, context: int) -> Result:
    """Take a process back to what it did before a handler; `context` is an address of its."""
    return kernel_call(SysSigreturn(endpt=endpoint, sigctx=context))


# Time.


async def sys_setalarm(expires: int, *, abs_time: bool) -> int:
    """Have CLOCK notify the caller after (`abs_time`: at) that many ticks; after 0: never."""
    reply = await trap(KernelCall(SysSetalarm(exp_time=expires, abs_time=int(abs_time))))
    return int(reply.type)


async def sys_times(endpoint: int) -> tuple[int, int]:
    """How long a process has run, itself and the system for it; (0, 0) if there is none such."""
    reply = await trap(KernelCall(SysTimes(endpoint)))
    return (reply.user_time, reply.system_time) if reply.type == OK else (0, 0)


async def sys_vtimer(endpoint: int, which: int, value: int | None) -> tuple[int, int]:
    """Set (None: only get) a timer that runs with a process: result, and what was left of it."""
    request = SysVtimer(which=which, set=int(value is not None), value=value or 0, endpt=endpoint)
    reply = await trap(KernelCall(request))
    return reply.type, reply.value if reply.type == OK else 0


def sys_settime(now: int, clock: int, seconds: int, nanoseconds: int) -> Result:
    """Set the clock, at once or slowly."""
    return kernel_call(SysSettime(seconds, nanoseconds, now, clock))


def sys_stime(boot_time: int) -> Result:
    """Set when the machine was booted (seconds since 1970)."""
    return kernel_call(SysStime(boot_time))


# Memory.


async def _nothing_to_do() -> int:
    return OK


def sys_vircopy(
    source: int, address: int, dest: int, dest_address: int, length: int, flags: int = 0
) -> Result:
    """Copy between the memories of processes (SELF: the caller's)."""
    if not length:
        return _nothing_to_do()
    request = SysVircopy(source, address, dest, dest_address, length, flags)
    return kernel_call(request)


def sys_safecopyfrom(source: int, grant: int, offset: int, address: int, length: int) -> Result:
    """Copy from what `source` has granted to `address` of the caller."""
    return kernel_call(SysSafecopyfrom(source, grant, offset, address, length))


def sys_safecopyto(dest: int, grant: int, offset: int, address: int, length: int) -> Result:
    """Copy from `address` of the caller to what `dest` has granted."""
    return kernel_call(SysSafecopyto(dest, grant, offset, address, length))


# Devices and diagnostics.


def sys_diagctl_stacktrace(endpoint: int) -> Result:
    """Have the kernel print what a process was doing."""
    return kernel_call(SysDiagctl(code=DIAGCTL_CODE_STACKTRACE, endpt=endpoint))


# VM.


async def vm_fork(endpoint: int, slot: int) -> int:
    """Make a child of `endpoint` in `slot`; its endpoint, or an error."""
    reply = await ask(VM, VmFork(endpoint, slot))
    return int(reply.child_endpoint if reply.type == OK else reply.type)


def vm_willexit(endpoint: int) -> Result:
    """Tell VM that a process is about to go."""
    return taskcall(VM, VmWillexit(endpoint))


def vm_exit(endpoint: int) -> Result:
    """Have VM free the memory of a process."""
    return taskcall(VM, VmExit(endpoint))


def vm_getrusage(endpoint: int, address: int, *, children: bool) -> Result:
    """Have VM fill in its part of the rusage at `address` of the caller."""
    return taskcall(VM, VmGetrusage(endpoint, address, int(children)))
