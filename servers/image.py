"""The boot image: which processes a machine starts with, where they live, and what they may do.

Servers of the boot image may make every trap and every kernel call and send to everybody, as in
MINIX; a driver may do what drivers need; users may only ask (SENDREC).

Differs: RS, DS, TTY, MIB and MEM are not there, and a server's program is not in its memory.

Source: MINIX ``kernel/table.c``, ``servers/rs/table.c``, ``minix/priv.h``, ``etc/system.conf``.
"""

from __future__ import annotations

from typing import Final

import attrs

from ipc import kernelcalls as calls
from ipc.endpoint import INIT, MFS, PFS, PM, SCHED, SELF, VFS, VM
from ipc.message import Message
from kernel.privilege import (
    ALL_KERNEL_CALLS,
    ALL_TARGETS,
    ALL_TRAPS,
    DYN_PRIV_ID,
    PREEMPTIBLE,
    SYS_PROC,
    Privilege,
)
from servers.lib.layout import DATA_END, STACK_BASE, STACK_SIZE, TEXT_BASE
from servers.lib.memory import SCRATCH, SCRATCH_SIZE

KERNEL_CALL: Final = 0x600

# The drivers that are loaded after the boot image, in the slots behind INIT.
DISK: Final = INIT + 1
FIRST_FREE: Final = INIT + 2

ROOT_DEVICE: Final = 0x0300  # major 3, minor 0
DISK_LABEL: Final = "disk"
DISK_PORTS: Final = 0x1F0
DISK_LINE: Final = 14

TEXT: Final = (TEXT_BASE, DATA_END - TEXT_BASE)
STACK: Final = (STACK_BASE, STACK_SIZE)
# What a server with an address space copies by way of, and keeps for others to read.
SERVER_DATA: Final = (SCRATCH, SCRATCH_SIZE + 16 * 4096)


@attrs.frozen
class Entry:
    """A process of the image.

    `regions` are its memory, `(address, bytes)` each; a server without has memory of its own that
    VM does not know of.  `alarms_matter`: whether the machine is busy while its alarm is set.
    """

    endpoint: int
    name: str
    regions: tuple[tuple[int, int], ...] = ()
    alarms_matter: bool = True


IMAGE: Final[tuple[Entry, ...]] = (
    Entry(PM, "pm"),
    Entry(SCHED, "sched", alarms_matter=False),
    Entry(VFS, "vfs"),
    Entry(VM, "vm"),
    Entry(PFS, "pfs"),
    Entry(MFS, "mfs", regions=(SERVER_DATA,)),
    Entry(DISK, "disk"),
    Entry(INIT, "init", regions=(TEXT, STACK)),
)


def _mask(*kinds: type[Message]) -> int:
    return sum(1 << (kind.type - KERNEL_CALL) for kind in kinds)


# What every service may ask of the kernel, and what drivers may besides.
BASIC_CALLS: Final = (
    calls.SysExit, calls.SysSafecopyfrom, calls.SysSafecopyto, calls.SysVsafecopy,
    calls.SysGetinfo, calls.SysTimes, calls.SysSetalarm, calls.SysSetgrant, calls.SysDiagctl,
    calls.SysStatectl, calls.SysSafememset,
)  # fmt: skip
DRIVER_CALLS: Final = (
    calls.SysIrqctl, calls.SysDevio, calls.SysSdevio, calls.SysVdevio, calls.SysUmap,
    calls.SysVumap,
)  # fmt: skip


def may_do_everything(privilege: Privilege, endpoint: int) -> None:
    """Set up the privileges of a server of the boot image.  MINIX: SRV_F, SRV_T, SRV_M, SRV_KC."""
    privilege.flags = SYS_PROC | (0 if endpoint == VM else PREEMPTIBLE)
    privilege.trap_mask = ALL_TRAPS
    privilege.ipc_to = ALL_TARGETS & ~privilege.bit
    privilege.kernel_calls = ALL_KERNEL_CALLS
    privilege.signal_manager = SELF if endpoint in (PM, VM) else PM


def may_drive(privilege: Privilege) -> None:
    """Set up the privileges of a driver: the disk's line, and the calls that drivers make."""
    privilege.flags = SYS_PROC | PREEMPTIBLE | DYN_PRIV_ID
    privilege.trap_mask = ALL_TRAPS
    privilege.ipc_to = ALL_TARGETS & ~privilege.bit
    privilege.kernel_calls = _mask(*BASIC_CALLS, *DRIVER_CALLS)
    privilege.signal_manager = PM
    privilege.checks_interrupts = True
    privilege.interrupt_lines = [DISK_LINE]


def may_serve(privilege: Privilege) -> None:
    """Set up the privileges of a user's own server, or of a user's process that is to be one."""
    privilege.flags = SYS_PROC | PREEMPTIBLE | DYN_PRIV_ID
    privilege.trap_mask = ALL_TRAPS
    privilege.ipc_to = ALL_TARGETS & ~privilege.bit
    privilege.kernel_calls = ALL_KERNEL_CALLS
    privilege.signal_manager = PM
