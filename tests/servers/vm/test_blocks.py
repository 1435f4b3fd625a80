"""Blocks are counted, in bulk as one by one, and their numbers used again."""

from __future__ import annotations

import numpy as np

from servers.vm.blocks import NO_FRAME, Blocks


def test_one_block() -> None:
    blocks = Blocks()
    block = blocks.new(0x5000)
    assert block
    assert (blocks.phys[block], blocks.refs[block], blocks.cached[block]) == (0x5000, 0, 0)
    blocks.reference(block)
    blocks.reference(block)
    assert blocks.refs[block] == 2
    assert blocks.unreference(block) == NO_FRAME
    assert (blocks.phys[block], blocks.refs[block]) == (0x5000, 1)
    assert blocks.unreference(block) == 0x5000
    assert (blocks.phys[block], blocks.refs[block]) == (NO_FRAME, 0)
    assert blocks.new(0x6000) == block


def test_many_blocks_use_freed_numbers() -> None:
    blocks = Blocks()
    first = blocks.new_many(np.arange(5000) << 12)
    assert len(set(first.tolist())) == 5000
    assert set(blocks.views[first].tolist()) == {1}
    blocks.reference_many(first[::2])
    dead = blocks.unreference_many(first)
    assert dead.tolist() == first[1::2].tolist()
    blocks.release_many(dead)
    singles = [blocks.new(0x1000) for _ in range(300)]
    rest = blocks.new_many(np.arange(2300) << 12)
    assert len(rest) == 2300
    assert len({*singles, *rest.tolist()}) == 2600
    assert blocks.used < 5001 + 2600 - 2000
    assert not {*singles, *rest.tolist()} & set(first[::2].tolist())
    assert blocks.phys[first[4]] == 4 << 12


def test_a_few_are_freed() -> None:
    blocks = Blocks()
    numbers = blocks.new_many(np.array([0x1000, 0x2000]))
    blocks.release_many(blocks.unreference_many(numbers))
    assert {blocks.new(0), blocks.new(0)} == set(numbers.tolist())


def test_counts_wrap_where_they_are_narrow() -> None:
    blocks = Blocks(0xFF)
    block = blocks.new(0)
    for _ in range(256):
        blocks.reference(block)
    assert blocks.refs[block] == 0
    blocks.reference_many(np.array([block], dtype=np.uint32))
    assert blocks.refs[block] == 1
