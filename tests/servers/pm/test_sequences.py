"""PM says the same things in the same order as MINIX's."""

from __future__ import annotations

import pytest

from ipc.endpoint import SCHED
from ipc.errors import EINTR, EPERM
from ipc.flags import SIG_IGN
from ipc.signals import SIGKILL, SIGTERM, SIGUSR1
from servers.lib.libc import CallFailed, Libc
from servers.pm.mproc import ZOMBIE
from tests.servers.systems import booted, check, failure, sleeping, tell, watched

FORK = [
    "INIT>PM PM_FORK",
    "PM>VM VM_FORK",
    "VM>PM = 0",
    "PM>VFS VFS_PM_FORK",
    "VFS>PM VFS_PM_FORK_REPLY",
    "PM>SCHED SCHEDULING_INHERIT",
    "SCHED>PM = 0",
    "PM>32781 = 0",
    "PM>INIT = 10",
]
DEATH = [
    "PM! SYS_TIMES",
    "PM! SYS_RUNCTL",
    "PM>VM VM_WILLEXIT",
    "VM>PM = 0",
    "PM>VFS VFS_PM_EXIT",
]
BURIAL = [
    "VFS>PM VFS_PM_EXIT_REPLY",
    "PM>SCHED SCHEDULING_STOP",
    "SCHED>PM = 0",
    "PM! SYS_CLEAR",
    "PM>VM VM_EXIT",
    "VM>PM = 0",
]


async def leave(_libc: Libc) -> int:
    return 3


async def do_nothing(libc: Libc) -> None:
    """A child that comes to rest in PM without being of any more use."""
    await libc.sigsuspend()


def test_fork() -> None:
    system = booted()
    pid, record = watched(system, lambda libc: libc.fork(do_nothing))
    assert pid == 10
    lines = record.of("PM")
    assert lines[: len(FORK)] == FORK
    assert lines[len(FORK) :] == ["32781>PM PM_SIGSUSPEND"]
    check(system)


def test_exit_before_the_parent_waits() -> None:
    system = booted()
    _, record = watched(system, lambda libc: libc.fork(leave))
    assert record.of("PM")[len(FORK) :] == ["32781>PM PM_EXIT", *DEATH, *BURIAL]
    news, record = watched(system, lambda libc: libc.wait())
    assert (news.pid, news.status, news.signal) == (10, 3, 0)
    assert record.of("PM") == ["INIT>PM PM_WAIT4", "PM>INIT = 10"]
    assert system.pm.table.find(10) is None
    check(system)


def test_exit_while_the_parent_waits() -> None:
    """The parent is told at once, before VFS has let go of the process."""

    async def exit_later(libc: Libc) -> None:
        await libc.sigsuspend()

    async def fork_and_wait(libc: Libc) -> object:
        async def kill_brother(other: Libc) -> None:
            await other.nanosleep(1)
            await other.kill(10, SIGKILL)
            await other.sigsuspend()

        await libc.fork(exit_later)
        await libc.fork(kill_brother)
        return await libc.wait()

    system = booted()
    news, record = watched(system, fork_and_wait)
    assert (news.pid, news.signal) == (10, SIGKILL)
    lines = record.of("PM")
    start = lines.index("32782>PM PM_KILL")
    told = ["PM>INIT = 10", "PM>32782 = 0"]
    # VFS takes PM's asynchronous message when it comes to receive, which is not PM's to order.
    assert _without_vfs(lines[start + 1 :]) == _without_vfs([*DEATH, *told, *BURIAL])
    assert lines.index("PM>VFS VFS_PM_EXIT") < lines.index("VFS>PM VFS_PM_EXIT_REPLY")
    check(system)


def _without_vfs(lines: list[str]) -> list[str]:
    return [line for line in lines if "VFS" not in line and "SIGSUSPEND" not in line]


@pytest.mark.parametrize(("signal", "core"), [(SIGTERM, False), (SIGKILL, False), (6, True)])
def test_a_lethal_signal_gets_no_answer_from_the_victim(signal: int, core: bool) -> None:
    async def kill(libc: Libc) -> object:
        pid = await libc.fork(sleeping())
        await libc.nanosleep(1)
        return await libc.kill(pid, signal)

    system = booted()
    result, record = watched(system, kill)
    assert result == 0
    lines = record.of("PM")
    lines = lines[lines.index("INIT>PM PM_KILL") + 1 :]
    request = "VFS_PM_DUMPCORE" if core else "VFS_PM_EXIT"
    trace = ["PM! SYS_DIAGCTL"] if core else []
    assert [line for line in lines if "VFS" not in line] == [
        *trace, *[line for line in DEATH if "VFS" not in line], "PM>INIT = 0",
        *[line for line in BURIAL if "VFS" not in line],
    ]  # fmt: skip
    assert sum(f"PM>VFS {request}" in line for line in lines) == 1
    news = tell(system, lambda libc: libc.wait())
    assert (news.signal, news.status) == (signal, 0)
    check(system)


def test_a_caught_signal_ends_a_call_that_waits_in_pm() -> None:
    """sys_delay_stop, sys_sigsend, the answer EINTR, sys_resume, and only then the killer's."""
    seen: list[object] = []

    async def catcher(libc: Libc) -> None:
        async def handler(_libc: Libc, signal: int) -> None:
            seen.append(signal)

        await libc.sigaction(SIGUSR1, handler)
        seen.append(await failure(libc.wait4(-1)))
        await libc.sigsuspend()
        seen.append("suspended")

    async def kill(libc: Libc) -> None:
        async def mother(child: Libc) -> None:
            await child.fork(sleeping())
            await catcher(child)

        pid = await libc.fork(mother)
        await libc.nanosleep(1)
        await libc.kill(pid, SIGUSR1)

    system = booted()
    _, record = watched(system, kill)
    assert seen == [SIGUSR1, EINTR]
    lines = record.of("PM")
    lines = lines[lines.index("INIT>PM PM_KILL") + 1 :]
    assert lines[:5] == [
        "PM! SYS_RUNCTL",
        "PM! SYS_SIGSEND",
        "PM>32781 = -4",
        "PM! SYS_RUNCTL",
        "PM>INIT = 0",
    ]
    check(system)


