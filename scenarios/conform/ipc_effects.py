"""What an operation did to the kernel: messages delivered, processes unblocked, states changed."""

from __future__ import annotations

from typing import Any

from ipc.endpoint import slot_of
from ipc.notification import Notification
from ipc.traps import STATUS_CALL_MASK, STATUS_FLAGS_SHIFT, AsyncEntry
from kernel.probes import Event, MessageDelivered, Probes
from kernel.process import Process
from kernel.runqueue import RunQueue
from kernel.table import ProcessTable
from scenarios.conform import ipc_input
from scenarios.conform.ipc_config import CALL_NAMES
from scenarios.conform.ipc_state import States


class Effects:
    """Watches a kernel's process table, run queue and messages since `remember` was last called.

    `memory` has each slot's table of asynchronous messages.  `strict`: stale links stay, as they do
    in the real kernel; else they are forgotten after each operation, as the recorder did.
    """

    def __init__(
        self,
        table: ProcessTable,
        ready: RunQueue,
        probes: Probes,
        memory: dict[int, list[AsyncEntry]],
        strict: bool,
    ) -> None:
        self._table = table
        self._memory = memory
        self._strict = strict
        self._states = States(table, memory)
        self._delivered: list[MessageDelivered] = []
        self._unblocked: list[int] = []
        probes.listen(self._note)
        ready.tell(lambda process: self._unblocked.append(process.slot))

    def _note(self, event: Event) -> None:
        if isinstance(event, MessageDelivered):
            self._delivered.append(event)

    def remember(self) -> None:
        """What is there now is not what an operation did."""
        self._delivered.clear()
        self._unblocked.clear()
        self._states.remember(self._memory)

    def forget_unblocked(self) -> None:
        """Who has become ready so far does not count."""
        self._unblocked.clear()

    def all_states(self) -> dict[str, dict[str, Any]]:
        """The states of all processes."""
        return self._states.all(sorted(self._memory))

    def of(self, caller: Process | None) -> dict[str, Any]:
        """All that the operation did, as a recording shows it; `caller` is whose call it was."""
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
        stale = [process for process in self._table.all() if process.stale_link]
        for process in stale:
            process.stale_link = False
        return [process.slot for process in stale]

    def _deliveries(self) -> list[dict[str, Any]]:
        return [
            _delivery(event) for event in sorted(self._delivered, key=lambda e: slot_of(e.dest))
        ]


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
