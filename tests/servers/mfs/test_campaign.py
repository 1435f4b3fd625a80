"""Random calls against a model of a file system, and then the image against both."""

from __future__ import annotations

import random
from stat import S_ISDIR
from typing import Any

import attrs
import pytest

from ipc.errors import EEXIST, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM
from ipc.flags import O_CREAT, O_EXCL, O_RDWR, O_TRUNC
from ipc.traps import SendRec, trap
from ipc.vfs import VfsLink, VfsRename
from servers.lib.libc import CallFailed, Libc
from tests.servers.mfs.image import Image
from tests.servers.site import Site, site

NAMES = ["a", "b", "c", "dd", "e" * 30]
DIRECTORIES = ["", "/p", "/p/q", "/r"]


@attrs.define
class Model:
    """Paths and what is in the files; a directory is None.  Links are not modelled."""

    files: dict[str, bytearray | None] = attrs.field(factory=lambda: {"": None})

    def parent_error(self, path: str) -> int:
        parent = path.rpartition("/")[0]
        if parent not in self.files:
            above = parent
            while above not in self.files:
                above = above.rpartition("/")[0]
            return ENOENT if self.files[above] is None else ENOTDIR
        return 0 if self.files[parent] is None else ENOTDIR

    def children(self, path: str) -> list[str]:
        return [each for each in self.files if each.startswith(path + "/")]

    def mkdir(self, path: str) -> int:
        error = self.parent_error(path)
        if not error and path in self.files:
            error = EEXIST
        if not error:
            self.files[path] = None
        return error

    def rmdir(self, path: str) -> int:
        error = self.parent_error(path)
        if error:
            return error
        if path not in self.files:
            return ENOENT
        if self.files[path] is not None:
            return ENOTDIR
        if self.children(path):
            return ENOTEMPTY
        del self.files[path]
        return 0

    def unlink(self, path: str) -> int:
        error = self.parent_error(path)
        if error:
            return error
        if path not in self.files:
            return ENOENT
        if self.files[path] is None:
            return EPERM
        del self.files[path]
        return 0

    def open(self, path: str, flags: int) -> int:
        error = self.parent_error(path)
        if error:
            return error
        found = self.files.get(path, 0)
        if found == 0 and path not in self.files:
            if not flags & O_CREAT:
                return ENOENT
            self.files[path] = bytearray()
            return 0
        if flags & O_CREAT and flags & O_EXCL:
            return EEXIST
        content = self.files[path]
        if content is None:
            return EISDIR
        if flags & O_TRUNC:
            content.clear()
        return 0

    def write(self, path: str, offset: int, data: bytes) -> None:
        content = self.files[path]
        assert content is not None
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset : offset + len(data)] = data

    def truncate(self, path: str, length: int) -> None:
        content = self.files[path]
        assert content is not None
        del content[length:]
        content.extend(bytes(length - len(content)))

    def rename(self, old: str, new: str) -> bool:
        """Only plain moves of files: whether it was one."""
        plain = self.files.get(old) is not None and new != old
        plain = plain and not self.parent_error(new) and self.files.get(new, b"") is not None
        if plain:
            self.files[new] = self.files.pop(old)
        return plain


async def two_paths(libc: Libc, kind: Any, first: str, second: str) -> int:
    one, length_one = await libc.text(first)
    two, length_two = await libc.text(second, above=one)
    request = kind(name1=one, name2=two, len1=length_one, len2=length_two)
    answer = await trap(SendRec(1, request))
    return int(answer.type)


