"""Calls that wait, others that go on meanwhile, and processes that die in between."""

from __future__ import annotations

from typing import Any

import pytest

from ipc.endpoint import VFS
from ipc.errors import EAGAIN, EINTR, EIO, ENXIO, EPIPE
from ipc.flags import (
    MAP_PRIVATE,
    O_ACCMODE,
    O_CLOEXEC,
    O_CREAT,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    PROT_READ,
    PROT_WRITE,
    S_IFIFO,
    SIG_IGN,
)  # fmt: skip
from ipc.signals import SIGKILL, SIGPIPE
from ipc.vfs import VfsMknod
from kernel.hang import report
from kernel.panic import Panic
from servers.disk.latency import Latency
from servers.lib.driven import Command
from servers.lib.libc import CallFailed, Libc
from servers.mfs.mkfs import directory
from tests.servers.site import Site, site

FILES = {"/a": "a" * 9000, "/b": "b" * 9000, "/tmp": directory(0o1777)}


def slow(**options: Any) -> Site:
    """A machine whose disk takes a second for everything, and has read nothing yet."""
    place = site(files=FILES, **options)
    place.system.servers["disk"].controller.latency = Latency(1_000_000_000, 1_000_000_000)
    return place


async def read_a(libc: Libc) -> bytes:
    fd = await libc.open("/a")
    return await libc.read_bytes(fd, 3)


async def map_b(libc: Libc) -> bytes:
    fd = await libc.open("/b")
    start = await libc.mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0)
    return await libc.load(start, 3)


def start(place: Site, action: Any, process: Any = None) -> list[Any]:
    """Begin a command without letting time pass: it stops where it must wait for the disk."""
    outcomes: list[Any] = []
    machine = place.system.machine
    machine.driven.inject(process or place.system.init, Command(action, "test"), outcomes.append)
    machine.run_nowait()
    return outcomes


def test_while_one_waits_for_the_disk_others_go_on() -> None:
    place = slow()
    child = place.fork()
    reading = start(place, read_a)
    assert reading == []
    # VM serves the child at once; VFS takes its call, and has it wait for the file system.
    mapped = start(place, lambda libc: libc.sbrk(8192), child)
    assert len(mapped) == 1
    listing = start(place, map_b, child)
    assert listing == []
    place.system.machine.run_quiet_nowait()
    assert reading[0].value == b"aaa"
    assert listing[0].value == b"bbb"
    place.check()


def test_a_report_of_a_hang_tells_what_workers_wait_for() -> None:
    place = slow()
    child = place.fork()
    start(place, read_a)
    start(place, read_a, child)
    text = str(report(place.system.machine))
    assert "VFS has put aside VFS_OPEN from INIT, waiting for MFS (REQ_LOOKUP)" in text
    assert text.count("VFS has put aside") == 2
    place.system.machine.run_quiet_nowait()
    assert "put aside VFS" not in str(report(place.system.machine))


def test_what_a_worker_raises_stops_the_machine_and_tells_where() -> None:
    place = site(files=FILES)
    place.do(lambda libc: libc.open("/a"))
    fproc = place.system.servers["vfs"].processes.lookup(place.system.init.endpoint)
    fproc.filp(0).vnode.references = 0  # no use of it is known, but there is one
    with pytest.raises(Panic, match="a vnode that is put is in use") as caught:
        place.do(lambda libc: libc.close(0))
    assert (caught.value.process, caught.value.handler) == ("vfs", "do_close")
    assert caught.value.message == "VFS_CLOSE from INIT"
    assert isinstance(caught.value.__cause__, AssertionError)


@pytest.mark.parametrize("action", [read_a, map_b])
def test_a_process_that_is_killed_while_it_waits_for_the_disk(action: Any) -> None:
    place = slow()
    child = place.fork()
    pid = place.system.pid(child)
    waiting = start(place, action, child)
    assert waiting == []
    place.do(lambda libc: libc.kill(pid, SIGKILL))
    waited = place.do(lambda libc: libc.wait())
    assert waited.pid == pid
    place.system.machine.run_quiet_nowait()
    place.check()
    assert place.do(read_a) == b"aaa"


