"""VM's handle on memory does what it says, and tells whoever watches, once a range."""

from __future__ import annotations

import numpy as np

from ipc.errors import EINVAL, OK
from kernel.memory import AddressSpace, Frames, MemoryEvent, Mmu

ALIVE = 32780


def test_everything_is_told_once_a_range() -> None:
    events: list[MemoryEvent] = []
    bound: list[tuple[int, AddressSpace]] = []

    def bind(endpoint: int, space: AddressSpace) -> int:
        bound.append((endpoint, space))
        return OK if endpoint == ALIVE else EINVAL

    mmu = Mmu(Frames([(0, 1 << 20)]), bind, events.append)
    space = mmu.new()
    assert mmu.bind(77, space) == EINVAL
    assert mmu.bind(ALIVE, space) == OK
    assert bound == [(77, space), (ALIVE, space)]
    mmu.map_page(space, 0x1000, 0x5007)
    mmu.map_range(space, 0x2000, np.array([0x6005, 0x7005], dtype=np.uint32))
    mmu.map_range(space, 0x9000, np.zeros(4, dtype=np.uint32))
    mmu.map_range(space, 0x1000, np.array([0x5005], dtype=np.uint32))
    mmu.frames.write(0x5000, b"data")
    mmu.copy(0x5000, 0x8000, 4096)
    assert mmu.frames.read(0x8000, 4) == b"data"
    mmu.fill(0x8001, 9, 2)
    assert mmu.frames.read(0x8000, 4) == b"d\x09\x09a"
    mmu.clear_frames(np.array([0x8000, 0x5000]))
    assert not mmu.frames.contents
    assert space.lookup(0x1000) == 0x5005
    mmu.unmap(space, 0x1000, 2)
    assert space.lookup(0x2000) == 0
    mmu.free(space)
    assert not space.tables
    told = [(each.action, each.endpoint, each.address, each.pages, each.frame) for each in events]
    assert told == [
        ("bind", 77, 0, 0, 0),
        ("bind", ALIVE, 0, 0, 0),
        ("map", ALIVE, 0x1000, 1, 0x5000),
        ("map", ALIVE, 0x2000, 2, 0x6000),
        ("map", ALIVE, 0x1000, 1, 0x5000),
        ("copy", 31743, 0x8000, 1, 0x5000),
        ("clear", 31743, 0, 1, 0x8001),
        ("clear", 31743, 0, 2, 0x8000),
        ("unmap", ALIVE, 0x1000, 2, 0),
        ("free", ALIVE, 0, 0, 0),
    ]


def test_nothing_is_told_when_nobody_watches() -> None:
    mmu = Mmu(Frames([(0, 1 << 20)]), lambda endpoint, space: OK)
    space = mmu.new()
    mmu.bind(ALIVE, space)
    mmu.map_range(space, 0x2000, np.array([0x6007], dtype=np.uint32))
    mmu.map_page(space, 0x3000, 0x7007)
    mmu.copy(0x6000, 0x7000, 4096)
    mmu.fill(0x6000, 0, 4096)
    mmu.clear_frames(np.array([0x6000]))
    assert space.lookup(0x2000) == 0x6007
    mmu.unmap(space, 0x2000, 1)
    mmu.free(space)
    assert space.endpoint == ALIVE
