"""The tree of regions finds what a sorted list finds, and has the shape of MINIX's."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from hypothesis import given
from hypothesis import strategies as st

from servers.vm.memtypes import ANON
from servers.vm.process import VmProcess
from servers.vm.region import Region
from servers.vm.regiontree import RegionTree

OWNER = VmProcess(11)


def region(vaddr: int) -> Region:
    return Region(OWNER, vaddr, 1, 0, ANON, 0)


def depth(node: Region | None) -> int:
    """How deep a subtree is; its balance factors are checked on the way."""
    if node is None:
        return 0
    lower, higher = depth(node.lower), depth(node.higher)
    assert node.factor == higher - lower
    assert abs(node.factor) <= 1
    assert all(child is None or child.parent is node for child in (node.lower, node.higher))
    return 1 + max(lower, higher)


def in_order(node: Region | None) -> list[Region]:
    return [] if node is None else [*in_order(node.lower), node, *in_order(node.higher)]


def shape(node: Region | None) -> object:
    return node and (node.vaddr, node.factor, shape(node.lower), shape(node.higher))


def tree_of(*addresses: int) -> RegionTree:
    tree = RegionTree()
    for address in addresses:
        assert tree.insert(region(address))
    return tree


@given(
    st.lists(st.integers(0, 60), max_size=120),
    st.lists(st.booleans(), min_size=120, max_size=120),
    st.integers(0, 61),
)
def test_like_a_sorted_list(toggles: list[int], looks: list[bool], key: int) -> None:
    tree = RegionTree()
    model: list[int] = []
    for address, look in zip(toggles, looks, strict=False):
        if address in model:
            found = tree.exact(address)
            assert found is not None
            assert not tree.insert(region(address))
            tree.remove(found)
            model.remove(address)
        else:
            assert tree.insert(region(address))
            model.insert(bisect_left(model, address), address)
        if look:
            depth(tree.root)
    depth(tree.root)
    assert [each.vaddr for each in tree] == model
    assert in_order(tree.root) == list(tree)
    assert [-start for start in reversed(tree.starts)] == model
    assert len(tree) == len(model)
    at, after = bisect_left(model, key), bisect_right(model, key)
    wanted = {
        "floor": model[after - 1] if after else None,
        "below": model[at - 1] if at else None,
        "ceiling": model[at] if at < len(model) else None,
        "above": model[after] if after < len(model) else None,
        "exact": key if key in model else None,
    }
    found_at = {name: getattr(tree, name)(key) for name in wanted}
    assert {name: each and each.vaddr for name, each in found_at.items()} == wanted
    greatest = tree.greatest()
    assert (greatest and greatest.vaddr) == (model[-1] if model else None)


@given(st.lists(st.integers(0, 60), max_size=150), st.booleans())
def test_a_visit_leaves_what_coming_and_going_does(addresses: list[int], look: bool) -> None:
    visited, tree = RegionTree(), RegionTree()
    for address in addresses:
        if tree.exact(address) is None:
            passing = region(address)
            tree.insert(passing)
            tree.remove(passing)
            visited.visit(address)
            if look:
                assert shape(visited.root) == shape(tree.root)
            assert visited.starts == tree.starts
            if address % 3:
                visited.insert(region(address))
                tree.insert(region(address))
            elif address % 2:
                visited.visit(address)
    assert shape(visited.root) == shape(tree.root)
    depth(visited.root)


@given(st.lists(st.integers(0, 60), max_size=150))
def test_the_shape_does_not_depend_on_when_it_is_looked_at(toggles: list[int]) -> None:
    seen, unseen = RegionTree(), RegionTree()
    for address in toggles:
        for tree in (seen, unseen):
            found = tree.exact(address)
            if found is None:
                tree.insert(region(address))
            else:
                tree.remove(found)
        depth(seen.root)
    assert shape(seen.root) == shape(unseen.root)


@given(st.integers(0, 100))
def test_filled_as_if_inserted_in_order(count: int) -> None:
    filled = tree_of(3)
    filled.remove(filled.regions[0])
    filled.fill([region(address) for address in range(count)])
    depth(filled.root)
    assert in_order(filled.root) == list(filled)
    inserted = tree_of(*range(count))
    assert filled.starts == inserted.starts
    assert from_root(filled) == from_root(inserted)


def from_root(tree: RegionTree) -> list[int]:
    """The order in which a process's regions are freed: always the root."""
    order = []
    while tree.root is not None:
        order.append(tree.root.vaddr)
        tree.remove(tree.root)
    return order


def test_shape() -> None:
    # A root with two subtrees as deep as each other is replaced from the higher one.
    assert from_root(tree_of(4, 2, 6, 1, 3, 5, 7)) == [4, 5, 6, 3, 2, 7, 1]
    assert from_root(tree_of(*range(1, 8))) == [4, 5, 6, 3, 2, 7, 1]
    # A deeper lower one gives up its greatest.
    assert from_root(tree_of(4, 2, 5, 3)) == [4, 3, 5, 2]
    # Double rotations.
    assert tree_of(1, 3, 2).root.vaddr == 2  # type: ignore[union-attr]
    assert tree_of(3, 1, 2).root.vaddr == 2  # type: ignore[union-attr]


def test_at_asks_how_long_the_region_is_now() -> None:
    tree = RegionTree()
    wide = Region(OWNER, 10, 10, 0, ANON, 0)
    tree.insert(wide)
    assert [tree.at(key) for key in (10, 19, 20, 9)] == [wide, wide, None, None]
    inner = Region(OWNER, 15, 2, 0, ANON, 1)  # with quirks regions can overlap
    tree.insert(inner)
    assert [tree.at(key) for key in (12, 15, 16, 12, 17)] == [wide, inner, inner, wide, None]
    tree.remove(inner)
    assert tree.at(16) is wide
    wide.cut_end(5)
    assert tree.at(16) is None
    tree.remove(wide)
    assert tree.at(12) is None
