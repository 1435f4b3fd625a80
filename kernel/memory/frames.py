"""Physical memory: what every byte of the machine's memory holds.

Contents are sparse: a frame that nobody has written does not exist and reads as zeros, and of one
that was written only the bytes up to the last one are kept.  So a machine with a gigabyte of memory
costs nothing until programs use it, and then no more than what they write.  What fills a frame and
cannot change (a block of the disk, say) is kept as it is, by every frame that it is copied to; who
writes into such a frame gets a copy.

Source: MINIX ``kernel/arch/i386/memory.c`` (phys_copy, phys_memset).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAGE_SIZE: Final = 4096
PAGE_SHIFT: Final = 12
PAGE_MASK: Final = PAGE_SIZE - 1
ADDRESS_LIMIT: Final = 1 << 32

# Bytes that nobody changes: a memoryview must be one of bytes.
Data: TypeAlias = bytes | memoryview


class Frames:
    """The bytes of physical memory, page frame by page frame.

    `chunks` is the machine's memory map: `(base, size)` of each stretch of RAM, in bytes.  What
    lies outside them is taken for device memory and keeps its bytes as RAM does; nothing lies at
    or above `ADDRESS_LIMIT`.  All addresses and lengths are bytes.
    """

    __slots__ = ("chunks", "contents")

    def __init__(self, chunks: Iterable[Sequence[int]] = ()) -> None:
        self.chunks: tuple[tuple[int, int], ...] = tuple((base, size) for base, size in chunks)
        self.contents: dict[int, bytearray | Data] = {}

    def read(self, phys: int, length: int) -> bytes:
        """The `length` bytes at `phys`.  Raises ValueError outside the physical address space."""
        offset = phys & PAGE_MASK
        if offset + length <= PAGE_SIZE and 0 <= phys < ADDRESS_LIMIT:
            return self.get(phys >> PAGE_SHIFT, offset, length)
        _demand_inside(phys, length)
        return b"".join(self.read(start, size) for start, size in _pieces(phys, length))

    def write(self, phys: int, data: Data) -> None:
        """Store `data` at `phys`.  Raises ValueError outside the physical address space."""
        offset = phys & PAGE_MASK
        length = len(data)
        if offset + length <= PAGE_SIZE and 0 <= phys < ADDRESS_LIMIT:
            self.put(phys >> PAGE_SHIFT, offset, data)
            return
        _demand_inside(phys, length)
        done = 0
        for start, size in _pieces(phys, length):
            self.write(start, data[done : done + size])
            done += size

    def get(self, frame: int, offset: int, length: int) -> bytes:
        """The `length` bytes at `offset` in the frame with this number, where all must lie."""
        kept = bytes(self.contents.get(frame, b"")[offset : offset + length])
        return kept if len(kept) == length else kept.ljust(length, b"\0")

    def put(self, frame: int, offset: int, data: Data) -> None:
        """Store `data` at `offset` in the frame with this number, where all of it must fit."""
        size = len(data)
        if size == PAGE_SIZE:
            if type(data) is not bytes and (
                type(data) is not memoryview or type(data.obj) is not bytes
            ):
                data = bytes(data)  # somebody might change it after all
            self.contents[frame] = data
            return
        page = self.contents.get(frame, b"")
        if type(page) is not bytearray:
            page = self.contents[frame] = bytearray(page)
        if offset and len(page) < offset:
            page.extend(bytes(offset - len(page)))
        page[offset : offset + size] = data

    def copy(self, source: int, dest: int, length: int) -> None:
        """Copy `length` bytes from `source` to `dest`, as if through a buffer."""
        if length == PAGE_SIZE and not (source | dest) & PAGE_MASK:
            self.copy_frame(self, source >> PAGE_SHIFT, dest >> PAGE_SHIFT)
            return
        self.write(dest, self.read(source, length))

    def copy_frame(self, origin: Frames, source: int, dest: int) -> None:
        """Make the frame with the number `dest` a copy of the frame `source` of `origin`."""
        page = origin.contents.get(source)
        if page is None:
            self.contents.pop(dest, None)
        else:
            self.contents[dest] = bytearray(page) if type(page) is bytearray else page

    def fill(self, phys: int, byte: int, length: int) -> None:
        """Set the `length` bytes at `phys` to `byte`; whole frames of zeros become absent."""
        if not byte and length == PAGE_SIZE and not phys & PAGE_MASK and 0 <= phys < ADDRESS_LIMIT:
            self.contents.pop(phys >> PAGE_SHIFT, None)
            return
        _demand_inside(phys, length)
        for start, size in _pieces(phys, length):
            if byte == 0 and size == PAGE_SIZE:
                self.contents.pop(start >> PAGE_SHIFT, None)
            elif byte or start >> PAGE_SHIFT in self.contents:
                self.write(start, bytes([byte]) * size)

    def clear_frames(self, frames: NDArray[Any]) -> None:
        """Fill the frames with these numbers (not addresses) with zeros."""
        contents = self.contents
        if not contents:
            return
        if len(frames) <= len(contents):
            for frame in frames.tolist():
                contents.pop(frame, None)
            return
        cleared = set(frames.tolist())
        for frame in [frame for frame in contents if frame in cleared]:
            del contents[frame]


def _demand_inside(phys: int, length: int) -> None:
    if phys < 0 or length < 0 or phys + length > ADDRESS_LIMIT:
        raise ValueError(f"no physical memory at {phys:#x}, {length} bytes")


def _pieces(phys: int, length: int) -> Iterable[tuple[int, int]]:
    """The parts, `(address, bytes)`, of a range that lie in one frame each."""
    end = phys + length
    while phys < end:
        size = min(end - phys, PAGE_SIZE - (phys & PAGE_MASK))
        yield phys, size
        phys += size
