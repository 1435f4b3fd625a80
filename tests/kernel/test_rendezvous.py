"""SEND, RECEIVE, SENDREC, SENDNB: who meets whom, in which order, and who may."""

from __future__ import annotations

import pytest

from ipc.errors import OK
from ipc.message import RawMessage
from kernel.flags import MF_SIG_DELAY
from kernel.probes import Blocked, Event, MessageDelivered, MessageSent
from kernel.process import Process
from kernel.rendezvous import BLOCKED
from tests.kernel.kit import Kernel, first_difference

SCRIPTS = {
    "a receiver that waits gets the message at once": """
        vfs receive ANY -> waits
        pm send vfs 7 -> OK; vfs gets pm 7 SEND
    """,
    "a sender waits until its message is taken": """
        pm send vfs 7 -> waits
        vfs is queue pm -> OK
        vfs receive ANY -> OK; vfs gets pm 7 SEND; pm runs
    """,
    "who waits for one process is not there for another": """
        vfs receive pm -> waits
        rs send vfs 1 -> waits
        pm send vfs 2 -> OK; vfs gets pm 2 SEND
        vfs receive ANY -> OK; vfs gets rs 1 SEND; rs runs
    """,
    "queued senders are served in order, those of one process first if asked for": """
        pm send vm 1 -> waits
        vfs send vm 2 -> waits
        rs send vm 3 -> waits
        vm receive vfs -> OK; vm gets vfs 2 SEND; vfs runs
        vm is queue pm rs -> OK
        vm receive ANY -> OK; vm gets pm 1 SEND; pm runs
        vm receive ANY -> OK; vm gets rs 3 SEND; rs runs
        vm receive ANY -> waits
    """,
    "SENDREC is answered by whom it asked, and the answer has no status": """
        vfs receive ANY -> waits
        ann sendrec vfs 1 -> waits; vfs gets ann 1 SENDREC
        pm sendnb ann 3 -> ENOTREADY
        vfs send ann 2 -> OK; ann gets vfs 2
    """,
    "a SENDREC that is still queued takes no answer": """
        ann sendrec vfs 1 -> waits
        vfs sendnb ann 2 -> ENOTREADY
        vfs receive ANY -> OK; vfs gets ann 1 SENDREC
        vfs sendnb ann 2 -> OK; ann gets vfs 2
    """,
    "SENDNB never waits": """
        pm sendnb vfs 1 -> ENOTREADY
        vfs receive vm -> waits
        pm sendnb vfs 1 -> ENOTREADY
        vm sendnb vfs 1 -> OK; vfs gets vm 1 SENDNB
    """,
    "notifications come before asynchronous messages, and those before queued ones": """
        pm send vm 1 -> waits
        vfs senda vm:2 -> OK
        rs notify vm -> OK
        vm receive ANY -> OK; vm gets rs ! NOTIFY
        vm receive ANY -> OK; vm gets vfs 2 SENDA
        vm receive ANY -> OK; vm gets pm 1 SEND; pm runs
    """,
    "SENDREC may be answered by what was queued before": """
        vfs receive pm -> waits
        vm send pm 1 -> waits
        pm sendnb vfs 0 -> OK; vfs gets pm 0 SENDNB
        vfs senda pm:2 -> OK
        vfs receive ANY -> waits
        pm sendrec vfs 5 -> OK; vfs gets pm 5 SENDREC; pm gets vfs 2
    """,
    "the kernel sends in a process's name, which needs no permission": """
        ann may_send_to -> OK
        ann kernel_send vm 9 -> waits
        vm receive ANY -> OK; vm gets ann 9 SEND+kernel
        ann resume -> OK
        vm receive ANY -> waits
        bob kernel_send vm 9 -> OK; vm gets bob 9 SEND+kernel
    """,
    "a kernel task is received from, but takes only SENDREC and never answers": """
        pm send system 1 -> ETRAPDENIED
        pm sendnb system 1 -> ETRAPDENIED
        pm notify clock -> ETRAPDENIED
        pm sendrec system 1 -> waits
        vfs receive system -> waits
    """,
    "one may wait for oneself, but not send to oneself unless allowed": """
        pm send pm 1 -> ECALLDENIED
        vfs receive vfs -> waits
        rs may_send_to rs -> OK
        rs send rs 1 -> waits
    """,
}

