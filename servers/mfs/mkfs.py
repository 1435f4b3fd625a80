"""Making a file system image: from paths and contents to the blocks of a disk.

Nothing but the plan is computed when a volume is made; a block's bytes are put together when the
disk is asked for it, so that a file of a gigabyte costs nothing until somebody reads it.

The plan: inodes are numbered in the order of the paths, parents before children, and each file's
zones lie in one run, its indirect blocks behind them.

Source: MINIX ``usr.sbin/mkfs.mfs``, for the meaning of the fields.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import attrs

from ipc.flags import S_IFDIR, S_IFMT, S_IFREG
from kernel.memory.frames import Data
from servers.mfs.bits import filled
from servers.mfs.layout import (
    BITS_PER_BLOCK,
    BLOCK_SIZE,
    DIRECT_ZONES,
    ENTRY_SIZE,
    INODE_SIZE,
    INODE_ZONES,
    INODES_PER_BLOCK,
    MAX_FILE_SIZE,
    NAME_SIZE,
    NO_ZONE,
    ROOT_INODE,
    START_BLOCK,
    SUPER_OFFSET,
    ZONES_PER_BLOCK,
    DiskInode,
    Superblock,
    encode_entry,
)  # fmt: skip

SPARE_BLOCKS: Final = 1024  # free blocks of a volume whose size nobody gave
SPARE_INODES: Final = 256

# Reads a slice of the bytes of a file; fewer than asked means that zeros follow.
Reader: TypeAlias = Callable[[slice], Data]


@attrs.frozen
class File:
    """A file or directory to be made: its size in bytes, who reads its contents, its mode."""

    size: int = 0
    read: Reader | None = None
    mode: int = S_IFREG | 0o644
    uid: int = 0
    gid: int = 0


def file_of(data: bytes, mode: int = 0o644, uid: int = 0, gid: int = 0) -> File:
    """A regular file that contains `data`."""
    return File(len(data), memoryview(data).__getitem__, S_IFREG | mode, uid, gid)


def directory(mode: int = 0o755, uid: int = 0, gid: int = 0) -> File:
    """A directory; what is in it follows from the paths of the volume."""
    return File(mode=S_IFDIR | mode, uid=uid, gid=gid)


# A run of blocks: the first one, how many bytes are in it, and who reads them.
Extent: TypeAlias = tuple[int, int, Reader]


@attrs.define(eq=False)
class _Node:
    """A file of the plan, its inode number, and (of a directory) its entries by name."""

    number: int
    file: File
    parent: int
    entries: dict[bytes, _Node] = attrs.field(factory=dict)
    size: int = 0
    first: int = NO_ZONE  # its first zone; the others follow
    count: int = 0
    links: int = 1


@attrs.define(eq=False)
class Volume:
    """A disk's initial contents: `blocks` blocks, and `block(number)` gives the bytes of one.

    What is not zero lies in extents; `starts` are their first blocks, ascending from 0.
    """

    blocks: int
    superblock: Superblock
    _starts: list[int]
    _extents: list[Extent]

    @property
    def size(self) -> int:
        """Bytes of the whole disk."""
        return self.blocks * BLOCK_SIZE

    def block(self, number: int) -> Data:
        """The initial bytes of block `number`; zeros where nothing was put."""
        first, size, read = self._extents[bisect_right(self._starts, number) - 1]
        offset = (number - first) * BLOCK_SIZE
        if offset >= size:
            return bytes(BLOCK_SIZE)
        end = offset + BLOCK_SIZE
        if end > size:
            end = size
        data = read(slice(offset, end))
        return data if len(data) == BLOCK_SIZE else bytes(data).ljust(BLOCK_SIZE, b"\0")


def make_volume(
    files: Mapping[str, File], *, blocks: int | None = None, inodes: int | None = None
) -> Volume:
    """A volume with `files` by absolute path; directories on the way are made.

    `blocks` (of 4 KiB) and `inodes` say how large it is; by default some are left free.  Raises
    ValueError if the files do not fit, or a path is not one.
    """
    nodes = _plan(files)
    inodes = inodes or len(nodes) + SPARE_INODES
    needed = sum(_blocks_of(node.size) for node in nodes)
    blocks = blocks or _metadata_blocks(inodes, needed + SPARE_BLOCKS) + needed + SPARE_BLOCKS
    superblock = _superblock(inodes, blocks)
    zone = superblock.first_data_zone
    for node in nodes:
        node.first, node.count = zone, -(-node.size // BLOCK_SIZE)
        zone += _blocks_of(node.size)
    if zone > blocks or len(nodes) > inodes:
        raise ValueError(f"{zone} blocks and {len(nodes)} inodes do not fit on the volume")
    return _assemble(superblock, nodes, zone)


def _plan(files: Mapping[str, File]) -> list[_Node]:
    root = _Node(ROOT_INODE, directory(), ROOT_INODE, links=2)
    nodes = [root]
    for path, file in files.items():
        if not path.startswith("/"):
            raise ValueError(f"{path!r} is not an absolute path")
        names = [name for name in path.split("/") if name]
        _enter(nodes, root, names, path, file)
    for node in nodes:
        is_directory = node.file.mode & S_IFMT == S_IFDIR
        node.size = ENTRY_SIZE * (2 + len(node.entries)) if is_directory else node.file.size
        if not 0 <= node.size <= MAX_FILE_SIZE:
            raise ValueError(f"a file of {node.size} bytes does not fit in an inode")
    return nodes


def _enter(nodes: list[_Node], root: _Node, names: list[str], path: str, file: File) -> None:
    node = root
    for depth, name in enumerate(names):
        key = name.encode()
        if len(key) > NAME_SIZE or key in (b".", b".."):
            raise ValueError(f"{path!r}: {name!r} cannot be the name of a file")
        if node.file.mode & S_IFMT != S_IFDIR:
            raise ValueError(f"{path!r} leads through a file that is no directory")
        child = node.entries.get(key)
        if child is None:
            wanted = file if depth == len(names) - 1 else directory()
            child = _Node(len(nodes) + 1, wanted, node.number)
            if wanted.mode & S_IFMT == S_IFDIR:
                child.links = 2
                node.links += 1
            node.entries[key] = child
            nodes.append(child)
        elif depth == len(names) - 1:
            _replace(child, path, file)
        node = child
    if not names:
        _replace(root, path, file)


def _replace(node: _Node, path: str, file: File) -> None:
    # A directory that was made on the way may be given its mode later; nothing else comes twice.
    if file.mode & S_IFMT != S_IFDIR or node.file.mode & S_IFMT != S_IFDIR:
        raise ValueError(f"{path!r} is there twice")
    node.file = file


def _blocks_of(size: int) -> int:
    """Data and indirect blocks of a file of `size` bytes."""
    zones = -(-size // BLOCK_SIZE)
    beyond = zones - DIRECT_ZONES
    if beyond <= 0:
        return zones
    singles = -(-beyond // ZONES_PER_BLOCK)
    return zones + singles + (1 if singles > 1 else 0)


def _metadata_blocks(inodes: int, data: int) -> int:
    maps = -(-(inodes + 1) // BITS_PER_BLOCK) + -(-(data + 1) // BITS_PER_BLOCK)
    return START_BLOCK + maps + -(-inodes // INODES_PER_BLOCK)


def _superblock(inodes: int, blocks: int) -> Superblock:
    inode_map = -(-(inodes + 1) // BITS_PER_BLOCK)
    zone_map = 1
    while True:
        superblock = Superblock(inodes, inode_map, zone_map, blocks)
        if blocks - superblock.first_data_zone + 1 <= zone_map * BITS_PER_BLOCK:
            return superblock
        zone_map += 1


def _assemble(superblock: Superblock, nodes: list[_Node], first_free: int) -> Volume:
    """The extents of the volume, in the order of their blocks; the rest are zeros."""
    used = first_free - superblock.first_data_zone
    boot = bytes(SUPER_OFFSET) + superblock.encode()
    maps = START_BLOCK + superblock.inode_map_blocks
    zone_bits = superblock.zones - superblock.first_data_zone + 1
    extents = [
        _extent(0, 1, lambda _: boot),
        _extent(START_BLOCK, superblock.inode_map_blocks,
                lambda i: _map_block(i, len(nodes) + 1, superblock.inodes + 1)),
        _extent(maps, superblock.zone_map_blocks, lambda i: _map_block(i, used + 1, zone_bits)),
        _extent(superblock.inode_start, -(-len(nodes) // INODES_PER_BLOCK),
                lambda i: _inode_block(nodes, i)),
    ]  # fmt: skip
    for node in nodes:
        extents.extend(_file_extents(node))
    starts = [first for first, _, _ in extents]
    return Volume(superblock.zones, superblock, starts, extents)


def _extent(first: int, blocks: int, block: Callable[[int], Data]) -> Extent:
    """An extent of as many `blocks`; `block(index)` makes one, or as much as is not zero."""
    return first, blocks * BLOCK_SIZE, lambda part: block(part.start // BLOCK_SIZE)


def _map_block(index: int, used: int, bits: int) -> bytes:
    """Block `index` of a map of `bits` bits of which the first `used` are taken."""
    first = index * BITS_PER_BLOCK
    ones = max(0, min(used - first, BITS_PER_BLOCK))
    inside = max(0, min(bits - first, BITS_PER_BLOCK))
    value = int.from_bytes(filled(inside, BLOCK_SIZE), "little") | ((1 << ones) - 1)
    return value.to_bytes(BLOCK_SIZE, "little")


def _inode_block(nodes: list[_Node], index: int) -> bytes:
    part = nodes[index * INODES_PER_BLOCK : (index + 1) * INODES_PER_BLOCK]
    data = b"".join(_inode_of(node).encode() for node in part)
    assert len(data) == len(part) * INODE_SIZE
    return data


def _inode_of(node: _Node) -> DiskInode:
    zones = [node.first + i for i in range(min(node.count, DIRECT_ZONES))]
    zones += [NO_ZONE] * (INODE_ZONES - len(zones))
    beyond = node.count - DIRECT_ZONES
    if beyond > 0:
        zones[DIRECT_ZONES] = node.first + node.count
    if beyond > ZONES_PER_BLOCK:
        zones[DIRECT_ZONES + 1] = node.first + node.count + 1
    file = node.file
    return DiskInode(file.mode, node.links, file.uid, file.gid, node.size, zones=tuple(zones))


def _file_extents(node: _Node) -> list[Extent]:
    """A file's runs of blocks: data; single indirect; double indirect and the singles of that."""
    extents: list[Extent] = []
    if node.file.mode & S_IFMT == S_IFDIR:
        extents.append(_extent(node.first, node.count, lambda i: _entries_block(node, i)))
    elif node.count and node.file.read is not None:
        extents.append((node.first, node.size, node.file.read))
    beyond = node.count - DIRECT_ZONES
    if beyond > 0:
        single = node.first + node.count
        extents.append(_extent(single, 1, lambda _: _zone_numbers(node, 0)))
    if beyond > ZONES_PER_BLOCK:
        double = node.first + node.count + 1
        singles = -(-(beyond - ZONES_PER_BLOCK) // ZONES_PER_BLOCK)
        extents.append(_extent(double, 1, lambda _: _numbers(double + 1, singles)))
        extents.append(_extent(double + 1, singles, lambda i: _zone_numbers(node, i + 1)))
    return extents


def _entries_block(node: _Node, index: int) -> bytes:
    entries = [(node.number, b"."), (node.parent, b"..")]
    entries += [(child.number, name) for name, child in node.entries.items()]
    per_block = BLOCK_SIZE // ENTRY_SIZE
    part = entries[index * per_block : (index + 1) * per_block]
    return b"".join(encode_entry(number, name) for number, name in part)


def _zone_numbers(node: _Node, single: int) -> bytes:
    """What stands in the file's `single`-th indirect block."""
    start = DIRECT_ZONES + single * ZONES_PER_BLOCK
    return _numbers(node.first + start, min(ZONES_PER_BLOCK, node.count - start))


def _numbers(first: int, count: int) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in range(first, first + count))
