"""An allocator whose allocations fail although there is memory."""

from __future__ import annotations

from servers.vm.alloc import CLEAR, NOTHING
from servers.vm.rationing import ration
from tests.servers.vm.kit import new_memory


def failing(*struck: int) -> tuple[list[int], object]:
    """How many were asked for each time; and a rationing that lets these occurrences fail."""
    asked: list[int] = []
    seen = 0

    def rationing(count: int) -> int:
        nonlocal seen
        asked.append(count)
        for number in range(count):
            seen += 1
            if seen in struck:
                return number
        return count

    return asked, rationing


def test_the_nth_allocation_fails_and_takes_nothing() -> None:
    memory = new_memory()
    asked, rationing = failing(2, 4)
    ration(memory, rationing)  # type: ignore[arg-type]
    free = memory.allocator.free_count
    first = memory.allocator.take_page(0)
    assert first >= 0
    assert memory.allocator.take_page(0) == NOTHING
    assert memory.allocator.take(3, CLEAR) >= 0
    assert memory.allocator.take(3, CLEAR) == NOTHING
    assert memory.allocator.free_count == free - 4
    assert asked == [1, 1, 1, 1], "frames in a row are one allocation"
    memory.allocator.give_back(first)
    assert memory.allocator.free_count == free - 3


def test_pages_one_by_one_end_with_the_first_that_fails() -> None:
    memory = new_memory()
    _asked, rationing = failing(4, 9)
    ration(memory, rationing)  # type: ignore[arg-type]
    assert [len(memory.allocator.take_many(5, 0)) for _ in range(3)] == [3, 4, 5]
    ration(memory, lambda count: 0)
    assert len(memory.allocator.take_many(5, 0)) == 0


def test_without_rationing_the_allocator_is_as_before() -> None:
    memory = new_memory()
    allocator = memory.allocator
    ration(memory, lambda count: 0)
    ration(memory, lambda count: count)
    assert memory.allocator is not allocator
    assert memory.allocator.take_page(0) >= 0, "the later rationing takes the earlier one's place"
    ration(memory, None)
    assert memory.allocator is allocator
    ration(memory, None)
    assert memory.allocator is allocator