def test_many_readers_share_the_workers() -> None:
    """Twelve processes and nine workers: the calls that find none wait their turn."""
    place = slow()
    children = [place.fork() for _ in range(12)]
    reading = [start(place, read_a, child) for child in children]
    pool = place.system.servers["vfs"].pool
    assert pool.available == 1
    assert pool.pending == 4
    place.system.machine.run_quiet_nowait()
    assert [each[0].value for each in reading] == [b"aaa"] * 12
    assert pool.pending == 0
    assert pool.available == 9
    place.check()


@pytest.mark.parametrize(
    ("quirks", "order"),
    [("vm-awaits-locks", ["INHIBREAD", "WRITE", "PEEK"]), ("none", ["INHIBREAD", "PEEK", "WRITE"])],
)
def test_the_requests_of_a_page_in_and_a_writer(quirks: str, order: list[str]) -> None:
    """With the quirk the page waits for the lock of the file, and who has waited comes first."""
    place = slow(quirks=quirks)
    loading, writing, reading = [place.fork() for _ in range(3)]

    async def map_two(libc: Libc) -> int:
        return await libc.mmap(0, 8192, PROT_READ, MAP_PRIVATE, await libc.open("/b"), 0)

    base = place.do(map_two, loading)
    fd = place.do(lambda libc: libc.open("/b", O_RDWR), writing)
    start(place, read_a, reading)  # keeps the file system busy
    place.heard()
    start(place, lambda libc: libc.load(base + 4096, 3), loading)
    start(place, lambda libc: libc.write(fd, b"ccc"), writing)
    place.system.machine.run_quiet_nowait()
    asked = [line.split("(")[0] for line in place.heard("VFS", "MFS") if line.startswith("VFS")]
    wanted = [f"VFS -> MFS: REQ_{name}" for name in order]
    assert [line for line in asked if line in wanted] == wanted
    place.check()


@pytest.mark.parametrize("writing", [False, True])
def test_a_file_and_a_mapping_of_it_meet(writing: bool) -> None:
    place = site(files=FILES)

    async def meet(libc: Libc) -> int:
        fd = await libc.open("/b", O_RDWR)
        page = await libc.mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) + 4096
        return await (libc.write if writing else libc.read)(fd, page, 100)

    assert place.do(meet) == 100
    place.check()


def test_what_vm_asks_waits_for_nobody_who_waits_for_vm() -> None:
    """One writes a file from a page that is still to come; others map it, and unmap it."""
    place = slow()
    writing, mapping, unmapping = [place.fork() for _ in range(3)]

    async def map_it(libc: Libc, name: str = "/a") -> int:
        fd = await libc.open(name, O_RDWR)
        start = await libc.mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0)
        await libc.close(fd)
        return start

    source = place.do(lambda libc: map_it(libc, "/b"), writing)
    mapped = place.do(map_it, unmapping)
    fd = place.do(lambda libc: libc.open("/a", O_RDWR), writing)
    calls = [
        start(place, lambda libc: libc.write(fd, source, 3), writing),
        start(place, lambda libc: libc.munmap(mapped, 4096), unmapping),
        start(place, map_it, mapping),
    ]
    place.system.machine.run_quiet_nowait()
    assert all(calls), "somebody waits for ever"
    assert place.do(read_a) == b"bbb"
    place.check()


def test_writers_to_one_file_do_not_mix() -> None:
    place = slow()
    place.do(lambda libc: libc.creat("/tmp/f", 0o666))
    children = [place.fork() for _ in range(4)]

    def writer(letter: bytes) -> Any:
        async def action(libc: Libc) -> None:
            fd = await libc.open("/tmp/f", O_RDWR)
            await libc.write(fd, letter * 10_000)

        return action

    for letter, child in zip((b"w", b"x", b"y", b"z"), children, strict=True):
        start(place, writer(letter), child)
    place.system.machine.run_quiet_nowait()

    async def read_back(libc: Libc) -> bytes:
        fd = await libc.open("/tmp/f")
        return await libc.read_bytes(fd, 20_000)

    data = place.do(read_back)
    assert len(data) == 10_000
    assert len(set(data)) == 1
    place.check()


