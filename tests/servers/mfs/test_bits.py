"""Bitmaps."""

from __future__ import annotations

import pytest

from servers.mfs.bits import count_free, filled, find_free, is_set, with_bit


@pytest.mark.parametrize(
    ("block", "start", "found"),
    [
        (b"\0" * 8, 0, 0),
        (b"\x01" + b"\0" * 7, 0, 1),
        (b"\xff" * 4 + b"\x0f\0\0\0", 0, 36),
        (b"\xff" * 8, 0, -1),
        # The search begins at the word that holds the bit.
        (b"\0" * 8, 40, 32),
        (b"\0" * 4 + b"\xff" * 4, 40, -1),
        (b"\xff" * 7 + b"\x7f", 0, 63),
    ],
)
def test_find_free(block: bytes, start: int, found: int) -> None:
    assert find_free(block, start) == found


@pytest.mark.parametrize("bit", [0, 7, 8, 31])
def test_with_bit(bit: int) -> None:
    assert is_set(bytes(bit >> 3) + with_bit(0, bit, True), bit)
    assert not is_set(bytes(bit >> 3) + with_bit(0xFF, bit, False), bit)
    assert with_bit(0, bit, True) == bytes([1 << (bit & 7)])


@pytest.mark.parametrize(
    ("block", "bits", "free"),
    [(b"\0" * 4096, 40_000, 32_768), (b"\x0f" + b"\0" * 7, 10, 6), (b"\xff" * 8, 64, 0)],
)
def test_count_free(block: bytes, bits: int, free: int) -> None:
    assert count_free(block, bits) == free


@pytest.mark.parametrize("bits", [0, 1, 9, 64])
def test_filled_keeps_only_the_first_bits_free(bits: int) -> None:
    block = filled(bits, 8)
    assert [is_set(block, bit) for bit in range(64)] == [bit >= bits for bit in range(64)]
