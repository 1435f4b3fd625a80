"""Machines in trio programs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, ClassVar

import pytest
import trio

import sendrec
from ipc.errors import EAGAIN, ESRCH
from ipc.message import Message, RawMessage, Reply
from ipc.pm import PmFork, PmGetpid, PmGetpidReply
from kernel.probes import KernelCalled, MessageDelivered
from sendrec import (
    BadConfig,
    CallFailed,
    Hang,
    KiB,
    Libc,
    Machine,
    MachineStopped,
    Panic,
    ProcessEnded,
)


async def test_a_fork_shares_memory_until_somebody_writes() -> None:
    async with sendrec.boot(memory="16M") as machine:
        init = machine.init
        buf = await init.mmap(length=8 * KiB)
        await init.store(buf, b"hello")
        child = await init.fork()
        assert await child.load(buf, 5) == b"hello"
        assert machine.refs(init, buf) == 2
        assert machine.frame(init, buf) == machine.frame(child, buf)
        assert not machine.writable(child, buf)
        await child.store(buf, b"HELLO")
        assert await init.load(buf, 5) == b"hello"
        assert machine.refs(init, buf) == 1
        assert machine.frame(init, buf) != machine.frame(child, buf)
        assert machine.writable(child, buf)
        await child.exit(3)
        news = await init.wait()
        assert (news.pid, news.status) == (10, 3)
        assert not child.alive
        assert child.pid == 0


async def test_grandchildren_are_driven_too() -> None:
    async with sendrec.boot() as machine:
        child = await machine.init.fork()
        grandchild = await child.fork()
        assert await grandchild.getppid() == child.pid == 10
        assert [each.name[:4] for each in machine.processes()][-3:] == ["disk", "init", "init"]


async def test_a_call_can_be_begun_and_awaited_later() -> None:
    async with sendrec.boot() as machine:
        child = await machine.init.fork()
        call = machine.init.wait.start()
        await machine.run_until_quiet()
        assert not call.returned
        assert await child.getpid() == 10
        await child.exit(7)
        assert (await call).status == 7
        assert call.returned
        assert (await call).status == 7, "it can be asked again"


async def test_calls_of_one_process_are_made_one_after_the_other() -> None:
    async with sendrec.boot() as machine:
        init = machine.init
        calls = [init.sbrk.start(16) for _ in range(4)]
        ends = [await call for call in reversed(calls)]
        assert [end - ends[-1] for end in ends] == [48, 32, 16, 0]


async def test_a_failing_call_raises_what_c_has_in_errno() -> None:
    async with sendrec.boot() as machine:
        with pytest.raises(CallFailed) as caught:
            await machine.init.kill(999, 15)
        assert caught.value.errno == ESRCH
        call = machine.init.open.start("/nowhere")
        with pytest.raises(CallFailed, match="VFS_OPEN: ENOENT"):
            await call


async def test_a_call_that_cannot_end_is_a_hang_and_may_yet_end() -> None:
    async with sendrec.boot() as machine:
        first = await machine.add_process("first", system=True)
        second = await machine.add_process("second", system=True)
        call = first.receive.start(second.endpoint)
        with pytest.raises(Hang, match="first") as hang:
            await call
        assert str(machine.hang_report()) in str(hang.value)
        assert not call.returned
        await second.send(first.endpoint, RawMessage(5))
        source, message, _status = await call
        assert (source, message.type) == (second.endpoint, 5)


async def test_time_passes_only_when_somebody_waits() -> None:
    async with sendrec.boot() as machine:
        call = machine.init.nanosleep.start(10**9)
        before = machine.now
        await machine.advance(10**6)
        assert 10**6 <= machine.now - before < 2 * 10**6
        assert not call.returned
        await call
        assert machine.now - before > 9 * 10**8


async def test_a_program_runs_by_itself() -> None:
    seen = []

    async def reader(libc: Libc) -> int:
        fd = await libc.open("/greeting")
        await libc.nanosleep(10**9)
        seen.append(await libc.read_bytes(fd, 100))
        return 9

    async with sendrec.boot(files={"/greeting": "welcome"}) as machine:
        process = await machine.spawn(reader, name="reader")
        assert process.name == "reader"
        await process.join()
        assert seen == [b"welcome"]
        assert (await machine.init.wait()).status == 9


async def test_joining_a_program_that_never_ends_is_a_hang() -> None:
    async def sleeper(libc: Libc) -> None:
        await libc.sigsuspend()

    async with sendrec.boot() as machine:
        process = await machine.spawn(sleeper)
        with pytest.raises(Hang, match="PM_SIGSUSPEND"):
            await process.join()
        await machine.init.kill(process.pid, 9)
        await process.join()
        assert not process.alive


async def test_a_dead_process_makes_no_calls() -> None:
    async with sendrec.boot() as machine:
        child = await machine.init.fork()
        call = child.sigsuspend.start()
        await machine.run_until_quiet()
        await machine.init.kill(child.pid, 9)
        with pytest.raises(ProcessEnded):
            await call
        with pytest.raises(ProcessEnded):
            await child.getpid()


async def test_a_bad_access_kills_the_process_that_made_it() -> None:
    async with sendrec.boot() as machine:
        child = await machine.init.fork()
        with pytest.raises(ProcessEnded):
            await child.load(0x10, 1)
        assert (await machine.init.wait()).signal == 11


async def test_messages_can_be_watched() -> None:
    async with sendrec.boot() as machine:
        with machine.recorded_messages() as messages:
            await machine.init.getpid()
        assert [type(each.message) for each in messages] == [PmGetpid, PmGetpidReply]
        with machine.recorded() as events:
            await machine.init.fork()
        await machine.init.getpid()
        kinds = {type(event) for event in events}
        assert {MessageDelivered, KernelCalled} <= kinds
        assert not any(isinstance(getattr(each, "message", None), PmGetpid) for each in events)


async def test_messages_can_be_awaited() -> None:
    async with sendrec.boot() as machine, trio.open_nursery() as nursery:
        seen: list[Message] = []
        listening = trio.Event()

        async def watch() -> None:
            messages = machine.messages()
            listening.set()
            async for event in messages:
                seen.append(event.message)
                if isinstance(event.message, PmFork):
                    await messages.aclose()  # type: ignore[attr-defined]
                    break

        nursery.start_soon(watch)
        await listening.wait()
        await machine.init.getpid()
        await machine.init.fork()
        await trio.testing.wait_all_tasks_blocked()
        assert isinstance(seen[-1], PmFork)


async def test_several_tasks_drive_processes_at_once() -> None:
    async with sendrec.boot() as machine:
        children = [await machine.init.fork() for _ in range(5)]
        found: dict[int, bytes] = {}

        async def work(number: int) -> None:
            process = children[number]
            address = await process.mmap(length=4096)
            for _ in range(3):
                await process.store(address, bytes([number]))
                await trio.lowlevel.checkpoint()
            found[number] = await process.load(address, 1)

        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(work, number)
        assert found == {number: bytes([number]) for number in range(5)}


async def run_together(seed: int) -> list[str]:
    """What a machine is told by several tasks, each of which has a process, as it was recorded."""
    async with sendrec.boot(policy="random", seed=seed) as machine:
        children = [await machine.init.fork() for _ in range(3)]
        async with trio.open_nursery() as nursery:
            for child in children:
                nursery.start_soon(child.mmap, 0, 4096)
        injections = machine.system.machine.driven.injections
        return [f"{each.step} {each.process} {each.command}" for each in injections]


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_tasks_do_at_once_is_recorded_in_the_same_order(seed: int) -> None:
    first = await run_together(seed)
    assert first == await run_together(seed)
    assert first[3].endswith("mmap(0, 4096)")


async def test_cancelling_a_task_gives_its_call_up() -> None:
    async with sendrec.boot() as machine:
        child = await machine.init.fork()
        call = child.sigsuspend.start()
        await machine.run_until_quiet()
        with trio.move_on_after(0):
            await child.getpid()
        assert not call.returned
        assert await machine.init.getpid() == 1


async def test_regions() -> None:
    async with sendrec.boot() as machine:
        init = machine.init
        before = machine.pages(init)
        free = machine.free_pages
        address = await init.mmap(length=3 * 4096)
        await init.store(address + 4096, b"x")
        region = next(each for each in machine.regions(init) if each.address == address)
        assert (region.length, region.pages, region.writable) == (3 * 4096, 1, True)
        assert machine.pages(init) == before + 1
        assert machine.free_pages == free - 1
        assert machine.frame(init, address) is None
        assert machine.refs(init, address) == 0
        assert machine.refs(init, 0) == 0
        assert machine.frame(init, 1 << 40) is None


async def test_what_is_raised_inside_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError, match="mine"):
        async with sendrec.boot():
            raise KeyError("mine")


async def test_an_option_that_is_none() -> None:
    with pytest.raises(sendrec.BadConfig, match="memory"):
        async with sendrec.boot(memory="much"):
            raise AssertionError("there is no machine")


async def test_a_configuration_can_be_given_whole_and_changed() -> None:
    config = sendrec.MachineConfig(memory="8M")
    async with sendrec.boot(config, seed=9) as machine:
        assert machine.system.config.memory == 8 << 20
        assert machine.system.config.seed == 9


class Broken(sendrec.Server):
    """A server that fails at the first message."""

    async def start(self) -> None:
        return

    def handler(self, source: int, message: Message) -> Any:
        raise RuntimeError("no")


async def test_a_panic_reaches_whoever_waits() -> None:
    async with sendrec.boot(servers={"broken": Broken}) as machine:
        with pytest.raises(MachineStopped) as caught:
            await machine.init.sendrec(13, RawMessage(1))
        assert isinstance(caught.value.__cause__, Panic)
        with pytest.raises(MachineStopped):
            await machine.init.getpid()
        assert "RuntimeError: no" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("answer", "flaw"),
    [
        (5, "5"),
        ("x", "'x'"),
        (Reply, "Reply"),
        (Reply("x"), "'x'"),
        (Reply(1 << 40), "1099511627776"),
    ],  # type: ignore[arg-type]
)
async def test_a_handler_that_returns_no_message_is_named(answer: Any, flaw: str) -> None:
    async def do_it(_server: Any, _source: int, _message: Message) -> Any:
        return answer

    class Careless(sendrec.Server):
        CALLS: ClassVar = {1: do_it}

    async with sendrec.boot(servers={"careless": Careless}) as machine:
        with pytest.raises(MachineStopped, match="returned what is no message") as caught:
            await machine.init.sendrec(13, RawMessage(1))
        assert "do_it of " in str(caught.value)
        assert flaw in str(caught.value)


async def test_why_a_process_ended_is_told() -> None:
    async with sendrec.boot() as machine:
        child = await machine.init.fork()
        with pytest.raises(
            ProcessEnded, match=r"ended: made a Compute whose duration is 1\.5; SIGILL"
        ):
            await child.compute(1.5)


async def test_what_is_no_configuration_is_refused() -> None:
    with pytest.raises(BadConfig, match="5 is no MachineConfig"):
        async with sendrec.boot(5):  # type: ignore[arg-type]
            pass


async def test_forking_until_there_is_no_room() -> None:
    async with sendrec.boot(slots=32) as machine:
        with pytest.raises(CallFailed) as caught:
            for _ in range(32):
                await machine.init.fork()
        assert caught.value.errno == EAGAIN
        machine.system.machine.check()


@pytest.mark.machine(memory="4M", files={"/here": "it is"})
async def test_the_fixture_boots_with_the_options_of_its_marker(machine: Machine) -> None:
    assert machine.system.config.memory == 4 << 20
    fd = await machine.init.open("/here")
    assert await machine.init.read_bytes(fd, 9) == b"it is"


async def test_the_fixture_boots_with_defaults(machine: Machine) -> None:
    assert machine.system.config.memory == 16 << 20
    assert await machine.init.getpid() == 1


def test_names_are_fetched_when_they_are_used() -> None:
    program = (
        "import sys, sendrec\n"
        "heavy = {'trio', 'numpy', 'attrs', 'servers', 'kernel', 'lark'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert sorted(sendrec.__all__) == dir(sendrec)\n"
        "assert all(getattr(sendrec, name) is not None for name in sendrec.__all__)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        sendrec.nothing  # type: ignore[attr-defined]  # noqa: B018