def test_a_pipe_from_end_to_end() -> None:
    place = site(files=FILES)
    place.do(lambda libc: libc.pipe())
    child = place.fork()
    place.do(lambda libc: libc.close(1), child)
    data = bytes(range(256)) * 400  # three times what a pipe holds
    writing = place.begin(lambda libc: libc.write(1, data))
    assert writing == []
    got = b""
    while len(got) < len(data):
        got += place.do(lambda libc: libc.read_bytes(0, 20_000), child)
    assert got == data
    assert writing[0].value == len(data)
    place.do(lambda libc: libc.close(1))
    assert place.do(lambda libc: libc.read_bytes(0, 10), child) == b""
    place.check()


def test_writing_where_nobody_reads() -> None:
    place = site(files=FILES)
    child = place.fork()
    place.do(lambda libc: libc.pipe(), child)
    place.do(lambda libc: libc.close(0), child)
    pid = place.system.pid(child)
    place.begin(lambda libc: libc.write(1, b"x"), child)
    waited = place.do(lambda libc: libc.wait())
    assert (waited.pid, waited.word & 0x7F) == (pid, SIGPIPE)
    place.check()


def test_writing_where_nobody_reads_with_the_signal_ignored() -> None:
    place = site(files=FILES)

    async def action(libc: Libc) -> int:
        await libc.signal(SIGPIPE, SIG_IGN)
        await libc.pipe()
        await libc.close(0)
        return await libc.write(1, b"x")

    assert place.fails(action) == EPIPE


@pytest.mark.parametrize(("fill", "action", "errno"), [
    (0, lambda libc: libc.read_bytes(0, 1), EAGAIN),
    (32768, lambda libc: libc.write(1, b"x"), EAGAIN),
])  # fmt: skip
def test_pipes_that_do_not_wait(fill: int, action: Any, errno: int) -> None:
    place = site(files=FILES)
    place.do(lambda libc: libc.pipe())
    place.do(lambda libc: libc.fcntl(0, 4, O_NONBLOCK))
    place.do(lambda libc: libc.fcntl(1, 4, O_NONBLOCK))
    if fill:
        assert place.do(lambda libc: libc.write(1, bytes(fill))) == fill
    assert place.fails(action) == errno


def test_a_signal_ends_a_wait_for_a_pipe() -> None:
    place = site(files=FILES)
    place.do(lambda libc: libc.pipe())
    child = place.fork()
    pid = place.system.pid(child)

    async def catch(libc: Libc) -> None:
        async def handler(_inner: Libc, _signal: int) -> None:
            return None

        await libc.signal(15, handler)

    place.do(catch, child)
    reading = place.begin(lambda libc: libc.read_bytes(0, 1), child)
    assert reading == []
    place.do(lambda libc: libc.kill(pid, 15))
    place.system.machine.run_quiet_nowait()
    assert reading[0].error.errno == EINTR
    place.check()


async def with_a_fifo(libc: Libc) -> None:
    async def handler(_inner: Libc, _signal: int) -> None:
        return None

    name, length = await libc.text("/fifo")
    await libc.syscall(VFS, VfsMknod(0, name, length, S_IFIFO | 0o666))
    await libc.signal(15, handler)


