"""A kernel of message passing alone, driven by lines like `vfs receive ANY -> waits`.

A line is `ACTOR OPERATION ARGUMENTS -> OUTCOME; EFFECT; EFFECT`.  The outcome is OK, `waits`, or an
error's name.  The effects are everything that happened: `NAME gets SOURCE NUMBER CALL` (without
CALL if it waits in SENDREC, `+kernel` if the kernel sent it), `NAME fails ERROR`, and `NAME runs`
for whoever became ready without either.
"""

from __future__ import annotations

from collections.abc import Callable

from ipc.endpoint import (
    ANY,
    ANY_SYS,
    ANY_TSK,
    ANY_USR,
    ASYNCM,
    CLOCK,
    HARDWARE,
    SELF,
    SYSTEM,
    make_endpoint,
    slot_of,
)
from ipc.errors import OK, IpcError, error_name
from ipc.message import Message, RawMessage
from ipc.notification import Notification
from ipc.traps import (
    AMF_DONE,
    AMF_NOREPLY,
    AMF_NOTIFY,
    AMF_NOTIFY_ERR,
    AMF_VALID,
    FROM_KERNEL,
    STATUS_CALL_MASK,
    AsyncEntry,
)
from kernel.check import check
from kernel.clock import Clock
from kernel.filters import BLACKLIST, WHITELIST, FilterElement
from kernel.filters import add_filter as add_filter_of
from kernel.flags import RTS_PAGEFAULT, RTS_PROC_STOP, RTS_SLOT_FREE
from kernel.fork import copy_slot
from kernel.panic import Panic
from kernel.privilege import ALL_TARGETS, ALL_TRAPS, SYS_PROC, USER_PRIV_ID
from kernel.probes import Event, MessageDelivered, Probes
from kernel.process import Process
from kernel.quirks import NO_QUIRKS, Quirks
from kernel.rendezvous import BLOCKED, Rendezvous
from kernel.runqueue import RunQueue
from kernel.table import ProcessTable

TASKS = {"asyncm": ASYNCM, "clock": CLOCK, "system": SYSTEM, "hardware": HARDWARE}
SYSTEMS = {"pm": 0, "vfs": 1, "rs": 2, "tty": 5, "vm": 8}
USERS = {"init": 11, "ann": 12, "bob": 13}
CALLS = {1: "SEND", 2: "RECEIVE", 3: "SENDREC", 4: "NOTIFY", 5: "SENDNB", 16: "SENDA"}
FLAGS = {
    "done": AMF_DONE, "notify": AMF_NOTIFY, "noreply": AMF_NOREPLY, "notify_err": AMF_NOTIFY_ERR,
    "unknown": 64,
}  # fmt: skip
MANY = {"ANY_USR": ANY_USR, "ANY_SYS": ANY_SYS, "ANY_TSK": ANY_TSK}


