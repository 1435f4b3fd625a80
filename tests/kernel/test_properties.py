"""Random operations on a small kernel without quirks: its invariants hold after each one.

Every message has a number of its own, so that the machine can also say that none is lost, and none
delivered twice.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ipc.endpoint import ANY, ANY_SYS, ANY_TSK, ANY_USR, SELF
from ipc.errors import OK, IpcError
from ipc.message import RawMessage
from ipc.notification import Notification
from ipc.traps import AMF_DONE, AMF_NOREPLY, AMF_NOTIFY, AMF_NOTIFY_ERR, AMF_VALID, AsyncEntry
from kernel.check import check
from kernel.filters import FilterElement, add_filter
from kernel.flags import MF_REPLY_PEND, RTS_PAGEFAULT, RTS_RECEIVING, RTS_SENDING, RTS_SLOT_FREE
from kernel.fork import copy_slot
from kernel.process import Process
from kernel.rendezvous import BLOCKED
from tests.kernel.kit import SYSTEMS, TASKS, USERS, Kernel

MORTALS = [*SYSTEMS, *USERS]
FORKED = {"kid": 40, "kin": 41}
NAMES = st.sampled_from([*MORTALS, *FORKED])
SYSTEM_NAMES = st.sampled_from([*SYSTEMS])
INDEXES = st.integers(0, 20)
FLAGS = st.lists(
    st.sampled_from([AMF_NOTIFY, AMF_NOREPLY, AMF_NOTIFY_ERR, 64]), max_size=2, unique=True
)
DESTS = st.sampled_from([*MORTALS, *FORKED, "clock", "SELF", "ANY", "nobody", "before"])


class MessagePassing(RuleBasedStateMachine):
    """One kernel, and what has been said and heard in it."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = Kernel()
        self.kernel.slots.update(FORKED)
        self.generation = 0
        self.number = 100
        self.heard: list[int] = []
        # By slot: who was made to wait, with what, and whether in the kernel's name.
        self.queued: dict[int, tuple[Process, int, bool]] = {}
        self.offered: list[AsyncEntry] = []
        self.filtered = False

    # Who acts, and on whom.

    def someone(self, index: int) -> Process | None:
        """One of the processes that can run."""
        queue = self.kernel.ready.queue
        return queue[index % len(queue)] if queue else None

    def dest(self, word: str) -> int:
        odd = {"ANY": ANY, "SELF": SELF, "nobody": 77, "before": -32768}
        return odd[word] if word in odd else self.kernel[word].endpoint

    def message(self) -> RawMessage:
        self.number += 1
        return RawMessage(self.number)

    def settle(self) -> None:
        """Note what was delivered since the last time."""
        for event in self.kernel.events:
            if not isinstance(event.message, Notification):
                self.heard.append(event.message.type)
        self.kernel.events.clear()

    # What processes do.

    @rule(index=INDEXES, word=DESTS, trap=st.sampled_from(["send", "sendnb", "sendrec"]))
    def offer(self, index: int, word: str, trap: str) -> None:
        caller = self.someone(index)
        if caller is None:
            return
        message = self.message()
        caller.result = None
        code = getattr(self.kernel.ipc, trap)(caller, self.dest(word), message)
        self.settle()
        waits = bool(caller.rts & RTS_SENDING)
        if waits:
            assert code == BLOCKED
            self.queued[caller.slot] = (caller, message.type, False)
        assert (message.type in self.heard) == (code >= 0 and not waits)
        assert trap != "sendnb" or code <= OK

    @rule(index=INDEXES, word=st.one_of(st.just("ANY"), DESTS))
    def receive(self, index: int, word: str) -> None:
        caller = self.someone(index)
        if caller is not None:
            caller.result = None
            code = self.kernel.ipc.receive(caller, self.dest(word))
            assert (code == OK) == isinstance(caller.result, tuple)

    @rule(index=INDEXES, word=DESTS)
    def notify(self, index: int, word: str) -> None:
        caller = self.someone(index)
        if caller is not None:
            assert self.kernel.ipc.notify(caller, self.dest(word)) <= OK
            assert not caller.rts

    @rule(name=SYSTEM_NAMES, entries=st.lists(st.tuples(DESTS, FLAGS), max_size=3))
    def senda(self, name: str, entries: list[tuple[str, list[int]]]) -> None:
        caller = self.kernel[name]
        if caller.rts:
            return
        table = [
            AsyncEntry(AMF_VALID | sum(flags), self.dest(word), self.message())
            for word, flags in entries
        ]
        self.offered += table
        assert self.kernel.ipc.senda(caller, table) == OK
        assert not caller.rts

    # What the kernel does.

    @rule(index=INDEXES, word=st.sampled_from(MORTALS))
    def page_fault(self, index: int, word: str) -> None:
        caller = self.someone(index)
        if caller is None:
            return
        message = self.message()
        self.kernel.ready.block(caller, RTS_PAGEFAULT)
        code = self.kernel.ipc.kernel_send(caller, self.dest(word), message)
        if code == BLOCKED:
            self.queued[caller.slot] = (caller, message.type, True)

    @rule(name=NAMES)
    def handle_fault(self, name: str) -> None:
        process = self.kernel[name]
        if process.rts & RTS_PAGEFAULT:
            self.kernel.ready.unblock(process, RTS_PAGEFAULT)

    @rule(task=st.sampled_from([*TASKS]), word=DESTS)
    def kernel_notify(self, task: str, word: str) -> None:
        self.kernel.ipc.kernel_notify(TASKS[task], self.dest(word))

    @rule(name=NAMES)
    def exit(self, name: str) -> None:
        process = self.kernel[name]
        if process.rts != RTS_SLOT_FREE:
            self.kernel.ipc.clear_endpoint(process)
            check(self.kernel.table)
            self.kernel.table.free(process)

    @rule(name=NAMES)
    def clear_references(self, name: str) -> None:
        process = self.kernel[name]
        if process.rts != RTS_SLOT_FREE:
            self.kernel.ipc.clear_references(process, -202)

    @precondition(lambda self: any(self.kernel[name].rts == RTS_SLOT_FREE for name in MORTALS))
    @rule()
    def spawn(self) -> None:
        self.generation += 1
        for name in MORTALS:
            if self.kernel[name].rts == RTS_SLOT_FREE:
                self.kernel.add(name, self.generation)

    @rule(name=NAMES, child=st.sampled_from([*FORKED]))
    def fork(self, name: str, child: str) -> None:
        made = copy_slot(
            self.kernel.table, self.kernel.ipc.quirks, self.kernel[name], FORKED[child]
        )
        if not isinstance(made, int):
            made.result = None
            self.kernel.ready.unblock(made, made.rts & ~RTS_RECEIVING)

    @rule(name=NAMES, words=st.lists(st.sampled_from(MORTALS)))
    def may_send_to(self, name: str, words: list[str]) -> None:
        bits = [self.kernel[word].privilege.bit for word in words]
        self.kernel[name].privilege.ipc_to |= sum(set(bits))

    @rule(name=NAMES, word=st.sampled_from(MORTALS))
    def may_not_send_to(self, name: str, word: str) -> None:
        self.kernel[name].privilege.ipc_to &= ~self.kernel[word].privilege.bit

    @rule(
        name=SYSTEM_NAMES,
        kind=st.sampled_from([1, 2]),
        source=st.sampled_from([ANY_USR, ANY_SYS, ANY_TSK, "pm", "ann"]),
    )
    def add_filter(self, name: str, kind: int, source: int | str) -> None:
        if isinstance(source, str):
            source = self.kernel[source].endpoint
        process = self.kernel[name]
        if process.rts != RTS_SLOT_FREE:
            self.filtered = True
            add_filter(self.kernel.table, process, kind, [FilterElement(source)])

    @rule(name=SYSTEM_NAMES)
    def clear_filters(self, name: str) -> None:
        self.kernel[name].privilege.filters.clear()

    # What must be true.

    @invariant()
    def invariants_hold(self) -> None:
        check(self.kernel.table)
        self.kernel.ready.check()

    @invariant()
    def nothing_is_heard_twice(self) -> None:
        self.settle()
        assert len(self.heard) == len(set(self.heard))

    @invariant()
    def what_no_longer_waits_was_heard_or_failed(self) -> None:
        for slot, (process, number, kernels) in list(self.queued.items()):
            if process.rts & RTS_SENDING:
                assert number not in self.heard
                continue
            del self.queued[slot]
            if process.rts != RTS_SLOT_FREE:
                failed = kernels or isinstance(process.result, IpcError)
                assert failed or number in self.heard

    @invariant()
    def what_is_done_was_heard(self) -> None:
        for entry in self.offered:
            done = bool(entry.flags & AMF_DONE) and entry.result == OK
            assert done == (entry.message.type in self.heard)

    @invariant()
    def nobody_waits_for_what_is_there(self) -> None:
        """A receiver that takes messages from anybody has no sender in its queue.

        With filters it may: nobody looks again when they are cleared.
        """
        for process in self.kernel.table.all():
            if process.rts & (RTS_RECEIVING | RTS_SENDING) == RTS_RECEIVING and not self.filtered:
                wanted = [
                    caller
                    for caller in process.callers
                    if process.get_from in (ANY, caller.endpoint)
                ]
                assert not wanted
                if process.get_from == ANY and process.name in SYSTEMS:
                    assert not process.misc & MF_REPLY_PEND
                    assert not process.privilege.notify_pending


TestMessagePassing = MessagePassing.TestCase
TestMessagePassing.settings = settings(max_examples=60, stateful_step_count=40)
