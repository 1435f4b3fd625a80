"""The regions of a process, in order of address: a list, and the AVL tree that MINIX has them in.

The shape of the tree can be seen from outside: when a process ends its regions are freed from the
root of what is left, and that decides in which order their frames are used again.  So this is
not any balanced tree but the one of the C library that MINIX uses: where a removed node has two
children it is replaced from the deeper side, from the higher one if they are equal.

Nothing is looked for in the tree, but in the list; so is the place of a new node.  The list begins
with the last region: most new ones are made below all others but the program's own few, and are
inserted close to its end.  The tree is brought up to date when somebody asks for its root, or when
much has happened since.

Source: MINIX ``servers/vm/cavl_impl.h``, ``regionavl.c``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from servers.vm.region import Region

_MOST_CHANGES: Final = 64  # that the tree may lack

# A region that was removed; or one that was inserted, with those before and after it.  None stands
# for one that was inserted and removed at once.
_Change: TypeAlias = "Region | tuple[Region | None, Region | None, Region | None]"


class RegionTree:
    """Regions by their first address (`vaddr`), which must be unique.

    `regions` has them all, the last one first; `starts` has, in the same order, where they start,
    as negative numbers: a list that bisect can search must ascend.
    """

    __slots__ = ("_changes", "_root", "regions", "starts")

    def __init__(self) -> None:
        self.regions: list[Region] = []
        self.starts: list[int] = []
        self._root: Region | None = None
        self._changes: list[_Change] = []  # that the tree lacks, the oldest first

    def __len__(self) -> int:
        return len(self.regions)

    def __iter__(self) -> Iterator[Region]:
        """All regions in order of address; the tree must not change meanwhile."""
        return reversed(self.regions)

    def exact(self, vaddr: int) -> Region | None:
        """The region that starts at `vaddr`."""
        region = self.floor(vaddr)
        return region if region is not None and region.vaddr == vaddr else None

    def at(self, vaddr: int) -> Region | None:
        """The region that `vaddr` lies in; of two that overlap, the later.  MINIX: map_lookup."""
        try:
            region = self.regions[bisect_left(self.starts, -vaddr)]
        except IndexError:  # all start above it
            return None
        return region if vaddr - region.vaddr < region.length else None

    def floor(self, vaddr: int) -> Region | None:
        """The last region that starts at or below `vaddr`."""
        index = bisect_left(self.starts, -vaddr)
        return self.regions[index] if index < len(self.regions) else None

    def below(self, vaddr: int) -> Region | None:
        """The last region that starts below `vaddr`."""
        index = bisect_right(self.starts, -vaddr)
        return self.regions[index] if index < len(self.regions) else None

    def ceiling(self, vaddr: int) -> Region | None:
        """The first region that starts at or above `vaddr`."""
        index = bisect_right(self.starts, -vaddr)
        return self.regions[index - 1] if index else None

    def above(self, vaddr: int) -> Region | None:
        """The first region that starts above `vaddr`."""
        index = bisect_left(self.starts, -vaddr)
        return self.regions[index - 1] if index else None

    def greatest(self) -> Region | None:
        """The last region."""
        return self.regions[0] if self.regions else None

    def insert(self, region: Region) -> bool:
        """Add `region`.  False, and nothing happens, if one starts at the same address."""
        regions, starts = self.regions, self.starts
        vaddr = region.vaddr
        index = bisect_left(starts, -vaddr)
        below = regions[index] if index < len(regions) else None
        if below is not None and below.vaddr == vaddr:
            return False
        self._note((region, below, regions[index - 1] if index else None))
        regions.insert(index, region)
        starts.insert(index, -vaddr)
        return True

    def remove(self, region: Region) -> None:
        """Take out the region that starts where `region` does.

        That is `region` itself; only with the quirk slot-wrap there are some that are not in the
        tree, because there was another at their place.
        """
        index = bisect_left(self.starts, -region.vaddr)
        del self.starts[index]
        self._note(self.regions.pop(index))

    def visit(self, vaddr: int) -> None:
        """Insert a region at `vaddr`, where none starts, and remove it again.

        What that leaves is the tree's shape: it may have turned on the way.
        """
        regions = self.regions
        index = bisect_left(self.starts, -vaddr)
        below = regions[index] if index < len(regions) else None
        self._note((None, below, regions[index - 1] if index else None))

    def fill(self, regions: list[Region]) -> None:
        """Add `regions`, which are in order of address, to the tree, which is empty."""
        self._root = None
        self._changes.clear()
        last: Region | None = None
        for region in regions:
            self._link(region, last, None)
            last = region
        self.regions = regions[::-1]
        self.starts = [-region.vaddr for region in self.regions]

    @property
    def root(self) -> Region | None:
        """The root of the tree."""
        if self._changes:
            self._catch_up()
        return self._root

    def _note(self, change: _Change) -> None:
        """The tree will have to have `change` too."""
        self._changes.append(change)
        if len(self._changes) > _MOST_CHANGES:
            self._catch_up()

    def _catch_up(self) -> None:
        """Let the tree have all changes."""
        changes = self._changes
        for change, following in zip_longest(changes, changes[1:]):
            if not isinstance(change, tuple):
                self._unlink(change)
                continue
            region, below, above = change
            if region is not None:
                self._link(region, below, above)
            elif isinstance(following, tuple) and following[1:] == (below, above):
                # To insert a node turns the tree at one place at most, and leaves it as deep there
                # as it was.  So one that came and went makes no difference to the next one there.
                continue
            elif (beside := below or above) is not None:
                passing = object.__new__(type(beside))  # nothing but its place in the tree
                self._link(passing, below, above)
                self._unlink(passing)
        changes.clear()

    def _link(self, region: Region, below: Region | None, above: Region | None) -> None:
        """Make `region` a leaf between these two."""
        # It hangs below the one before it or, if that has a higher child, below the one after it,
        # which is the lowest of those under that child and so has no lower one.
        region.lower = region.higher = None
        region.factor = 0
        if below is not None and below.higher is None:
            region.parent = below
            below.higher = region
        elif above is not None:
            region.parent = above
            above.lower = region
        else:
            region.parent = None
            self._root = region
            return
        self._grown(region)

    def _unlink(self, region: Region) -> None:
        """Take `region` out of the tree."""
        parent = region.parent
        if region.lower is not None or region.higher is not None:
            self._shrunk(*self._substitute(region))
        elif parent is None:
            self._root = None
        elif parent.higher is region:
            parent.higher = None
            self._shrunk(parent, 1)
        else:
            parent.lower = None
            self._shrunk(parent, -1)

    def _grown(self, node: Region) -> None:
        """Restore the balance after the subtree at `node` became one deeper."""
        parent = node.parent
        while parent is not None:
            side = -1 if parent.lower is node else 1
            factor = parent.factor
            if factor == side:
                self._balance(parent)
                return
            if factor:
                parent.factor = 0
                return
            parent.factor = side
            node = parent
            parent = node.parent

    def _substitute(self, region: Region) -> tuple[Region, int]:
        """Put the next node on the deeper side in the place of `region`.

        Returns the parent of the place that it had, and on which side that was, as `_shrunk` wants.
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
        if place is region:
            return node, 1 if higher else -1
        return place, -1 if higher else 1

    def _shrunk(self, start: Region, side: int) -> None:
        """Restore the balance after a subtree of `start` became less deep: -1 lower, 1 higher."""
        node: Region | None = start
        while node is not None:
            factor = node.factor
            if not factor:
                node.factor = -side
                return
            if factor == side:
                node.factor = 0
            else:
                node = self._balance(node)
                if node.factor:
                    return
            parent = node.parent
            side = 1 if parent is not None and parent.higher is node else -1
            node = parent

    def _balance(self, top: Region) -> Region:
        """Rotate the subtree at `top`, whose deeper side is two deeper now; returns its new top."""
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
            self._root = new
        elif parent.lower is old:
            parent.lower = new
        else:
            parent.higher = new
        if new is not None:
            new.parent = parent
