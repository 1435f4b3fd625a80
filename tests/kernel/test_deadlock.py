"""Nobody starts to wait in a circle."""

from __future__ import annotations

import pytest

from kernel.quirks import Quirks
from tests.kernel.kit import first_difference

SCRIPTS = {
    "two that send to each other": """
        pm send vfs 1 -> waits
        vfs send pm 2 -> ELOCKED
        vfs receive pm -> OK; vfs gets pm 1 SEND; pm runs
    """,
    "two that receive from each other": """
        pm receive vfs -> waits
        vfs receive pm -> ELOCKED
        vfs send pm 1 -> OK; pm gets vfs 1 SEND
    """,
    "a circle of three, sending and receiving": """
        pm send vfs 1 -> waits
        vfs receive vm -> waits
        vm send pm 2 -> ELOCKED
        vm sendnb pm 2 -> ENOTREADY
        vm sendrec pm 2 -> ELOCKED
        vm receive pm -> ELOCKED
        vm send vfs 3 -> OK; vfs gets vm 3 SEND
    """,
    "SENDREC against SENDREC": """
        pm sendrec vfs 1 -> waits
        vfs sendrec pm 2 -> ELOCKED
        vfs receive ANY -> OK; vfs gets pm 1 SENDREC
        vfs sendrec pm 2 -> waits; pm gets vfs 2
    """,
    "a chain that ends at somebody who runs or takes anything is none": """
        pm send vfs 1 -> waits
        vm send pm 2 -> waits
        vfs receive rs -> waits
        tty send vm 3 -> waits
        rs receive ANY -> waits
    """,
    "a message from the kernel can be refused for it, too": """
        vm sendrec ann 1 -> waits
        ann kernel_send vm 2 -> ELOCKED
    """,
}

CIRCLE = """
    pm receive pm -> waits
    vfs send pm 1 -> {0}
"""
LONG_CIRCLE = """
    rs may_send_to rs -> OK
    rs send rs 1 -> waits
    pm send rs 2 -> {0}
"""
FILTERED_CIRCLE = """
    pm filter refuses vfs:1 -> OK
    pm receive vfs -> waits
    vfs send pm 1 -> waits
    tty receive pm -> {0}
"""


@pytest.mark.parametrize("title", SCRIPTS)
def test_script(title: str) -> None:
    assert not first_difference(SCRIPTS[title])


@pytest.mark.parametrize("script", [CIRCLE, LONG_CIRCLE, FILTERED_CIRCLE])
@pytest.mark.parametrize(
    ("quirks", "outcome"),
    [
        (Quirks(), "ELOCKED"),
        (Quirks(frozenset({"deadlock-endless-loop"})), "panics: deadlock-endless-loop"),
    ],
    ids=["sane", "exact"],
)
def test_a_circle_without_the_caller(script: str, quirks: Quirks, outcome: str) -> None:
    assert not first_difference(script.format(outcome), quirks)
