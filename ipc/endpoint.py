"""Endpoints: the numbers by which processes name one another.

An endpoint is a process slot and the generation of the process that lives in it, so the name of a
dead process is never the name of its successor.  Kernel tasks have negative slots.

Source: MINIX ``minix/endpoint.h`` and ``minix/com.h``.
"""

from __future__ import annotations

from typing import Final

NR_TASKS: Final = 5
NR_PROCS: Final = 256
GENERATION_SIZE: Final = 1 << 15
MAX_GENERATION: Final = 0xFFFE
MAX_NR_TASKS: Final = 1023

ANY: Final = 31744
NONE: Final = 31743
SELF: Final = 31742

# In the source of a message filter: any user process, any service, any kernel task.
ANY_USR: Final = ANY + GENERATION_SIZE
ANY_SYS: Final = ANY + 2 * GENERATION_SIZE
ANY_TSK: Final = ANY + 3 * GENERATION_SIZE

ASYNCM: Final = -5
IDLE: Final = -4
CLOCK: Final = -3
SYSTEM: Final = -2
KERNEL: Final = -1
HARDWARE: Final = KERNEL

PM: Final = 0
VFS: Final = 1
RS: Final = 2
MEM: Final = 3
SCHED: Final = 4
TTY: Final = 5
DS: Final = 6
MIB: Final = 7
VM: Final = 8
PFS: Final = 9
MFS: Final = 10
INIT: Final = 11

WELL_KNOWN: Final = {
    ANY: "ANY", NONE: "NONE", SELF: "SELF",
    ANY_USR: "ANY_USR", ANY_SYS: "ANY_SYS", ANY_TSK: "ANY_TSK",
    ASYNCM: "ASYNCM", IDLE: "IDLE", CLOCK: "CLOCK", SYSTEM: "SYSTEM", KERNEL: "KERNEL",
    PM: "PM", VFS: "VFS", RS: "RS", MEM: "MEM", SCHED: "SCHED", TTY: "TTY", DS: "DS",
    MIB: "MIB", VM: "VM", PFS: "PFS", MFS: "MFS", INIT: "INIT",
}  # fmt: skip

BY_NAME: Final = {name: endpoint for endpoint, name in WELL_KNOWN.items()} | {"HARDWARE": HARDWARE}


def make_endpoint(generation: int, slot: int) -> int:
    """The endpoint of the `generation`-th process that lives in `slot`.

    Generations of slots that are used again run from 1 to below `MAX_GENERATION`; 0 is that of
    the processes in the boot image.
    """
    return generation * GENERATION_SIZE + slot


def slot_of(endpoint: int) -> int:
    """The process slot that `endpoint` names; kernel tasks have negative ones."""
    return ((endpoint + MAX_NR_TASKS) & (GENERATION_SIZE - 1)) - MAX_NR_TASKS


def generation_of(endpoint: int) -> int:
    """How many processes lived in the slot before the one that `endpoint` names."""
    return (endpoint + MAX_NR_TASKS) // GENERATION_SIZE


def endpoint_name(endpoint: int) -> str:
    """`endpoint` as people read it: its well-known name, or its number."""
    return WELL_KNOWN.get(endpoint, str(endpoint))
