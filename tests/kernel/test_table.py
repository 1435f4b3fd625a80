"""The process table and the privilege structures."""

from __future__ import annotations

import pytest

from ipc.endpoint import MAX_GENERATION, NONE, make_endpoint
from ipc.errors import EBUSY, EINVAL, ENOSPC, OK
from kernel.check import check
from kernel.flags import RTS_PROC_STOP, RTS_SLOT_FREE
from kernel.privilege import NR_STATIC_PRIV_IDS, NR_SYS_PROCS, SYS_PROC, USER_PRIV_ID
from kernel.process import Process
from kernel.table import ProcessTable


def user(table: ProcessTable, slot: int, generation: int = 0) -> Process:
    """A user process."""
    privilege = table.privileges[USER_PRIV_ID]
    return table.place(slot, make_endpoint(generation, slot), "user", privilege, RTS_PROC_STOP)


def test_slots_come_to_be_when_asked_for() -> None:
    table = ProcessTable(10_000)
    process = table.at(9_999)
    assert process.rts == RTS_SLOT_FREE
    assert process.endpoint == 9_999
    assert table.at(9_999) is process
    assert list(table.all()) == []


@pytest.mark.parametrize(
    ("slot", "there"), [(-6, False), (-5, True), (0, True), (99, True), (100, False)]
)
def test_which_slots_there_are(slot: int, there: bool) -> None:
    table = ProcessTable(100)
    assert (slot in table) == there
    if not there:
        with pytest.raises(AssertionError, match="no process slot"):
            table.at(slot)


@pytest.mark.parametrize("slots", [0, -1, 30_001])
def test_sizes_that_a_table_cannot_have(slots: int) -> None:
    with pytest.raises(AssertionError):
        ProcessTable(slots)


def test_endpoints_find_live_processes_of_the_right_generation() -> None:
    table = ProcessTable()
    first = user(table, 20)
    assert table.lookup(20) is first
    assert table.lookup(make_endpoint(1, 20)) is None
    table.free(first)
    assert table.lookup(20) is None
    second = user(table, 20, 1)
    assert table.lookup(make_endpoint(1, 20)) is second
    assert table.at(20) is second
    assert first.rts == RTS_SLOT_FREE
    check(table)


def test_all_goes_by_slot_and_leaves_out_the_free() -> None:
    table = ProcessTable()
    processes = [user(table, slot) for slot in (30, 12, 200, -2)]
    table.free(processes[0])
    assert [process.slot for process in table.all()] == [-2, 12, 200]


def test_a_slot_in_use_is_not_given_away() -> None:
    table = ProcessTable()
    user(table, 20)
    with pytest.raises(AssertionError, match="is in use"):
        user(table, 20, 1)


@pytest.mark.parametrize(
    ("generation", "following"),
    [(0, 1), (1, 2), (MAX_GENERATION - 2, MAX_GENERATION - 1), (MAX_GENERATION - 1, 1)],
)
def test_generations_start_again_at_one(generation: int, following: int) -> None:
    table = ProcessTable()
    table.free(user(table, 20, generation))
    assert table.next_endpoint(20) == make_endpoint(following, 20)


def test_static_privileges() -> None:
    table = ProcessTable()
    process, other = user(table, 20), user(table, 21)
    assert table.give_privilege(process, 5) == OK
    assert process.privilege is table.privileges[5]
    assert table.privileges[5].slot == 20
    assert table.give_privilege(other, 5) == EBUSY
    assert table.give_privilege(other, NR_STATIC_PRIV_IDS) == EINVAL
    assert table.give_privilege(other, -1) == EINVAL


def test_dynamic_privileges_run_out_and_come_back() -> None:
    table = ProcessTable()
    processes = [user(table, 20 + number) for number in range(NR_SYS_PROCS - NR_STATIC_PRIV_IDS)]
    for number, process in enumerate(processes):
        assert table.give_privilege(process) == OK
        assert process.privilege.id == NR_STATIC_PRIV_IDS + number
        process.privilege.flags = SYS_PROC
    late = user(table, 100)
    assert table.give_privilege(late) == ENOSPC
    table.free(processes[3])
    assert processes[3].privilege.slot == NONE
    assert table.give_privilege(late) == OK
    assert late.privilege is processes[3].privilege


def test_owner_of_a_bit() -> None:
    table = ProcessTable()
    process = user(table, 20)
    assert table.give_privilege(process) == OK
    assert table.owner(process.privilege.bit) is process
