"""What users' calls to VFS do, and the errors they get: the numbers that the real system gives."""

from __future__ import annotations

from typing import Any

import pytest

from ipc.endpoint import VFS
from ipc.errors import (
    EACCES,
    EAGAIN,
    EBADF,
    EEXIST,
    EFAULT,
    EINVAL,
    EISDIR,
    ELOOP,
    EMFILE,
    ENAMETOOLONG,
    ENOENT,
    ENOSYS,
    ENOTDIR,
    ENOTEMPTY,
    EPERM,
    ESPIPE,
)
from ipc.flags import (
    O_APPEND,
    O_CREAT,
    O_EXCL,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
    SEEK_CUR,
    SEEK_END,
    SEEK_SET,
)
from ipc.message import Message, RawMessage
from ipc.vfs import (
    VfsGetdents,
    VfsIoctl,
    VfsLink,
    VfsMkdir,
    VfsMknod,
    VfsOpen,
    VfsReadlink,
    VfsRename,
    VfsStat,
    VfsSymlink,
    VfsTruncate,
    VfsUmask,
    VfsVmcall,
)
from servers.lib.fsdriver.dirents import decode_dirents
from servers.lib.libc import Libc
from servers.mfs.mkfs import directory, file_of
from tests.servers.site import Action, Site, site
from tests.servers.systems import failure

FILES = {
    "/etc/passwd": file_of(b"root:x:0:0\n", 0o644),
    "/etc/shadow": file_of(b"secret", 0o600),
    "/bin/run": file_of(b"#!", 0o755),
    "/mine": file_of(b"of 7", 0o640, 7, 8),
    "/private/x": file_of(b"hidden", 0o644),
    "/private": directory(0o700),
    "/tmp": directory(0o1777),
}
LONG_NAME = "n" * 513
LONG_PATH = "/" + "p/" * 600


@pytest.fixture
def place() -> Site:
    return site(files=FILES)


async def call(libc: Libc, request: Message) -> Any:
    return await libc.syscall(VFS, request)


async def names(libc: Libc, kind: Any, first: str, second: str) -> int:
    one, length_one = await libc.text(first)
    two, length_two = await libc.text(second, above=one)
    answer = await call(libc, kind(name1=one, name2=two, len1=length_one, len2=length_two))
    return int(answer.type)


async def readlink(libc: Libc, name: str) -> bytes:
    address, length = await libc.text(name)
    buffer = libc.on_stack(100, above=address)
    request = VfsReadlink(name_=address, namelen=length, buf=buffer, bufsize=100)
    return await libc.load(buffer, (await call(libc, request)).type)


async def listing(libc: Libc, name: str, room: int = 512) -> list[str]:
    fd = await libc.open(name)
    found = []
    buffer = libc.on_stack(room)
    await libc.store(buffer, bytes(room))
    while count := (await call(libc, VfsGetdents(fd, buffer, room))).type:
        entries = decode_dirents(await libc.load(buffer, count))
        found += [entry.name.decode() for entry in entries]
    await libc.close(fd)
    return found


async def as_user(libc: Libc) -> None:
    await libc.setgid(8)
    await libc.setuid(7)


def user(action: Action) -> Action:
    """The action as an ordinary user does it."""

    async def changed(libc: Libc) -> Any:
        await as_user(libc)
        return await action(libc)

    return changed


