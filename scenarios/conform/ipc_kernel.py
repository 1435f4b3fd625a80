"""The kernel that recordings of message passing play in, without a machine around it.

The calls and operations that a recording can ask for are done on the kernel's own process table,
run queue and rendezvous.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ipc.endpoint import NONE, NR_PROCS, slot_of
from ipc.errors import EINVAL, OK
from ipc.traps import (
    MINIX_KERNINFO_CALL,
    NOTIFY_CALL,
    RECEIVE_CALL,
    SEND_CALL,
    SENDA_CALL,
    SENDNB_CALL,
    SENDREC_CALL,
    AsyncEntry,
)
from kernel.clock import Clock
from kernel.filters import add_filter
from kernel.flags import RTS_PROC_STOP, RTS_SLOT_FREE
from kernel.fork import copy_slot
from kernel.probes import Probes
from kernel.process import Process
from kernel.quirks import Quirks
from kernel.rendezvous import Rendezvous
from kernel.runqueue import RunQueue
from kernel.table import ProcessTable
from scenarios.conform import ipc_input
from scenarios.conform.ipc_config import Member, set_up, target_mask, targets, trap_mask
from scenarios.conform.ipc_effects import Effects
from scenarios.conform.recording import Malformed, field, optional


class IpcKernel:
    """A kernel with the processes of a recording; `effects` tells what an operation did to it.

    `memory` has the table of asynchronous messages that lies in each process's memory, by slot.
    """

    def __init__(self, members: list[Member], strict: bool, quirks: Quirks) -> None:
        self._members = {member.slot: member for member in sorted(members, key=lambda m: m.slot)}
        self._ids = {member.slot: member.privilege_id for member in members}
        self.clock = Clock()
        self.table = ProcessTable(NR_PROCS)
        self.memory: dict[int, list[AsyncEntry]] = {}
        self._ready = RunQueue()
        probes = Probes(self.clock)
        self.ipc = Rendezvous(self.table, self._ready, quirks, self.clock, probes)
        self._populate()
        self.effects = Effects(self.table, self._ready, probes, self.memory, strict)

    def _populate(self) -> None:
        for member in self._members.values():
            privilege = self.table.privileges[member.privilege_id]
            if privilege.slot == NONE:
                set_up(privilege, member, self._ids)
            self._make(member, member.endpoint)

    def _make(self, member: Member, endpoint: int) -> Process:
        """A process in the slot of `member`: runnable, unless it is a kernel task."""
        privilege = self.table.privileges[member.privilege_id]
        if member.is_system:
            privilege.forget_messages(endpoint)
        process = self.table.place(member.slot, endpoint, member.name, privilege, RTS_PROC_STOP)
        if member.slot >= 0:
            self._ready.unblock(process, RTS_PROC_STOP)
        self.memory[member.slot] = []
        return process

    # The calls.

    def send(self, caller: Process, operation: dict[str, Any]) -> int:
        """SEND."""
        dest, message = ipc_input.dest(operation), ipc_input.offered(operation)
        return self.ipc.send(caller, dest, message)

    def receive(self, caller: Process, operation: dict[str, Any]) -> int:
        """RECEIVE."""
        return self.ipc.receive(caller, ipc_input.dest(operation))

    def sendrec(self, caller: Process, operation: dict[str, Any]) -> int:
        """SENDREC."""
        dest, message = ipc_input.dest(operation), ipc_input.offered(operation)
        return self.ipc.sendrec(caller, dest, message)

    def notify(self, caller: Process, operation: dict[str, Any]) -> int:
        """NOTIFY."""
        return self.ipc.notify(caller, ipc_input.dest(operation))

    def sendnb(self, caller: Process, operation: dict[str, Any]) -> int:
        """SENDNB."""
        dest, message = ipc_input.dest(operation), ipc_input.offered(operation)
        return self.ipc.sendnb(caller, dest, message)

    def senda(self, caller: Process, operation: dict[str, Any]) -> int:
        """SENDA of the table in the caller's memory; a bad pointer finds no entry to read."""
        table = self.memory[caller.slot]
        size = optional(operation, "size", int, len(table))
        return self.ipc.senda(caller, [] if operation.get("bad_ptr") else table, size)

    def kernel_info(self, _caller: Process, _operation: dict[str, Any]) -> int:
        """MINIX_KERNINFO, which tells where the kernel's information page is."""
        return OK

    # The operations.

    def _slot(self, operation: dict[str, Any], name: str = "nr") -> int:
        slot = field(operation, name, int)
        if slot not in self.memory:
            raise Malformed(f"{name} is {slot}, which is no process of this recording")
        return slot

    def live(self, operation: dict[str, Any], name: str = "nr") -> Process:
        """The process that `name` in the operation means.  Raises Malformed if it is free."""
        process = self.table.at(self._slot(operation, name))
        if process.rts == RTS_SLOT_FREE:
            raise Malformed(f"process slot {process.slot} is free")
        return process

    def _mortal(self, operation: dict[str, Any]) -> Process:
        process = self.live(operation)
        if process.slot < 0:
            raise Malformed(f"nr is {process.slot}: a kernel task does not die")
        return process

    def change_table(self, operation: dict[str, Any]) -> None:
        """The process changes the table in its memory."""
        slot = self._slot(operation, "proc")
        self.memory[slot][:] = ipc_input.entries(operation)
        self.effects.remember()

    def kernel_notify(self, operation: dict[str, Any]) -> int:
        """A kernel task notifies a process, of interrupts or a signal perhaps."""
        task = ipc_input.task(operation)
        if task not in self.memory:
            raise Malformed(f"from is {operation['from']}, which the header does not list")
        dest = field(operation, "to", int)
        receiver = self.table.lookup(dest)
        if "sig" in operation:
            if receiver is None:
                return EINVAL
            receiver.privilege.signals_pending |= 1 << (ipc_input.signal(operation) - 1)
        elif receiver is not None:
            receiver.privilege.interrupts_pending |= optional(operation, "bits", int, 0)
        return self.ipc.kernel_notify(task, dest)

    def kernel_send(self, operation: dict[str, Any]) -> int:
        """The kernel sends a message in a process's name."""
        process = self.live(operation, "proc")
        if "rts" in operation:
            self._ready.block(process, ipc_input.run_flag(operation, "rts"))
        message = ipc_input.message(operation)
        return min(OK, self.ipc.kernel_send(process, field(operation, "ep", int), message))

    def rts_set(self, operation: dict[str, Any]) -> None:
        """A run flag is set."""
        self._ready.block(self.live(operation), ipc_input.run_flag(operation, "flag"))

    def rts_unset(self, operation: dict[str, Any]) -> None:
        """A run flag is cleared."""
        self._ready.unblock(self.live(operation), ipc_input.run_flag(operation, "flag"))

    def clear_endpoint(self, operation: dict[str, Any]) -> None:
        """A process can no longer send and receive."""
        self.ipc.clear_endpoint(self._mortal(operation))

    def exit(self, operation: dict[str, Any]) -> int:
        """A process dies."""
        process = self._mortal(operation)
        self.ipc.clear_endpoint(process)
        self.table.free(process)
        return OK

    def clear_ipc_refs(self, operation: dict[str, Any]) -> None:
        """All that others have going on with a process ends."""
        self.ipc.clear_references(self.live(operation), field(operation, "code", int))

    def spawn(self, operation: dict[str, Any]) -> None:
        """A slot is used again, by a process like the one before."""
        slot = self._slot(operation)
        endpoint = field(operation, "endpoint", int)
        if slot not in self._members or slot_of(endpoint) != slot:
            raise Malformed(f"process slot {slot} cannot be used for endpoint {endpoint}")
        if self.table.at(slot).rts != RTS_SLOT_FREE:
            raise Malformed(f"process slot {slot} is in use")
        self._make(self._members[slot], endpoint)
        self.effects.forget_unblocked()

    def set_priv(self, operation: dict[str, Any]) -> None:
        """A process's privileges change."""
        slot = self._slot(operation)
        privilege = self.table.at(slot).privilege
        if "trap_mask" in operation:
            privilege.trap_mask = trap_mask(operation["trap_mask"])
        if "ipc_to" in operation:
            privilege.ipc_to = target_mask(privilege, targets(operation["ipc_to"]), self._ids)

    def filter(self, operation: dict[str, Any]) -> int:
        """A process gets a message filter."""
        kind, elements = ipc_input.filter_of(operation)
        return add_filter(self.table, self.live(operation), kind, elements)

    def clear_filters(self, operation: dict[str, Any]) -> None:
        """A process gets rid of its filters."""
        self.live(operation).privilege.filters.clear()

    def fork(self, operation: dict[str, Any]) -> int:
        """A process forks."""
        parent = self.table.lookup(field(operation, "parent", int))
        if parent is None:
            return EINVAL
        child = copy_slot(self.table, self.ipc.quirks, parent, field(operation, "nr", int))
        if isinstance(child, int):
            return child
        self.memory[child.slot] = []
        return OK


