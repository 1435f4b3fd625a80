"""Physical memory keeps what is written, and holds nothing that was never written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernel.memory import PAGE_SIZE, Frames

RAM = ((0x100000, 16 * PAGE_SIZE), (0x200000, PAGE_SIZE))


@pytest.mark.parametrize(
    ("phys", "data"),
    [
        (0x100000, b"first"),
        (0x100FFE, b"over the end of a frame"),
        (0x100000, b"x" * (2 * PAGE_SIZE + 7)),
        (0xB8000, b"a device"),
        (0xFFFFFFFC, b"last"),
        (0x100000, b""),
    ],
)
def test_reads_what_was_written(phys: int, data: bytes) -> None:
    frames = Frames(RAM)
    frames.write(phys, data)
    assert frames.read(phys, len(data)) == data
    if phys > 0x100000:
        assert frames.read(phys - 1, 1) == b"\0"


def test_absent_memory_is_zeros_and_costs_nothing() -> None:
    frames = Frames(RAM)
    assert frames.read(0x100010, 3 * PAGE_SIZE) == bytes(3 * PAGE_SIZE)
    assert not frames.contents


@pytest.mark.parametrize("phys", [-1, 1 << 32, (1 << 32) - 2])
def test_no_memory_outside(phys: int) -> None:
    frames = Frames(RAM)
    with pytest.raises(ValueError, match="no physical memory at"):
        frames.read(phys, 4)
    with pytest.raises(ValueError, match="no physical memory at"):
        frames.write(phys, b"1234")
    with pytest.raises(ValueError, match="no physical memory at"):
        frames.fill(phys, 0, 4)


@pytest.mark.parametrize(
    ("source", "dest", "length"),
    [(0x100000, 0x103000, PAGE_SIZE), (0x100003, 0x101FF0, 40), (0x100000, 0x100004, 8)],
)
def test_copy(source: int, dest: int, length: int) -> None:
    frames = Frames(RAM)
    frames.write(source, bytes(range(1, 9)))
    expected = frames.read(source, length)
    frames.copy(source, dest, length)
    assert frames.read(dest, length) == expected


def test_copy_of_absent_frame_makes_the_other_absent() -> None:
    frames = Frames(RAM)
    frames.write(0x101000, b"old")
    frames.copy(0x100000, 0x101000, PAGE_SIZE)
    assert frames.read(0x101000, 3) == bytes(3)
    assert not frames.contents


def test_copies_are_apart() -> None:
    frames = Frames(RAM)
    frames.write(0x100000, b"one")
    frames.copy(0x100000, 0x101000, PAGE_SIZE)
    frames.write(0x100000, b"two")
    assert frames.read(0x101000, 3) == b"one"


@pytest.mark.parametrize(("byte", "left"), [(0, 1), (7, 3)])
def test_fill(byte: int, left: int) -> None:
    frames = Frames(RAM)
    frames.write(0x100000, b"x" * (2 * PAGE_SIZE))
    frames.fill(0x100800, byte, 2 * PAGE_SIZE)
    assert frames.read(0x100800, 2 * PAGE_SIZE) == bytes([byte]) * (2 * PAGE_SIZE)
    assert frames.read(0x1007FF, 1) == b"x"
    assert len(frames.contents) == left


@pytest.mark.parametrize("count", [1, 50])
def test_clear_frames(count: int) -> None:
    frames = Frames(RAM)
    for page in range(4):
        frames.write(0x100000 + page * PAGE_SIZE, b"x")
    frames.clear_frames(np.arange(0x101, 0x101 + count))
    assert sorted(frames.contents) == ([0x100, 0x102, 0x103] if count == 1 else [0x100])
    frames.contents.clear()
    frames.clear_frames(np.arange(4))
    assert not frames.contents


WHOLE = bytes(range(256)) * 16


def test_frames_share_what_cannot_change() -> None:
    frames = Frames()
    frames.write(0, WHOLE)
    frames.copy(0, 0x1000, 0x1000)
    assert frames.contents[1] is frames.contents[0] is WHOLE


@pytest.mark.parametrize("written", [0, 0x1000])
@pytest.mark.parametrize("kind", [bytes, memoryview, bytearray])
def test_a_write_into_a_shared_frame_is_seen_in_that_frame_only(kind: Any, written: int) -> None:
    frames = Frames()
    frames.write(0, kind(WHOLE))
    frames.copy(0, 0x1000, 0x1000)
    frames.write(written + 100, b"new")
    assert frames.read(written, 0x1000) == WHOLE[:100] + b"new" + WHOLE[103:]
    assert frames.read(0x1000 - written, 0x1000) == WHOLE


@pytest.mark.parametrize("kind", [bytearray, lambda data: memoryview(bytearray(data))])
def test_what_can_change_is_not_shared(kind: Any) -> None:
    frames = Frames()
    data = kind(WHOLE)
    frames.write(0, data)
    data[0] = 99
    assert frames.read(0, 0x1000) == WHOLE
