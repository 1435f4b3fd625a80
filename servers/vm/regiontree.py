"""The regions of a process, in order of address: an AVL tree.

The shape of the tree can be seen from outside: when a process ends its regions are freed from the
root of what is left, and that decides in which order their frames are used again.  So this is
not any balanced tree but the one of the C library that MINIX uses: where a removed node has two
children it is replaced from the deeper side, from the higher one if they are equal.

Source: MINIX ``servers/vm/cavl_impl.h``, ``regionavl.c``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

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

    def before(self, region: Region) -> Region | None:
        """The last region that starts below `region`, which is in the tree."""
        node = region.lower
        if node is not None:
            while node.higher is not None:
                node = node.higher
            return node
        node, parent = region, region.parent
        while parent is not None and parent.lower is node:
            node, parent = parent, parent.parent
        return parent

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
        region.lower = region.higher = region.parent = None
        region.factor = 0
        vaddr = region.vaddr
        parent = None
        node = self.root
        while node is not None:
            parent = node
            if vaddr < node.vaddr:
                node = node.lower
            elif vaddr > node.vaddr:
                node = node.higher
            else:
                return False
        self.count += 1
        self.recent = None
        if parent is None:
            self.root = region
            return True
        region.parent = parent
        if vaddr < parent.vaddr:
            parent.lower = region
        else:
            parent.higher = region
        self._grown(region)
        return True

    def _grown(self, node: Region) -> None:
        """Restore the balance after the subtree at `node` became one deeper."""
        parent = node.parent
        while parent is not None:
            if parent.lower is node:
                factor = parent.factor = parent.factor - 1
            else:
                factor = parent.factor = parent.factor + 1
            if not factor:
                return
            if not -2 < factor < 2:
                self._balance(parent)
                return
            node, parent = parent, parent.parent

    def remove(self, region: Region) -> None:
        """Take out `region`, which must be in the tree."""
        parent = region.parent
        higher = parent is not None and parent.higher is region
        if region.lower is None and region.higher is None:
            self._replace(parent, region, None)
        else:
            parent, higher = self._substitute(region)
        self.count -= 1
        self.recent = None
        self._shrunk(parent, higher)

    def _substitute(self, region: Region) -> tuple[Region, bool]:
        """Put the next node on the deeper side in the place of `region`.

        Returns the parent of the place that it had, and whether that was on its higher side.
        """
        higher = region.factor >= 0
        node = region.higher if higher else region.lower
        assert node is not None, "the deeper side is not empty"
        while (further := node.lower if higher else node.higher) is not None:
            node = further
        place = node.parent
        assert place is not None, "it is below the region"
        orphan = node.higher if higher else node.lower
        self._replace(place, node, orphan)
        self._replace(region.parent, region, node)
        node.factor = region.factor
        node.lower, node.higher = region.lower, region.higher
        for child in (node.lower, node.higher):
            if child is not None:
                child.parent = node
        return (node, higher) if place is region else (place, not higher)

    def _shrunk(self, node: Region | None, higher: bool) -> None:
        """Restore the balance after the `higher` or lower subtree of `node` became less deep."""
        while node is not None:
            node.factor += -1 if higher else 1
            if not -2 < node.factor < 2:
                node = self._balance(node)
            if node.factor:
                return
            parent = node.parent
            higher = parent is not None and parent.higher is node
            node = parent

    def _balance(self, top: Region) -> Region:
        """Rotate the subtree at `top`, one side of which is two deeper; returns its new top."""
        if top.factor > 0:
            deep = top.higher
            assert deep is not None
            middle = deep.lower if deep.factor < 0 else None
            lower, higher = top, deep
        else:
            deep = top.lower
            assert deep is not None
            middle = deep.higher if deep.factor > 0 else None
            lower, higher = deep, top
        if middle is None:
            self._lift(deep)
            stays = 0 if deep.factor else 1 if top.factor > 0 else -1
            deep.factor, top.factor = -stays, stays
            return deep
        self._lift(middle)
        self._lift(middle)
        lower.factor = -1 if middle.factor > 0 else 0
        higher.factor = 1 if middle.factor < 0 else 0
        middle.factor = 0
        return middle

    def _lift(self, node: Region) -> None:
        """Rotate so that `node` takes the place of its parent, which becomes its child."""
        parent = node.parent
        assert parent is not None, "it is not the root"
        if parent.higher is node:
            inner = parent.higher = node.lower
            node.lower = parent
        else:
            inner = parent.lower = node.higher
            node.higher = parent
        if inner is not None:
            inner.parent = parent
        self._replace(parent.parent, parent, node)
        parent.parent = node

    def _replace(self, parent: Region | None, old: Region, new: Region | None) -> None:
        """Make `new` the child of `parent` (None: the root) that `old` was."""
        if parent is None:
            self.root = new
        elif parent.lower is old:
            parent.lower = new
        else:
            parent.higher = new
        if new is not None:
            new.parent = parent
