"""PM's table: slots, pids, groups."""

from __future__ import annotations

import pytest

from servers.pm.mproc import IN_USE, Mproc, child_of
from servers.pm.table import NR_PIDS, ProcessTable


def table_with(*slots: int, size: int = 16, first_child: int = 0) -> ProcessTable:
    table = ProcessTable(size, first_child=first_child)
    for slot in slots:
        table.add(Mproc(slot, IN_USE, endpoint=slot, pid=table.new_pid()))
    return table


def test_slots_go_round() -> None:
    table = table_with(0, 2, size=4)
    assert table.free_slot("fork") == 1
    assert table.free_slot("fork") == 3
    assert table.free_slot("fork") == 1
    assert table.free_slot("srv_fork") == 1, "each kind goes round by itself"


def test_slots_of_the_boot_image_are_not_for_children() -> None:
    table = table_with(0, size=6, first_child=4)
    assert [table.free_slot("fork") for _ in range(4)] == [4, 5, 4, 5]


@pytest.mark.parametrize(
    ("used", "superuser", "full"),
    [(12, True, False), (13, True, False), (15, True, False), (16, True, True),
     (13, False, False), (14, False, True), (16, False, True)],
)  # fmt: skip
def test_the_last_slots_are_the_superusers(used: int, superuser: bool, full: bool) -> None:
    assert table_with(*range(used)).is_full(superuser=superuser) is full


def test_pids_are_used_again_only_when_nobody_has_them() -> None:
    table = table_with(0, 1, 2)
    assert [table.slots[slot].pid for slot in range(3)] == [3, 4, 5]
    for _ in range(NR_PIDS - 5):
        last = table.new_pid()
    assert last == NR_PIDS
    assert table.new_pid() == 2
    assert table.new_pid() == 6, "3 to 5 are in use"


def test_a_pid_that_names_a_group_is_not_given_away() -> None:
    table = table_with(0, 1)
    table.regroup(table.slots[1], 3)
    table.remove(table.slots[0])
    for _ in range(NR_PIDS - 4):
        table.new_pid()
    assert [table.new_pid(), table.new_pid()] == [2, 5], "3 is a group, 4 a process"


def test_lookup_is_by_the_whole_endpoint() -> None:
    table = table_with(3)
    assert table.lookup(3) is table.slots[3]
    assert table.lookup(32768 + 3) is None
    assert table.lookup(4) is None
    pid = table.slots[3].pid
    assert table.find(pid) is table.slots[3]
    table.remove(table.slots[3])
    assert table.find(pid) is None


def test_a_child_has_what_it_inherits_and_nothing_else() -> None:
    parent = Mproc(3, IN_USE, 3, "sh", pid=9, procgrp=9, effuid=5, sigmask=6, nice=2)
    parent.actions[1] = parent.action(1)
    parent.intervals[0] = 60
    child = child_of(parent, 8)
    assert (child.slot, child.parent, child.procgrp, child.effuid) == (8, 3, 9, 5)
    assert (child.sigmask, child.nice, child.name) == (6, 2, "sh")
    assert child.pid == child.child_utime == 0
    assert child.intervals == [0, 0, 0]
    assert child.actions == parent.actions
    assert child.actions is not parent.actions


def test_the_order_is_by_slot_whatever_the_order_of_arrival() -> None:
    table = table_with(5, 1, 9, 3)
    assert [each.slot for each in table] == [1, 3, 5, 9]
    assert [each.slot for each in table.descending()] == [9, 5, 3, 1]
