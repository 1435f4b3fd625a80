"""What every kind of memory can be asked.

A kind is one object without state; what it knows of a region is in the region.  Each method has
here what most kinds do.

Source: MINIX ``servers/vm/memtype.h``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ipc.errors import OK
from servers.vm.outcome import Outcome

if TYPE_CHECKING:
    from servers.vm.memory import Memory
    from servers.vm.region import Region


class MemoryType:
    """One kind of memory.

    `code` is its number in arrays of pages; `name` is what people call it.  `owns_frames` says
    whether a frame that nobody refers to any more is free; `splits` whether a hole can be made in
    the middle of a region; `shrinks_low` whether its start can be cut off; `grows` whether its end
    can be moved up; `repeats` whether two pages of a region can be the same block.
    """

    code: ClassVar[int]
    name: ClassVar[str]
    owns_frames: ClassVar[bool] = True
    splits: ClassVar[bool] = False
    shrinks_low: ClassVar[bool] = False
    grows: ClassVar[bool] = False
    repeats: ClassVar[bool] = False
    refuses_to_grow: ClassVar[bool] = False

    _by_code: ClassVar[dict[int, MemoryType]] = {}

    def __init__(self) -> None:
        self._by_code[self.code] = self

    def __repr__(self) -> str:
        return f"<{self.name} memory>"

    def of_code(self, code: int) -> MemoryType:
        """The kind of memory with that code."""
        return self._by_code[code]

    def new(self, memory: Memory, region: Region) -> int:
        """Furnish a new region; an error means that it cannot be."""
        return OK

    def delete(self, memory: Memory, region: Region) -> None:
        """A region, all of whose pages are gone, ends."""

    def touch(
        self, memory: Memory, region: Region, page: int, write: bool, may_ask: bool
    ) -> Outcome | None:
        """Put memory behind page `page`, which has no block yet, and map it.

        None: it has a block now, and `fault` is to make it ready.
        """
        memory.link_pending(region, page)
        return None

    def fault(
        self, memory: Memory, region: Region, page: int, write: bool, may_ask: bool
    ) -> Outcome:
        """Make page `page`, which has a block, ready for a read or a `write`.

        `may_ask`: whether the caller can wait for VFS.
        """
        raise NotImplementedError

    def writable(self, memory: Memory, region: Region, block: int) -> bool:
        """Whether a page with that block may be mapped writable, if its region is."""
        raise NotImplementedError

    def writable_pages(self, region: Region, present: Any, refs: Any) -> Any:
        """The same for many: `present` says which have a frame, `refs` are their counts."""
        raise NotImplementedError

    def copy(self, memory: Memory, region: Region, new: Region) -> int:
        """Make `new`, a region of the same kind in another process, a copy; pages come later."""
        return OK

    def split(self, memory: Memory, region: Region, low: Region, high: Region) -> None:
        """Make `low` and `high`, which replace `region`, its two halves; pages come first."""

    def shrink_low(self, memory: Memory, region: Region, length: int) -> None:
        """The first `length` bytes of `region` are about to be cut off."""

    def shrink_high(self, memory: Memory, region: Region) -> None:
        """The end of `region` has been cut off."""

    def region_id(self, memory: Memory, region: Region) -> int | None:
        """The number of the memory that a region gives access to; None if it has none."""
        return None

    def sharers(self, memory: Memory, region: Region) -> int | None:
        """How many regions give access to that memory; None if it is not counted."""
        return None
