"""PM's process table: slots, pids and process groups.

Source: MINIX ``servers/pm/utility.c`` (get_free_pid, find_proc, pm_isokendpt) and ``forkexit.c``.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterator
from typing import Final

import attrs

from ipc.endpoint import NR_PROCS, slot_of
from kernel.panic import Panic
from servers.pm.mproc import INIT_PID, Mproc

NR_PIDS: Final = 30000
LAST_FEW: Final = 2  # slots kept for the superuser


@attrs.define(eq=False)
class ProcessTable:
    """The processes that PM knows, by slot; `size` is how many there can be.

    Slots below `first_child` are for the processes of the boot image, also where MINIX has some
    that are not there.
    """

    size: int = NR_PROCS
    first_child: int = 0
    slots: dict[int, Mproc] = attrs.field(factory=dict)
    _used: list[int] = attrs.field(factory=list)  # the keys of `slots`, ascending
    _pids: dict[int, Mproc] = attrs.field(factory=dict)
    _groups: Counter[int] = attrs.field(factory=Counter)
    _next_pid: int = INIT_PID + 1
    _next_child: dict[str, int] = attrs.field(factory=dict)

    def __iter__(self) -> Iterator[Mproc]:
        """The processes in use, by ascending slot; the table may change meanwhile."""
        return iter([self.slots[slot] for slot in self._used])

    def descending(self) -> Iterator[Mproc]:
        """The processes in use, by descending slot."""
        return iter([self.slots[slot] for slot in reversed(self._used)])

    def lookup(self, endpoint: int) -> Mproc | None:
        """The process that `endpoint` names, if it is in use.  MINIX: pm_isokendpt."""
        process = self.slots.get(slot_of(endpoint))
        return process if process is not None and process.endpoint == endpoint else None

    def find(self, pid: int) -> Mproc | None:
        """The process with this pid, alive or a zombie.  MINIX: find_proc."""
        return self._pids.get(pid)

    def is_full(self, *, superuser: bool) -> bool:
        """Whether no slot is left for a child; the last few are for the superuser's."""
        children = len(self._used) - bisect.bisect_left(self._used, self.first_child)
        free = self.size - self.first_child - children
        return free <= 0 or (free <= LAST_FEW and not superuser)

    def free_slot(self, kind: str) -> int:
        """The next free slot; `kind` (fork, srv_fork) names the counter that goes round."""
        slot = self._next_child.get(kind, self.first_child - 1)
        for _ in range(self.size):
            slot = (slot + 1) % self.size
            if slot not in self.slots and slot >= self.first_child:
                self._next_child[kind] = slot
                return slot
        raise Panic("PM finds no slot for a child although its table is not full")

    def new_pid(self) -> int:
        """A pid that is neither a process's nor a group's.  MINIX: get_free_pid."""
        while True:
            self._next_pid = self._next_pid + 1 if self._next_pid < NR_PIDS else INIT_PID + 1
            if self._next_pid not in self._pids and not self._groups[self._next_pid]:
                return self._next_pid

    def add(self, process: Mproc) -> None:
        """Put `process`, whose slot is free, into the table."""
        assert process.slot not in self.slots, "a process is added to a free slot"
        self.slots[process.slot] = process
        bisect.insort(self._used, process.slot)
        self._pids[process.pid] = process
        self._groups[process.procgrp] += 1

    def remove(self, process: Mproc) -> None:
        """Free the slot of `process`.  MINIX: cleanup."""
        del self.slots[process.slot]
        self._used.remove(process.slot)
        del self._pids[process.pid]
        self._leave(process.procgrp)
        process.flags = 0
        process.pid = 0

    def regroup(self, process: Mproc, group: int) -> None:
        """Move `process` to another process group."""
        self._leave(process.procgrp)
        process.procgrp = group
        self._groups[group] += 1

    def _leave(self, group: int) -> None:
        self._groups[group] -= 1
        if not self._groups[group]:
            del self._groups[group]

    def check(self) -> None:
        """State the invariants of the table."""
        assert self._used == sorted(self.slots), "the used slots are listed once, ascending"
        for slot, process in self.slots.items():
            assert process.slot == slot, "a process is in its own slot"
            assert self._pids.get(process.pid) is process, "a pid names one process"
            assert process.parent in self.slots, "a parent is in the table"
        groups = Counter(process.procgrp for process in self.slots.values())
        assert groups == self._groups, "the groups count their processes"
