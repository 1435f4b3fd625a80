"""Replays `ipc-golden/1`: the real kernel's message passing, one operation a line.

The inputs are done on the kernel's own process table, run queue and rendezvous, with all quirks.
What an operation did is read from there: from messages delivered, from the order in which processes
joined the run queue, and by comparing the table before and after.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ipc.endpoint import NONE, NR_PROCS, slot_of
from ipc.errors import EBADCALL, EINVAL, OK
from ipc.notification import Notification
from ipc.traps import (
    MINIX_KERNINFO_CALL,
    NOTIFY_CALL,
    RECEIVE_CALL,
    SEND_CALL,
    SENDA_CALL,
    SENDNB_CALL,
    SENDREC_CALL,
    STATUS_CALL_MASK,
    STATUS_FLAGS_SHIFT,
    AsyncEntry,
)
from kernel.clock import Clock, tick_time
from kernel.filters import add_filter
from kernel.flags import RTS_PROC_STOP, RTS_SLOT_FREE
from kernel.fork import copy_slot
from kernel.panic import Panic
from kernel.probes import Event, MessageDelivered, Probes
from kernel.process import Process
from kernel.quirks import ALL_QUIRKS, Quirks
from kernel.rendezvous import Rendezvous
from kernel.runqueue import RunQueue
from kernel.table import ProcessTable
from scenarios.conform import ipc_input
from scenarios.conform.ipc_config import (
    CALL_NAMES,
    Member,
    members_of,
    set_up,
    target_mask,
    targets,
    trap_mask,
)
from scenarios.conform.ipc_state import States
from scenarios.conform.recording import Malformed, field, optional

_HANG: Final = "deadlock-endless-loop"
_STALE_LINK: Final = "stale-queue-link"


def start(header: dict[str, Any]) -> IpcReplay:
    """A kernel with the processes that the header lists.  Raises Malformed."""
    strict = optional(field(header, "config", dict), "strict", bool, False)
    return IpcReplay(members_of(header), strict)


class IpcReplay:
    """A kernel without a machine around it, and what it did in the operation at hand."""

    def __init__(
        self, members: list[Member], strict: bool = False, quirks: Quirks = ALL_QUIRKS
    ) -> None:
        self._members = {member.slot: member for member in sorted(members, key=lambda m: m.slot)}
        self._ids = {member.slot: member.privilege_id for member in members}
        self._strict = strict
        self._stopped = False
        self._clock = Clock()
        self.table = ProcessTable(NR_PROCS)
        self._ready = RunQueue()
        probes = Probes(self._clock)
        self._ipc = Rendezvous(self.table, self._ready, quirks, self._clock, probes)
        self._memory: dict[int, list[AsyncEntry]] = {}
        self._states = States(self.table, self._memory)
        self._delivered: list[MessageDelivered] = []
        self._unblocked: list[int] = []
        self._populate()
        probes.listen(self._note_event)
        self._ready.entered = lambda process: self._unblocked.append(process.slot)

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
        self._memory[member.slot] = []
        return process

    def _note_event(self, event: Event) -> None:
        if isinstance(event, MessageDelivered):
            self._delivered.append(event)

    # A line.

    def answer(self, line: dict[str, Any]) -> dict[str, Any]:
        """Do the operation of a line and say what it did."""
        operation: dict[str, Any] = line["in"]
        if self._stopped:
            raise Malformed("the recording goes on after the kernel has stopped")
        if "ticks" in operation:
            self._clock.now = tick_time(ipc_input.natural(operation, "ticks"))
        if operation.get("op") == "state":
            return {"state": self._states.all(sorted(self._memory))}
        try:
            if "op" in operation:
                return self._operate(operation)
            return self._call(operation)
        except Panic as panic:
            self._stopped = True
            return _end(panic)

    def _operate(self, operation: dict[str, Any]) -> dict[str, Any]:
        name = field(operation, "op", str)
        do = OPERATIONS.get(name)
        if do is None:
            raise Malformed(f"unknown operation {name[:40]!r}")
        self._remember()
        result = do(self, operation)
        answer = {"result": result, **self._effects(None)}
        if name == "fork" and result == OK:
            answer["endpoint"] = self.table.at(operation["nr"]).endpoint
        return answer

    def _call(self, operation: dict[str, Any]) -> dict[str, Any]:
        caller = self._live(operation, "proc")
        if caller.rts:
            return {"error": "not runnable"}
        number = ipc_input.call(operation)
        do = TRAPS.get(number)
        if number == SENDA_CALL and "table" in operation:
            self._memory[caller.slot][:] = ipc_input.entries(operation)
        self._remember()
        code = EBADCALL if do is None else do(self, caller, operation)
        waits = bool(caller.rts)
        result = None if waits and code >= 0 else code
        return {"result": result, "blocked": waits, **self._effects(caller)}

    # What an operation did.

    def _remember(self) -> None:
        self._delivered.clear()
        self._unblocked.clear()
        self._states.remember(self._memory)

    def _effects(self, caller: Process | None) -> dict[str, Any]:
        slot = None if caller is None else caller.slot
        repaired = [] if self._strict else self._repair_links()
        effects = {
            "delivered": self._deliveries(),
            "unblocked": [each for each in self._unblocked if each != slot],
            "retregs": self._states.ended(slot),
            "state": self._states.changed(sorted(self._memory)),
            "senda": self._states.written(),
        }
        if repaired:
            effects["qlink_reset"] = repaired
        return effects

    def _repair_links(self) -> list[int]:
        """Forget stale links, as the recorder did so that it could go on; who had one."""
        stale = [process for process in self.table.all() if process.stale_link]
        for process in stale:
            process.stale_link = False
        return [process.slot for process in stale]

    def _deliveries(self) -> list[dict[str, Any]]:
        return [
            _delivery(event) for event in sorted(self._delivered, key=lambda e: slot_of(e.dest))
        ]

    # The calls.

    def send(self, caller: Process, operation: dict[str, Any]) -> int:
        """SEND."""
        dest, message = ipc_input.dest(operation), ipc_input.offered(operation)
        return self._ipc.send(caller, dest, message)

    def receive(self, caller: Process, operation: dict[str, Any]) -> int:
        """RECEIVE."""
        return self._ipc.receive(caller, ipc_input.dest(operation))

    def sendrec(self, caller: Process, operation: dict[str, Any]) -> int:
        """SENDREC."""
        dest, message = ipc_input.dest(operation), ipc_input.offered(operation)
        return self._ipc.sendrec(caller, dest, message)

    def notify(self, caller: Process, operation: dict[str, Any]) -> int:
        """NOTIFY."""
        return self._ipc.notify(caller, ipc_input.dest(operation))

    def sendnb(self, caller: Process, operation: dict[str, Any]) -> int:
        """SENDNB."""
        dest, message = ipc_input.dest(operation), ipc_input.offered(operation)
        return self._ipc.sendnb(caller, dest, message)

    def senda(self, caller: Process, operation: dict[str, Any]) -> int:
        """SENDA of the table in the caller's memory; a bad pointer finds no entry to read."""
        table = self._memory[caller.slot]
        size = optional(operation, "size", int, len(table))
        return self._ipc.senda(caller, [] if operation.get("bad_ptr") else table, size)

    def kernel_info(self, _caller: Process, _operation: dict[str, Any]) -> int:
        """MINIX_KERNINFO, which tells where the kernel's information page is."""
        return OK

    # The operations.

    def _slot(self, operation: dict[str, Any], name: str = "nr") -> int:
        slot = field(operation, name, int)
        if slot not in self._memory:
            raise Malformed(f"{name} is {slot}, which is no process of this recording")
        return slot

    def _live(self, operation: dict[str, Any], name: str = "nr") -> Process:
        process = self.table.at(self._slot(operation, name))
        if process.rts == RTS_SLOT_FREE:
            raise Malformed(f"process slot {process.slot} is free")
        return process

    def _mortal(self, operation: dict[str, Any]) -> Process:
        process = self._live(operation)
        if process.slot < 0:
            raise Malformed(f"nr is {process.slot}: a kernel task does not die")
        return process

    def change_table(self, operation: dict[str, Any]) -> None:
        """The process changes the table in its memory."""
        slot = self._slot(operation, "proc")
        self._memory[slot][:] = ipc_input.entries(operation)
        self._remember()

    def kernel_notify(self, operation: dict[str, Any]) -> int:
        """A kernel task notifies a process, of interrupts or a signal perhaps."""
        task = ipc_input.task(operation)
        if task not in self._memory:
            raise Malformed(f"from is {operation['from']}, which the header does not list")
        dest = field(operation, "to", int)
        receiver = self.table.lookup(dest)
        if "sig" in operation:
            if receiver is None:
                return EINVAL
            receiver.privilege.signals_pending |= 1 << (ipc_input.signal(operation) - 1)
        elif receiver is not None:
            receiver.privilege.interrupts_pending |= optional(operation, "bits", int, 0)
        return self._ipc.kernel_notify(task, dest)

    def kernel_send(self, operation: dict[str, Any]) -> int:
        """The kernel sends a message in a process's name."""
        process = self._live(operation, "proc")
        if "rts" in operation:
            self._ready.block(process, ipc_input.run_flag(operation, "rts"))
        message = ipc_input.message(operation)
        return min(OK, self._ipc.kernel_send(process, field(operation, "ep", int), message))

    def rts_set(self, operation: dict[str, Any]) -> None:
        """A run flag is set."""
        self._ready.block(self._live(operation), ipc_input.run_flag(operation, "flag"))

    def rts_unset(self, operation: dict[str, Any]) -> None:
        """A run flag is cleared."""
        self._ready.unblock(self._live(operation), ipc_input.run_flag(operation, "flag"))

    def clear_endpoint(self, operation: dict[str, Any]) -> None:
        """A process can no longer send and receive."""
        self._ipc.clear_endpoint(self._mortal(operation))

    def exit(self, operation: dict[str, Any]) -> int:
        """A process dies."""
        process = self._mortal(operation)
        self._ipc.clear_endpoint(process)
        self.table.free(process)
        return OK

    def clear_ipc_refs(self, operation: dict[str, Any]) -> None:
        """All that others have going on with a process ends."""
        self._ipc.clear_references(self._live(operation), field(operation, "code", int))

    def spawn(self, operation: dict[str, Any]) -> None:
        """A slot is used again, by a process like the one before."""
        slot = self._slot(operation)
        endpoint = field(operation, "endpoint", int)
        if slot not in self._members or slot_of(endpoint) != slot:
            raise Malformed(f"process slot {slot} cannot be used for endpoint {endpoint}")
        if self.table.at(slot).rts != RTS_SLOT_FREE:
            raise Malformed(f"process slot {slot} is in use")
        self._make(self._members[slot], endpoint)
        self._unblocked.clear()

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
        return add_filter(self.table, self._live(operation), kind, elements)

    def clear_filters(self, operation: dict[str, Any]) -> None:
        """A process gets rid of its filters."""
        self._live(operation).privilege.filters.clear()

    def fork(self, operation: dict[str, Any]) -> int:
        """A process forks."""
        parent = self.table.lookup(field(operation, "parent", int))
        if parent is None:
            return EINVAL
        child = copy_slot(self.table, self._ipc.quirks, parent, field(operation, "nr", int))
        if isinstance(child, int):
            return child
        self._memory[child.slot] = []
        return OK


