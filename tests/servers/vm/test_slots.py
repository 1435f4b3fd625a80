"""Room for regions is found where MINIX finds it."""

from __future__ import annotations

import pytest

from kernel.panic import Panic
from servers.vm.memtypes import ANON
from servers.vm.slots import find_slot
from tests.servers.vm.kit import new_memory, new_process

P = 0x1000
TOP = 0xF0000000


@pytest.mark.parametrize(
    ("regions", "low", "high", "length", "expected"),
    [
        # Anywhere: at the top, a page below it if there is room for that.
        ([], P, TOP, P, TOP - 2 * P),
        ([], P, TOP, TOP - P, P),
        ([], P, TOP, TOP, None),
        ([(TOP - P, P)], P, TOP, P, TOP - 3 * P),
        # A gap that is just large enough is used without pages to spare.
        ([(P, P), (3 * P, TOP - 3 * P)], P, TOP, P, 2 * P),
        ([(P, TOP - P)], P, TOP, P, None),
        # Within limits.
        ([(8 * P, P)], P, 8 * P, 2 * P, 5 * P),
        ([(4 * P, P)], P, 8 * P, 3 * P, 5 * P),
        ([(4 * P, P)], P, 8 * P, 4 * P, None),
        # Exactly there.
        ([], 5 * P, 0, P, 5 * P),
        ([(6 * P, P)], 5 * P, 0, P, 5 * P),
        ([(6 * P, P)], 5 * P, 0, 2 * P, None),
        ([(4 * P, 2 * P)], 5 * P, 0, P, None),
        ([], 0, 0, P, 0),
        ([], TOP, 0, P, None),
        ([], 0xFFFFF000, 0, P, None),
        ([], P, TOP, 0, None),
        ([], P, TOP, 1 << 32, None),
    ],
)
def test_where(
    regions: list[tuple[int, int]], low: int, high: int, length: int, expected: int | None
) -> None:
    memory = new_memory()
    process = new_process(memory, 11)
    for vaddr, size in regions:
        process.regions.insert(memory.new_region(process, vaddr, size, 0, ANON))
    assert find_slot(memory, process, low, high, length) == expected
    assert process.region_top == (0 if expected is None else expected + length)


def test_the_last_place_is_a_hint() -> None:
    memory = new_memory()
    process = new_process(memory, 11)
    first = find_slot(memory, process, 5 * P, 0, P)
    assert first == 5 * P
    assert find_slot(memory, process, P, TOP, P) == 4 * P + P  # below the end of the last one
    assert find_slot(memory, process, P, TOP, 6 * P) == TOP - 7 * P  # no room there


@pytest.mark.parametrize("quirk", ["region-top-eq-minv", "mmap-len-wrap"])
def test_assertions_of_the_real_one(quirk: str) -> None:
    memory = new_memory(64, quirk)
    process = new_process(memory, 11)
    process.region_top = P
    with pytest.raises(Panic, match=f"quirk {quirk}"):
        find_slot(memory, process, P, TOP, P if quirk == "region-top-eq-minv" else 0)
