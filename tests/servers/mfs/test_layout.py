"""The on-disk structures, byte by byte."""

from __future__ import annotations

import pytest

from servers.mfs.layout import (
    BLOCK_SIZE,
    ENTRY_SIZE,
    INODE_SIZE,
    SUPER_V3,
    DiskInode,
    Superblock,
    decode_entries,
    decode_inode,
    decode_superblock,
    encode_entry,
)


def test_superblock_bytes() -> None:
    data = Superblock(inodes=0x102, inode_map_blocks=3, zone_map_blocks=4, zones=0x50607).encode()
    assert data[0:4] == b"\x02\x01\0\0"  # s_ninodes
    assert data[4:6] == b"\xff\xff"  # s_nzones, too many for it
    assert data[6:10] == b"\3\0\4\0"  # s_imap_blocks, s_zmap_blocks
    assert data[14:16] == b"\1\0"  # s_flags: clean
    assert data[16:20] == b"\xff\xff\xff\x7f"  # s_max_size
    assert data[20:24] == b"\x07\x06\x05\0"  # s_zones
    assert data[24:26] == b"\x5a\x4d"  # s_magic
    assert data[28:30] == b"\0\x10"  # s_block_size
    assert len(data) == 31
    again = decode_superblock(data)
    assert again.encode() == data


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"magic": 0x2468}, False),
        ({"magic": SUPER_V3 ^ 1}, False),
        ({"zone_shift": 1}, False),
        ({"block_size": 1024}, False),
        ({"inodes": 0}, False),
        ({"zones": 4}, False),
        ({"zone_map_blocks": 0}, False),
        ({"flags": 0x100}, False),
        ({"flags": 0}, True),
    ],
)
def test_which_superblocks_can_be_mounted(change: dict[str, int], valid: bool) -> None:
    values = {"inodes": 64, "inode_map_blocks": 1, "zone_map_blocks": 1, "zones": 100} | change
    assert Superblock(**values).valid() is valid


def test_inode_bytes() -> None:
    inode = DiskInode(
        0o100644, 2, 7, 8, 0x12345, 9, 10, 11, (21, 22, 23, 24, 25, 26, 27, 28, 29, 0)
    )
    data = inode.encode()
    assert len(data) == INODE_SIZE
    assert data[0:8] == b"\xa4\x81\2\0\7\0\x08\0"  # mode, nlinks, uid, gid
    assert data[8:12] == b"\x45\x23\1\0"
    assert data[12:24] == b"\x09\0\0\0\x0a\0\0\0\x0b\0\0\0"  # atime, mtime, ctime
    assert data[24:28] == b"\x15\0\0\0"
    assert decode_inode(data) == inode


@pytest.mark.parametrize(
    ("name", "stored"),
    [(b"a", b"a"), (b"x" * 60, b"x" * 60), (b"y" * 70, b"y" * 60)],
)
def test_directory_entries(name: bytes, stored: bytes) -> None:
    data = encode_entry(5, name)
    assert len(data) == ENTRY_SIZE
    assert data[:4] == b"\5\0\0\0"
    block = (bytes(ENTRY_SIZE) + data).ljust(BLOCK_SIZE, b"\0")
    entries = decode_entries(block)
    assert len(entries) == BLOCK_SIZE // ENTRY_SIZE
    assert entries[:3] == [(0, b""), (5, stored), (0, b"")]


def test_numbers_that_an_inode_has_no_room_for_are_cut_as_in_c() -> None:
    """A clock that is set beyond 2038 brings nobody down."""
    inode = DiskInode(uid=0x1FFFE, gid=0x10005, atime=1 << 40, mtime=0x80000000, ctime=-1)
    again = decode_inode(inode.encode())
    assert (again.uid, again.gid) == (-2, 5)
    assert (again.atime, again.mtime, again.ctime) == (0, -0x80000000, -1)
