"""Page tables say the same entry by entry and in bulk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.memory import PAGE_SIZE, AddressSpace

PAGE = PAGE_SIZE
TABLE = 1024 * PAGE


@pytest.mark.parametrize(
    ("entry", "read", "write"),
    [
        (0x5007, 0x5123, 0x5123),
        (0x5005, 0x5123, -1),
        (0x5003, -1, -1),
        (0x5006, -1, -1),
        (0, -1, -1),
    ],
)
def test_translate(entry: int, read: int, write: int) -> None:
    space = AddressSpace()
    space.set(0x8048000, entry)
    assert space.lookup(0x8048FFF) == entry
    assert space.translate(0x8048123) == read
    assert space.translate(0x8048123, True) == write
    assert space.translate(0x8049123) == -1


def test_tables_are_made_when_needed() -> None:
    space = AddressSpace()
    space.set(0x1000, 0)
    space.write(0x1000, np.zeros(3000, dtype=np.uint32))
    assert not space.tables
    space.set(TABLE, 0x5007)
    assert list(space.tables) == [1]
    space.clear(0, 3 * 1024)
    assert not space.tables


pages = st.integers(0, 3 * 1024)
ranges = st.tuples(pages, st.integers(1, 2 * 1024))
actions = st.one_of(
    st.tuples(st.just("write"), ranges, st.integers(0, 7)),
    st.tuples(st.just("clear"), ranges, st.just(0)),
    st.tuples(st.just("set"), st.tuples(pages, st.just(1)), st.sampled_from([0, 5, 7])),
)


@given(st.lists(actions, max_size=12))
def test_bulk_and_single_agree(steps: list[tuple[str, tuple[int, int], int]]) -> None:
    space = AddressSpace()
    model = np.zeros(6 * 1024, dtype=np.uint32)
    for number, (what, (first, count), flags) in enumerate(steps, start=1):
        part = model[first : first + count]
        if what == "write":
            entries = (np.arange(count) * 4096 + number * 0x1000000 | flags).astype(np.uint32)
            entries[:: flags + 2] = 0
            space.write(first * PAGE, entries)
            part[entries != 0] = entries[entries != 0]
        elif what == "clear":
            space.clear(first * PAGE, count)
            part[:] = 0
        else:
            space.set(first * PAGE, flags and 0x777000 | flags)
            part[:] = flags and 0x777000 | flags
    assert np.array_equal(space.read(0, len(model)), model)
    for page in range(0, len(model), 97):
        assert space.lookup(page * PAGE) == model[page]
    present = {
        base + at * PAGE: int(entry)
        for base, table in space.present()
        for at, entry in enumerate(table)
        if entry
    }
    assert present == {page * PAGE: int(model[page]) for page in model.nonzero()[0].tolist()}
    space.clear_all()
    assert not space.read(0, len(model)).any()
