"""Replays `vm-golden/1`: the real VM server, one message a line.

The program under test is the VM server's main coroutine, with all quirks.  The replay plays the
kernel and the rest of the world around it: it answers the server's traps as the recorder did, and
writes down those that the recorder wrote down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ipc.endpoint import SYSTEM, slot_of
from ipc.errors import OK
from ipc.notification import Notification
from ipc.requests import as_request
from ipc.signals import SIGKMEM, signal_set
from ipc.traps import FROM_KERNEL, NOTIFY_CALL, SENDREC_CALL, Receive
from kernel.memory import Frames
from kernel.panic import Panic
from kernel.quirks import ALL_QUIRKS, Quirks
from scenarios.conform.recording import Malformed, field, optional
from scenarios.conform.vm_config import boot_config
from scenarios.conform.vm_input import message_of
from scenarios.conform.vm_kernel import RecordedKernel, RecordingMmu
from scenarios.conform.vm_state import VmState
from servers.vm.server import start_vm

Json = dict[str, Any]

_ENDS: Final = ("panic", "crash", "hang")


def start(header: Json) -> VmReplay:
    """VM on the machine that the header describes.  Raises Malformed."""
    boot = field(header, "boot", dict)
    try:
        return VmReplay(boot)
    except Panic as panic:
        raise Malformed(f"VM does not start on such a machine: {panic}") from panic


class VmReplay:
    """VM, its kernel, and what VM did in the operation at hand."""

    def __init__(self, boot: Json, quirks: Quirks = ALL_QUIRKS) -> None:
        self._stopped = False
        config = boot_config(boot)
        self._kernel = RecordedKernel({each.slot: each.endpoint for each in config.processes})
        mmu = RecordingMmu(Frames(config.chunks), self._kernel.bind, events=self._kernel.events)
        self.vm = start_vm(mmu, config, quirks)
        self._state = VmState(self.vm.memory)
        self._program = self.vm.main()
        self._run(None)

    # A line.

    def answer(self, line: Json) -> Json:
        """Do the operation of a line and say what it did."""
        operation: Json = line.get("in", {"op": "boot"})
        if self._stopped:
            raise Malformed("the recording goes on after VM has stopped")
        self._kernel.operation = operation
        try:
            self._operate(operation)
        except Panic as panic:
            self._stopped = True
            self._kernel.events.append({"ev": "panic", "msg": str(panic)})
            state: Json = {"procs": {}, "mem": self._state.mem()}
        else:
            state = self._state.changes()
        events = like_recorded(self._kernel.events, line.get("out", []))
        self._kernel.events.clear()
        return {"out": events, **state}

    def perform(self, operation: Json) -> None:
        """Do an operation without looking at what it changes.  Raises Panic."""
        self._kernel.operation = operation
        self._operate(operation)
        self._kernel.events.clear()

    def _operate(self, operation: Json) -> None:
        name = field(operation, "op", str)
        do = OPERATIONS.get(name)
        if do is not None:
            do(self, operation)
            return
        source = optional(operation, "src", int, 0)
        status = SENDREC_CALL
        if name == "pagefault" and not operation.get("faked"):
            status |= FROM_KERNEL
        self._run((source, as_request(message_of(operation)), status))

    def nothing(self, operation: Json) -> None:
        """The boot, and operations that only show the state."""

    def kernel_clear(self, operation: Json) -> None:
        """A process dies in the kernel; VM is not told."""
        self._kernel.alive.pop(slot_of(field(operation, "ep", int)), None)

    def notify(self, operation: Json) -> None:
        """A process notifies VM."""
        self._run((optional(operation, "src", int, 0), Notification(), NOTIFY_CALL))

    def exit(self, operation: Json) -> None:
        """A process exits; if VM agrees it is dead in the kernel as well."""
        self._run(
            (optional(operation, "src", int, 0), as_request(message_of(operation)), SENDREC_CALL)
        )
        if self._kernel.events and self._kernel.events[-1].get("type") == OK:
            self.kernel_clear({"ep": operation["endpoint"]})

    def kernel_memory(self, operation: Json) -> None:
        """Kernel calls wait for memory, and VM is signalled."""
        self._kernel.requests = list(field(operation, "reqs", list))
        message = Notification(sigset=signal_set([SIGKMEM]))
        self._run((SYSTEM, message, NOTIFY_CALL))

    def _run(self, result: Any) -> None:
        """Let the server run, with the result of its last trap, until it waits for a message."""
        trap = self._program.send(result)
        while not isinstance(trap, Receive):
            trap = self._program.send(self._kernel.answer(trap))


def like_recorded(events: list[Json], recorded: list[Json]) -> list[Json]:
    """`events` with what is free as the recording has it: diagnostics, the words of a panic."""
    merged = list(events)
    for index, event in enumerate(recorded):
        if event.get("ev") == "diag":
            merged.insert(index, event)
    if merged and recorded and merged[-1]["ev"] == "panic" and recorded[-1].get("ev") in _ENDS:
        merged[-1] = recorded[-1]
    return merged


OPERATIONS: Final[dict[str, Callable[[VmReplay, Json], None]]] = {
    "boot": VmReplay.nothing,
    "nop": VmReplay.nothing,
    "kclear": VmReplay.kernel_clear,
    "notify": VmReplay.notify,
    "exit": VmReplay.exit,
    "kmem": VmReplay.kernel_memory,
}
