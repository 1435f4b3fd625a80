"""The C library: the messages that it builds, and what it does without asking anybody."""

from __future__ import annotations

from typing import Any

import pytest

from ipc.endpoint import SELF, VFS, VM, endpoint_name
from ipc.errors import EBADF, EINVAL, ENOENT, ENOMEM, ENOSYS, EPERM, ETRAPDENIED
from ipc.flags import MAP_ANON, MAP_FIXED, MAP_PRIVATE, O_CREAT, O_RDWR, PROT_READ, SEEK_END
from ipc.message import Message, RawMessage
from ipc.pm import PmGetpid, PmWait4
from ipc.vfs import VfsCreat, VfsOpen, VfsRead, VfsStat
from ipc.vm import VmBrk, VmMmap, VmMunmap
from kernel.probes import MessageSent, PageFaulted
from servers.lib.layout import DATA_END, STACK_TOP
from servers.lib.libc import CallFailed, Libc, Waited
from servers.lib.libc.results import Stat
from tests.servers.systems import Action, booted, failure, tell


def sent(action: Action) -> list[tuple[str, Message]]:
    """What INIT sends while it does something, and to whom; failures are its own business."""
    system = booted(files={"/f": b"0123456789"})
    messages: list[tuple[str, Message]] = []

    def listen(event: Any) -> None:
        mine = isinstance(event, MessageSent) and event.source == system.init.endpoint
        if mine and not event.from_kernel:
            messages.append((endpoint_name(event.dest), event.message))

    system.machine.probes.listen(listen)

    async def attempt(libc: Libc) -> None:
        await failure(action(libc))

    tell(system, attempt)
    return messages


ANON = MAP_ANON | MAP_PRIVATE
STACK = STACK_TOP - 4096

MESSAGES: list[tuple[Action, list[tuple[str, Message]]]] = [
    (
        lambda libc: libc.mmap(length=8192),
        [("VM", VmMmap(0, 0, 8192, 3, ANON, -1, SELF))],
    ),
    (
        lambda libc: libc.mmap(0x5000, 1, PROT_READ, ANON | MAP_FIXED, 7, 4096),
        [("VM", VmMmap(4096, 0x5000, 1, 1, ANON | MAP_FIXED, 7, SELF))],
    ),
    (lambda libc: libc.mmap(length=-4096), [("VM", VmMmap(0, 0, 2**32 - 4096, 3, ANON, -1, SELF))]),
    (lambda libc: libc.munmap(0x5000, 10), [("VM", VmMunmap(0x5000, 10))]),
    (lambda libc: libc.brk(DATA_END), []),
    (lambda libc: libc.sbrk(0), []),
    (lambda libc: libc.sbrk(100), [("VM", VmBrk(DATA_END + 100))]),
    (lambda libc: libc.getpid(), [("PM", PmGetpid())]),
    (lambda libc: libc.getppid(), [("PM", PmGetpid())]),
    (lambda libc: libc.waitpid(77, 1), [("PM", PmWait4(77, 1, 0))]),
    (lambda libc: libc.open("/f"), [("VFS", VfsOpen(STACK - 16, 3, 0, 0, b"/f"))]),
    (
        lambda libc: libc.open("/" + "x" * 38),
        [("VFS", VfsOpen(STACK - 48, 40, 0, 0, b"/" + b"x" * 38))],
    ),
    # Longer than a message can hold: only the address goes.
    (lambda libc: libc.open("/" + "x" * 39), [("VFS", VfsOpen(STACK - 48, 41, 0, 0, b""))]),
    (
        lambda libc: libc.open("/g", O_CREAT | O_RDWR, 0o600),
        [("VFS", VfsCreat(STACK - 16, 3, O_CREAT | O_RDWR, 0o600))],
    ),
    (lambda libc: libc.read(9, 0x5000, 7), [("VFS", VfsRead(9, 0x5000, 7))]),
    (lambda libc: libc.stat("/f"), [("VFS", VfsStat(3, STACK - 16, STACK - 144))]),
]


@pytest.mark.parametrize(
    ("action", "expected"), MESSAGES, ids=lambda each: "call" if callable(each) else str(each)[:70]
)
def test_messages(action: Action, expected: list[tuple[str, Message]]) -> None:
    assert sent(action) == expected


def test_the_heap() -> None:
    async def grow(libc: Libc) -> list[Any]:
        end = await libc.sbrk(5000)
        await libc.store(end, b"heap")
        again = await libc.sbrk(-5000)
        refused = [
            await failure(libc.sbrk(-(2**31))),
            await failure(libc.sbrk(2**32)),
        ]
        return [end, again, await libc.sbrk(0), refused]

    end, again, now, refused = tell(booted(), grow)
    assert (end, again, now) == (DATA_END, DATA_END + 5000, DATA_END)
    assert refused == [ENOMEM, ENOMEM]