ERRORS: list[tuple[str, Action, int]] = [
    ("nothing there", lambda c: c.open("/nope"), ENOENT),
    ("no directory on the way", lambda c: c.open("/nope/x"), ENOENT),
    ("a file on the way", lambda c: c.open("/etc/passwd/x"), ENOTDIR),
    ("an empty path", lambda c: c.open(""), ENOENT),
    ("a long name", lambda c: c.open("/" + LONG_NAME), ENAMETOOLONG),
    ("a long name, made", lambda c: c.open(LONG_NAME, O_CREAT | O_RDWR), ENAMETOOLONG),
    ("a long path", lambda c: c.open(LONG_PATH), ENAMETOOLONG),
    ("a directory to write", lambda c: c.open("/etc", O_WRONLY), EISDIR),
    ("neither reading nor writing", lambda c: c.open("/etc/passwd", 3), EINVAL),
    ("made although there", lambda c: c.open("/etc/passwd", O_CREAT | O_EXCL | O_RDWR), EEXIST),
    ("a path from nowhere", lambda c: call(c, VfsOpen(0x70000000, 50)), EINVAL),
    ("a path without its zero", lambda c: call(c, VfsOpen(0, 3, buf=b"/etc")), ENAMETOOLONG),
    ("a path of no bytes", lambda c: call(c, VfsMkdir(0, 0)), EINVAL),
    ("open that wants to create", lambda c: call(c, VfsOpen(0, 2, O_CREAT, buf=b"/")), EINVAL),
    ("close of nothing", lambda c: c.close(0), EBADF),
    ("close of what cannot be", lambda c: c.close(-1), EBADF),
    ("close beyond the table", lambda c: c.close(255), EBADF),
    ("read of nothing", lambda c: c.read(3, c.on_stack(4), 4), EBADF),
    ("stat of nothing", lambda c: c.stat("/nope"), ENOENT),
    ("stat from nowhere", lambda c: call(c, VfsStat(10, 0x70000000, 0)), EINVAL),
    ("stat to nowhere", lambda c: c.stat("/etc/passwd", 0x70000000), EFAULT),
    ("access that is not known", lambda c: c.access("/etc", 8), EINVAL),
    ("execute without permission", lambda c: c.access("/etc/passwd", 1), EACCES),
    ("mkdir again", lambda c: c.mkdir("/etc"), EEXIST),
    ("mkdir of a dot", lambda c: c.mkdir("/tmp/."), EEXIST),
    ("rmdir of a file", lambda c: c.rmdir("/etc/passwd"), ENOTDIR),
    ("rmdir of what is not empty", lambda c: c.rmdir("/etc"), ENOTEMPTY),
    ("rmdir of a dot", lambda c: c.rmdir("/tmp/."), EINVAL),
    ("rmdir of two dots", lambda c: c.rmdir("/tmp/.."), ENOTEMPTY),
    ("unlink of a directory", lambda c: c.unlink("/etc"), EPERM),
    ("unlink of nothing", lambda c: c.unlink("/nope"), ENOENT),
    ("chdir to a file", lambda c: c.chdir("/etc/passwd"), ENOTDIR),
    ("link to a directory", lambda c: names(c, VfsLink, "/etc", "/tmp/x"), EPERM),
    ("link over a file", lambda c: names(c, VfsLink, "/bin/run", "/etc/passwd"), EEXIST),
    ("link to the directory of the name", lambda c: names(c, VfsLink, "/", "/x"), EPERM),
    ("link to where one is", lambda c: names(c, VfsLink, ".", "y"), EPERM),
    ("link to a file below itself", lambda c: names(c, VfsLink, "/bin/run", "/bin/run/x"), ENOTDIR),
    ("the same, not to be searched", lambda c: names(c, VfsLink, "/mine", "/mine/x"), EACCES),
    ("rename of nothing", lambda c: names(c, VfsRename, "/nope", "/tmp/x"), ENOENT),
    ("rename below itself", lambda c: names(c, VfsRename, "/etc", "/etc/x"), EINVAL),
    ("rename of a directory over a file", lambda c: names(c, VfsRename, "/etc", "/mine"), ENOTDIR),
    ("rename of a file over a directory", lambda c: names(c, VfsRename, "/mine", "/etc"), EISDIR),
    ("symlink to nothing at all", lambda c: names(c, VfsSymlink, "", "/tmp/x"), ENOENT),
    ("symlink over a file", lambda c: names(c, VfsSymlink, "/x", "/etc/passwd"), EEXIST),
    ("readlink of a file", lambda c: readlink(c, "/etc/passwd"), EINVAL),
    ("ioctl", lambda c: call(c, VfsIoctl(0, 1, 2)), ENOSYS),
    ("a number in VFS's range", lambda c: call(c, RawMessage(0x1F0)), ENOSYS),
    ("a number that looks like an answer", lambda c: call(c, RawMessage(0x00050B01)), ENOSYS),
    ("what only VM asks", lambda c: call(c, VfsVmcall(req=101, endpoint=11)), ENOSYS),
    ("another's secret", user(lambda c: c.open("/etc/shadow")), EACCES),
    ("writing what others own", user(lambda c: c.open("/etc/passwd", O_RDWR)), EACCES),
    ("making where one may not", user(lambda c: c.open("/new", O_CREAT | O_RDWR)), EACCES),
    ("through a closed directory", user(lambda c: c.open("/private/x")), EACCES),
    ("removing what others own", user(lambda c: c.unlink("/etc/passwd")), EACCES),
    ("chmod of what others own", user(lambda c: c.chmod("/etc/passwd", 0o777)), EPERM),
    ("own file", user(lambda c: c.open("/mine", O_RDWR)), 0),
    ("execute what one may", user(lambda c: c.access("/bin/run", 5)), 0),
]  # fmt: skip


