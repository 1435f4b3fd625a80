"""The medium keeps what was written, and shows what was there before."""

from __future__ import annotations

import pytest

from servers.disk.medium import BLOCK_SIZE, Medium


def numbered(block: int) -> bytes:
    return bytes([block]) * BLOCK_SIZE


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, 4, b"\0\0\0\0"),
        (BLOCK_SIZE - 2, 4, b"\0\0\1\1"),
        (BLOCK_SIZE, 2 * BLOCK_SIZE, numbered(1) + numbered(2)),
        (3 * BLOCK_SIZE, 0, b""),
    ],
)
def test_read(offset: int, length: int, expected: bytes) -> None:
    assert Medium(3 * BLOCK_SIZE, numbered).read(offset, length) == expected


def test_write_changes_only_what_is_written() -> None:
    medium = Medium(3 * BLOCK_SIZE, numbered)
    medium.write(BLOCK_SIZE - 1, b"ab" + bytes(BLOCK_SIZE - 1) + b"c")
    assert medium.read(BLOCK_SIZE - 2, 4) == b"\0ab\0"
    assert medium.read(2 * BLOCK_SIZE - 1, 3) == b"\0c\2"


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (BLOCK_SIZE, 1), (0, BLOCK_SIZE + 1)])
def test_what_is_not_on_the_medium(offset: int, length: int) -> None:
    medium = Medium(BLOCK_SIZE)
    with pytest.raises(ValueError):
        medium.read(offset, length)
    with pytest.raises(ValueError):
        medium.write(offset, bytes(length))