class Kernel:
    """Some tasks, system processes and users, with all privileges; `tables` are their SENDAs."""

    def __init__(self, quirks: Quirks = NO_QUIRKS) -> None:
        self.table = ProcessTable()
        self.ready = RunQueue()
        self.clock = Clock()
        self.probes = Probes(self.clock)
        self.ipc = Rendezvous(self.table, self.ready, quirks, self.clock, self.probes)
        self.slots = {**TASKS, **SYSTEMS, **USERS}
        self.tables: dict[str, list[AsyncEntry]] = {}
        self.events: list[MessageDelivered] = []
        self.joined: list[Process] = []
        for name in self.slots:
            self.add(name)
        self.probes.listen(self._note)
        self.ready.tell(self.joined.append)

    def add(self, name: str, generation: int = 0) -> Process:
        """A process of that name, in its slot."""
        slot = self.slots[name]
        user = name in USERS
        privilege = self.table.privileges[USER_PRIV_ID if user else slot + 5]
        privilege.flags = 0 if user else SYS_PROC
        privilege.trap_mask = ALL_TRAPS
        privilege.ipc_to = ALL_TARGETS & ~privilege.bit
        if user:
            privilege.slot = self.slots["init"]
        endpoint = make_endpoint(generation, slot)
        if not user:
            privilege.forget_messages(endpoint)
        process = self.table.place(slot, endpoint, name, privilege, RTS_PROC_STOP)
        if slot >= 0:
            self.ready.unblock(process, RTS_PROC_STOP)
        return process

    def _note(self, event: Event) -> None:
        if isinstance(event, MessageDelivered):
            self.events.append(event)

    def __getitem__(self, name: str) -> Process:
        return self.table.at(self.slots[name])

    def name_of(self, endpoint: int) -> str:
        return next(name for name, slot in self.slots.items() if slot == slot_of(endpoint))

    def endpoint(self, word: str) -> int:
        """An endpoint by a process's name, ANY or SELF, or a number."""
        if word in self.slots:
            return self[word].endpoint
        return {"ANY": ANY, "SELF": SELF}[word] if word in ("ANY", "SELF") else int(word)

    # Lines.

    def run(self, line: str) -> str:
        """Do what stands before the arrow; the answer is as the whole line should be."""
        done = line.partition("->")[0].strip()
        name, operation, *words = done.split()
        self.events.clear()
        self.joined.clear()
        results = {process.slot: process.result for process in self.table.all()}
        do: Callable[..., int | None] = getattr(self, f"do_{operation}")
        try:
            code = do(name, *words)
        except Panic as panic:
            return f"{done} -> panics: {panic.quirk}"
        if self.ipc.quirks == NO_QUIRKS:
            check(self.table)
        effects = self._effects(self.slots[name], results)
        return "; ".join([f"{done} -> {self._outcome(code)}", *effects])

    def _outcome(self, code: int | None) -> str:
        if code is None or code == OK:
            return "OK"
        return "waits" if code == BLOCKED else error_name(code)

    def _effects(self, actor: int, results: dict[int, object]) -> list[str]:
        effects = [self._gets(event) for event in self.events]
        told = {slot_of(event.dest) for event in self.events}
        for process in self.table.all():
            result = process.result
            if isinstance(result, IpcError) and results.get(process.slot) is not result:
                effects.append(f"{process.name} fails {error_name(result.code)}")
                told.add(process.slot)
        effects += [
            f"{process.name} runs"
            for process in self.joined
            if process.slot not in told and process.slot != actor
        ]
        return effects

    def _gets(self, event: MessageDelivered) -> str:
        words = [self.name_of(event.dest), "gets", self.name_of(event.source), say(event.message)]
        if event.status:
            kernel = "+kernel" if event.status & FROM_KERNEL else ""
            words.append(CALLS[event.status & STATUS_CALL_MASK] + kernel)
        return " ".join(words)

    # Operations.

    def do_send(self, name: str, dest: str, number: str) -> int:
        return self.ipc.send(self[name], self.endpoint(dest), said(number))

    def do_sendnb(self, name: str, dest: str, number: str) -> int:
        return self.ipc.sendnb(self[name], self.endpoint(dest), said(number))

    def do_sendrec(self, name: str, dest: str, number: str) -> int:
        return self.ipc.sendrec(self[name], self.endpoint(dest), said(number))

    def do_receive(self, name: str, source: str) -> int:
        return self.ipc.receive(self[name], self.endpoint(source))

    def do_notify(self, name: str, dest: str) -> int:
        if name in TASKS:
            return self.ipc.kernel_notify(self.slots[name], self.endpoint(dest))
        return self.ipc.notify(self[name], self.endpoint(dest))

    def do_senda(self, name: str, *entries: str) -> int:
        """Offer entries like `vfs:7:notify`; `again` offers the table as it is."""
        table = self.tables.setdefault(name, [])
        if entries != ("again",):
            table[:] = [self._entry(each) for each in entries]
        return self.ipc.senda(self[name], table)

    def _entry(self, text: str) -> AsyncEntry:
        dest, number, *flags = text.split(":")
        bits = sum(FLAGS[flag] for flag in flags) | AMF_VALID
        return AsyncEntry(bits, self.endpoint(dest), RawMessage(int(number)))

    def do_kernel_send(self, name: str, dest: str, number: str) -> int:
        self.ready.block(self[name], RTS_PAGEFAULT)
        return self.ipc.kernel_send(self[name], self.endpoint(dest), RawMessage(int(number)))

    def do_resume(self, name: str) -> None:
        self.ready.unblock(self[name], RTS_PAGEFAULT)

    def do_clear(self, name: str) -> None:
        self.ipc.clear_endpoint(self[name])

    def do_exit(self, name: str) -> None:
        self.ipc.clear_endpoint(self[name])
        self.table.free(self[name])

    def do_spawn(self, name: str, generation: str) -> None:
        self.add(name, int(generation))
        self.joined.clear()

    def do_clear_references(self, name: str) -> None:
        self.ipc.clear_references(self[name], -5)

    def do_may_send_to(self, name: str, *targets: str) -> None:
        bits = [self[target].privilege.bit for target in targets]
        self[name].privilege.ipc_to = sum(bits)

    def do_may_use(self, name: str, *traps: str) -> None:
        numbers = {call: number for number, call in CALLS.items()}
        self[name].privilege.trap_mask = sum(1 << numbers[trap] for trap in traps)

    def do_filter(self, name: str, kind: str, *elements: str) -> int:
        """Add a filter of elements like `vfs:7`, `vfs:*`, `*:7`."""
        kinds = {"refuses": BLACKLIST, "allows": WHITELIST, "other": 3}
        listed = [self._element(each) for each in elements]
        return add_filter_of(self.table, self[name], kinds[kind], listed)

    def _element(self, text: str) -> FilterElement:
        source, number = text.split(":")
        if source in MANY:
            endpoint: int | None = MANY[source]
        else:
            endpoint = None if source == "*" else self.endpoint(source)
        return FilterElement(endpoint, None if number == "*" else int(number))

    def do_unfilter(self, name: str) -> None:
        self[name].privilege.filters.clear()

    def do_fork(self, name: str, child: str, slot: str) -> int:
        made = copy_slot(self.table, self.ipc.quirks, self[name], int(slot))
        if isinstance(made, int):
            return made
        self.slots[child] = made.slot
        made.name = child
        return OK

    def do_start(self, name: str) -> None:
        """Let a forked process run."""
        process = self[name]
        self.ready.unblock(process, process.rts & ~(process.rts & 0xC))

    def do_is(self, name: str, *words: str) -> None:
        """A statement about the process: `free`, or its queue `queue NAME NAME`."""
        process = self[name]
        if words == ("free",):
            assert process.rts == RTS_SLOT_FREE, f"{name} has {process.rts:#x}"
        else:
            assert words[0] == "queue", words
            assert [caller.name for caller in process.callers] == list(words[1:])

    def do_table(self, name: str, *entries: str) -> None:
        """A statement about the process's asynchronous table: `OK`, error names, or `-`."""
        shown = [
            error_name(entry.result) if entry.flags & AMF_DONE else "-"
            for entry in self.tables[name]
        ]
        assert shown == list(entries), shown


def said(number: str) -> Message | None:
    """A message with this number; `unreadable` is one that cannot be copied."""
    return None if number == "unreadable" else RawMessage(int(number))


def say(message: Message) -> str:
    """A message's number; a notification with what it carries."""
    if not isinstance(message, Notification):
        return str(message.type)
    text = f"@{message.timestamp}" if message.timestamp else "!"
    if message.interrupts:
        text += f"irq{message.interrupts:#x}"
    return text + (f"sig{message.sigset:#x}" if message.sigset else "")


def first_difference(script: str, quirks: Quirks = NO_QUIRKS) -> str:
    """Run the lines of `script`: the first that did not happen as it says, or nothing."""
    kernel = Kernel(quirks)
    for line in script.strip().splitlines():
        text = " ".join(line.split())
        happened = kernel.run(text)
        if happened != text:
            return f"happened: {happened}\nexpected: {text}"
    return ""
