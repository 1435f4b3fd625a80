"""What a death does to everybody who has something going on with the dead."""

from __future__ import annotations

import pytest

from kernel.quirks import ALL_QUIRKS, NO_QUIRKS, Quirks
from tests.kernel.kit import first_difference

SCRIPTS = {
    "all who wait for it fail, by ascending slot, and who takes anything is left alone": """
        vm receive ANY -> waits
        ann sendrec vfs 1 -> waits
        tty send vfs 2 -> waits
        pm receive vfs -> waits
        vfs exit -> OK; pm fails EDEADSRCDST; tty fails EDEADSRCDST; ann fails EDEADSRCDST
        vfs is free -> OK
        pm send vfs 1 -> EDEADSRCDST
    """,
    "a SENDREC that was sent fails as well": """
        vfs receive ANY -> waits
        ann sendrec vfs 1 -> waits; vfs gets ann 1 SENDREC
        vfs exit -> OK; ann fails EDEADSRCDST
    """,
    "it leaves the queue that it waits in": """
        pm send vm 1 -> waits
        vfs send vm 2 -> waits
        rs send vm 3 -> waits
        vfs exit -> OK
        vm is queue pm rs -> OK
        vm receive vfs -> EDEADSRCDST
        vm receive ANY -> OK; vm gets pm 1 SEND; pm runs
    """,
    "its notifications are gone": """
        vfs notify vm -> OK
        vfs exit -> OK
        vm receive ANY -> waits
    """,
    "its own asynchronous messages are gone, what was offered to it gets an error": """
        vfs senda vm:1 -> OK
        pm senda vfs:2:notify_err vm:3 -> OK
        vfs exit -> OK
        pm table EDEADSRCDST - -> OK
        pm receive ANY -> OK; pm gets asyncm ! NOTIFY
        vm receive ANY -> OK; vm gets pm 3 SENDA
        vm receive ANY -> waits
    """,
    "a message that was delivered stays": """
        vfs receive ANY -> waits
        pm sendnb vfs 1 -> OK; vfs gets pm 1 SENDNB
        pm exit -> OK
    """,
    "the successor in the slot is another": """
        vfs exit -> OK
        vfs spawn 1 -> OK
        pm send 1 1 -> EDEADSRCDST
        pm send vfs 1 -> waits
        vfs receive ANY -> OK; vfs gets pm 1 SEND; pm runs
    """,
    "references alone can be cleared, with any code": """
        pm receive vfs -> waits
        vfs notify rs -> OK
        vfs clear_references -> OK; pm fails EIO
        rs receive ANY -> waits
        vfs send rs 1 -> OK; rs gets vfs 1 SEND
    """,
    "who has lost its endpoint cannot be talked to": """
        vfs clear -> OK
        pm send vfs 1 -> EDEADSRCDST
        pm sendrec vfs 1 -> EDEADSRCDST
        pm sendnb vfs 1 -> EDEADSRCDST
        pm receive vfs -> EDEADSRCDST
        vfs exit -> OK
    """,
}


@pytest.mark.parametrize("title", SCRIPTS)
@pytest.mark.parametrize("quirks", [NO_QUIRKS, ALL_QUIRKS], ids=["sane", "exact"])
def test_script(title: str, quirks: Quirks) -> None:
    assert not first_difference(SCRIPTS[title], quirks)
