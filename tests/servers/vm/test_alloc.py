"""Frames are given out in MINIX's order, in bulk as one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.memory import Frames, Mmu
from servers.vm.alloc import (
    ALIGN64K,
    BELOW_1MB,
    BELOW_16MB,
    CLEAR,
    NOTHING,
    RECENT_MAX,
    Allocator,
    allocation_flags,
    memory_chunks,
)
from servers.vm.region import LOWER1MB, LOWER16MB, PHYS64K, UNINITIALIZED

CHUNKS = [(1, 20), (300, 40), (5000, 10)]


def allocator(
    chunks: list[tuple[int, int]] | None = None,
    quirks: frozenset[str] = frozenset(),
    evicted: int = 0,
) -> Allocator:
    left = [evicted]

    def evict(count: int) -> int:
        if not left[0]:
            return 0
        left[0] -= 1
        made.give_back(2000 + left[0])
        return 1

    made = Allocator(Mmu(Frames(), lambda endpoint, space: 0), quirks, evict)
    made.add_memory(CHUNKS if chunks is None else chunks)
    return made


@pytest.mark.parametrize(
    ("chunks", "frames"),
    [
        ([(0x1000, 0x2000)], [(1, 2)]),
        ([(0x1001, 0x2000)], [(2, 1)]),
        ([(0x1001, 0xFFF)], [(2, 0)]),
        ([(0, 0)], [(0, 0)]),
        ([(0xFFFFF000, 0x2000)], [(0xFFFFF, 0)]),
        ([(0, 0x1000)] * 20, [(0, 1)] * 16),
    ],
)
def test_memory_chunks(chunks: list[tuple[int, int]], frames: list[tuple[int, int]]) -> None:
    assert memory_chunks(chunks) == frames


@pytest.mark.parametrize(
    ("region", "flags"),
    [
        (0, CLEAR),
        (UNINITIALIZED, 0),
        (PHYS64K | LOWER16MB | LOWER1MB, CLEAR | ALIGN64K | BELOW_16MB | BELOW_1MB),
    ],
)
def test_allocation_flags(region: int, flags: int) -> None:
    assert allocation_flags(region) == flags


def test_single_frames_come_from_those_freed_last() -> None:
    frames = allocator()
    assert [frames.take(1, 0) for _ in range(3)] == [20, 19, 18]
    frames.give_back(19)
    assert frames.take(1, 0) == 19


def test_runs_come_from_the_top_and_then_below_the_last() -> None:
    frames = allocator()
    assert frames.take(4, 0) == 5006
    assert frames.take(3, 0) == 5003
    assert frames.take(4, 0) == 336  # what is left above is too short
    assert frames.take(3, 0) == 333
    frames.give_back(5006, 4)
    assert frames.take(4, 0) == 329  # below the last one first
    frames.take(29, 0)
    assert frames.take(20, 0) == 1
    assert frames.take(4, 0) == 5006


def test_entries_taken_meanwhile_are_skipped() -> None:
    frames = allocator([(1, 4)])
    assert frames.take(4, 0) == 1
    frames.give_back(2)
    assert frames.take(1, 0) == 2
    assert frames.take(1, 0) == NOTHING


@pytest.mark.parametrize(
    ("flags", "first"), [(BELOW_1MB, 20), (BELOW_16MB, 339), (BELOW_1MB | CLEAR, 20)]
)
def test_zones(flags: int, first: int) -> None:
    frames = allocator()
    assert frames.take(1, flags) == first
    assert frames.take(2, flags) == first - 2


def test_no_frame_in_a_zone() -> None:
    assert allocator([(5000, 10)]).take(1, BELOW_16MB) == NOTHING


@pytest.mark.parametrize(("quirks", "left"), [((), 38), (("align64k-leak",), 36)])
def test_alignment(quirks: tuple[str, ...], left: int) -> None:
    frames = allocator([(300, 40)], frozenset(quirks))
    first = frames.take(2, ALIGN64K)
    assert first % 16 == 0
    assert frames.free_count == left
    assert allocator([(300, 10)]).take(1, ALIGN64K) == NOTHING


def test_the_cache_gives_way() -> None:
    frames = allocator([(2000, 0), (2500, 1), (1000, 1)], evicted=2)
    assert sorted(frames.take(1, 0) for _ in range(4)) == [1000, 2000, 2001, 2500]
    assert frames.take(1, 0) == NOTHING


def test_only_so_many_are_remembered() -> None:
    frames = allocator([(1, 3 * RECENT_MAX)])
    assert len(frames.recent) == RECENT_MAX
    assert frames.take(1, 0) == RECENT_MAX
    assert frames.largest() == 2 * RECENT_MAX


def test_largest() -> None:
    frames = allocator()
    assert frames.largest() == 40
    frames.take(1, 0)
    assert frames.largest() == 40
    assert allocator([]).largest() == 0


steps = st.lists(
    st.tuples(st.sampled_from(["one", "run", "free", "many"]), st.integers(1, 30)), max_size=30
)


@given(steps)
def test_many_is_one_after_the_other(actions: list[tuple[str, int]]) -> None:
    bulk, single = allocator(), allocator()
    held: list[int] = []
    for what, count in actions:
        if what == "many":
            taken = bulk.take_many(count, 0).tolist()
            expected = [single.take(1, 0) for _ in range(count)]
            assert taken == [frame for frame in expected if frame >= 0]
            held += taken
        elif what == "free" and held:
            bulk.give_back_many(np.array(held[:count]))
            for frame in held[:count]:
                single.give_back(frame)
            del held[:count]
        else:
            size = count if what == "run" else 1
            first = bulk.take(size, 0)
            assert first == single.take(size, 0)
            held += range(first, first + size) if first >= 0 else []
        assert bulk.free == single.free
        assert (bulk.recent, bulk.last) == (single.recent, single.last)
        assert bulk.free_count == single.free_count == sum(bulk.free) == 70 - len(held)
