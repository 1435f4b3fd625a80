"""What PM's calls answer, to good and to bad requests."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ipc.endpoint import INIT, PM, SCHED
from ipc.errors import (
    EACCES,
    ECHILD,
    EFAULT,
    EINVAL,
    ENOSYS,
    EPERM,
    ESRCH,
    OK,
)
from ipc.flags import SIG_BLOCK, SIG_IGN, SIG_SETMASK, SIG_UNBLOCK
from ipc.message import Message, RawMessage
from ipc.pm import (
    PmClockGetres,
    PmClockGettime,
    PmClockSettime,
    PmExecNew,
    PmExecRestart,
    PmGetepinfo,
    PmGetgroups,
    PmGetpriority,
    PmGetprocnr,
    PmGetrusage,
    PmGetsid,
    PmItimer,
    PmKill,
    PmProceventmask,
    PmPtrace,
    PmSetgid,
    PmSetgroups,
    PmSetpriority,
    PmSetuid,
    PmSigaction,
    PmSigprocmask,
    PmSrvFork,
    PmSrvKill,
    PmSysuname,
    PmWait4,
)
from ipc.signals import SIGALRM, SIGCHLD, SIGHUP, SIGILL, SIGKILL, SIGUSR1, SIGUSR2, signal_bit
from kernel.clock import HZ, NANOSECONDS
from servers.lib.layout import TEXT_BASE
from servers.lib.libc import Libc
from tests.servers.systems import booted, check, failure, sleeping, tell

Action = Callable[[Libc], Coroutine[Any, Any, Any]]

NOWHERE = 0x10

# What INIT, which is root, asks with a bare message, and the error or result that it gets.
REQUESTS: list[tuple[Message, int]] = [
    (PmKill(pid=77, nr=1), ESRCH),
    (PmKill(pid=1, nr=SIGKILL), EINVAL),
    (PmKill(pid=1, nr=-1), EINVAL),
    (PmKill(pid=1, nr=64), EINVAL),
    (PmKill(pid=-77, nr=1), ESRCH),
    (PmKill(pid=5, nr=6), EPERM),  # a lethal signal for a server
    (PmKill(pid=1, nr=0), OK),
    (PmKill(pid=0, nr=0), OK),
    (PmWait4(pid=77), ECHILD),
    (PmWait4(pid=-77), ECHILD),
    (PmWait4(pid=-1, options=1), 0),
    (PmSigaction(nr=0, act=0), EINVAL),
    (PmSigaction(nr=64, act=0), EINVAL),
    (PmSigaction(nr=SIGKILL, act=NOWHERE), OK),
    (PmSigaction(nr=1, act=NOWHERE), EFAULT),
    (PmSigaction(nr=1, oact=NOWHERE), EFAULT),
    (PmSigaction(nr=1, oact=TEXT_BASE), OK),
    (PmSigprocmask(how=7), EINVAL),
    (PmItimer(which=3, value=TEXT_BASE), EINVAL),
    (PmItimer(which=-1, value=TEXT_BASE), EINVAL),
    (PmItimer(which=0), EINVAL),
    (PmItimer(which=0, value=NOWHERE), EFAULT),
    (PmItimer(which=0, ovalue=NOWHERE), EFAULT),
    (PmItimer(which=1, ovalue=TEXT_BASE), OK),
    (PmGetsid(pid=77), ESRCH),
    (PmGetsid(pid=0), 1),
    (PmGetgroups(num=-1), EINVAL),
    (PmGetgroups(num=17), EINVAL),
    (PmGetgroups(num=1, ptr=NOWHERE), EFAULT),
    (PmSetgroups(num=17, ptr=TEXT_BASE), EINVAL),
    (PmSetgroups(num=1), EFAULT),
    (PmSetgroups(num=1, ptr=NOWHERE), EFAULT),
    (PmSetgroups(num=2, ptr=TEXT_BASE), OK),
    (PmGetpriority(which=1, who=0), EINVAL),
    (PmGetpriority(which=0, who=77), ESRCH),
    (PmGetpriority(which=0, who=0), 20),
    (PmSetpriority(which=0, who=0, prio=21), EINVAL),
    (PmSetpriority(which=0, who=5, prio=3), EINVAL),  # nobody schedules a server
    (PmClockGettime(clk_id=9), EINVAL),
    (PmClockGetres(clk_id=9), EINVAL),
    (PmClockSettime(clk_id=3), EINVAL),
    (PmGetrusage(who=5, addr=TEXT_BASE), EINVAL),
    (PmGetrusage(who=0, addr=NOWHERE), EFAULT),
    (PmGetrusage(who=-1, addr=TEXT_BASE), OK),
    (PmSysuname(field=9, len=5, value=TEXT_BASE), EINVAL),
    (PmSysuname(field=1, len=5, value=TEXT_BASE), EINVAL),
    (PmSysuname(req=1, field=0, len=5, value=TEXT_BASE), EINVAL),
    (PmSysuname(field=0, len=50, value=TEXT_BASE), 5),
    (PmSysuname(field=0, len=2, value=TEXT_BASE), 2),
    (PmSysuname(field=0, len=2, value=NOWHERE), EFAULT),
    (PmGetepinfo(endpt=77), ESRCH),
    (PmGetepinfo(endpt=INIT), 1),
    # What only certain servers may ask.
    (PmSrvFork(uid=1, gid=1), EPERM),
    (PmSrvKill(pid=1, nr=1), EPERM),
    (PmExecNew(endpt=INIT), EPERM),
    (PmExecRestart(endpt=INIT), EPERM),
    (PmGetprocnr(pid=1), EPERM),
    (PmProceventmask(mask=1), EPERM),
    # What is not there.
    (PmPtrace(), ENOSYS),
    (RawMessage(type=0), ENOSYS),
    (RawMessage(type=48), ENOSYS),
    (RawMessage(type=-5), ENOSYS),
    (RawMessage(type=0x0981), ENOSYS),  # VFS's answer to PM, from somebody else
    (RawMessage(type=3712), ENOSYS),  # a subscriber's answer, from a user
]


@pytest.mark.parametrize(("request_", "expected"), REQUESTS, ids=lambda each: str(each)[:60])
def test_request(request_: Message, expected: int) -> None:
    system = booted()

    async def ask(libc: Libc) -> int:
        reply = await libc.sendrec(PM, request_)
        return reply.type

    assert tell(system, ask) == expected
    check(system)


def test_who_sends_what_no_message_can_carry_has_made_an_illegal_trap() -> None:
    async def ask(libc: Libc) -> None:
        await libc.sendrec(PM, PmKill(pid=3.5, nr=1))  # type: ignore[arg-type]

    async def fork(libc: Libc) -> int:
        await libc.fork(ask)
        return (await libc.wait()).signal

    assert tell(booted(), fork) == SIGILL


async def as_user(libc: Libc) -> list[int]:
    """What a process that is not root may not do."""
    await libc.setuid(100)
    refused = [
        PmSetuid(0), PmSetgid(5), PmSetgroups(num=0), PmClockSettime(clk_id=0),
        PmKill(pid=1, nr=1), PmSetpriority(0, 0, -5),
    ]  # fmt: skip
    return [(await libc.sendrec(PM, each)).type for each in refused]


def test_users_are_refused_what_root_may() -> None:
    results: list[int] = []

    async def fork(libc: Libc) -> None:
        async def child(child: Libc) -> None:
            results.extend(await as_user(child))

        await libc.fork(child)
        await libc.wait()

    tell(booted(), fork)
    assert results == [EPERM, EPERM, EPERM, EPERM, EPERM, EACCES]


def in_child(action: Action) -> Action:
    """Have a child do `action`; what came of it."""

    async def fork(libc: Libc) -> Any:
        results = []

        async def child(child: Libc) -> None:
            results.append(await action(child))

        await libc.fork(child)
        news = await libc.wait()
        assert news.word == 0, f"the child ended with {news.word:#x}"
        return results[0]

    return fork


def test_identity() -> None:
    async def look(libc: Libc) -> list[int]:
        found = [await libc.getpid(), await libc.getppid(), await libc.getuid()]
        await libc.setgid(7)
        await libc.setegid(8)
        found += [await libc.getgid(), await libc.getegid()]
        await libc.seteuid(5)
        await libc.seteuid(0)
        await libc.setuid(6)
        found += [await libc.getuid(), await libc.geteuid()]
        return found

    assert tell(booted(), in_child(look)) == [10, 1, 0, 7, 8, 6, 6]


def test_sessions() -> None:
    async def look(libc: Libc) -> list[int]:
        before = await libc.getpgrp()
        session = await libc.setsid()
        again = await failure(libc.setsid())
        return [before, session, await libc.getpgrp(), await libc.getsid(), again]

    assert tell(booted(), in_child(look)) == [1, 10, 10, 10, EPERM]


def test_a_session_leaders_end_hangs_its_group_up() -> None:
    async def leader(libc: Libc) -> None:
        await libc.setsid()
        await libc.fork(sleeping())
        await libc.nanosleep(1)

    async def watch(libc: Libc) -> list[tuple[int, int]]:
        await libc.fork(leader)
        news = [await libc.wait(), await libc.wait()]
        return sorted((each.pid, each.signal) for each in news)

    assert tell(booted(), watch) == [(10, 0), (11, SIGHUP)]


def test_signals_that_are_held_back_wait() -> None:
    async def look(libc: Libc) -> list[Any]:
        seen: list[Any] = []

        async def handler(_libc: Libc, signal: int) -> None:
            seen.append(signal)

        await libc.sigaction(SIGUSR1, handler)
        await libc.sigaction(SIGUSR2, handler)
        both = signal_bit(SIGUSR1) | signal_bit(SIGUSR2)
        await libc.sigprocmask(SIG_BLOCK, both)
        me = await libc.getpid()
        await libc.kill(me, SIGUSR2)
        await libc.kill(me, SIGUSR1)
        seen.append(await libc.sigpending() == both)
        await libc.sigprocmask(SIG_UNBLOCK, both)
        seen.append(await libc.sigpending())
        return seen

    # PM delivers the lower one first, so its frame lies deeper on the stack and runs later.
    assert tell(booted(), in_child(look)) == [True, SIGUSR2, SIGUSR1, 0]


def test_sigsuspend_with_a_signal_that_waits_already() -> None:
    async def look(libc: Libc) -> list[Any]:
        seen: list[Any] = []

        async def handler(_libc: Libc, signal: int) -> None:
            seen.append(signal)

        await libc.sigaction(SIGUSR1, handler)
        await libc.sigprocmask(SIG_SETMASK, signal_bit(SIGUSR1))
        await libc.kill(await libc.getpid(), SIGUSR1)
        await libc.sigsuspend(0)
        seen.append(await libc.sigprocmask() == signal_bit(SIGUSR1))
        return seen

    assert tell(booted(), in_child(look)) == [SIGUSR1, True]


def test_while_a_handler_runs_its_signal_is_held_back() -> None:
    async def look(libc: Libc) -> list[int]:
        masks = []

        async def handler(child: Libc, _signal: int) -> None:
            masks.append(await child.sigprocmask())

        await libc.sigaction(SIGUSR1, handler, mask=signal_bit(SIGHUP))
        await libc.kill(await libc.getpid(), SIGUSR1)
        masks.append(await libc.sigprocmask())
        return masks

    both = signal_bit(SIGUSR1) | signal_bit(SIGHUP)
    assert tell(booted(), in_child(look)) == [both, 0]


def test_an_ignored_signal_does_nothing() -> None:
    async def look(libc: Libc) -> int:
        await libc.signal(SIGUSR1, SIG_IGN)
        await libc.kill(await libc.getpid(), SIGUSR1)
        return await libc.sigpending()

    assert tell(booted(), in_child(look)) == 0


def test_a_child_inherits_handlers_with_a_library_of_its_own() -> None:
    seen = []

    async def handler(libc: Libc, _signal: int) -> None:
        seen.append(await libc.getpid())

    async def look(libc: Libc) -> None:
        await libc.sigaction(SIGUSR1, handler)

        async def grandchild(other: Libc) -> None:
            await other.kill(await other.getpid(), SIGUSR1)

        await libc.fork(grandchild)
        await libc.wait()
        await libc.kill(await libc.getpid(), SIGUSR1)

    tell(booted(), in_child(look))
    assert seen == [11, 10]


def test_sigchld_interrupts_who_catches_it() -> None:
    async def look(libc: Libc) -> list[int]:
        seen = []

        async def handler(child: Libc, signal: int) -> None:
            news = await child.waitpid(-1, 1)
            seen.append(signal)
            seen.append(news.status)

        async def leave(_libc: Libc) -> int:
            return 9

        await libc.sigaction(SIGCHLD, handler)
        # The child may be gone before its parent comes to wait for the signal.
        await libc.sigprocmask(SIG_BLOCK, signal_bit(SIGCHLD))
        await libc.fork(leave)
        await libc.sigsuspend(0)
        return seen

    assert tell(booted(), in_child(look)) == [SIGCHLD, 9]


@pytest.mark.parametrize("seconds", [1, 3])
def test_an_alarm_comes_when_it_should(seconds: int) -> None:
    async def look(libc: Libc) -> list[int]:
        seen = []

        async def handler(_libc: Libc, signal: int) -> None:
            seen.append(signal)

        await libc.sigaction(SIGALRM, handler)
        await libc.alarm(60)
        seen.append(await libc.alarm(seconds))
        await libc.pause()
        seen.append(await libc.alarm(0))
        return seen

    system = booted()
    before = system.machine.clock.now
    assert tell(system, in_child(look)) == [60, SIGALRM, 0]
    passed = system.machine.clock.now - before
    # PM counts from the last tick of the clock, which may be almost a tick ago.
    assert 0 <= passed - seconds * 10**9 + NANOSECONDS // HZ < 2 * NANOSECONDS // HZ


def test_an_interval_timer_goes_off_again_and_again() -> None:
    async def look(libc: Libc) -> int:
        count = 0

        async def handler(_libc: Libc, _signal: int) -> None:
            nonlocal count
            count += 1

        await libc.sigaction(SIGALRM, handler)
        await libc.setitimer(50_000, interval=50_000)
        for _ in range(4):
            await libc.pause()
        await libc.setitimer(0)
        return count

    system = booted()
    assert tell(system, in_child(look)) == 4
    assert not system.pm.timers.pending, "no timer is left over"


def test_an_alarm_of_the_dead_is_forgotten() -> None:
    async def look(libc: Libc) -> None:
        await libc.alarm(1000)

    system = booted()
    tell(system, in_child(look))
    assert not system.pm.timers.pending
    assert system.machine.clock.now < 10**9


def test_what_a_child_used_is_its_parents_when_it_was_waited_for() -> None:
    async def look(libc: Libc) -> list[bool]:
        async def work(child: Libc) -> None:
            await child.compute(2 * 10**9)

        before = await libc.getrusage(-1)
        await libc.fork(work)
        await libc.wait()
        after = await libc.getrusage(-1)
        return [before.user_time == 0, after.user_time >= 2 * 10**6]

    assert tell(booted(), in_child(look)) == [True, True]


def test_rusage_counts_page_faults() -> None:
    async def look(libc: Libc) -> int:
        address = await libc.mmap(length=8 * 4096)
        before = await libc.getrusage()
        for page in range(8):
            await libc.store(address + 4096 * page, b"x")
        after = await libc.getrusage()
        return after.minor_faults - before.minor_faults

    assert tell(booted(), in_child(look)) == 8


def test_nice_is_scheds_business() -> None:
    async def look(libc: Libc) -> list[int]:
        await libc.setpriority(0, 0, 10)
        return [await libc.getpriority(), await failure(libc.setpriority(0, 0, 99))]

    system = booted()
    assert tell(system, in_child(look)) == [10, EINVAL]


def test_time_passes() -> None:
    async def look(libc: Libc) -> list[bool]:
        first = await libc.gettimeofday()
        await libc.nanosleep(3 * 10**9)
        second = await libc.gettimeofday()
        return [3 * 10**9 <= second - first < 3 * 10**9 + 10**8]

    assert tell(booted(), in_child(look)) == [True]


def test_nanosleep_ends_with_a_caught_signal() -> None:
    async def look(libc: Libc) -> int:
        pid = await libc.getpid()

        async def handler(_libc: Libc, _signal: int) -> None:
            return

        async def alarm_clock(other: Libc) -> None:
            await other.nanosleep(10**8)
            await other.kill(pid, SIGUSR1)

        await libc.sigaction(SIGUSR1, handler)
        await libc.fork(alarm_clock)
        before = await libc.gettimeofday()
        await libc.nanosleep(10 * 10**9)
        return (await libc.gettimeofday() - before) // 10**9

    assert tell(booted(), in_child(look)) == 0


@pytest.mark.parametrize("policy", ["fifo", "priority"])
@pytest.mark.parametrize("duration", [-1, 0, 1, 10**6, 10**8])
def test_nanosleep_ends_however_long_others_run(duration: int, policy: str) -> None:
    async def look(libc: Libc) -> int:
        async def compute(child: Libc) -> None:
            for _ in range(50):
                await child.compute(10**8)
                await child.getpid()

        await libc.fork(compute)
        await libc.nanosleep(duration)
        return await libc.sigprocmask()

    assert tell(booted(policy=policy), in_child(look)) == 0


def test_nanosleep_leaves_the_mask_the_handler_and_the_alarm() -> None:
    seen = []

    async def handler(_libc: Libc, signal: int) -> None:
        seen.append(signal)

    async def look(libc: Libc) -> tuple[int, list[int], int]:
        held = 1 << SIGUSR1 - 1
        await libc.sigaction(SIGALRM, handler)
        await libc.sigprocmask(SIG_BLOCK, held)
        await libc.alarm(5)
        await libc.nanosleep(2 * 10**9)
        left = await libc.alarm(5)
        mask = await libc.sigprocmask()
        await libc.sigprocmask(SIG_BLOCK, 1 << SIGALRM - 1)
        await libc.alarm(1)
        await libc.nanosleep(10**9 + 10**8)
        await libc.sigsuspend()
        return mask == held, seen, left

    assert tell(booted(), in_child(look)) == (True, [SIGALRM], 3)


def test_a_full_table_refuses_forks_and_the_last_slots_are_roots() -> None:
    async def fill(libc: Libc) -> tuple[int, int]:
        count = 0
        while not await failure(libc.fork(sleeping())):
            count += 1
        return count, await failure(libc.fork(sleeping()))

    system = booted(slots=32)
    count, error = tell(system, fill)
    assert (count, error) == (32 - 13, -35)
    check(system)


def test_endpoints_of_the_dead_are_not_their_successors() -> None:
    async def leave(_libc: Libc) -> None:
        return

    async def many(libc: Libc) -> list[int]:
        pids = []
        for _ in range(60):
            pids.append(await libc.fork(leave))
            await libc.wait()
        return pids

    system = booted(slots=32)
    pids = tell(system, many)
    assert pids == list(range(10, 70))
    check(system)


def test_a_caller_that_pm_does_not_know_is_refused() -> None:
    system = booted()
    asked = []

    async def ask(libc: Libc) -> None:
        reply = await libc.sendrec(PM, PmGetsid())
        asked.append(reply.type)
        await libc.receive(SCHED)

    libc = Libc()
    system.machine.spawn(20, "stranger", lambda: ask(libc), system=True)
    system.machine.run_quiet_nowait()
    assert asked == [ESRCH]
