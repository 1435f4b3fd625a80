"""How events read: each case is a list of events and the lines that come of them."""

from __future__ import annotations

import pytest

from ipc.bdev import BdevReply
from ipc.endpoint import CLOCK, INIT, NONE, PM, SYSTEM, VFS, VM
from ipc.errors import ECALLDENIED, EDEADSRCDST, EINVAL, ELOCKED, ENOMEM, OK
from ipc.flags import MAP_ANON, MAP_PRIVATE, PROT_READ
from ipc.message import Reply
from ipc.notification import Notification
from ipc.pm import PmGetuid
from ipc.signals import SIGSEGV
from ipc.traps import (
    FROM_KERNEL,
    NOTIFY_CALL,
    RECEIVE_CALL,
    SEND_CALL,
    SENDA_CALL,
    SENDREC_CALL,
)
from ipc.vm import VmBrk, VmMmap, VmMmapReply, VmPagefault
from kernel.flags import RTS_RECEIVING, RTS_SENDING
from kernel.probes import (
    Blocked,
    Chosen,
    CommandFinished,
    CommandInjected,
    Diagnosed,
    Event,
    Interrupted,
    KernelCalled,
    MemoryChanged,
    MessageDelivered,
    MessageSent,
    PageFaulted,
    Panicked,
    ProcessCreated,
    ProcessDied,
    ProgramEnded,
    SignalRaised,
    TrapRefused,
)
from tracing.names import Names
from tracing.text import TextView, trace_lines, trace_text

CHILD = 32780
BRK = VmBrk(addr=0x9000)


def shown(*events: Event, names: dict[int, str] | None = None) -> list[str]:
    """The lines of `events`, without the column of times."""
    return [line[15:] for line in trace_lines(events, Names(names or {}))]


def test_an_answer_that_comes_at_once_stands_on_the_line_of_its_request() -> None:
    assert shown(
        MessageSent(1, 0, 0, INIT, VM, BRK, SENDREC_CALL),
        MessageDelivered(2, 0, 0, INIT, VM, BRK, SENDREC_CALL),
        Blocked(3, 0, 0, INIT, RTS_RECEIVING, VM),
        MessageDelivered(4, 0, 2, VM, INIT, Reply(ENOMEM), 0),
    ) == ["init -> VM: VM_BRK {addr: 0x9000} (sendrec) = ENOMEM"]


def test_what_a_server_does_stands_under_the_request_and_before_the_answer() -> None:
    request = VmMmap(addr=0, len=8192, prot=PROT_READ, flags=MAP_PRIVATE | MAP_ANON, fd=-1)
    printed = shown(
        MessageDelivered(1, 0, 0, INIT, VM, request, SENDREC_CALL),
        MemoryChanged(2, 0, 1, "map", INIT, 0x5000, 2, 0x3F000, 7),
        MessageDelivered(3, 0, 1, VM, INIT, VmMmapReply(OK, retaddr=0x5000), 0),
    )
    assert printed[0].startswith("init -> VM: VM_MMAP {")
    assert "len: 8K, prot: PROT_READ, flags: MAP_PRIVATE|MAP_ANON" in printed[0]
    assert printed[1:] == [
        "  VM: map init 0x5000..0x6fff (2 pages) -> frame 0x3f000 PTE_P|PTE_RW|PTE_U",
        "VM -> init: VM_MMAP reply = OK {retaddr: 0x5000}",
    ]


def test_a_call_that_is_put_aside_is_unfinished_and_then_resumed() -> None:
    printed = shown(
        MessageDelivered(1, 0, 0, INIT, VM, BRK, SENDREC_CALL),
        MemoryChanged(2, 0, 1, "clear", NONE, 0, 1, 0x1000, 0),
        MessageDelivered(3, 0, 0, CHILD, VM, BRK, SENDREC_CALL),
        MessageDelivered(4, 0, 3, VM, CHILD, Reply(OK), 0),
        MessageDelivered(5, 0, 0, VFS, VM, Notification(), NOTIFY_CALL),
        MemoryChanged(6, 0, 1, "unmap", INIT, 0x5000, 1, 0, 0),
        MessageDelivered(7, 0, 1, VM, INIT, Reply(OK), 0),
        names={CHILD: "child"},
    )
    assert [line.split(" {")[0] for line in printed] == [
        "init -> VM: VM_BRK",
        "  VM: clear frame 0x1000",
        "init -> VM: VM_BRK <unfinished ...>",
        "child -> VM: VM_BRK",
        "VFS -> VM: NOTIFY_MESSAGE",
        "init -> VM: <... VM_BRK resumed>",
        "  VM: unmap init 0x5000",
        "VM -> init: VM_BRK reply = OK",
    ]
    assert printed[3].endswith("(sendrec) = OK")


