"""The copy of a process table slot."""

from __future__ import annotations

import pytest

from kernel.flags import (
    RTS_NO_PRIV,
    RTS_NO_QUANTUM,
    RTS_RECEIVING,
    RTS_SIG_PENDING,
    RTS_SIGNALED,
)
from kernel.fork import copy_slot
from kernel.quirks import ALL_QUIRKS, NO_QUIRKS, Quirks
from tests.kernel.kit import Kernel, first_difference


@pytest.mark.parametrize("quirks", [NO_QUIRKS, ALL_QUIRKS], ids=["sane", "exact"])
def test_the_child_waits_for_the_same_answer(quirks: Quirks) -> None:
    assert not first_difference(
        """
        pm receive ANY -> waits
        ann sendrec pm 1 -> waits; pm gets ann 1 SENDREC
        ann fork kid 50 -> OK
        pm send ann 2 -> OK; ann gets pm 2
        pm send kid 3 -> OK; kid gets pm 3
        kid start -> OK
        kid send vfs 4 -> waits
        """,
        quirks,
    )


def test_refusals() -> None:
    assert not first_difference(
        """
        ann fork kid 50 -> EINVAL
        ann sendrec pm 1 -> waits
        ann fork kid 50 -> EINVAL
        pm receive ANY -> OK; pm gets ann 1 SENDREC
        ann fork kid 13 -> EINVAL
        ann fork kid 256 -> EINVAL
        ann fork kid -6 -> EINVAL
        ann fork kid 50 -> OK
        ann fork kid 50 -> EINVAL
        """
    )


def test_what_is_copied() -> None:
    kernel = Kernel()
    kernel.run("vfs sendrec pm 1")
    kernel.run("pm receive ANY")
    vfs = kernel["vfs"]
    vfs.name, vfs.priority, vfs.status = "vfs", 3, 1
    kernel.ready.block(vfs, RTS_SIGNALED | RTS_SIG_PENDING)
    child = copy_slot(kernel.table, NO_QUIRKS, vfs, 50)
    assert not isinstance(child, int)
    assert child.endpoint == 32768 + 50
    assert child.name == "vfs*F"
    assert child.rts == RTS_RECEIVING | RTS_NO_QUANTUM | RTS_NO_PRIV
    assert child.privilege is kernel["ann"].privilege
    assert (child.priority, child.status, child.get_from) == (3, 1, vfs.get_from)


@pytest.mark.parametrize(
    ("name", "expected"), [("a", "a*F"), ("a" * 13, "a" * 13 + "*F"), ("a" * 14, "a" * 14)]
)
def test_names_fit_their_field(name: str, expected: str) -> None:
    kernel = Kernel()
    kernel.run("ann receive pm")
    kernel["ann"].name = name
    child = copy_slot(kernel.table, NO_QUIRKS, kernel["ann"], 50)
    assert not isinstance(child, int)
    assert child.name == expected
