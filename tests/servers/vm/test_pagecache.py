"""The page cache finds pages by both indexes, and gives up the oldest that nobody else has."""

from __future__ import annotations

import itertools

import pytest

from kernel.panic import Panic
from servers.vm.blocks import Blocks
from servers.vm.pagecache import NO_INODE, ONCE, CachedPage, PageCache
from tests.servers.vm.kit import cached, run

P = 0x1000


class Cache:
    """A cache of pages whose frames are numbered, and the frames it freed."""

    def __init__(self) -> None:
        self.blocks = Blocks()
        self.freed: list[int] = []
        self.pages = PageCache(self.blocks, frozenset(), self.freed.append)

    def add(self, device: int, offset: int, inode: int = 0, inode_offset: int = 0) -> int:
        block = self.blocks.new((len(self.pages) + 1) * P)
        assert self.pages.add(CachedPage(device, offset, inode, inode_offset, 0, block))
        return block

    def order(self) -> list[int]:
        return [page.offset for page in self.pages.by_use]


def offset_of(page: CachedPage | None) -> int | None:
    return None if page is None else page.offset


def test_both_indexes() -> None:
    cache = Cache()
    cache.add(1, 0, 7, P)
    cache.add(1, P)
    assert offset_of(cache.pages.find(1, 0)) == 0
    assert offset_of(cache.pages.find_in_file(1, 7, P)) == 0
    assert cache.pages.find(2, 0) is None
    assert cache.pages.find_in_file(1, 7, 0) is None
    assert cache.pages.find_in_file(2, 7, P) is None


def test_a_page_learns_its_file() -> None:
    cache = Cache()
    cache.add(1, 0, 7, P)
    assert cache.pages.find(1, 0, 8, 2 * P) is not None
    assert cache.pages.find_in_file(1, 7, P) is None
    page = cache.pages.find_in_file(1, 8, 2 * P)
    assert page is not None
    cache.pages.set_inode(page, NO_INODE, 0)
    assert not cache.pages.by_inode


def test_the_youngest_page_of_a_file_offset_is_found() -> None:
    cache = Cache()
    cache.add(1, 0, 7, 0)
    cache.add(1, P, 7, 0)
    page = cache.pages.find_in_file(1, 7, 0)
    assert offset_of(page) == P
    assert page is not None
    cache.pages.remove(page)
    assert offset_of(cache.pages.find_in_file(1, 7, 0)) == 0


def test_any_of_the_pages_of_a_file_offset_may_leave() -> None:
    for leaving in itertools.permutations(range(4)):
        cache = Cache()
        for number in range(4):
            cache.add(1, number * P, 7, 0)
        left = list(range(4))
        for number in leaving:
            page = cache.pages.find(1, number * P)
            assert page is not None
            if number % 2:
                cache.pages.set_inode(page, NO_INODE, 0)
            else:
                cache.pages.remove(page)
            left.remove(number)
            youngest = left[-1] * P if left else None
            assert offset_of(cache.pages.find_in_file(1, 7, 0)) == youngest
        assert not cache.pages.by_inode


def test_order_of_use() -> None:
    cache = Cache()
    for offset in (0, P, 2 * P):
        cache.add(1, offset, 7, offset)
    cache.pages.find(1, 0)
    assert cache.order() == [P, 2 * P, 0]
    cache.pages.find(1, P, touch=False)
    cache.pages.find_in_file(1, 7, 2 * P)
    assert cache.order() == [P, 0, 2 * P]


def test_eviction() -> None:
    cache = Cache()
    blocks = [cache.add(1, offset) for offset in (0, P, 2 * P, 3 * P)]
    cache.blocks.reference(blocks[1])
    assert cache.pages.evict(2) == 2
    assert cache.freed == [P, 3 * P]
    assert cache.order() == [P, 3 * P]
    assert cache.pages.evict(5) == 1
    assert cache.pages.evict(5) == 0


def test_a_page_in_use_outlives_the_cache() -> None:
    cache = Cache()
    block = cache.add(1, 0)
    cache.blocks.reference(block)
    page = cache.pages.find(1, 0)
    assert page is not None
    cache.pages.remove(page)
    assert not cache.freed
    assert (cache.blocks.refs[block], cache.blocks.cached[block]) == (1, 0)


def test_clearing_a_device_goes_by_hash() -> None:
    cache = Cache()
    offsets = [number * P for number in range(8)]
    for offset in offsets:
        cache.add(1, offset)
    cache.add(2, 0)
    cache.pages.clear_device(1)
    # Where MINIX's makehash puts device 1 with these offsets, from its first bucket on.
    assert cache.freed == [(number + 1) * P for number in (0, 3, 4, 5, 7, 6, 2, 1)]
    assert len(cache.pages) == 1


def test_what_cannot_be_cached() -> None:
    cache = Cache()
    block = cache.add(1, 0)
    assert not cache.pages.add(CachedPage(1, P, 0, 0, ONCE, block))
    with pytest.raises(Panic, match="needs a device"):
        cache.pages.add(CachedPage(0, P, 0, 0, 0, cache.blocks.new(P)))


def test_flags_that_are_kept() -> None:
    machine, _ = run(cached(flags=0xFF))
    page = machine.vm.memory.cache.find(769, 0)
    assert page is not None
    assert page.flags == ONCE
