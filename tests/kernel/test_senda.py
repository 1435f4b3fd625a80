"""SENDA: a table of messages in the sender's memory, read as receivers come."""

from __future__ import annotations

import pytest

from ipc.errors import EDOM, OK
from ipc.message import RawMessage
from ipc.traps import AMF_VALID, AsyncEntry
from kernel.quirks import ALL_QUIRKS, NO_QUIRKS, Quirks
from tests.kernel.kit import Kernel, first_difference

SCRIPTS = {
    "what a receiver waits for is delivered at once, the rest when it comes": """
        vfs receive ANY -> waits
        pm senda vfs:1 vm:2 -> OK; vfs gets pm 1 SENDA
        pm table OK - -> OK
        vm receive ANY -> OK; vm gets pm 2 SENDA
        pm table OK OK -> OK
    """,
    "senders are served by privilege id, entries in table order": """
        rs senda vm:5 -> OK
        pm senda vm:1 vfs:9 vm:2 -> OK
        vm receive ANY -> OK; vm gets pm 1 SENDA
        vm receive ANY -> OK; vm gets pm 2 SENDA
        vm receive ANY -> OK; vm gets rs 5 SENDA
        vm receive ANY -> waits
    """,
    "from one sender if asked for": """
        pm senda vm:1 -> OK
        rs senda vm:5 -> OK
        vm receive rs -> OK; vm gets rs 5 SENDA
        vm receive tty -> waits
    """,
    "a new table takes the place of the old": """
        pm senda vfs:1 -> OK
        pm senda vm:2 -> OK
        vfs receive ANY -> waits
        vm receive ANY -> OK; vm gets pm 2 SENDA
    """,
    "an empty table cancels": """
        pm senda vfs:1 -> OK
        pm senda -> OK
        vfs receive ANY -> waits
    """,
    "offered again, what is done stays done": """
        pm senda vfs:1 vm:2 -> OK
        vfs receive ANY -> OK; vfs gets pm 1 SENDA
        vfs receive ANY -> waits
        pm senda again -> OK
        vm receive ANY -> OK; vm gets pm 2 SENDA
    """,
    "it answers a SENDREC, at once or from the table": """
        vfs receive ANY -> waits
        ann sendrec vfs 1 -> waits; vfs gets ann 1 SENDREC
        vfs senda ann:2 -> OK; ann gets vfs 2
        bob sendrec vfs 3 -> waits
        vfs senda bob:4 -> OK
        vfs receive ANY -> OK; vfs gets bob 3 SENDREC
        vfs senda again -> OK; bob gets vfs 4
    """,
    "what is no answer does not end a SENDREC": """
        vfs receive ANY -> waits
        pm sendrec vfs 1 -> waits; vfs gets pm 1 SENDREC
        vfs senda pm:2:noreply -> OK
        vfs send pm 3 -> OK; pm gets vfs 3
        pm receive ANY -> OK; pm gets vfs 2 SENDA
    """,
    "who wants to be told is told by ASYNCM, after the scan": """
        pm senda vfs:1:notify system:2:notify_err -> OK
        pm receive ANY -> OK; pm gets asyncm ! NOTIFY
        pm receive ANY -> waits
        vfs receive ANY -> OK; vfs gets pm 1 SENDA; pm gets asyncm ! NOTIFY
    """,
    "success is not an error to be told of": """
        vfs receive ANY -> waits
        pm senda vfs:1:notify_err -> OK; vfs gets pm 1 SENDA
        pm receive ANY -> waits
    """,
    "bad destinations get their errors in the table": """
        pm may_send_to vfs -> OK
        pm senda 40:1 system:2 rs:3 vfs:4 -> OK
        pm table EDEADSRCDST ECALLDENIED ECALLDENIED - -> OK
        vfs clear -> OK
        pm table EDEADSRCDST ECALLDENIED ECALLDENIED EDEADSRCDST -> OK
        pm senda vfs:5 -> OK
        pm table EDEADSRCDST -> OK
    """,
    "one may always offer to oneself": """
        pm may_send_to -> OK
        pm senda SELF:1 pm:2 -> OK
        pm receive ANY -> OK; pm gets pm 1 SENDA
        pm receive pm -> OK; pm gets pm 2 SENDA
        pm table OK OK -> OK
    """,
    "permission is asked for again when the message is fetched": """
        pm senda vfs:1 -> OK
        pm may_send_to vm -> OK
        vfs receive ANY -> waits
        pm table - -> OK
    """,
    "invalid entries are passed over": """
        vfs receive ANY -> waits
        pm senda vm:1:unknown vfs:2 -> OK; vfs gets pm 2 SENDA
        pm table - OK -> OK
    """,
    "users may not": """
        ann senda vfs:1 -> EPERM
    """,
}


@pytest.mark.parametrize("title", SCRIPTS)
@pytest.mark.parametrize("quirks", [NO_QUIRKS, ALL_QUIRKS], ids=["sane", "exact"])
def test_script(title: str, quirks: Quirks) -> None:
    assert not first_difference(SCRIPTS[title], quirks)


@pytest.mark.parametrize(
    ("size", "code"), [(0, OK), (16 * 261, OK), (16 * 261 + 1, EDOM), (-1, EDOM)]
)
def test_size(size: int, code: int) -> None:
    kernel = Kernel()
    assert kernel.ipc.senda(kernel["pm"], [], size) == code


def test_entries_that_cannot_be_read_are_passed_over_by_the_sender_and_end_a_receivers_scan() -> (
    None
):
    kernel = Kernel()
    table = [AsyncEntry(AMF_VALID, kernel["vm"].endpoint, RawMessage(1))]
    assert kernel.ipc.senda(kernel["pm"], table, 3) == OK
    vfs = kernel["vfs"]
    vfs.privilege.async_pending |= kernel["pm"].privilege.bit
    kernel.run("vfs receive ANY")
    assert not vfs.privilege.async_pending
    assert kernel.run("vm receive ANY") == "vm receive ANY -> OK; vm gets pm 1 SENDA"


def test_pending_bit_is_set_again_until_a_scan_finds_everything_done() -> None:
    kernel = Kernel()
    kernel.run("pm senda vfs:1")
    pm, vfs = kernel["pm"].privilege, kernel["vfs"].privilege
    kernel.run("vfs receive ANY")
    assert vfs.async_pending == pm.bit
    assert pm.async_size == 1
    kernel.run("vfs receive ANY")
    assert vfs.async_pending == 0
    assert pm.async_table is None


def test_flags_that_are_no_number_are_a_mistake_and_not_passed_over() -> None:
    kernel = Kernel()
    table = [AsyncEntry(None, kernel["vm"].endpoint, RawMessage(1))]  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        kernel.ipc.senda(kernel["pm"], table)
