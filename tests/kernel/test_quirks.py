"""Each quirk of message passing: what MINIX does there, and what happens without it."""

from __future__ import annotations

import pytest

from kernel.quirks import (
    ALL_QUIRKS,
    KERNEL_QUIRKS,
    NO_QUIRKS,
    Quirks,
    UnknownQuirk,
    parse_quirks,
)
from tests.kernel.kit import first_difference

# Of each quirk: the same operations as MINIX does them, and without the quirk.
SCRIPTS = {
    "deadlock-endless-loop": (
        """
        pm receive pm -> waits
        vfs receive pm -> panics: deadlock-endless-loop
        """,
        """
        pm receive pm -> waits
        vfs receive pm -> ELOCKED
        """,
    ),
    "stale-queue-link": (
        """
        pm send tty 1 -> waits
        vfs send tty 2 -> waits
        tty exit -> OK; pm fails EDEADSRCDST; vfs fails EDEADSRCDST
        vfs send rs 3 -> waits
        pm send rs 4 -> panics: stale-queue-link
        """,
        """
        pm send tty 1 -> waits
        vfs send tty 2 -> waits
        tty exit -> OK; pm fails EDEADSRCDST; vfs fails EDEADSRCDST
        vfs send rs 3 -> waits
        pm send rs 4 -> waits
        rs is queue vfs pm -> OK
        """,
    ),
    "fork-copies-queues": (
        """
        ann sendrec pm 1 -> waits
        ann fork early 60 -> OK
        tty send ann 5 -> waits
        pm receive ANY -> OK; pm gets ann 1 SENDREC
        ann fork kid 50 -> OK
        kid is queue tty -> OK
        pm send ann 2 -> OK; ann gets pm 2
        pm send kid 3 -> OK; kid gets pm 3
        kid start -> OK
        ann receive ANY -> OK; ann gets tty 5 SEND; tty runs
        kid receive ANY -> OK; kid gets tty 5 SEND
        """,
        """
        ann sendrec pm 1 -> waits
        ann fork early 60 -> EINVAL
        tty send ann 5 -> waits
        pm receive ANY -> OK; pm gets ann 1 SENDREC
        ann fork kid 50 -> OK
        kid is queue -> OK
        pm send ann 2 -> OK; ann gets pm 2
        pm send kid 3 -> OK; kid gets pm 3
        kid start -> OK
        ann receive ANY -> OK; ann gets tty 5 SEND; tty runs
        kid receive ANY -> waits
        """,
    ),
    "stale-reply-pending": (
        """
        ann sendrec vfs 1 -> waits
        vfs exit -> OK; ann fails EDEADSRCDST
        pm receive ANY -> waits
        ann send pm 2 -> OK; pm gets ann 2 SENDREC
        vm receive ANY -> waits
        bob sendrec vm 3 -> waits; vm gets bob 3 SENDREC
        vm senda bob:4 -> OK; bob gets vm 4
        pm receive ANY -> waits
        bob sendnb pm 5 -> OK; pm gets bob 5 SENDREC
        """,
        """
        ann sendrec vfs 1 -> waits
        vfs exit -> OK; ann fails EDEADSRCDST
        pm receive ANY -> waits
        ann send pm 2 -> OK; pm gets ann 2 SEND
        vm receive ANY -> waits
        bob sendrec vm 3 -> waits; vm gets bob 3 SENDREC
        vm senda bob:4 -> OK; bob gets vm 4
        pm receive ANY -> waits
        bob sendnb pm 5 -> OK; pm gets bob 5 SENDNB
        """,
    ),
    "kernel-send-outlives-target": (
        """
        ann kernel_send tty 1 -> waits
        tty exit -> OK; ann fails EDEADSRCDST
        ann resume -> OK
        ann sendrec pm 2 -> waits
        pm receive ANY -> OK; pm gets ann 2 SENDREC+kernel
        """,
        """
        ann kernel_send tty 1 -> waits
        tty exit -> OK
        ann resume -> OK
        ann sendrec pm 2 -> waits
        pm receive ANY -> OK; pm gets ann 2 SENDREC
        """,
    ),
    "elocked-while-queued": (
        """
        pm filter refuses vfs:1 -> OK
        pm receive vfs -> waits
        vfs sendrec pm 1 -> ELOCKED
        pm is queue vfs -> OK
        """,
        """
        pm filter refuses vfs:1 -> OK
        pm receive vfs -> waits
        vfs sendrec pm 1 -> waits
        pm is queue vfs -> OK
        """,
    ),
    "filter-hides-notifications": (
        """
        pm filter refuses vfs:* -> OK
        vfs notify pm -> OK
        vm notify pm -> OK
        pm receive ANY -> waits
        """,
        """
        pm filter refuses vfs:* -> OK
        vfs notify pm -> OK
        vm notify pm -> OK
        pm receive ANY -> OK; pm gets vm ! NOTIFY
        """,
    ),
    "senda-invalid-entry-blocks": (
        """
        pm senda vfs:1:unknown:notify vm:2 -> OK
        vm receive ANY -> waits
        pm table EINVAL - -> OK
        pm receive ANY -> OK; pm gets asyncm ! NOTIFY
        clock notify vm -> OK; vm gets clock ! NOTIFY
        vm receive ANY -> waits
        pm table EINVAL - -> OK
        pm receive ANY -> OK; pm gets asyncm ! NOTIFY
        """,
        """
        pm senda vfs:1:unknown:notify vm:2 -> OK
        vm receive ANY -> OK; vm gets pm 2 SENDA
        pm table EINVAL OK -> OK
        pm receive ANY -> OK; pm gets asyncm ! NOTIFY
        vm receive ANY -> waits
        pm receive ANY -> waits
        """,
    ),
    "cancel-drops-table": (
        """
        pm senda vfs:1 vm:2 -> OK
        pm may_send_to vm -> OK
        vfs exit -> OK
        pm table - - -> OK
        vm receive ANY -> waits
        """,
        """
        pm senda vfs:1 vm:2 -> OK
        pm may_send_to vm -> OK
        vfs exit -> OK
        pm table EDEADSRCDST - -> OK
        vm receive ANY -> OK; vm gets pm 2 SENDA
        """,
    ),
    "user-death-drops-pending": (
        """
        pm senda ann:1 -> OK
        bob notify vm -> OK
        bob exit -> OK
        ann receive ANY -> waits
        vm receive ANY -> waits
        """,
        """
        pm senda ann:1 -> OK
        bob notify vm -> OK
        bob exit -> OK
        ann receive ANY -> OK; ann gets pm 1 SENDA
        vm receive ANY -> OK; vm gets init ! NOTIFY
        """,
    ),
}


