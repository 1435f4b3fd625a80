"""Endpoints: slot and generation there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipc.endpoint import (
    ANY,
    ANY_TSK,
    ASYNCM,
    BY_NAME,
    HARDWARE,
    INIT,
    MAX_GENERATION,
    MAX_NR_TASKS,
    NONE,
    NR_PROCS,
    SELF,
    WELL_KNOWN,
    endpoint_name,
    generation_of,
    make_endpoint,
    slot_of,
)

LAST_SLOT = (1 << 15) - MAX_NR_TASKS - 1


@given(st.integers(0, MAX_GENERATION), st.integers(-MAX_NR_TASKS, LAST_SLOT))
def test_there_and_back(generation: int, slot: int) -> None:
    endpoint = make_endpoint(generation, slot)
    assert -(1 << 31) <= endpoint < 1 << 31
    assert (generation_of(endpoint), slot_of(endpoint)) == (generation, slot)


@given(st.integers(-(1 << 31), (1 << 31) - 1))
def test_every_number_is_one_slot_of_one_generation(number: int) -> None:
    assert make_endpoint(generation_of(number), slot_of(number)) == number
    assert -MAX_NR_TASKS <= slot_of(number) <= LAST_SLOT


@pytest.mark.parametrize(
    ("endpoint", "generation", "slot"),
    [
        (ASYNCM, 0, -5),
        (INIT, 0, 11),
        (32779, 1, 11),
        (32763, 1, -5),
        (ANY, 0, 31744),
        (NONE, 0, 31743),
        (SELF, 0, 31742),
    ],
)
def test_examples(endpoint: int, generation: int, slot: int) -> None:
    assert (generation_of(endpoint), slot_of(endpoint)) == (generation, slot)


def test_special_endpoints_name_no_slot_of_the_table() -> None:
    for special in (ANY, NONE, SELF):
        assert slot_of(special) >= NR_PROCS


def test_names_there_and_back() -> None:
    for endpoint, name in WELL_KNOWN.items():
        assert endpoint_name(endpoint) == name
        assert BY_NAME[name] == endpoint
    assert endpoint_name(32779) == "32779"
    assert BY_NAME["HARDWARE"] == HARDWARE == -1
    assert ANY_TSK in WELL_KNOWN