REFUSALS = {
    "a destination is one process": """
        pm send ANY 1 -> EINVAL
        pm sendnb ANY 1 -> EINVAL
        pm sendrec ANY 1 -> EINVAL
        pm notify ANY -> EINVAL
    """,
    "it is alive, of the right generation, and no pseudo-endpoint": """
        pm send 31743 1 -> EDEADSRCDST
        pm send SELF 1 -> EDEADSRCDST
        pm send 40 1 -> EDEADSRCDST
        pm send 32769 1 -> EDEADSRCDST
        pm send 9999999 1 -> EDEADSRCDST
        pm receive 32769 -> EDEADSRCDST
        pm notify -99 -> EDEADSRCDST
        pm kernel_send 40 1 -> EDEADSRCDST
    """,
    "whom one may send to comes before how": """
        ann may_send_to vfs -> OK
        ann may_use SENDREC -> OK
        ann send vm 1 -> ECALLDENIED
        ann send vfs 1 -> ETRAPDENIED
        ann sendnb vfs 1 -> ETRAPDENIED
        ann notify vfs -> ETRAPDENIED
        ann receive vm -> ETRAPDENIED
        ann receive 40 -> EDEADSRCDST
        ann sendrec vfs 1 -> waits
    """,
    "SENDREC, too, is a trap to be allowed": """
        ann may_use SEND -> OK
        ann sendrec vfs 1 -> ETRAPDENIED
    """,
    "a message that cannot be read is refused when it is to be copied, not before": """
        pm send vfs unreadable -> EFAULT
        pm sendnb vfs unreadable -> ENOTREADY
        vfs receive ANY -> waits
        pm sendnb vfs unreadable -> EFAULT
        pm sendrec vfs unreadable -> EFAULT
        pm send vfs 1 -> OK; vfs gets pm 1 SEND
    """,
}


@pytest.mark.parametrize("title", [*SCRIPTS, *REFUSALS])
def test_script(title: str) -> None:
    assert not first_difference((SCRIPTS | REFUSALS)[title])


def test_status_word_is_kept_until_the_next_receive() -> None:
    kernel = Kernel()
    kernel.run("vfs receive ANY")
    kernel.run("ann kernel_send vfs 1")
    assert kernel["vfs"].status == 1 | 1 << 16
    kernel.run("vm receive ANY")
    kernel.run("vfs sendrec vm 1")
    kernel.run("vm send vfs 2")
    assert kernel["vfs"].status == 1 | 1 << 16
    assert kernel["vfs"].result == RawMessage(2)
    kernel.run("vfs receive ANY")
    assert kernel["vfs"].status == 0


def test_delayed_signals_are_told_when_the_message_is_taken() -> None:
    kernel = Kernel()
    told: list[str] = []

    def done(process: Process) -> None:
        process.misc &= ~MF_SIG_DELAY
        told.append(process.name)

    kernel.ipc.sending_done = done
    kernel.run("ann sendrec vfs 1")
    kernel["ann"].misc |= MF_SIG_DELAY
    assert told == []
    kernel.run("vfs receive ANY")
    assert told == ["ann"]


def test_events_tell_what_was_sent_delivered_and_waited_for() -> None:
    kernel = Kernel()
    events: list[Event] = []
    kernel.probes.listen(events.append)
    pm, vfs = kernel["pm"], kernel["vfs"]
    pm.context.cause = 77
    request, answer = RawMessage(1), RawMessage(2)
    assert kernel.ipc.sendrec(pm, vfs.endpoint, request) == BLOCKED
    assert kernel.ipc.receive(vfs) == OK
    assert kernel.ipc.send(vfs, pm.endpoint, answer) == OK
    sent, blocked, delivered, answered, got = events
    assert sent == MessageSent(1, 0, 77, pm.endpoint, vfs.endpoint, request, 3)
    assert isinstance(blocked, Blocked)
    assert blocked.partner == vfs.endpoint
    assert delivered == MessageDelivered(3, 0, 77, pm.endpoint, vfs.endpoint, request, 3)
    assert vfs.context.delivered == 3
    assert answered == MessageSent(4, 0, 0, vfs.endpoint, pm.endpoint, answer, 1)
    assert got == MessageDelivered(5, 0, 0, vfs.endpoint, pm.endpoint, answer, 0)
