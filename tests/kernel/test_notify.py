"""NOTIFY: one bit a source, delivered by privilege id, never into a SENDREC."""

from __future__ import annotations

import pytest

from ipc.endpoint import NONE
from kernel.clock import tick_time
from kernel.flags import RTS_RECEIVING
from kernel.rendezvous import BLOCKED
from tests.kernel.kit import Kernel, first_difference

SCRIPTS = {
    "a receiver that waits gets it at once": """
        vfs receive ANY -> waits
        pm notify vfs -> OK; vfs gets pm ! NOTIFY
    """,
    "notifications from the same source become one": """
        pm notify vfs -> OK
        pm notify vfs -> OK
        vfs receive ANY -> OK; vfs gets pm ! NOTIFY
        vfs receive ANY -> waits
    """,
    "they are delivered by privilege id, whoever came first": """
        tty notify vm -> OK
        pm notify vm -> OK
        clock notify vm -> OK
        vm receive ANY -> OK; vm gets clock ! NOTIFY
        vm receive ANY -> OK; vm gets pm ! NOTIFY
        vm receive ANY -> OK; vm gets tty ! NOTIFY
    """,
    "from one source if asked for": """
        pm notify vm -> OK
        tty notify vm -> OK
        vm receive tty -> OK; vm gets tty ! NOTIFY
        vm receive vfs -> waits
    """,
    "a process in SENDREC gets none, even from whom it waits for": """
        vfs receive ANY -> waits
        pm sendrec vfs 1 -> waits; vfs gets pm 1 SENDREC
        vfs notify pm -> OK
        vfs send pm 2 -> OK; pm gets vfs 2
        pm receive ANY -> OK; pm gets vfs ! NOTIFY
    """,
    "users share the pending bits, and init is who they seem to come from": """
        pm notify ann -> OK
        bob receive ANY -> OK; bob gets pm ! NOTIFY
        ann receive ANY -> waits
        pm notify ann -> OK; ann gets pm ! NOTIFY
        bob notify pm -> OK
        pm receive bob -> waits
        bob notify pm -> OK; pm gets bob ! NOTIFY
        pm receive ANY -> OK; pm gets init ! NOTIFY
    """,
    "who has lost its endpoint is still notified, who is gone is not": """
        vfs clear -> OK
        pm notify vfs -> OK
        rs exit -> OK
        pm notify rs -> EDEADSRCDST
    """,
}


@pytest.mark.parametrize("title", SCRIPTS)
def test_script(title: str) -> None:
    assert not first_difference(SCRIPTS[title])


def test_interrupts_and_signals_wait_for_a_notification_from_their_source() -> None:
    kernel = Kernel()
    tty = kernel["tty"].privilege
    tty.interrupts_pending |= 0x10
    tty.signals_pending |= 0x200
    for line in (
        "pm notify tty -> OK",
        "tty receive ANY -> OK; tty gets pm ! NOTIFY",
        "hardware notify tty -> OK",
        "tty receive ANY -> OK; tty gets hardware !irq0x10 NOTIFY",
        "system notify tty -> OK",
        "tty receive ANY -> OK; tty gets system !sig0x200 NOTIFY",
        "system notify tty -> OK",
        "tty receive ANY -> OK; tty gets system ! NOTIFY",
    ):
        assert kernel.run(line) == line


def test_timestamp_is_that_of_the_delivery() -> None:
    kernel = Kernel()
    kernel.clock.now = tick_time(3)
    kernel.run("pm notify vfs")
    kernel.clock.now = tick_time(8)
    assert kernel.run("vfs receive ANY") == "vfs receive ANY -> OK; vfs gets pm @8 NOTIFY"


def test_what_is_pending_from_nobody_is_passed_over() -> None:
    kernel = Kernel()
    nobody = kernel.table.privileges[40]
    assert nobody.slot == NONE
    vm = kernel["vm"].privilege
    vm.notify_pending |= nobody.bit
    vm.async_pending |= nobody.bit
    assert kernel.ipc.receive(kernel["vm"]) == BLOCKED
    assert kernel["vm"].rts == RTS_RECEIVING
    kernel.ipc.clear_endpoint(kernel["vm"])
    assert not vm.async_pending
