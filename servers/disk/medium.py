"""What is on a disk: blocks that keep what was written, and what they held before that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from kernel.memory.frames import Data

BLOCK_SIZE: Final = 4096  # bytes; in what units the contents are kept, not what can be read


@attrs.define(eq=False)
class Medium:
    """`size` bytes in blocks.

    `initial(block)` gives the 4096 bytes that a block holds until it is first written; it is only
    called for blocks that somebody reads or writes.
    """

    size: int
    initial: Callable[[int], Data] = attrs.field(default=lambda _: bytes(BLOCK_SIZE))
    _written: dict[int, bytearray] = attrs.field(factory=dict)

    def read(self, offset: int, length: int) -> Data:
        """The `length` bytes at byte `offset`; both must lie within the medium."""
        if not 0 <= offset <= offset + length <= self.size:
            raise ValueError(f"{length} bytes at {offset} are not on a disk of {self.size} bytes")
        if length == BLOCK_SIZE and not offset % BLOCK_SIZE:
            block = offset // BLOCK_SIZE
            written = self._written.get(block)
            if written is not None:
                return bytes(written)
            return self.initial(block)
        parts = []
        end = offset + length
        while offset < end:
            block, at = divmod(offset, BLOCK_SIZE)
            part = min(BLOCK_SIZE - at, end - offset)
            data = self._written.get(block) or self.initial(block)
            parts.append(data if part == BLOCK_SIZE else data[at : at + part])
            offset += part
        return b"".join(parts)

    def write(self, offset: int, data: Data) -> None:
        """Put `data` at byte `offset`; all of it must lie within the medium."""
        if not 0 <= offset <= offset + len(data) <= self.size:
            raise ValueError(f"{len(data)} bytes at {offset} are not on the disk")
        done = 0
        while done < len(data):
            block, at = divmod(offset + done, BLOCK_SIZE)
            part = min(BLOCK_SIZE - at, len(data) - done)
            kept = self._written.get(block)
            if kept is None:
                kept = self._written[block] = bytearray(self.initial(block))
            kept[at : at + part] = data[done : done + part]
            done += part