def test_a_short_path_does_not_touch_the_stack_and_a_long_one_does() -> None:
    def faults(name: str) -> int:
        system = booted()
        count = 0

        def listen(event: Any) -> None:
            nonlocal count
            if isinstance(event, PageFaulted) and event.process == system.init.endpoint:
                count += 1

        system.machine.probes.listen(listen)
        assert tell(system, lambda libc: _code(libc.open(name))) == ENOENT
        return count

    assert (faults("/short"), faults("/" + "long" * 20)) == (0, 1)


async def _code(call: Any) -> int:
    return await failure(call)


def test_files() -> None:
    async def work(libc: Libc) -> list[Any]:
        fd = await libc.open("/f", O_RDWR)
        seen: list[Any] = [await libc.read_bytes(fd, 4), await libc.lseek(fd, -3, SEEK_END)]
        seen.append(await libc.read_bytes(fd, 100))
        seen.append(await libc.read_bytes(fd, 100))
        seen.append(await libc.write(fd, b"more"))
        seen.append((await libc.fstat(fd)).st_size)
        other = await libc.dup(fd)
        seen.append(await libc.lseek(other, 0))
        seen.append(await libc.read_bytes(fd, 20))
        seen.append([await libc.close(fd), await failure(libc.close(fd))])
        seen.append(await failure(libc.dup2(fd, 1)))
        seen.append(await failure(libc.dup2(other, 999)))
        seen.append(await libc.dup2(other, 9))
        seen.append(await libc.dup2(9, 9))
        return seen

    assert tell(booted(files={"/f": b"0123456789"}), work) == [
        b"0123", 7, b"789", b"", 4, 14, 0, b"0123456789more", [0, EBADF], EBADF, EBADF, 9, 9,
    ]  # fmt: skip


def test_directories() -> None:
    async def work(libc: Libc) -> list[Any]:
        await libc.mkdir("/d")
        await libc.chdir("/d")
        fd = await libc.creat("f", 0o640)
        await libc.write(fd, "text")
        await libc.close(fd)
        found = await libc.stat("/d/f")
        await libc.chmod("f", 0o600)
        changed = await libc.stat("f")
        seen = [found.st_size, found.st_mode & 0o777, changed.st_mode & 0o777]
        seen.append(await failure(libc.rmdir("/d")) != 0)
        await libc.unlink("f")
        await libc.chdir("/")
        await libc.rmdir("/d")
        seen.append(await failure(libc.access("/d")))
        return seen

    assert tell(booted(), work) == [4, 0o640, 0o600, True, ENOENT]


def test_users_may_only_ask() -> None:
    async def attempt(libc: Libc) -> list[int]:
        message = RawMessage(1)
        return [
            await failure(libc.send(VM, message)),
            await failure(libc.receive()),
            await failure(libc.notify(VM)),
            await failure(libc.sendnb(VM, message)),
            await failure(libc.senda([(VM, message)])),
            (await libc.sendrec(VFS, message)).type,
        ]

    # MINIX looks at the right to SENDA elsewhere, and says so otherwise.
    assert tell(booted(), attempt) == [ETRAPDENIED] * 4 + [EPERM, ENOSYS]


@pytest.mark.parametrize(
    ("word", "status", "signal", "core"),
    [
        (3 << 8, 3, 0, False),
        (-256, 255, 0, False),
        (11, 0, 11, False),
        (-117, 0, 11, True),
        (0, 0, 0, False),
    ],
)
def test_how_a_child_ended(word: int, status: int, signal: int, core: bool) -> None:
    news = Waited(5, word)
    assert (news.status, news.signal, news.core) == (status, signal, core)


@pytest.mark.parametrize("status", [0, 1, 127, 128, 255, 256, -1])
def test_exit_statuses_have_eight_bits(status: int) -> None:
    async def fork(libc: Libc) -> int:
        async def leave(_libc: Libc) -> int:
            return status

        await libc.fork(leave)
        return (await libc.wait()).status

    assert tell(booted(), fork) == status & 0xFF


def test_bad_fields_of_calls_are_errors_not_accidents() -> None:
    async def attempt(libc: Libc) -> list[int]:
        return [
            await failure(libc.kill(2**40 + 1, 0)),
            await failure(libc.read(2**33, -1, 2**40)),
            await failure(libc.mmap(length=0)),
        ]

    assert tell(booted(), attempt) == [0, EBADF, EINVAL]


def test_a_stat_has_the_size_of_minixs() -> None:
    assert Stat.unpack(bytes(124)).st_size == 0


def test_a_program_that_raises_ends_with_a_signal_and_the_machine_goes_on() -> None:
    async def broken(_libc: Libc) -> None:
        raise KeyError("mine")

    async def fork(libc: Libc) -> Waited:
        await libc.fork(broken)
        return await libc.wait()

    system = booted()
    news = tell(system, fork)
    assert news.signal == 6
    assert any("KeyError" in line for line in system.machine.log)
    assert tell(system, lambda libc: libc.getpid()) == 1


def test_call_failed_can_be_read() -> None:
    assert str(CallFailed("VFS_OPEN", ENOENT)) == "VFS_OPEN: ENOENT"