class Campaign:
    """One run: a machine, the model, and the calls."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.site: Site = site(memory="32M")
        self.model = Model()

    def path(self) -> str:
        return f"{self.random.choice(DIRECTORIES)}/{self.random.choice(NAMES)}"

    def directory(self) -> str:
        return self.random.choice(DIRECTORIES[1:])

    def step(self) -> None:
        kind = self.random.choice(
            [self.mkdir, self.rmdir, self.unlink, self.write, self.write, self.truncate,
             self.read, self.rename]
        )  # fmt: skip
        kind()

    def mkdir(self) -> None:
        path = self.directory()
        assert self.site.fails(lambda libc: libc.mkdir(path)) == self.model.mkdir(path)

    def rmdir(self) -> None:
        path = self.random.choice([self.directory(), self.path()])
        assert self.site.fails(lambda libc: libc.rmdir(path)) == self.model.rmdir(path)

    def unlink(self) -> None:
        path = self.random.choice([self.directory(), self.path(), self.path()])
        assert self.site.fails(lambda libc: libc.unlink(path)) == self.model.unlink(path)

    def write(self) -> None:
        path, rng = self.path(), self.random
        flags = O_RDWR | O_CREAT | rng.choice([0, 0, O_TRUNC, O_EXCL])
        expected = self.model.open(path, flags)
        offset = rng.choice([0, 1, 4095, 4096, 30_000, 5_000_000, rng.randrange(40_000)])
        data = rng.randbytes(rng.choice([1, 100, 4096, 9000]))

        async def action(libc: Libc) -> None:
            fd = await libc.open(path, flags, 0o644)
            await libc.lseek(fd, offset)
            assert await libc.write(fd, data) == len(data)
            await libc.close(fd)

        assert self.site.fails(action) == expected
        if expected == 0:
            self.model.write(path, offset, data)

    def truncate(self) -> None:
        path = self.path()
        length = self.random.choice([0, 1, 5000, 20_000, 4096, 4_900_000])

        async def action(libc: Libc) -> None:
            fd = await libc.open(path, O_RDWR)
            await libc.ftruncate(fd, length)
            await libc.close(fd)

        expected = self.model.open(path, O_RDWR)
        assert self.site.fails(action) == expected
        if expected == 0:
            self.model.truncate(path, length)

    def read(self) -> None:
        path = self.path()
        offset, length = self.random.randrange(50_000), self.random.randrange(1, 30_000)

        async def action(libc: Libc) -> bytes:
            fd = await libc.open(path)
            try:
                await libc.lseek(fd, offset)
                return await libc.read_bytes(fd, length)
            finally:
                await libc.close(fd)

        content = self.model.files.get(path)
        if content is not None:
            assert self.site.do(action) == bytes(content[offset : offset + length])

    def rename(self) -> None:
        old, new = self.path(), self.path()
        if self.model.rename(old, new):
            result = self.site.do(lambda libc: two_paths(libc, VfsRename, old, new))
            assert result == 0

    def on_disk(self) -> dict[str, bytearray | None]:
        """What the image has after a sync, in the form of the model; the image is checked."""
        self.site.do(lambda libc: libc.sync())
        self.site.check()
        medium = self.site.system.servers["disk"].controller.medium
        image = Image(lambda block: bytes(medium.read(block * 4096, 4096)))
        image.check()
        return {
            path.removesuffix("/"): None if S_ISDIR(image.inode(number).mode)
            else bytearray(image.contents(number))
            for path, number in image.tree().items()
            if not path.startswith("/tmp")
        }  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_calls_do_what_the_model_does(seed: int) -> None:
    campaign = Campaign(seed)
    for _ in range(150):
        campaign.step()
    assert campaign.on_disk() == campaign.model.files


def test_links_count() -> None:
    place = site(files={"/a": "one", "/d/x": "two"})

    async def action(libc: Libc) -> list[int]:
        results = [
            await two_paths(libc, VfsLink, "/a", "/d/b"),
            await two_paths(libc, VfsLink, "/a", "/d/b"),
            await two_paths(libc, VfsLink, "/d", "/e"),
        ]
        await libc.unlink("/a")
        stat = await libc.stat("/d/b")
        return [*results, stat.st_nlink]

    assert place.do(action) == [0, EEXIST, EPERM, 1]
    place.do(lambda libc: libc.sync())
    place.check()


def test_an_open_file_outlives_its_name() -> None:
    place = site(files={"/a": "still here"})

    async def action(libc: Libc) -> bytes:
        fd = await libc.open("/a")
        await libc.unlink("/a")
        with pytest.raises(CallFailed, match="ENOENT"):
            await libc.stat("/a")
        data = await libc.read_bytes(fd, 100)
        await libc.close(fd)
        return data

    free = place.system.servers["mfs"].fs.cache.used_blocks
    assert place.do(action) == b"still here"
    assert place.system.servers["mfs"].fs.cache.used_blocks == free - 1
    place.check()