def _delivery(event: MessageDelivered) -> dict[str, Any]:
    """A delivered message as a recording shows it."""
    said = event.message
    notification = said if isinstance(said, Notification) else Notification()
    word = said.timestamp if isinstance(said, Notification) else ipc_input.body_of(said)
    delivery = {
        "to": slot_of(event.dest),
        "source": event.source,
        "type": said.type,
        "body": word,
        "status_call": CALL_NAMES.get(event.status & STATUS_CALL_MASK),
        "status_flags": event.status >> STATUS_FLAGS_SHIFT if event.status else None,
    }
    if said.type == Notification.type:
        delivery["interrupts"] = notification.interrupts
        delivery["sigset"] = notification.sigset
    return delivery


def _end(panic: Panic) -> dict[str, Any]:
    """How the real kernel ends where ours panics."""
    if panic.quirk == _HANG:
        return {"hang": "endless loop in the kernel"}
    if panic.quirk == _STALE_LINK:
        return {"assert": "caller_ptr->p_q_link == NULL"}
    return {"panic": panic.reason}


TRAPS: Final[dict[int, Callable[[IpcReplay, Process, dict[str, Any]], int]]] = {
    SEND_CALL: IpcReplay.send,
    RECEIVE_CALL: IpcReplay.receive,
    SENDREC_CALL: IpcReplay.sendrec,
    NOTIFY_CALL: IpcReplay.notify,
    SENDNB_CALL: IpcReplay.sendnb,
    MINIX_KERNINFO_CALL: IpcReplay.kernel_info,
    SENDA_CALL: IpcReplay.senda,
}

OPERATIONS: Final[dict[str, Callable[[IpcReplay, dict[str, Any]], int | None]]] = {
    "table": IpcReplay.change_table,
    "kernel_notify": IpcReplay.kernel_notify,
    "kernel_send": IpcReplay.kernel_send,
    "rts_set": IpcReplay.rts_set,
    "rts_unset": IpcReplay.rts_unset,
    "clear_endpoint": IpcReplay.clear_endpoint,
    "exit": IpcReplay.exit,
    "clear_ipc_refs": IpcReplay.clear_ipc_refs,
    "spawn": IpcReplay.spawn,
    "set_priv": IpcReplay.set_priv,
    "filter": IpcReplay.filter,
    "clear_filters": IpcReplay.clear_filters,
    "fork": IpcReplay.fork,
}