TRAPS: Final[dict[int, Callable[[IpcKernel, Process, dict[str, Any]], int]]] = {
    SEND_CALL: IpcKernel.send,
    RECEIVE_CALL: IpcKernel.receive,
    SENDREC_CALL: IpcKernel.sendrec,
    NOTIFY_CALL: IpcKernel.notify,
    SENDNB_CALL: IpcKernel.sendnb,
    MINIX_KERNINFO_CALL: IpcKernel.kernel_info,
    SENDA_CALL: IpcKernel.senda,
}

OPERATIONS: Final[dict[str, Callable[[IpcKernel, dict[str, Any]], int | None]]] = {
    "table": IpcKernel.change_table,
    "kernel_notify": IpcKernel.kernel_notify,
    "kernel_send": IpcKernel.kernel_send,
    "rts_set": IpcKernel.rts_set,
    "rts_unset": IpcKernel.rts_unset,
    "clear_endpoint": IpcKernel.clear_endpoint,
    "exit": IpcKernel.exit,
    "clear_ipc_refs": IpcKernel.clear_ipc_refs,
    "spawn": IpcKernel.spawn,
    "set_priv": IpcKernel.set_priv,
    "filter": IpcKernel.filter,
    "clear_filters": IpcKernel.clear_filters,
    "fork": IpcKernel.fork,
}
