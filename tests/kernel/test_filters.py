"""Message filters."""

from __future__ import annotations

import pytest

from ipc.errors import E2BIG, EINVAL, ENOMEM, OK
from kernel.filters import BLACKLIST, MAXIMUM_ELEMENTS, POOL_SIZE, FilterElement, add_filter
from tests.kernel.kit import Kernel, first_difference

SCRIPTS = {
    "a refused message waits in the queue until it is allowed": """
        vm filter refuses pm:* -> OK
        vm receive ANY -> waits
        pm send vm 1 -> waits
        rs send vm 2 -> OK; vm gets rs 2 SEND
        vm receive ANY -> waits
        rs sendnb vm 3 -> OK; vm gets rs 3 SENDNB
        vm unfilter -> OK
        vm receive ANY -> OK; vm gets pm 1 SEND; pm runs
    """,
    "by number": """
        vm filter refuses *:7 -> OK
        vm receive ANY -> waits
        pm sendnb vm 7 -> ENOTREADY
        pm sendnb vm 8 -> OK; vm gets pm 8 SENDNB
    """,
    "by both": """
        vm filter refuses pm:7 -> OK
        vm receive ANY -> waits
        pm sendnb vm 7 -> ENOTREADY
        rs sendnb vm 7 -> OK; vm gets rs 7 SENDNB
    """,
    "only what is allowed": """
        vm filter allows pm:* *:9 -> OK
        vm receive ANY -> waits
        rs sendnb vm 1 -> ENOTREADY
        rs sendnb vm 9 -> OK; vm gets rs 9 SENDNB
        vm receive ANY -> waits
        pm sendnb vm 1 -> OK; vm gets pm 1 SENDNB
    """,
    "kinds of senders": """
        vm filter refuses ANY_USR:* ANY_TSK:* -> OK
        vm receive ANY -> waits
        ann sendnb vm 1 -> ENOTREADY
        clock notify vm -> OK
        pm sendnb vm 1 -> OK; vm gets pm 1 SENDNB
        vm unfilter -> OK
        vm filter refuses ANY_SYS:* -> OK
        vm receive ANY -> OK; vm gets clock ! NOTIFY
        vm receive ANY -> waits
        pm sendnb vm 1 -> ENOTREADY
        ann sendnb vm 1 -> OK; vm gets ann 1 SENDNB
    """,
    "a chain: each filter of the other kind may turn the verdict": """
        vm filter refuses *:7 -> OK
        vm filter allows pm:* -> OK
        vm filter refuses *:8 -> OK
        vm receive ANY -> waits
        rs sendnb vm 7 -> ENOTREADY
        pm sendnb vm 8 -> ENOTREADY
        pm sendnb vm 7 -> OK; vm gets pm 7 SENDNB
    """,
    "asynchronous messages and notifications are filtered as well": """
        vm filter refuses pm:* -> OK
        vm receive ANY -> waits
        pm senda vm:1 -> OK
        pm notify vm -> OK
        rs sendnb vm 2 -> OK; vm gets rs 2 SENDNB
        vm receive ANY -> waits
        rs sendnb vm 2 -> OK; vm gets rs 2 SENDNB
        vm unfilter -> OK
        vm receive ANY -> OK; vm gets pm ! NOTIFY
        vm receive ANY -> OK; vm gets pm 1 SENDA
    """,
    "a message that cannot be read passes a filter that would have to, and is refused then": """
        vm filter refuses *:7 -> OK
        vm receive ANY -> waits
        pm send vm unreadable -> EFAULT
        vm unfilter -> OK
        vm filter refuses pm:* -> OK
        pm sendnb vm unreadable -> ENOTREADY
    """,
    "what is asked of a filter": """
        vm filter other pm:* -> EINVAL
        vm filter refuses -> E2BIG
        vm filter refuses *:* -> EINVAL
        vm filter refuses 40:1 -> EINVAL
    """,
}


@pytest.mark.parametrize("title", SCRIPTS)
def test_script(title: str) -> None:
    assert not first_difference(SCRIPTS[title])


def test_limits() -> None:
    kernel = Kernel()
    vm, pm = kernel["vm"], kernel["pm"]
    element = FilterElement(type=1)
    assert add_filter(kernel.table, vm, BLACKLIST, [element] * MAXIMUM_ELEMENTS) == OK
    assert add_filter(kernel.table, vm, BLACKLIST, [element] * (MAXIMUM_ELEMENTS + 1)) == E2BIG
    for _ in range(POOL_SIZE - 1):
        assert add_filter(kernel.table, pm, BLACKLIST, [element]) == OK
    assert add_filter(kernel.table, vm, BLACKLIST, [element]) == ENOMEM
    assert add_filter(kernel.table, vm, 0, [element]) == EINVAL
