"""Calls that the disk or memory fails: nothing stays held or is lost, and nothing is half done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import PurePosixPath

import attrs
import pytest

from ipc.endpoint import VFS, VM
from ipc.errors import EIO, ENOENT, ENOMEM, OK
from ipc.flags import O_CREAT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY, S_IFCHR, S_IFIFO
from ipc.vfs import VfsMknod, VfsRename, VfsTruncate
from kernel.injection import AllocationFault, Fault, ReplyFault, When
from servers.config import FileContents
from servers.image import DISK
from servers.lib.libc import CallFailed, Libc
from servers.mfs.layout import BLOCK_SIZE, DIRECT_ZONES, INODES_PER_BLOCK, ZONES_PER_BLOCK
from servers.mfs.mkfs import directory
from tests.servers.mfs.image import Image
from tests.servers.mfs.test_campaign import two_paths
from tests.servers.site import Action, Site, site
from tests.servers.test_injection import leaked_inodes

FULL = {f"/full/{index}": b"" for index in range(62)}  # a directory whose one block is full
MANY = {f"/many/{index}": b"" for index in range(INODES_PER_BLOCK - 2)}  # a full block of inodes
INDIRECT = bytes((DIRECT_ZONES + 20) * BLOCK_SIZE)
SINGLE_END = (DIRECT_ZONES + ZONES_PER_BLOCK) * BLOCK_SIZE
DOUBLE = bytes(SINGLE_END + 20 * BLOCK_SIZE)


async def make(libc: Libc, path: str) -> None:
    await libc.close(await libc.open(path, O_CREAT | O_RDWR, 0o644))


async def rename(libc: Libc, old: str, new: str) -> None:
    if result := await two_paths(libc, VfsRename, old, new):
        raise CallFailed("VFS_RENAME", result)


async def truncate(libc: Libc, path: str, size: int) -> None:
    address, length = await libc.text(path)
    await libc.syscall(VFS, VfsTruncate(name_=address, len=length, offset=size))


@attrs.frozen
class Case:
    """What is called with which files there; `changes` are the paths that come or go with it."""

    name: str
    files: Mapping[str, FileContents]
    call: Action
    changes: set[str]
    before: Action | None = None


CASES = [
    Case("create", MANY, lambda c: make(c, "/new"), {"/new"}),
    Case("create, and its directory grows", FULL, lambda c: make(c, "/full/n"), {"/full/n"}),
    Case("mkdir", {"/dir/x": b"1"}, lambda c: c.mkdir("/dir/new"), {"/dir/new"}),
    Case("mkdir, and its directory grows", FULL, lambda c: c.mkdir("/full/n"), {"/full/n"}),
    Case(
        "rename", {"/dir/x": b"1", "/y": b"2"}, lambda c: rename(c, "/y", "/dir/y"),
        {"/y", "/dir/y"},
    ),
    Case(
        "rename, and the directory grows", {**FULL, "/y": b"2"},
        lambda c: rename(c, "/y", "/full/y"), {"/y", "/full/y"},
    ),
    Case(
        "rename of a directory", {"/old/dir/x": b"1", "/new/y": b""},
        lambda c: rename(c, "/old/dir", "/new/dir"),
        {"/old/dir", "/old/dir/x", "/new/dir", "/new/dir/x"},
    ),
    Case(
        "rename of a directory over another", {"/old/dir/x": b"1", "/new/dir": directory()},
        lambda c: rename(c, "/old/dir", "/new/dir"),
        {"/old/dir", "/old/dir/x", "/new/dir/x"},
    ),
    Case(
        "rename of a directory to far below", {"/a/b/c/x": b"1", "/dir/x": b""},
        lambda c: rename(c, "/dir", "c/dir"), {"/dir", "/dir/x", "/a/b/c/dir", "/a/b/c/dir/x"},
        lambda c: c.chdir("/a/b"),
    ),
    Case("rmdir", {"/dir": directory()}, lambda c: c.rmdir("/dir"), {"/dir"}),
    Case("unlink", {"/big": INDIRECT}, lambda c: c.unlink("/big"), {"/big"}),
    Case("truncate", {"/big": INDIRECT}, lambda c: truncate(c, "/big", 0), set()),
    Case("truncate a huge one", {"/big": DOUBLE}, lambda c: truncate(c, "/big", SINGLE_END), set()),
]  # fmt: skip


def disk_fails(first: int) -> list[Fault]:
    return [ReplyFault(DISK, request="BDEV_READ", error=EIO, when=When(first, None))]


def memory_fails(first: int, last: int | None) -> list[Fault]:
    return [AllocationFault(when=When(first, last))]


def both_fail(number: int, read: int) -> list[Fault]:
    """MFS gives back its blocks, VM knows of none, and the disk fails."""
    return [
        AllocationFault(when=When(number, number)),
        ReplyFault(VM, request="VM_MAPCACHEPAGE", error=ENOENT, when=When()),
        *disk_fails(read),
    ]


MEMORY = [memory_fails(first, last) for first in range(1, 6) for last in (first + 1, None)]
# Of a file system that has read nothing yet, and of one that knows the files of which it is about.
FAULTS = {
    False: MEMORY + [disk_fails(first) for first in range(1, 7)],
    True: MEMORY + [both_fail(number, read) for number in range(1, 4) for read in range(1, 5)],
}


def begin(case: Case, read: Iterable[str] = ()) -> Site:
    """A machine with the files of a case, some of which somebody has looked up."""
    place = site(memory="16M", sanity="quiet", files=case.files)

    async def before(libc: Libc) -> None:
        await libc.memset(libc.on_stack(20_000), 0, 20_000)  # the caller's own pages are there
        if case.before is not None:
            await case.before(libc)
        for path in read:
            with suppress(CallFailed):  # it may come only later
                await libc.stat(path)
        await libc.sync()

    place.do(before)
    return place


def near(paths: set[str]) -> set[str]:
    """These paths, and those that lead to them."""
    found = set(paths)
    for path in paths:
        found |= {str(each) for each in PurePosixPath(path).parents}
    return found


def on_disk(place: Site) -> set[str]:
    """The paths on the disk after a sync, if what is there is sound."""
    place.do(lambda libc: libc.sync())
    image = image_of(place)
    image.check()
    return set(image.tree())


def image_of(place: Site) -> Image:
    medium = place.system.servers["disk"].controller.medium
    return Image(lambda block: bytes(medium.read(block * BLOCK_SIZE, BLOCK_SIZE)))


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_fails_changes_nothing_and_what_does_not_is_done(case: Case, known: bool) -> None:
    was = on_disk(begin(case))
    seen = set()
    for faults in FAULTS[known]:
        place = begin(case, sorted(near(case.changes or set(case.files))) if known else ())
        armed = [place.system.machine.faults.arm(fault) for fault in faults]
        result = place.fails(case.call)
        place.system.machine.faults.disarm_all()
        assert place.system.servers["mfs"].fs.cache.in_use() == 0, faults
        assert leaked_inodes(place.system) == {}, faults
        assert on_disk(place) == (was if result else was ^ case.changes), faults
        place.check()
        seen.add(result)
        assert result == OK or any(one.fired for one in armed)
    assert seen <= {OK, EIO, ENOMEM}
    assert known or len(seen) > 1, "some fail"


def test_what_cannot_be_freed_does_not_keep_the_rest_from_being_written() -> None:
    place = site(files={"/big": INDIRECT})
    cache = place.system.servers["mfs"].fs.cache
    used = cache.used_blocks
    place.do(lambda libc: make(libc, "/new"))
    place.system.machine.faults.arm(*disk_fails(1))
    place.do(lambda libc: libc.unlink("/big"))
    place.do(lambda libc: libc.sync())
    assert set(image_of(place).tree()) == {"/", "/new"}
    place.system.machine.faults.disarm_all()
    assert on_disk(place) == {"/", "/new"}
    assert cache.used_blocks == used - len(INDIRECT) // BLOCK_SIZE - 1
    place.check()


def forget(place: Site) -> None:
    """MFS gives back its blocks, for the one that has /dir/x, and VM will know of none."""
    faults = place.system.machine.faults
    faults.arm(AllocationFault(when=When(1, 1)))
    faults.arm(ReplyFault(VM, request="VM_MAPCACHEPAGE", error=ENOENT))
    place.do(lambda libc: libc.stat("/dir/x"))


def test_a_way_upwards_that_cannot_be_read_stays_in_nobodys_use() -> None:
    """A directory is moved to below where one is; of what lies above that nothing is known."""
    case = next(case for case in CASES if case.name == "rename of a directory to far below")
    results = []
    for first in range(1, 6):
        place = begin(case)
        faults = place.system.machine.faults
        forget(place)
        faults.arm(*disk_fails(first))
        results.append(place.fails(case.call))
        faults.disarm_all()
        assert leaked_inodes(place.system) == {}
        assert ("/a/b/c/dir/x" in on_disk(place)) == (not results[-1])
        place.check()
    assert results == [EIO, EIO, EIO, EIO, OK]


def test_a_device_that_cannot_be_freed_is_freed_by_sync() -> None:
    """Its first zone is no zone, as long as one knows what it is."""

    async def make_device(libc: Libc) -> None:
        path, length = await libc.text("/null")
        await libc.syscall(
            VFS, VfsMknod(device=0x103, name_=path, len=length, mode=S_IFCHR | 0o666)
        )

    case = Case("unlink of a device", {"/dir/x": b""}, Libc.sync, {"/null"}, make_device)
    pending = 0
    for first in range(1, 6):
        place = begin(case)
        faults = place.system.machine.faults
        forget(place)
        faults.arm(*disk_fails(first))
        result = place.fails(lambda libc: libc.unlink("/null"))
        pending += any(not each.links for each in place.system.servers["mfs"].fs._inodes.values())
        faults.disarm_all()
        assert ("/null" in on_disk(place)) == bool(result)
        place.check()
    assert pending, "some cannot be freed at once"


@pytest.mark.parametrize("used", [False, True])
def test_the_device_number_of_a_fifo_is_no_zone(used: bool) -> None:
    """mknod takes one for any kind of file; a zone with that number is not the FIFO's to free."""
    place = site(memory="16M", sanity="quiet", files={"/f": bytes(5000)})

    async def make_and_unlink(libc: Libc) -> None:
        path, length = await libc.text("/p")
        await libc.syscall(VFS, VfsMknod(device=700, name_=path, len=length, mode=S_IFIFO | 0o666))
        if used:
            reading = await libc.open("/p", O_RDONLY | O_NONBLOCK)
            writing = await libc.open("/p", O_WRONLY | O_NONBLOCK)
            await libc.write(writing, b"through it")
            await libc.close(reading)
            await libc.close(writing)
        await libc.unlink("/p")
        await libc.sync()

    place.do(make_and_unlink)
    place.check()
    assert "/p" not in on_disk(place)
