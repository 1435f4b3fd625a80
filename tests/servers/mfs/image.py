"""An independent reader and checker of a file system image: what fsck would find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import attrs

from servers.mfs.layout import (
    BITS_PER_BLOCK,
    BLOCK_SIZE,
    DIRECT_ZONES,
    INODE_SIZE,
    INODES_PER_BLOCK,
    ROOT_INODE,
    START_BLOCK,
    SUPER_OFFSET,
    DiskInode,
    Superblock,
    decode_entries,
    decode_inode,
    decode_superblock,
)

S_IFMT = 0o170000
S_IFDIR = 0o040000
S_IFREG = 0o100000


@attrs.define
class Image:
    """The blocks of a disk, given by `block(number)`."""

    block: Callable[[int], bytes]
    super: Superblock = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.super = decode_superblock(self.block(0)[SUPER_OFFSET:])

    def inode(self, number: int) -> DiskInode:
        """The inode with this number."""
        block, index = divmod(number - 1, INODES_PER_BLOCK)
        data = self.block(self.super.inode_start + block)
        return decode_inode(data[index * INODE_SIZE : (index + 1) * INODE_SIZE])

    def zones(self, inode: DiskInode) -> tuple[list[int], list[int]]:
        """The zones of a file's contents in order (0: a hole), and its indirect ones."""
        zones, indirect = list(inode.zones[:DIRECT_ZONES]), []
        single, double = inode.zones[DIRECT_ZONES], inode.zones[DIRECT_ZONES + 1]
        if single or double:
            zones += self._numbers(single)
            indirect += [single] if single else []
        if double:
            indirect.append(double)
            for each in self._numbers(double):
                zones += self._numbers(each)
                indirect += [each] if each else []
        return zones, indirect

    def _numbers(self, block: int) -> list[int]:
        data = self.block(block) if block else bytes(BLOCK_SIZE)
        return [int.from_bytes(data[at : at + 4], "little") for at in range(0, BLOCK_SIZE, 4)]

    def contents(self, number: int) -> bytes:
        """All bytes of a file."""
        inode = self.inode(number)
        zones, _ = self.zones(inode)
        count = -(-inode.size // BLOCK_SIZE)
        zones += [0] * (count - len(zones))
        blocks = (self.block(zone) if zone else bytes(BLOCK_SIZE) for zone in zones[:count])
        return b"".join(blocks)[: inode.size]

    def entries(self, number: int) -> dict[bytes, int]:
        """What is in a directory."""
        found = {}
        for entry, name in decode_entries(self.contents(number)):
            if entry:
                assert name not in found, f"{name!r} is there twice"
                found[name] = entry
        return found

    def tree(self) -> dict[str, int]:
        """The inode of each path, without `.` and `..`."""
        found = {"/": ROOT_INODE}
        waiting = [("/", ROOT_INODE)]
        while waiting:
            path, number = waiting.pop()
            for name, entry in self.entries(number).items():
                if name in (b".", b".."):
                    continue
                child = f"{path.rstrip('/')}/{name.decode()}"
                found[child] = entry
                if self.inode(entry).mode & S_IFMT == S_IFDIR:
                    waiting.append((child, entry))
        return found

    def file(self, path: str) -> bytes:
        """All bytes of the file at a path."""
        return self.contents(self.tree()[path])

    def check(self) -> None:
        """Links, zones and both bitmaps against what the directories lead to."""
        tree = self.tree()
        links: Counter[int] = Counter()
        used: Counter[int] = Counter()
        for number in set(tree.values()):
            inode = self.inode(number)
            if inode.mode & S_IFMT == S_IFDIR:
                links.update(self.entries(number).values())
            if inode.mode & S_IFMT in (S_IFDIR, S_IFREG, 0o120000):
                zones, indirect = self.zones(inode)
                used.update(zone for zone in zones + indirect if zone)
                beyond = zones[-(-inode.size // BLOCK_SIZE) :]
                assert not any(beyond), f"inode {number} has zones beyond its end"
        for number, count in links.items():
            assert self.inode(number).links == count, f"links of inode {number}"
        assert set(links) == set(tree.values()), "every file has a name, every name a file"
        assert all(count == 1 for count in used.values()), "no zone belongs to two files"
        sb = self.super
        first = sb.first_data_zone
        assert all(first <= zone < sb.zones for zone in used), "zones lie on the disk"
        taken = self._bits(START_BLOCK, sb.inodes + 1)
        assert taken == {0, *links}, "the inode bitmap"
        taken = self._bits(START_BLOCK + sb.inode_map_blocks, sb.zones - first + 1)
        assert taken == {0, *(zone - first + 1 for zone in used)}, "the zone bitmap"

    def _bits(self, start: int, count: int) -> set[int]:
        taken = set()
        for bit in range(count):
            block, at = divmod(bit, BITS_PER_BLOCK)
            if self.block(start + block)[at >> 3] & 1 << (at & 7):
                taken.add(bit)
        return taken