@pytest.mark.parametrize("flags", [O_RDONLY, O_WRONLY, O_RDONLY | O_CLOEXEC])
def test_an_interrupted_open_of_a_fifo_leaves_nothing_open(flags: int) -> None:
    place = site(files=FILES)
    other = O_WRONLY if flags & O_ACCMODE == O_RDONLY else O_RDONLY

    place.do(with_a_fifo)
    child = place.fork()
    vnodes = len(place.system.servers["vfs"].vnodes.all())
    for _ in range(3):
        opening = place.begin(lambda libc: libc.open("/fifo", flags), child)
        assert opening == []
        place.do(lambda libc: libc.kill(place.system.pid(child), 15))
        place.system.machine.run_quiet_nowait()
        assert opening[0].error.errno == EINTR
        place.check()
    assert len(place.system.servers["vfs"].vnodes.all()) == vnodes
    errno = ENXIO if other == O_WRONLY else 0
    assert place.fails(lambda libc: libc.open("/fifo", other | O_NONBLOCK)) == errno
    assert place.do(lambda libc: libc.open("/a"), child) == 0


def test_a_fifo_whose_opening_was_interrupted_can_be_opened() -> None:
    place = site(files=FILES)

    place.do(with_a_fifo)
    reader, writer = place.fork(), place.fork()
    reading = place.begin(lambda libc: libc.open("/fifo", O_RDONLY), reader)
    place.do(lambda libc: libc.kill(place.system.pid(reader), 15))
    writing = place.begin(lambda libc: libc.open("/fifo", O_WRONLY), writer)
    again = place.begin(lambda libc: libc.open("/fifo", O_RDONLY), reader)
    place.system.machine.run_quiet_nowait()
    assert reading[0].error.errno == EINTR
    assert (again[0].value, writing[0].value) == (0, 0)
    place.do(lambda libc: libc.write(0, b"through"), writer)
    assert place.do(lambda libc: libc.read_bytes(0, 10), reader) == b"through"
    place.check()


def test_a_disk_that_fails() -> None:
    """The reader gets EIO, and nobody else is hurt; MFS tries five times before it gives up."""
    place = site(files=FILES)
    place.do(lambda libc: libc.open("/a"))
    faults = place.system.servers["disk"].controller.faults
    faults.fail(1, times=100)
    assert place.fails(lambda libc: libc.read_bytes(0, 1)) == EIO
    faults.doomed.clear()
    assert place.do(lambda libc: libc.read_bytes(0, 1)) == b"a"
    place.check()


def test_a_disk_that_fails_now_and_then_is_not_noticed() -> None:
    place = site(files=FILES)
    place.do(lambda libc: libc.open("/a"))
    place.system.servers["disk"].controller.faults.fail(1, times=4)
    assert place.do(lambda libc: libc.read_bytes(0, 1)) == b"a"
    place.check()


def test_a_page_that_cannot_be_read_is_a_signal() -> None:
    place = site(files=FILES)
    child = place.fork()
    pid = place.system.pid(child)
    place.do(lambda libc: libc.open("/a"), child)
    start_address = place.do(lambda libc: libc.mmap(0, 4096, PROT_READ, MAP_PRIVATE, 0, 0), child)
    place.system.servers["disk"].controller.faults.fail(1, times=100)
    place.begin(lambda libc: libc.load(start_address, 1), child)
    waited = place.do(lambda libc: libc.wait())
    assert (waited.pid, waited.word & 0x7F) == (pid, 11)
    place.check()


def test_a_full_disk() -> None:
    place = site(files=FILES)
    fs = place.system.servers["mfs"].fs
    free = fs.superblock.zones - fs.cache.used_blocks

    async def fill(libc: Libc) -> int:
        fd = await libc.open("/tmp/f", O_CREAT | O_RDWR, 0o600)
        buffer = await libc.mmap(0, 1 << 20, 3, 0x1002, -1, 0)
        with pytest.raises(CallFailed, match="ENOSPC"):
            while True:
                await libc.write(fd, buffer, 1 << 20)
        return fd

    place.do(fill)
    assert fs.superblock.zones - fs.cache.used_blocks < 3 < free
    place.do(lambda libc: libc.unlink("/tmp/f"))
    place.do(lambda libc: libc.close(0))
    assert fs.superblock.zones - fs.cache.used_blocks == free
    place.check()
