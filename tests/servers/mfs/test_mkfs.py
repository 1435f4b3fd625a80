"""Images that are made, read back by the reader in `image`."""

from __future__ import annotations

import pytest

from servers.mfs.layout import BLOCK_SIZE, DIRECT_ZONES, ZONES_PER_BLOCK
from servers.mfs.mkfs import File, Volume, directory, file_of, make_volume
from tests.servers.mfs.image import Image

SINGLE = DIRECT_ZONES * BLOCK_SIZE
DOUBLE = SINGLE + ZONES_PER_BLOCK * BLOCK_SIZE


def numbered(size: int) -> File:
    """A file each of whose blocks says which one it is."""

    def read(part: slice) -> bytes:
        offset, length = part.start, part.stop - part.start
        return (b"%d." % (offset // BLOCK_SIZE)).ljust(length, b"x")[:length]

    return File(size, read)


@pytest.mark.parametrize(
    "size", [0, 1, BLOCK_SIZE, SINGLE, SINGLE + 1, DOUBLE, DOUBLE + 1, DOUBLE + 2 * SINGLE]
)
def test_a_file_of_any_size_is_there(size: int) -> None:
    image = Image(make_volume({"/f": numbered(size)}).block)
    image.check()
    data = image.file("/f")
    assert len(data) == size
    for at in range(0, size, BLOCK_SIZE):
        assert data[at : at + 9] == (b"%d." % (at // BLOCK_SIZE)).ljust(9, b"x")[: size - at]


def test_directories_are_made_on_the_way() -> None:
    volume = make_volume(
        {
            "/tmp": directory(0o1777),
            "/a/b/c": file_of(b"deep", 0o600, 7, 8),
            "/a/d": file_of(b"x" * 5000),
            "/a": directory(0o700),
            **{f"/many/{i}": file_of(b"") for i in range(100)},
        }
    )
    image = Image(volume.block)
    image.check()
    tree = image.tree()
    assert image.file("/a/b/c") == b"deep"
    assert image.file("/a/d") == b"x" * 5000
    assert image.inode(tree["/tmp"]).mode == 0o041777
    assert image.inode(tree["/a"]).mode == 0o040700
    inode = image.inode(tree["/a/b/c"])
    assert (inode.mode, inode.uid, inode.gid, inode.links) == (0o100600, 7, 8, 1)
    assert len(image.entries(tree["/many"])) == 102


@pytest.mark.parametrize(
    "files",
    [
        {"relative": file_of(b"")},
        {"/a": file_of(b""), "/a/b": file_of(b"")},
        {"/a": file_of(b""), "//a": file_of(b"")},
        {"/a/../b": file_of(b"")},
        {"/" + "x" * 61: file_of(b"")},
        {"/huge": File(1 << 31)},
        {"/": file_of(b"")},
    ],
)
def test_what_cannot_be_made_is_refused(files: dict[str, File]) -> None:
    with pytest.raises(ValueError):
        make_volume(files)


def test_a_volume_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        make_volume({"/f": file_of(bytes(40 * BLOCK_SIZE))}, blocks=40)
    with pytest.raises(ValueError, match="do not fit"):
        make_volume({f"/{i}": file_of(b"") for i in range(9)}, inodes=9)


def test_only_blocks_that_are_asked_for_are_read() -> None:
    asked: list[int] = []

    def read(part: slice) -> bytes:
        asked.append(part.start)
        return bytes(part.stop - part.start)

    volume: Volume = make_volume({"/big": File(1 << 30, read)})
    assert volume.blocks > 1 << 18
    first = volume.superblock.first_data_zone
    volume.block(first + 1 + 5)  # the root directory has the first zone
    assert asked == [5 * BLOCK_SIZE]
    assert volume.block(volume.blocks - 1) == bytes(BLOCK_SIZE)
