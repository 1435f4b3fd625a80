"""A region and the arrays behind it."""

from __future__ import annotations

from scenarios.campaign.vm_operations import PAGE
from servers.vm.memtypes import ANON, CACHE
from servers.vm.region import WRITABLE, Region
from tests.servers.vm.kit import new_memory, new_process

BASE = 0x10000000


def four_pages() -> Region:
    """A region whose pages have the blocks 1 to 4, the third of another kind."""
    memory = new_memory()
    region = memory.new_region(new_process(memory, 11), BASE, 4 * PAGE, WRITABLE, ANON)
    for page in range(4):
        region.table()[page] = page + 1
    region.set_kind(2, CACHE)
    return region


def shown(region: Region) -> list[tuple[int, str]]:
    return [(region.block(page), region.kind_of(page).name) for page in range(region.pages)]


def test_a_region_is_cut_and_grows() -> None:
    region = four_pages()
    region.cut_start(PAGE)
    assert (region.vaddr, region.end) == (BASE + PAGE, BASE + 4 * PAGE)
    assert shown(region) == [(2, "anon"), (3, "cache"), (4, "anon")]
    region.cut_end(PAGE)
    assert shown(region) == [(2, "anon"), (3, "cache")]
    region.grow(3 * PAGE)
    assert shown(region) == [(2, "anon"), (3, "cache"), (0, "anon")]
    assert region.end == BASE + 4 * PAGE


def test_its_length_can_change_while_somebody_looks_at_its_pages() -> None:
    region = four_pages()
    blocks, kinds = region.numbers(), region.codes()
    region.cut_start(PAGE)
    more, also = region.numbers(), region.codes()
    region.cut_end(PAGE)
    again = region.numbers()
    region.grow(4 * PAGE)
    assert [blocks.tolist(), more.tolist(), again.tolist()] == [[1, 2, 3, 4], [2, 3, 4], [2, 3]]
    assert (len(kinds), len(also)) == (4, 3)
    assert shown(region) == [(2, "anon"), (3, "cache"), (0, "anon"), (0, "anon")]