def test_every_quirk_is_shown() -> None:
    assert list(SCRIPTS) == list(KERNEL_QUIRKS)


@pytest.mark.parametrize("name", KERNEL_QUIRKS)
def test_quirk_alone(name: str) -> None:
    assert not first_difference(SCRIPTS[name][0], Quirks(frozenset({name})))


@pytest.mark.parametrize("name", KERNEL_QUIRKS)
def test_quirk_among_all(name: str) -> None:
    assert not first_difference(SCRIPTS[name][0], ALL_QUIRKS)


@pytest.mark.parametrize("name", KERNEL_QUIRKS)
def test_without_quirk(name: str) -> None:
    assert not first_difference(SCRIPTS[name][1], NO_QUIRKS)


def test_a_dead_sender_in_a_copied_queue_brings_the_kernel_down() -> None:
    assert not first_difference(
        """
        pm receive ANY -> waits
        ann sendrec pm 1 -> waits; pm gets ann 1 SENDREC
        tty send ann 5 -> waits
        ann fork kid 50 -> OK
        tty exit -> OK
        pm send kid 3 -> OK; kid gets pm 3
        kid start -> OK
        kid receive ANY -> panics: fork-copies-queues
        """,
        ALL_QUIRKS,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", ALL_QUIRKS),
        ("none", NO_QUIRKS),
        ("stale-queue-link", Quirks(frozenset({"stale-queue-link"}))),
        (
            "cancel-drops-table,stale-queue-link",
            Quirks(frozenset({"cancel-drops-table", "stale-queue-link"})),
        ),
    ],
)
def test_names_of_quirks(text: str, expected: Quirks) -> None:
    assert parse_quirks(text, KERNEL_QUIRKS) == expected


def test_a_name_that_is_nearly_one_is_told_which() -> None:
    with pytest.raises(UnknownQuirk, match=r"did you mean stale-queue-link\b.*\?$"):
        parse_quirks("stale-queue-lnk", KERNEL_QUIRKS)


@pytest.mark.parametrize("text", ["", "stale", "all,none", "stale-queue-link,", "ALL"])
def test_unknown_names(text: str) -> None:
    with pytest.raises(UnknownQuirk, match="there are all, none, cancel-drops-table, "):
        parse_quirks(text, KERNEL_QUIRKS)
