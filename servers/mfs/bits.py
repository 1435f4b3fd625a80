"""Bitmaps in blocks: searching for a free bit, taking and freeing one, counting.

A map is looked at as MINIX does, in little-endian words of 32 bits; all of it is about bytes that
the caller has read and will write back.

Source: MINIX ``fs/mfs/super.c``, ``stats.c``.
"""

from __future__ import annotations

from servers.mfs.layout import BITS_PER_BLOCK

WORD_BITS = 32


def find_free(block: bytes, start: int) -> int:
    """The first clear bit of `block` not below the word that holds bit `start`; -1 if none."""
    first = start // WORD_BITS * WORD_BITS
    rest = int.from_bytes(block[first // 8 :], "little")
    free = ~rest
    bit = first + (free & -free).bit_length() - 1
    return bit if bit < len(block) * 8 else -1


def is_set(block: bytes, bit: int) -> bool:
    """Whether `bit` of `block` is set."""
    return bool(block[bit >> 3] & 1 << (bit & 7))


def with_bit(byte: int, bit: int, value: bool) -> bytes:
    """The one byte `byte`, with `bit` of its map set to `value`."""
    mask = 1 << (bit & 7)
    return bytes([byte | mask if value else byte & ~mask & 0xFF])


def count_free(block: bytes, bits: int) -> int:
    """How many of the first `bits` bits of `block` are clear."""
    bits = min(bits, BITS_PER_BLOCK)
    value = int.from_bytes(block, "little") & ((1 << bits) - 1)
    return bits - value.bit_count()


def filled(bits: int, size: int) -> bytes:
    """A block of `size` bytes whose first `bits` bits are clear and all others set."""
    return (((1 << size * 8) - 1) ^ ((1 << bits) - 1)).to_bytes(size, "little")