@pytest.mark.parametrize(("action", "errno"), [case[1:] for case in ERRORS],
                         ids=[case[0] for case in ERRORS])  # fmt: skip
def test_errors(place: Site, action: Action, errno: int) -> None:
    assert place.fails(action) == errno
    place.check()


async def a_file(libc: Libc, flags: int = O_RDWR) -> int:
    fd = await libc.open("/tmp/f", O_CREAT | O_RDWR, 0o644)
    await libc.write(fd, b"0123456789")
    await libc.close(fd)
    return await libc.open("/tmp/f", flags)


async def offsets_are_shared_by_dup(libc: Libc) -> list[Any]:
    fd = await a_file(libc)
    other = await libc.dup(fd)
    first = await libc.read_bytes(fd, 3)
    second = await libc.read_bytes(other, 3)
    await libc.close(fd)
    return [other - fd, first, second, await libc.lseek(other, 0, SEEK_CUR)]


async def offsets_are_not_shared_by_open(libc: Libc) -> list[Any]:
    fd = await a_file(libc)
    other = await libc.open("/tmp/f")
    await libc.read_bytes(fd, 3)
    return [await libc.read_bytes(other, 2), await libc.lseek(fd, 0, SEEK_CUR)]


async def seeking(libc: Libc) -> list[Any]:
    fd = await a_file(libc)
    return [
        await libc.lseek(fd, 4, SEEK_SET), await libc.read_bytes(fd, 2),
        await libc.lseek(fd, -1, SEEK_CUR), await libc.read_bytes(fd, 2),
        await libc.lseek(fd, -2, SEEK_END), await libc.read_bytes(fd, 9),
        await libc.lseek(fd, 100, SEEK_SET), await libc.read_bytes(fd, 9),
    ]  # fmt: skip


async def appending(libc: Libc) -> list[Any]:
    fd = await a_file(libc, O_WRONLY | O_APPEND)
    await libc.lseek(fd, 0, SEEK_SET)
    await libc.write(fd, b"abc")
    other = await libc.open("/tmp/f")
    return [await libc.lseek(fd, 0, SEEK_CUR), await libc.read_bytes(other, 20)]


async def truncating(libc: Libc) -> list[Any]:
    fd = await a_file(libc)
    await libc.ftruncate(fd, 4)
    short = await libc.read_bytes(fd, 20)
    await libc.ftruncate(fd, 6)
    longer = await libc.read_bytes(fd, 20)
    await libc.close(await libc.open("/tmp/f", O_RDWR | O_TRUNC))
    return [short, longer, (await libc.fstat(fd)).st_size]


async def holes_are_zeros(libc: Libc) -> list[Any]:
    fd = await libc.open("/tmp/hole", O_CREAT | O_RDWR, 0o600)
    await libc.lseek(fd, 20_000, SEEK_SET)
    await libc.write(fd, b"end")
    await libc.lseek(fd, 8190, SEEK_SET)
    return [await libc.read_bytes(fd, 4), (await libc.fstat(fd)).st_size]


async def a_sticky_directory(libc: Libc) -> list[Any]:
    await libc.close(await libc.open("/tmp/roots", O_CREAT | O_RDWR, 0o666))
    await as_user(libc)
    await libc.close(await libc.open("/tmp/mine", O_CREAT | O_RDWR, 0o666))
    await libc.unlink("/tmp/mine")
    try:
        await libc.unlink("/tmp/roots")
    except Exception as failure:
        return [getattr(failure, "errno", failure)]
    return []


async def the_mask(libc: Libc) -> list[Any]:
    old = (await call(libc, VfsUmask(0o027))).type
    await libc.close(await libc.open("/tmp/f", O_CREAT | O_RDWR, 0o666))
    await libc.mkdir("/tmp/d", 0o777)
    modes = [(await libc.stat(name)).st_mode & 0o777 for name in ("/tmp/f", "/tmp/d")]
    return [old, *modes, (await call(libc, VfsUmask(0))).type]


async def links_are_followed(libc: Libc) -> list[Any]:
    await names(libc, VfsSymlink, "../etc", "/tmp/e")
    await names(libc, VfsSymlink, "/tmp/e/passwd", "/tmp/p")
    fd = await libc.open("/tmp/p")
    link = await libc.lstat("/tmp/p")
    return [
        await libc.read_bytes(fd, 4), await readlink(libc, "/tmp/p"), link.st_mode >> 12,
        (await libc.stat("/tmp/p")).st_ino == (await libc.stat("/etc/passwd")).st_ino,
    ]  # fmt: skip


