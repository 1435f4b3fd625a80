"""The regions of a process, in order of address: an AVL tree.

The shape of the tree can be seen from outside: when a process ends its regions are freed from the
root of what is left, and that decides in which order their frames are used again.  So this is
not any balanced tree but the one of the C library that MINIX uses: where a removed node has two
children it is replaced from the deeper side, from the higher one if they are equal.

Source: MINIX ``servers/vm/cavl_impl.h``, ``regionavl.c``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servers.vm.region import Region


class RegionTree:
    """Regions by their first address (`vaddr`), which must be unique."""

    __slots__ = ("count", "recent", "root")

    def __init__(self) -> None:
        self.root: Region | None = None
        self.count = 0
        self.recent: Region | None = None  # what `at` found last, if no other one reaches into it

    def __len__(self) -> int:
        return self.count

    def exact(self, vaddr: int) -> Region | None:
        """The region that starts at `vaddr`."""
        node = self.root
        while node is not None and node.vaddr != vaddr:
            node = node.lower if vaddr < node.vaddr else node.higher
        return node

    def at(self, vaddr: int) -> Region | None:
        """The region that `vaddr` lies in.  MINIX: map_lookup."""
        found = self.recent  # what was asked for last often is next
        if found is not None and 0 <= vaddr - found.vaddr < found.length:
            return found
        found = above = None
        node = self.root
        while node is not None:
            if vaddr < node.vaddr:
                above = node
                node = node.lower
            else:
                found = node
                node = node.higher
        if found is None or vaddr - found.vaddr >= found.length:
            return None
        # With quirks regions can overlap; then the later one is found where both are.
        if above is None or found.vaddr + found.length <= above.vaddr:
            self.recent = found
        return found

    def floor(self, vaddr: int) -> Region | None:
        """The last region that starts at or below `vaddr`."""
        return self.below(vaddr + 1)

    def ceiling(self, vaddr: int) -> Region | None:
        """The first region that starts at or above `vaddr`."""
        found = None
        node = self.root
        while node is not None:
            if vaddr > node.vaddr:
                node = node.higher
            else:
                found = node
                node = node.lower
        return found

    def around(self, vaddr: int) -> tuple[Region | None, Region | None]:
        """The last region that starts below `vaddr`, and the first that starts at or above it."""
        below = above = None
        node = self.root
        while node is not None:
            if node.vaddr < vaddr:
                below = node
                node = node.higher
            else:
                above = node
                node = node.lower
        return below, above

    def below(self, vaddr: int) -> Region | None:
        """The last region that starts below `vaddr`."""
        found = None
        node = self.root
        while node is not None:
            if vaddr <= node.vaddr:
                node = node.lower
            else:
                found = node
                node = node.higher
        return found

    def above(self, vaddr: int) -> Region | None:
        """The first region that starts above `vaddr`."""
        return self.ceiling(vaddr + 1)

    def least(self) -> Region | None:
        """The first region."""
        return self.ceiling(0)

    def greatest(self) -> Region | None:
        """The last region."""
        node = self.root
        while node is not None and node.higher is not None:
            node = node.higher
        return node

    def __iter__(self) -> Iterator[Region]:
        """All regions in order of address; the tree must not change meanwhile."""
        stack: list[Region] = []
        node = self.root
        while stack or node is not None:
            while node is not None:
                stack.append(node)
                node = node.lower
            node = stack.pop()
            yield node
            node = node.higher

    def descending(self, vaddr: int) -> Iterator[Region]:
        """The regions that start at or below `vaddr`, the last one first."""
        stack: list[Region] = []
        node = self.root
        while stack or node is not None:
            while node is not None:
                if node.vaddr <= vaddr:
                    stack.append(node)
                    node = node.higher
                else:
                    node = node.lower
            if not stack:
                return
            node = stack.pop()
            yield node
            node = node.lower

    def insert(self, region: Region) -> bool:
        """Add `region`.  False, and nothing happens, if one starts at the same address."""
        region.lower = region.higher = None
        region.factor = 0
        vaddr = region.vaddr
        node = pivot = self.root
        parent = above = None  # of the node, and of the last one on the way that leans, the pivot
        while node is not None:
            if node.factor:
                pivot, above = node, parent
            parent = node
            if vaddr < node.vaddr:
                node = node.lower
            elif vaddr > node.vaddr:
                node = node.higher
            else:
                return False
        self.count += 1
        self.recent = None
        self._replace(parent, region)
        if pivot is not None:
            self._grown(pivot, above, region)
        return True

    def _grown(self, pivot: Region, above: Region | None, region: Region) -> None:
        """Restore the balance of the nodes from `pivot`, a child of `above`, down to `region`."""
        vaddr = region.vaddr
        node: Any = pivot
        while node is not region:
            if vaddr > node.vaddr:
                node.factor += 1
                node = node.higher
            else:
                node.factor -= 1
                node = node.lower
        if not -2 < pivot.factor < 2:
            self._replace(above, _balanced(pivot))

    def _replace(self, parent: Region | None, node: Region) -> None:
        """Make `node` the child of `parent` (None: the root) on the side where it belongs."""
        if parent is None:
            self.root = node
        elif node.vaddr > parent.vaddr:
            parent.higher = node
        else:
            parent.lower = node

    def remove(self, region: Region) -> None:
        """Take out `region`, which must be in the tree."""
        path: list[tuple[Region, bool]] = []
        node = self.root
        vaddr = region.vaddr
        while node is not region:
            assert node is not None, "the region is in the tree"
            higher = vaddr > node.vaddr
            path.append((node, higher))
            node = node.higher if higher else node.lower
        self.count -= 1
        self.recent = None
        self._attach(path, self._without(region, path))
        self._shrunk(path)

    def _without(self, region: Region, path: list[tuple[Region, bool]]) -> Region | None:
        """What stands in for `region`; `path` goes on to the parent of the vacated place."""
        higher = region.factor >= 0
        node = region.higher if higher else region.lower
        if node is None:
            return None
        place = len(path)
        path.append((region, higher))
        while (further := node.lower if higher else node.higher) is not None:
            path.append((node, not higher))
            node = further
        orphan = node.higher if higher else node.lower
        substitute = node
        self._attach(path, orphan)
        substitute.lower, substitute.higher = region.lower, region.higher
        substitute.factor = region.factor
        path[place] = (substitute, higher)
        self._attach(path[:place], substitute)
        return orphan

    def _shrunk(self, path: list[tuple[Region, bool]]) -> None:
        """Restore the balance after the subtree at the end of `path` became one less deep."""
        while path:
            node, higher = path.pop()
            node.factor -= 1 if higher else -1
            if not -2 < node.factor < 2:
                node = _balanced(node)
                self._attach(path, node)
            if node.factor != 0:
                break

    def _attach(self, path: list[tuple[Region, bool]], node: Region | None) -> None:
        """Make `node` the child at the end of `path`."""
        if not path:
            self.root = node
            return
        parent, higher = path[-1]
        if higher:
            parent.higher = node
        else:
            parent.lower = node


def _balanced(top: Region) -> Region:
    """Rotate the subtree at `top`, one side of which is two deeper; returns its new top."""
    if top.factor > 0:
        deep = top.higher
        assert deep is not None
        if deep.factor < 0:
            middle = deep.lower
            assert middle is not None
            top.higher, deep.lower = middle.lower, middle.higher
            middle.lower, middle.higher = top, deep
            _share(middle, top, deep)
            return middle
        top.higher, deep.lower = deep.lower, top
        deep.factor, top.factor = (-1, 1) if deep.factor == 0 else (0, 0)
        return deep
    deep = top.lower
    assert deep is not None
    if deep.factor > 0:
        middle = deep.higher
        assert middle is not None
        top.lower, deep.higher = middle.higher, middle.lower
        middle.lower, middle.higher = deep, top
        _share(middle, deep, top)
        return middle
    top.lower, deep.higher = deep.higher, top
    deep.factor, top.factor = (1, -1) if deep.factor == 0 else (0, 0)
    return deep


def _share(middle: Region, lower: Region, higher: Region) -> None:
    """Set the balance of the two nodes that a double rotation made the children of `middle`."""
    lower.factor = -1 if middle.factor > 0 else 0
    higher.factor = 1 if middle.factor < 0 else 0
    middle.factor = 0
