"""What VM finds when the machine starts: memory, boot processes, and who may call what.

Source: MINIX ``minix/type.h`` kinfo, ``servers/vm/main.c`` init_vm.
"""

from __future__ import annotations

from typing import Final

import attrs

from ipc.endpoint import NR_PROCS

USER_END: Final = 0xF0000000
STACK_SIZE: Final = 4 << 20  # MINIX: DEFAULT_STACK_LIMIT
MMAP_BASE: Final = 4096  # where the kernel-chosen part of an address space begins


@attrs.frozen
class BootRegion:
    """Memory of a boot process: `length` bytes at `vaddr`, there at once if `preallocated`."""

    vaddr: int
    length: int
    preallocated: bool = False


@attrs.frozen
class BootProcess:
    """A process that is there when VM starts, with its memory.

    Its address space is given to it if it is `bound`.  Differs: MINIX binds all; here a service
    whose program is not in simulated memory needs none.
    """

    endpoint: int
    slot: int
    regions: tuple[BootRegion, ...] = ()
    bound: bool = True


@attrs.frozen
class BootAcl:
    """Which calls a boot process may make: a mask of VM's calls (bit n: VM_RQ_BASE + n), or None.

    Services (`system`) have one each, user processes share one.
    """

    endpoint: int
    calls: int | None
    system: bool = True


@attrs.frozen
class BootConfig:
    """The machine as VM finds it.

    `chunks` is the memory map, `(base, size)` in bytes; user addresses end at `user_end` and
    stacks at `user_stack` (bytes).  `file_maps`: whether files can be mapped.  The byte counts are
    what VM and the kernel say that they use themselves.
    """

    chunks: tuple[tuple[int, int], ...]
    processes: tuple[BootProcess, ...] = ()
    acl: tuple[BootAcl, ...] = ()
    user_end: int = USER_END
    user_stack: int = USER_END
    file_maps: bool = True
    slots: int = NR_PROCS
    vm_bytes: int = 0
    kernel_bytes: int = 0
    kernel_dynamic_bytes: int = 0