async def a_dangling_link_names_what_is_made(libc: Libc) -> list[Any]:
    await names(libc, VfsSymlink, "made", "/tmp/short")
    await names(libc, VfsSymlink, "/tmp/far", "/tmp/long")
    fd = await libc.open("/tmp/short", O_CREAT | O_RDWR, 0o600)
    await libc.write(fd, b"x")
    await libc.open("/tmp/long", O_CREAT | O_RDWR, 0o600)
    return [(await libc.stat("/tmp/made")).st_size, (await libc.stat("/tmp/far")).st_size]


async def links_in_a_circle(libc: Libc) -> list[Any]:
    errors = []
    for target, name in (("/tmp/a", "/tmp/a"), ("b", "/tmp/b"), ("/tmp/d", "/tmp/c"),
                         ("/tmp/c", "/tmp/d")):  # fmt: skip
        await names(libc, VfsSymlink, target, name)
    for name in ("/tmp/a", "/tmp/b", "/tmp/c"):
        for flags in (O_RDONLY, O_CREAT | O_RDWR):
            try:
                await libc.open(name, flags)
            except Exception as failure:
                errors.append(getattr(failure, "errno", failure))
    return errors


async def directories_are_listed(libc: Libc) -> list[Any]:
    await libc.mkdir("/tmp/d")
    for index in range(70):
        await libc.close(await libc.open(f"/tmp/d/{index}", O_CREAT | O_RDWR, 0o600))
    for index in range(0, 70, 2):
        await libc.unlink(f"/tmp/d/{index}")
    found = await listing(libc, "/tmp/d", 300)
    return [len(found), sorted(found)[:4], (await libc.stat("/tmp/d")).st_nlink]


async def where_one_is(libc: Libc) -> list[Any]:
    await libc.chdir("/etc")
    here = (await libc.stat("passwd")).st_size
    await libc.chdir("..")
    return [here, (await libc.stat("etc/../../etc/./passwd")).st_size]


async def all_descriptors(libc: Libc) -> list[Any]:
    fd = await libc.open("/etc/passwd")
    count = 1
    try:
        while True:
            await libc.dup(fd)
            count += 1
    except Exception as failure:
        return [count, getattr(failure, "errno", failure)]


async def a_pipe_is_not_cut(libc: Libc) -> list[Any]:
    path, length = await libc.text("/tmp/p")
    await call(libc, VfsMknod(name_=path, len=length, mode=0o010666))
    reader = await libc.open("/tmp/p", O_RDONLY | O_NONBLOCK)
    writer = await libc.open("/tmp/p", O_WRONLY)
    await libc.write(writer, b"data")
    results = []
    for size in (0, 4, 40_000):
        path, length = await libc.text("/tmp/p")
        request = VfsTruncate(name_=path, len=length, offset=size)
        results += [await failure(call(libc, request)), await failure(libc.ftruncate(writer, size))]
    return [*results, await libc.read_bytes(reader, 10), await failure(libc.read(reader, 0, 1))]


async def no_seeking_in_pipes(libc: Libc) -> list[Any]:
    fd, _ = await libc.pipe()
    try:
        await libc.lseek(fd, 0, SEEK_SET)
    except Exception as failure:
        return [getattr(failure, "errno", failure)]
    return []


BEHAVIOUR: list[tuple[Action, list[Any]]] = [
    (offsets_are_shared_by_dup, [1, b"012", b"345", 6]),
    (offsets_are_not_shared_by_open, [b"01", 3]),
    (seeking, [4, b"45", 5, b"56", 8, b"89", 100, b""]),
    (appending, [13, b"0123456789abc"]),
    (truncating, [b"0123", b"\0\0", 0]),
    (holes_are_zeros, [b"\0\0\0\0", 20_003]),
    (a_sticky_directory, [EPERM]),
    (the_mask, [0, 0o640, 0o750, 0o027]),
    (links_are_followed, [b"root", b"/tmp/e/passwd", 0o12, True]),
    (a_dangling_link_names_what_is_made, [1, 0]),
    (links_in_a_circle, [ELOOP] * 6),
    (directories_are_listed, [37, [".", "..", "1", "11"], 2]),
    (where_one_is, [11, 11]),
    (all_descriptors, [255, EMFILE]),
    (a_pipe_is_not_cut, [EINVAL] * 6 + [b"data", EAGAIN]),
    (no_seeking_in_pipes, [ESPIPE]),
]


@pytest.mark.parametrize(("action", "expected"), BEHAVIOUR,
                         ids=[case[0].__name__ for case in BEHAVIOUR])  # fmt: skip
def test_behaviour(place: Site, action: Action, expected: list[Any]) -> None:
    assert place.do(action) == expected
    place.check()
