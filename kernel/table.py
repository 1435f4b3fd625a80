"""The process table, and the table of privilege structures.

Rules.  A slot's process comes to be when somebody first asks for it, so a table of thousands of
slots costs nothing until they are used.  A new process in a slot is a new object; the one that died
stays in its slot, free, until then, because its endpoint gives the next one its generation.
`endpoints` holds exactly the processes that are not free.

Source: MINIX ``kernel/proc.h``, ``kernel/proc.c`` proc_init, isokendpt_f; ``kernel/system.c``
get_priv; ``kernel/system/do_fork.c``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ipc.endpoint import MAX_GENERATION, NONE, NR_PROCS, NR_TASKS, generation_of, make_endpoint
from ipc.errors import EBUSY, EINVAL, ENOSPC, OK
from kernel.flags import RTS_SLOT_FREE
from kernel.privilege import (
    NR_STATIC_PRIV_IDS,
    NR_SYS_PROCS,
    USER_PRIV_ID,
    Privilege,
)
from kernel.process import Process

MAXIMUM_SLOTS: Final = 30_000  # higher slots would collide with ANY, NONE and SELF


class ProcessTable:
    """`slots` user and server slots, from 0 on, and the kernel tasks' negative ones.

    `endpoints` finds a live process by its endpoint; it is read where every message passes.
    `privileges` is indexed by id.
    """

    def __init__(self, slots: int = NR_PROCS) -> None:
        assert 0 < slots <= MAXIMUM_SLOTS, "a table has between 1 and 30,000 slots"
        self.slots = slots
        self.endpoints: dict[int, Process] = {}
        self.privileges = [Privilege(each) for each in range(NR_SYS_PROCS)]
        self._processes: list[Process | None] = [None] * (NR_TASKS + slots)

    def __contains__(self, slot: int) -> bool:
        """Whether there is such a slot.  MINIX: isokprocn."""
        return -NR_TASKS <= slot < self.slots

    def at(self, slot: int) -> Process:
        """The process in `slot`, free or not.  The slot must exist."""
        assert slot in self, f"there is no process slot {slot}"
        process = self._processes[slot + NR_TASKS]
        if process is None:
            user = self.privileges[USER_PRIV_ID]
            process = Process(slot=slot, endpoint=make_endpoint(0, slot), privilege=user)
            self._processes[slot + NR_TASKS] = process
        return process

    def lookup(self, endpoint: int) -> Process | None:
        """The live process that `endpoint` names, or None.  MINIX: isokendpt."""
        return self.endpoints.get(endpoint)

    def all(self) -> Iterator[Process]:
        """The processes that are not free, by ascending slot, kernel tasks first."""
        for process in self._processes:
            if process is not None and process.rts != RTS_SLOT_FREE:
                yield process

    def owner(self, bit: int) -> Process | None:
        """The process to which the privilege structure with this map bit belongs; None if nobody.

        That of the structure that users share is init, whoever of them is meant, dead or alive.
        """
        slot = self.privileges[bit.bit_length() - 1].slot
        return None if slot == NONE else self.at(slot)

    def next_endpoint(self, slot: int) -> int:
        """The endpoint that a fork gives the next process in `slot`."""
        generation = generation_of(self.at(slot).endpoint) + 1
        # Generation 0 is kept for the processes of the boot image.
        return make_endpoint(generation if generation < MAX_GENERATION else 1, slot)

    def place(self, slot: int, endpoint: int, name: str, privilege: Privilege, rts: int) -> Process:
        """A new process in a free slot, with the run flags `rts` (not 0: `unblock` ends them).

        A system process's privilege structure becomes its own (`privilege.slot`).
        """
        assert self.at(slot).rts == RTS_SLOT_FREE, f"process slot {slot} is in use"
        assert rts & ~RTS_SLOT_FREE, "a new process is made ready by unblocking it"
        process = Process(
            slot=slot, endpoint=endpoint, name=name, privilege=privilege, rts=rts & ~RTS_SLOT_FREE
        )
        if privilege.system:
            privilege.slot = slot
        self._processes[slot + NR_TASKS] = process
        self.endpoints[endpoint] = process
        return process

    def free(self, process: Process) -> None:
        """Free the slot of `process`, and its privilege structure if it has its own.

        It must have lost its endpoint already.  MINIX: the end of system/do_clear.c.
        """
        assert process.rts, "a process that could run is not freed"
        process.rts = RTS_SLOT_FREE
        del self.endpoints[process.endpoint]
        if process.privilege.system:
            process.privilege.slot = NONE

    def free_privilege(self) -> Privilege | None:
        """The first dynamic privilege structure that belongs to nobody, or None."""
        dynamic = self.privileges[NR_STATIC_PRIV_IDS:]
        return next((each for each in dynamic if each.slot == NONE), None)

    def give_privilege(self, process: Process, static_id: int | None = None) -> int:
        """Give `process` a privilege structure of its own: `static_id`, or any dynamic one.

        Returns OK, EINVAL (no static id), EBUSY (taken) or ENOSPC (none left).  MINIX: get_priv.
        """
        if static_id is None:
            free = self.free_privilege()
            if free is None:
                return ENOSPC
            chosen = free
        elif not 0 <= static_id < NR_STATIC_PRIV_IDS:
            return EINVAL
        else:
            chosen = self.privileges[static_id]
            if chosen.slot != NONE:
                return EBUSY
        process.privilege = chosen
        chosen.slot = process.slot
        return OK
