"""What `ipc-golden/1` shows of processes, and which of them an operation changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ipc.endpoint import ANY
from ipc.errors import IpcError
from ipc.traps import AsyncEntry
from kernel.flags import RTS_RECEIVING, RTS_SENDING, RTS_SLOT_FREE
from kernel.process import Process
from kernel.table import ProcessTable
from scenarios.conform.ipc_config import AMF_NAMES, MISC_FLAGS, RTS_FLAGS


class States:
    """The processes in `slots` as they were when `remember` was last called.

    `memory` has each slot's table of asynchronous messages, which lies in the process's memory.
    """

    def __init__(self, table: ProcessTable, memory: dict[int, list[AsyncEntry]]) -> None:
        self._table = table
        self._memory = memory
        self._states: dict[int, dict[str, Any]] = {}
        self._results: dict[int, object] = {}
        self._tables: list[tuple[int, list[AsyncEntry], list[tuple[int, int, int]]]] = []

    def remember(self, slots: Iterable[int]) -> None:
        """Note what there is before an operation."""
        self._tables = [(slot, table, _contents(table)) for slot, table in self._memory.items()]
        for slot in slots:
            process = self._table.at(slot)
            self._results[slot] = process.result
            if slot not in self._states:
                self._states[slot] = self.state(process)

    def changed(self, slots: Iterable[int]) -> dict[str, dict[str, Any]]:
        """The states that differ from those remembered, by slot."""
        changes = {}
        for slot in slots:
            state = self.state(self._table.at(slot))
            if state != self._states.get(slot):
                self._states[slot] = changes[str(slot)] = state
        return changes

    def all(self, slots: Iterable[int]) -> dict[str, dict[str, Any]]:
        """The states of all processes that are not free."""
        processes = map(self._table.at, slots)
        return {
            str(process.slot): self.state(process)
            for process in processes
            if process.rts != RTS_SLOT_FREE
        }

    def ended(self, caller: int | None) -> dict[str, int]:
        """The error codes that ended blocked calls, but for the caller's."""
        codes = {}
        for slot, before in sorted(self._results.items()):
            result = self._table.at(slot).result
            if slot != caller and result is not before and isinstance(result, IpcError):
                codes[str(slot)] = result.code
        return codes

    def written(self) -> dict[str, list[dict[str, Any]]]:
        """The asynchronous tables that the kernel wrote into."""
        return {
            str(slot): [
                {"flags": _amf_names(entry.flags), "dst": entry.dest, "result": entry.result}
                for entry in table
            ]
            for slot, table, before in self._tables
            if self._memory[slot] is table and _contents(table) != before
        }

    def state(self, process: Process) -> dict[str, Any]:
        """One process as a recording shows it."""
        rts = process.rts
        if rts == RTS_SLOT_FREE:
            return {"rts": ["SLOT_FREE"]}
        privilege = process.privilege
        source: int | str = "ANY" if process.get_from == ANY else process.get_from
        state = {
            "ep": process.endpoint,
            "rts": [name for name, flag in RTS_FLAGS.items() if rts & flag],
            "sendto": process.send_to if rts & RTS_SENDING else None,
            "getfrom": source if rts & RTS_RECEIVING else None,
            "caller_q": [caller.slot for caller in process.callers],
            "notify_pending": self._owners(privilege.notify_pending),
            "asyn_pending": self._owners(privilege.async_pending),
            "misc": [name for name, flag in MISC_FLAGS.items() if process.misc & flag],
            "asynsize": privilege.async_size,
            "int_pending": privilege.interrupts_pending,
            "sig_pending": privilege.signals_pending,
        }
        if privilege.filters:
            state["filters"] = len(privilege.filters)
        return state

    def _owners(self, bits: int) -> list[int]:
        """The slots of those whose bits are set, by privilege id."""
        return [each.slot for each in self._table.privileges if bits & each.bit]


def _contents(table: list[AsyncEntry]) -> list[tuple[int, int, int]]:
    return [(entry.flags, entry.dest, entry.result) for entry in table]


def _amf_names(flags: int) -> list[str | int]:
    names: list[str | int] = [name for name, flag in AMF_NAMES.items() if flags & flag]
    others = flags & ~sum(AMF_NAMES.values())
    return [*names, others] if others else names