def test_an_unfinished_call_that_is_answered_at_once_is_resumed_by_its_answer() -> None:
    assert shown(
        MessageDelivered(1, 0, 0, INIT, VM, BRK, SENDREC_CALL),
        MessageDelivered(2, 0, 0, VFS, VM, Reply(OK), SENDA_CALL),
        MessageDelivered(3, 0, 1, VM, INIT, Reply(OK), 0),
    ) == [
        "init -> VM: VM_BRK {addr: 0x9000} (sendrec) <unfinished ...>",
        "VFS -> VM: reply = OK (senda)",
        "VM -> init: <... VM_BRK resumed> = OK",
    ]


def test_a_sender_that_must_wait_is_blocked_until_its_message_is_taken() -> None:
    assert shown(
        MessageSent(1, 0, 0, INIT, VM, BRK, SENDREC_CALL),
        Blocked(2, 0, 0, INIT, RTS_SENDING | RTS_RECEIVING, VM),
        MessageDelivered(3, 0, 0, INIT, VM, BRK, SENDREC_CALL),
        MessageDelivered(4, 0, 3, VM, INIT, Reply(OK), 0),
    ) == [
        "init -> VM: VM_BRK {addr: 0x9000} <blocked ...>",
        "init -> VM: <... VM_BRK taken> (sendrec) = OK",
    ]


REFUSALS: list[tuple[list[Event], str]] = [
    ([TrapRefused(1, 0, 0, INIT, VM, BRK, SENDREC_CALL, ELOCKED)],
     "init -> VM: VM_BRK {addr: 0x9000} = ELOCKED (sendrec)"),
    ([TrapRefused(1, 0, 0, INIT, VM, None, RECEIVE_CALL, EDEADSRCDST)],
     "init: receive(VM) = EDEADSRCDST"),
    ([TrapRefused(1, 0, 0, INIT, VM, None, NOTIFY_CALL, ECALLDENIED)],
     "init -> VM: notify = ECALLDENIED"),
    ([TrapRefused(1, 0, 0, INIT, NONE, None, SENDA_CALL, EINVAL)], "init: senda = EINVAL"),
    ([MessageSent(1, 0, 0, INIT, VM, BRK, SEND_CALL),
      Blocked(2, 0, 0, INIT, RTS_SENDING, VM),
      TrapRefused(3, 0, 0, INIT, VM, BRK, SEND_CALL, EDEADSRCDST)],
     "init -> VM: <... VM_BRK failed> = EDEADSRCDST (send)"),
    ([MessageDelivered(1, 0, 0, INIT, VM, BRK, SENDREC_CALL),
      Blocked(2, 0, 0, INIT, RTS_RECEIVING, VM),
      TrapRefused(3, 0, 0, INIT, VM, BRK, SENDREC_CALL, EDEADSRCDST)],
     "init -> VM: <... VM_BRK failed> = EDEADSRCDST (sendrec)"),
    ([CommandInjected(1, 0, 0, INIT, "brk(0x9000)"),
      TrapRefused(2, 0, 1, INIT, VM, BRK, SENDREC_CALL, ELOCKED),
      CommandFinished(3, 0, 0, INIT, "-1 [ELOCKED]")],
     "init: brk(0x9000) = -1 [ELOCKED]"),
]  # fmt: skip


@pytest.mark.parametrize(("events", "line"), REFUSALS)
def test_what_is_refused_is_shown_with_its_error(events: list[Event], line: str) -> None:
    assert shown(*events)[-1] == line


def test_who_was_refused_can_be_blocked_again() -> None:
    printed = shown(
        MessageSent(1, 0, 0, INIT, VM, BRK, SEND_CALL),
        Blocked(2, 0, 0, INIT, RTS_SENDING, VM),
        TrapRefused(3, 0, 0, INIT, VM, BRK, SEND_CALL, EDEADSRCDST),
        MessageSent(4, 0, 0, INIT, PM, BRK, SEND_CALL),
        Blocked(5, 0, 0, INIT, RTS_SENDING, PM),
    )
    assert printed[-1] == "init -> PM: VM_BRK {addr: 0x9000} <blocked ...>"


def test_a_page_fault_is_the_kernels_message_in_the_processs_name() -> None:
    message = VmPagefault(0x5000, 6)
    printed = shown(
        CommandInjected(1, 0, 0, INIT, 'store(buf, "hello")'),
        PageFaulted(2, 0, 0, INIT, 0x5000, 6),
        MessageSent(3, 0, 0, INIT, VM, message, SEND_CALL, from_kernel=True),
        MessageDelivered(4, 0, 0, INIT, VM, message, SEND_CALL | FROM_KERNEL),
        MemoryChanged(5, 0, 4, "map", INIT, 0x5000, 1, 0x3F000, 7),
        CommandFinished(6, 0, 0, INIT, "OK"),
    )
    assert printed[:2] == [
        'init: store(buf, "hello")',
        "  init: page fault at 0x5000: write, not mapped",
    ]
    assert printed[2].startswith("    kernel -> VM: VM_PAGEFAULT {source: init, ")
    assert printed[2].endswith("} (send)")
    assert printed[3] == "      VM: map init 0x5000 -> frame 0x3f000 PTE_P|PTE_RW|PTE_U"
    assert printed[4] == "init: <... store resumed> = OK"