def test_a_caught_signal_asks_vfs_to_end_a_call_there() -> None:
    seen: list[object] = []

    async def reader(libc: Libc) -> None:
        async def handler(_libc: Libc, signal: int) -> None:
            seen.append(signal)

        await libc.sigaction(SIGUSR1, handler)
        source, _ = await libc.pipe()
        seen.append(await failure(libc.read(source, libc.on_stack(8), 8)))

    async def kill(libc: Libc) -> object:
        pid = await libc.fork(reader)
        await libc.nanosleep(1)
        await libc.kill(pid, SIGUSR1)
        return await libc.wait()

    system = booted()
    news, record = watched(system, kill)
    assert seen == [SIGUSR1, EINTR]
    assert news.status == 0
    lines = record.of("PM", besides=("SIGPROCMASK", "SIGRETURN"))
    lines = lines[lines.index("INIT>PM PM_KILL") + 1 :]
    assert lines.index("PM>VFS VFS_PM_UNPAUSE") < lines.index("VFS>PM VFS_PM_UNPAUSE_REPLY")
    after = lines[lines.index("VFS>PM VFS_PM_UNPAUSE_REPLY") + 1 :]
    assert [line for line in after if line.startswith("PM!")][:2] == [
        "PM! SYS_SIGSEND",
        "PM! SYS_RUNCTL",
    ]
    check(system)


def test_a_bad_access_is_a_signal_of_the_kernels() -> None:
    async def crash(libc: Libc) -> None:
        await libc.load(0x10, 4)

    system = booted()
    _, record = watched(system, lambda libc: libc.fork(crash))
    lines = record.of("PM", "VM")
    assert lines.index("32781>VM VM_PAGEFAULT") < lines.index("VM! SYS_KILL")
    pm = [line for line in record.lines if line.startswith("PM!")]
    assert pm[:3] == ["PM! SYS_GETKSIG", "PM! SYS_DIAGCTL", "PM! SYS_TIMES"]
    # The process is exiting, so it is not given back to the kernel (SYS_ENDKSIG).
    assert "PM! SYS_ENDKSIG" not in pm
    news = tell(system, lambda libc: libc.wait())
    assert news.signal == 11
    check(system)


def test_an_orphan_becomes_inits_and_init_hears_of_it() -> None:
    async def orphan(libc: Libc) -> int:
        await libc.nanosleep(1_000_000)
        return await libc.getppid()

    async def mother(libc: Libc) -> int:
        await libc.fork(orphan)
        return 7

    async def wait_twice(libc: Libc) -> list[tuple[int, int]]:
        await libc.fork(mother)
        news = [await libc.wait(), await libc.wait()]
        return [(each.pid, each.status) for each in news]

    system = booted()
    assert tell(system, wait_twice) == [(10, 7), (11, 1)]
    check(system)


def test_the_parent_dies_while_vfs_works_on_its_fork() -> None:
    """The child lives on as INIT's, and nobody gets the parent's answer."""

    async def mother(libc: Libc) -> None:
        await libc.fork(sleeping())
        await libc.sigsuspend()

    async def kill_at_once(libc: Libc) -> tuple[int, int]:
        pid = await libc.fork(mother)
        for _ in range(3):
            await libc.getpid()
        await libc.kill(pid, SIGKILL)
        news = await libc.wait()
        return news.pid, news.signal

    for seed in range(40):
        system = booted(policy="random", seed=seed)
        assert tell(system, kill_at_once) == (10, SIGKILL), f"seed {seed}"
        for process in system.pm.table:
            assert process.vfs is None, f"seed {seed}: VFS is done"
        check(system)


def test_call_failed_says_which_call_and_why() -> None:
    with pytest.raises(CallFailed, match="PM_KILL: ESRCH"):
        tell(booted(), lambda libc: libc.kill(12345, SIGTERM))


def test_without_a_scheduler_forks_fail_and_leave_nothing_behind() -> None:
    system = booted()
    known = system.pm.table.lookup(SCHED)
    assert known is not None

    async def attempt(libc: Libc) -> list[int]:
        await libc.kill(known.pid, SIGKILL)
        return [await failure(libc.fork(do_nothing)), await libc.getpid()]

    assert tell(system, attempt) == [EPERM, 1]
    system.machine.run_quiet_nowait()
    # INIT has not waited for the child that failed, nor for SCHED.
    left = [each.name for each in system.pm.table if each.flags & ZOMBIE]
    assert left == ["sched", "init"]


def test_signals_for_servers_are_messages_that_nobody_answers() -> None:
    async def broadcast(libc: Libc) -> list[int]:
        await libc.signal(SIGUSR1, SIG_IGN)
        return [await libc.kill(-1, SIGUSR1), await libc.getpid()]

    system = booted()
    result, record = watched(system, broadcast)
    assert result == [0, 1]
    told = {line.split(">")[1].split()[0] for line in record.lines if "SIGS_SIGNAL" in line}
    assert told == {"VFS", "SCHED", "PFS", "MFS", "12"}
    answers = [line for line in record.lines if line.startswith(("VFS>PM", "SCHED>PM", "MFS>PM"))]
    assert answers == []
