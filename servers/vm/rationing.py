"""An allocator whose allocations may fail although there is memory.

It stands before the real one while faults of that kind are set, and hands everything else through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from servers.vm.alloc import NOTHING, Allocator
from servers.vm.memory import Memory

if TYPE_CHECKING:
    from kernel.injection.table import Rationing


class RationedAllocator:
    """`allocator`, as far as `rationing` lets it."""

    def __init__(self, allocator: Allocator, rationing: Rationing) -> None:
        self.allocator = allocator
        self._rationing = rationing

    def __getattr__(self, name: str) -> Any:
        return getattr(self.allocator, name)

    def take(self, count: int, flags: int) -> int:
        """Take `count` frames in a row: one allocation."""
        return self.allocator.take(count, flags) if self._rationing(1) else NOTHING

    def take_page(self, region_flags: int) -> int:
        """Take a frame for a page: one allocation."""
        return self.allocator.take_page(region_flags) if self._rationing(1) else NOTHING

    def take_many(self, count: int, flags: int) -> NDArray[np.int64]:
        """Take frames as `count` allocations would, which end with the first that fails."""
        allowed = self._rationing(count)
        if not allowed:
            return np.empty(0, dtype=np.int64)
        return self.allocator.take_many(allowed, flags)


def ration(memory: Memory, rationing: Rationing | None) -> None:
    """Have VM's allocator ask `rationing` from now on, in place of whom it asked before."""
    allocator: Any = memory.allocator
    if isinstance(allocator, RationedAllocator):
        allocator = allocator.allocator
    if rationing is not None:
        allocator = RationedAllocator(allocator, rationing)
    memory.allocator = allocator
