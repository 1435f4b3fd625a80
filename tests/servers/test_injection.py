"""Faults injected into the real servers: nothing panics, nothing leaks, everything is released.

Two users' programs use most calls there are.  They are told of every failure, and go on.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipc.endpoint import MFS, NONE, PFS, PM, SCHED, VFS, VM, endpoint_name
from ipc.errors import EAGAIN, EINTR, EINVAL, EIO, ENOMEM, ENOSYS
from ipc.flags import (
    MAP_ANON,
    MAP_PREALLOC,
    MAP_PRIVATE,
    O_CREAT,
    O_RDWR,
    PROT_READ,
    PROT_WRITE,
)
from ipc.message import Message
from ipc.refusals import can_be_refused, is_answer
from ipc.signals import SIGKILL, SIGTERM, SIGUSR1
from ipc.traps import NOTIFY_CALL, STATUS_CALL_MASK
from kernel.injection import AllocationFault, Armed, Crash, Fault, ReplyFault, When
from kernel.panic import Panic
from kernel.probes import Event, MessageDelivered
from servers.boot import System
from servers.image import DISK
from servers.lib.driven import Command
from servers.lib.libc import CallFailed, Libc
from servers.vm.process import INUSE
from tests.servers.systems import booted

READ_WRITE = PROT_READ | PROT_WRITE
ANONYMOUS = MAP_PRIVATE | MAP_ANON
SERVERS = (PM, SCHED, VFS, VM, PFS, MFS, DISK)
FAR = (100_000, 5_000_000)  # where a file needs indirect blocks, and blocks of those
FILES = {"/f": b"hello" * 2000}


class Attempts:
    """Makes calls and takes their failures for results."""

    def __init__(self) -> None:
        self.failures: list[int] = []

    async def __call__(self, call: Awaitable[Any]) -> Any:
        try:
            return await call
        except CallFailed as failed:
            self.failures.append(failed.errno)
            return None


async def caught(_libc: Libc, _signal: int) -> None:
    """A signal handler."""


async def use_files(libc: Libc) -> list[int]:
    attempt = Attempts()
    buffer = await attempt(libc.mmap(0, 8192, READ_WRITE, ANONYMOUS, -1, 0))
    if buffer is None:
        return attempt.failures
    await libc.store(buffer, b"data")
    old = await attempt(libc.open("/f", O_RDWR))
    new = await attempt(libc.open("/new", O_RDWR | O_CREAT, 0o644))
    if new is not None:
        await attempt(libc.write(new, buffer, 6000))
        await attempt(libc.fstat(new))
        await attempt(libc.ftruncate(new, 100))
        for far in FAR:
            await attempt(libc.lseek(new, far, 0))
            await attempt(libc.write(new, buffer, 5000))
        await attempt(libc.fsync(new))
        await attempt(libc.close(new))
    if old is not None:
        await attempt(libc.read(old, buffer, 4096))
        await attempt(libc.mmap(0, 8192, PROT_READ, MAP_PRIVATE, old, 0))
        await attempt(libc.close(old))
    for call, path in (
        (libc.mkdir, "/d"), (libc.chdir, "/d"), (libc.stat, "/f"), (libc.chdir, "/"),
        (libc.rmdir, "/d"), (libc.unlink, "/new"),
    ):  # fmt: skip
        await attempt(call(path))
    await attempt(libc.sync())
    ends = await attempt(libc.pipe())
    if ends is not None:
        if await attempt(libc.write(ends[1], buffer, 10)):
            await attempt(libc.read(ends[0], buffer, 10))
        await attempt(libc.close(ends[0]))
        await attempt(libc.close(ends[1]))
    await attempt(libc.munmap(buffer, 8192))
    await attempt(libc.brk(0x8060000))
    return attempt.failures


async def touch(libc: Libc) -> int:
    page = await libc.mmap(0, 4 * 4096, READ_WRITE, ANONYMOUS | MAP_PREALLOC, -1, 0)
    await libc.store(page, b"x")
    text = await libc.mmap(0, 8192, READ_WRITE, MAP_PRIVATE, await libc.open("/f", O_RDWR), 0)
    await libc.store(text, b"y")
    return 3


async def stray(libc: Libc) -> None:
    await libc.load(0, 1)


async def sleep(libc: Libc) -> None:
    while True:
        await libc.sigsuspend()


async def use_processes(libc: Libc) -> list[int]:
    attempt = Attempts()
    child = await attempt(libc.fork(touch))
    if child is not None:
        await attempt(libc.waitpid(child))
    child = await attempt(libc.fork(stray))
    if child is not None:
        await attempt(libc.waitpid(child))
    for signal in (SIGKILL, SIGTERM):
        child = await attempt(libc.fork(sleep))
        if child is not None and await attempt(libc.kill(child, signal)) is not None:
            await attempt(libc.waitpid(child))
    await attempt(libc.setpriority(0, 0, 1))
    if await attempt(libc.signal(SIGUSR1, caught)) is not None:
        await attempt(libc.alarm(0))
    return attempt.failures


def run(*faults: Fault) -> tuple[System, list[Armed]]:
    """A machine after both programs ran twice with the faults; without them it must be sound."""
    system = booted(sanity="quiet", files=FILES)
    armed = [system.machine.faults.arm(fault) for fault in faults]
    play(system)
    system.machine.faults.disarm_all()
    system.machine.run_quiet_nowait()
    check(system)
    return system, armed


def play(system: System) -> None:
    machine = system.machine
    for action in (use_files, use_processes) * 2:
        if machine.driven.is_free(system.init):
            machine.driven.inject(system.init, Command(action, action.__name__), lambda _: None)
        machine.run_quiet_nowait()


def check(system: System) -> None:
    """The invariants of all servers, and that nobody holds what nobody uses."""
    system.vm.check()
    system.machine.check()
    system.pm.table.check()
    lives = system.machine.table.lookup
    if lives(SCHED):
        system.sched.check()
    system.servers["vfs"].check()
    if lives(MFS):
        fs = system.servers["mfs"].fs
        fs.check()
        assert fs.cache.in_use() == 0, "between requests no block is held"
        assert leaked_inodes(system) == {}


def leaked_inodes(system: System) -> dict[int, tuple[int, int]]:
    """By inode of MFS: how often it is in use, where VFS knows of another number."""
    known: dict[int, int] = {}
    for vnode in system.servers["vfs"].vnodes.all():
        if vnode.fs == MFS:
            known[vnode.inode] = known.get(vnode.inode, 0) + vnode.fs_count
    inodes = system.servers["mfs"].fs._inodes
    return {
        number: (inode.count, known.get(number, 0))
        for number, inode in inodes.items()
        if inode.count != known.get(number, 0)
    }


def forgotten(system: System) -> list[int]:
    """The processes that VM has and the kernel has not."""
    return [
        process.endpoint
        for process in system.vm.memory.processes.values()
        if process.flags & INUSE
        and process.endpoint != NONE
        and system.machine.table.lookup(process.endpoint) is None
    ]


def requests() -> list[tuple[int, type[Message]]]:
    """What is asked of which server in a run without faults, and can be refused."""
    system = booted(files=FILES)
    found: dict[tuple[int, type[Message]], None] = {}

    def note(event: Event) -> None:
        if isinstance(event, MessageDelivered) and event.dest in SERVERS:
            call, kind = event.status & STATUS_CALL_MASK, type(event.message)
            if call not in (0, NOTIFY_CALL) and not is_answer(event.message):
                found[event.dest, kind] = None

    system.machine.probes.listen(note)
    play(system)
    return [(server, kind) for server, kind in found if can_be_refused(kind)]


ASKED = requests()
# By refusing these a server keeps for ever what it was to let go of.
KEEPING = {"REQ_PUTNODE", "VM_EXIT", "VM_WILLEXIT"}


def test_the_programs_ask_for_much() -> None:
    assert len(ASKED) > 50
    assert {server for server, _ in ASKED} == set(SERVERS)


@pytest.mark.parametrize(
    ("server", "kind"), ASKED, ids=[f"{endpoint_name(each)}-{kind.name}" for each, kind in ASKED]
)
def test_every_request_may_be_refused(server: int, kind: type[Message]) -> None:
    for when in (When(1, 1), When(2, 2), When()):
        if kind.name in KEEPING and when == When():
            continue
        if kind.name == "REQ_PUTNODE":
            continue
        system, (armed,) = run(ReplyFault(server, error=EIO, request=kind, when=when))
        assert armed.fired or when != When(1, 1)
        assert forgotten(system) == []


@pytest.mark.parametrize("name", sorted(KEEPING))
def test_what_a_server_does_not_let_go_of_is_its_own(name: str) -> None:
    """Nobody panics over it, and everything else goes on."""
    server, kind = next((server, kind) for server, kind in ASKED if kind.name == name)
    system = booted(sanity="quiet", files=FILES)
    armed = system.machine.faults.arm(ReplyFault(server, error=EIO, request=kind))
    play(system)
    assert armed.fired
    system.vm.check()
    assert bool(leaked_inodes(system)) == (server == MFS)
    assert bool(forgotten(system)) == (server == VM)


@pytest.mark.parametrize("server", [SCHED, PFS, MFS, DISK])
@pytest.mark.parametrize("when", [1, 2, 3, 5, 8, 13])
def test_a_server_may_crash_over_any_request(server: int, when: int) -> None:
    system, (armed,) = run(Crash(server, when=when))
    assert (system.machine.table.lookup(server) is None) == bool(armed.fired)
    assert forgotten(system) == []


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        (VFS, "VFS died"),
        (PM, "signal manager pm gets lethal signal SIGSEGV"),
        (VM, "signal manager vm gets lethal signal SIGSEGV"),
    ],
)
def test_without_these_there_is_no_machine(server: int, reason: str) -> None:
    with pytest.raises(Panic, match=reason):
        run(Crash(server, when=3))


@pytest.mark.parametrize("more", [0, 1])  # with one more, what is tried again fails too
@pytest.mark.parametrize("first", range(0, 40, 5))
def test_any_allocation_may_fail(first: int, more: int) -> None:
    for number in range(first + 1, first + 6):
        system, (armed,) = run(AllocationFault(when=When(number, number + more)))
        assert armed.fired or armed.seen < number
        assert forgotten(system) == []


def test_all_allocations_may_fail() -> None:
    system, (armed,) = run(AllocationFault(when="4+"))
    assert armed.fired > 1
    assert forgotten(system) == []


@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_file_that_there_was_no_memory_to_free_is_freed_by_sync(first: int) -> None:
    """It has indirect blocks, which nobody has read.  Or unlink did nothing: it can be repeated."""

    async def unlink(libc: Libc) -> None:
        await Attempts()(libc.unlink("/big"))

    def used(*faults: Fault) -> int:
        system = booted(sanity="quiet", files={"/big": bytes(100_000) + b"x"})
        machine = system.machine
        for fault in faults:
            machine.faults.arm(fault)
        for action in (unlink, Libc.sync, unlink, Libc.sync):
            machine.driven.inject(system.init, Command(action, action.__name__), lambda _: None)
            machine.run_quiet_nowait()
            machine.faults.disarm_all()
            check(system)
        count: int = system.servers["mfs"].fs.cache.used_blocks
        return count

    assert used(AllocationFault(when=When(first, first + 1))) == used()


ERRORS = st.sampled_from([EAGAIN, EINTR, EINVAL, EIO, ENOMEM, ENOSYS])
WHEN = st.builds(
    lambda first, more, step: When(first, None if more > 8 else first + more, step),
    st.integers(1, 30), st.integers(0, 10), st.integers(1, 4),
)  # fmt: skip
REFUSED = [(server, kind) for server, kind in ASKED if kind.name not in KEEPING]
FAULTS = st.one_of(
    st.builds(
        lambda asked, error, delay, when: ReplyFault(
            asked[0], request=asked[1], error=error, delay=delay, when=when
        ),
        st.sampled_from(REFUSED), ERRORS, st.sampled_from([0, 1, 5_000_000]), WHEN,
    ),
    st.builds(
        lambda server, delay, when: ReplyFault(server, delay=delay, when=when),
        st.sampled_from(SERVERS), st.sampled_from([1, 100_000, 50_000_000]), WHEN,
    ),
    st.builds(lambda when: AllocationFault(when=when), WHEN),
    st.builds(
        lambda server, number: Crash(server, when=number),
        st.sampled_from([SCHED, PFS, MFS, DISK]), st.integers(1, 30),
    ),
)  # fmt: skip


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(FAULTS, min_size=1, max_size=4))
def test_whatever_faults_there_are_vm_stays_sane_and_nothing_panics(faults: list[Fault]) -> None:
    system, _armed = run(*faults)
    assert forgotten(system) == []
