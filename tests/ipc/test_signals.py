"""Signal names and sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipc.signals import (
    NAMES,
    NUMBERS,
    SIGABRT,
    SIGSEGV,
    signal_bit,
    signal_name,
    signal_set,
    signals_in,
)


def test_names() -> None:
    assert signal_name(11) == "SIGSEGV"
    assert signal_name(71) == "SIGKMEM"
    assert signal_name(40) == "40"
    assert NUMBERS["SIGIOT"] == SIGABRT
    assert all(NUMBERS[name] == number for number, name in NAMES.items())


def test_a_signal_is_the_bit_below_its_number() -> None:
    assert signal_bit(1) == 1
    assert signal_bit(SIGSEGV) == 0x400


@given(st.sets(st.integers(1, 128)))
def test_sets_there_and_back(numbers: set[int]) -> None:
    assert list(signals_in(signal_set(numbers))) == sorted(numbers)