def test_a_command_without_any_message_is_one_line() -> None:
    assert shown(
        CommandInjected(1, 0, 0, INIT, "load(0x5000, 5)"),
        CommandFinished(2, 0, 0, INIT, '"hello"'),
    ) == ['init: load(0x5000, 5) = "hello"']


def test_a_kernel_call_that_waits_for_vm_is_resumed() -> None:
    request = PmGetuid()
    assert shown(
        KernelCalled(1, 0, 0, PM, request, None),
        KernelCalled(2, 0, 0, PM, request, Reply(OK)),
        KernelCalled(3, 0, 0, PM, request, Reply(OK)),
    ) == [
        "PM: PM_GETUID {} <unfinished ...>",
        "PM: <... PM_GETUID resumed> = OK",
        "PM: PM_GETUID {} = OK",
    ]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (ProcessCreated(1, 0, 0, CHILD, INIT, "sh"), "sh: made, endpoint 32780, forked from init"),
        (ProcessDied(1, 0, 0, CHILD, "sh"), "32780: is no more"),
        (
            SignalRaised(1, 0, 0, INIT, SIGSEGV, PM),
            "kernel: SIGSEGV for init, which PM is to handle",
        ),
        (Diagnosed(1, 0, 0, NONE, "hello\n"), "kernel: prints 'hello'"),
        (ProgramEnded(1, 0, 0, INIT, 3, ""), "init: program ended: returned 3"),
        (Panicked(1, 0, 0, VM, "out of order"), "PANIC: out of order"),
        (
            MemoryChanged(1, 0, 0, "copy", NONE, 0x2000, 1, 0x1000, 0),
            "VM: copy frame 0x1000 -> 0x2000",
        ),
        (
            MessageDelivered(1, 0, 0, SYSTEM, PM, Notification(sigset=1 << 10), NOTIFY_CALL),
            "SYSTEM -> PM: NOTIFY_MESSAGE {sigset: SIGSEGV} (notify)",
        ),
    ],
)  # fmt: skip
def test_an_event_reads(event: Event, line: str) -> None:
    assert shown(event) == [line]


def test_fields_that_are_0_are_left_out_but_not_names_that_are() -> None:
    request = VmMmap(len=4096, fd=-1)
    (line,) = shown(MessageDelivered(1, 0, 0, INIT, VM, request, SENDREC_CALL))
    assert line == "init -> VM: VM_MMAP {len: 4K, prot: PROT_NONE, fd: -1, forwhom: PM} (sendrec)"


def test_an_interrupt_is_on_nobodys_behalf() -> None:
    printed = shown(
        MessageDelivered(1, 0, 0, INIT, VFS, BRK, SENDREC_CALL), Interrupted(2, 0, 1, VFS, 14)
    )
    assert printed[1] == "kernel: interrupt 14 for VFS"


def test_an_answer_with_a_number_of_its_own_is_shown_as_a_message() -> None:
    assert shown(
        MessageDelivered(1, 0, 0, VFS, PM, BRK, SENDREC_CALL),
        MessageDelivered(2, 0, 1, PM, VFS, BdevReply(status=512), 0),
    ) == ["VFS -> PM: VM_BRK {addr: 0x9000} (sendrec) = BDEV_REPLY {status: 512}"]


def test_choices_and_messages_not_yet_delivered_are_no_lines() -> None:
    assert not shown(Chosen(1, 0, 0, INIT, 1, 2), MessageSent(2, 0, 0, VFS, VM, BRK, SENDA_CALL))


def test_the_time_is_microseconds_with_nanoseconds() -> None:
    event = MessageDelivered(1, 12_034_005, 0, CLOCK, PM, Notification(), NOTIFY_CALL)
    assert trace_text([event]).startswith("    12034.005  CLOCK -> PM: NOTIFY_MESSAGE")


def test_a_line_is_given_out_as_soon_as_nothing_can_complete_it() -> None:
    view = TextView()
    assert not view.feed(MessageDelivered(1, 0, 0, INIT, VM, BRK, SENDREC_CALL))
    assert len(view.feed(MemoryChanged(2, 0, 1, "unmap", INIT, 0x5000, 1, 0, 0))) == 2
    assert not view.finish()
