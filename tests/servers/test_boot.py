"""The boot image: everything is there, at rest, and may do what it should."""

from __future__ import annotations

import sys
import types
from typing import Any

import attrs
import pytest

from ipc.endpoint import INIT, MFS, PFS, PM, SCHED, VFS, VM
from ipc.errors import ECALLDENIED, ENOSYS, OK
from ipc.kernelcalls import SysFork, SysTimes
from ipc.message import RawMessage
from ipc.pm import PmGetpid, PmGetpidReply
from ipc.traps import KernelCall, trap
from kernel.flags import RTS_COMMAND, RTS_RECEIVING
from kernel.panic import Panic
from servers.boot import assemble, boot
from servers.config import BadConfig, MachineConfig
from servers.image import DISK, FIRST_FREE
from servers.lib.driven import driven_image
from servers.lib.libc import Libc
from servers.lib.libc.processes import Image
from servers.lib.loop import Refused, Server
from tests.servers.systems import booted, check, failure, tell

POLICIES = ["fifo", "priority", *(f"random:{seed}" for seed in range(20))]


@pytest.mark.parametrize("policy", POLICIES)
def test_every_server_is_there_and_waits(policy: str) -> None:
    system = booted(policy=policy)
    table = system.machine.table
    waiting = {each.endpoint: each.rts for each in table.all() if each.slot >= 0}
    servers = dict.fromkeys([PM, VFS, SCHED, VM, PFS, MFS, DISK], RTS_RECEIVING)
    assert waiting == {**servers, INIT: RTS_COMMAND}
    assert system.machine.log == []
    check(system)


def test_booting_is_the_same_every_time() -> None:
    times = {booted(policy="random", seed=5).machine.clock.now for _ in range(3)}
    steps = {booted(policy="random", seed=5).machine.dispatcher.steps for _ in range(3)}
    assert (len(times), len(steps)) == (1, 1)


def test_init_is_pid_1_and_its_own_parent() -> None:
    async def ask(libc: Libc) -> tuple[int, int]:
        return await libc.getpid(), await libc.getppid()

    assert tell(booted(), ask) == (1, 1)


def test_a_program_can_be_init() -> None:
    seen = []

    async def main(libc: Libc) -> None:
        seen.append(await libc.getpid())
        await libc.sigsuspend()

    boot(init=Image(main, Libc()))
    assert seen == [1]


@pytest.mark.parametrize("memory", ["1M", "16M", "1G", "3G"])
def test_memory_of_all_sizes(memory: str) -> None:
    system = booted(memory=memory)
    total = system.config.memory // 4096
    used = total - system.vm.memory.allocator.free_count
    assert 0 < used < 200

    async def touch(libc: Libc) -> bytes:
        address = await libc.mmap(length=4096)
        await libc.store(address, b"there")
        return await libc.load(address, 5)

    assert tell(system, touch) == b"there"


def test_files_are_there() -> None:
    files = {"/etc/motd": "welcome", "/data/x/y": bytes(range(256)) * 40}

    async def look(libc: Libc) -> list[bytes]:
        found = []
        for path in files:
            fd = await libc.open(path)
            found.append(await libc.read_bytes(fd, 100_000))
        return found

    assert tell(booted(files=files), look) == [b"welcome", files["/data/x/y"]]


def test_files_that_make_no_file_system() -> None:
    with pytest.raises(BadConfig, match="files"):
        booted(files={"/a": b"", "/a/b": b""})


async def do_getpid(server: Clerk, source: int, _message: PmGetpid) -> PmGetpidReply:
    server.asked.append(source)
    return PmGetpidReply(77)


async def do_break(_server: Clerk, _source: int, message: RawMessage) -> None:
    if message.payload:
        raise Refused(-message.payload[0])
    raise ValueError("broken")


@attrs.define(eq=False)
class Clerk(Server):
    """A user's own server."""

    CALLS = {PmGetpid.type: do_getpid, 0x7000: do_break}  # noqa: RUF012
    name: str = "clerk"
    asked: list[int] = attrs.field(factory=list)


def test_a_server_of_the_users_own() -> None:
    system = booted(servers={"clerk": Clerk})

    async def ask(libc: Libc) -> list[int]:
        requests = [PmGetpid(), RawMessage(0x7000, b"\5"), RawMessage(0x7001)]
        return [(await libc.sendrec(FIRST_FREE, each)).type for each in requests]

    assert tell(system, ask) == [77, -5, ENOSYS]
    assert system.servers["clerk"].asked == [INIT]
    assert tell(system, lambda libc: libc.fork(_leave)) == 11, "PM knows it: it has pid 10"
    check(system)


async def _leave(_libc: Libc) -> None:
    return


def test_its_mistake_is_its_panic_with_the_message_that_it_handled() -> None:
    system = booted(servers={"clerk": Clerk})
    with pytest.raises(Panic) as caught:
        tell(system, lambda libc: libc.sendrec(FIRST_FREE, RawMessage(0x7000)))
    assert (caught.value.process, caught.value.handler) == ("clerk", "do_break")
    assert "ValueError: broken" in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)


class Bare(Clerk):
    """One whose author forgot the base class."""

    def __init__(self) -> None:
        pass


def _module() -> types.ModuleType:
    module = types.ModuleType("of_my_own")
    module.clerk = Clerk  # type: ignore[attr-defined]
    module.number = 5  # type: ignore[attr-defined]
    module.nothing = lambda: None  # type: ignore[attr-defined]
    module.needs = lambda argument: argument  # type: ignore[attr-defined]
    module.breaks = lambda: 1 / 0  # type: ignore[attr-defined]
    module.leaves = lambda: sys.exit(3)  # type: ignore[attr-defined]
    module.bare = Bare  # type: ignore[attr-defined]
    return module


def test_a_server_is_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "of_my_own", _module())
    assert "mine" in booted(servers={"mine": "of_my_own:clerk"}).servers


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("no_such_module:clerk", "No module named"),
        ("of_my_own:missing", "no attribute 'missing'"),
        ("of_my_own:number", "cannot be called"),
        ("of_my_own:nothing", "has no main"),
        ("of_my_own:needs", "mine cannot be made: TypeError: "),
        ("of_my_own:breaks", "mine cannot be made: ZeroDivisionError: "),
        ("of_my_own:leaves", "mine cannot be made: SystemExit: 3"),
        ("of_my_own:bare", "the __init__ of mine does not call Server's"),
    ],
)
def test_a_server_that_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch, where: str, reason: str
) -> None:
    monkeypatch.setitem(sys.modules, "of_my_own", _module())
    with pytest.raises(BadConfig, match=reason) as caught:
        booted(servers={"mine": where})
    assert caught.value.key == "servers"


def test_there_cannot_be_more_servers_than_privilege_structures() -> None:
    with pytest.raises(BadConfig, match="there can be no more of them") as caught:
        booted(servers={f"clerk{number}": Clerk for number in range(60)})
    assert caught.value.key == "servers"


def test_a_servers_name_must_be_its_own() -> None:
    with pytest.raises(BadConfig, match="there is a server vfs already"):
        booted(servers={"vfs": Clerk})


async def kernel_calls(_libc: Libc) -> list[int]:
    requests = [SysTimes(INIT), SysFork(INIT, 30)]
    return [(await trap(KernelCall(each))).type for each in requests]


def test_users_make_no_kernel_calls() -> None:
    assert tell(booted(), kernel_calls) == [ECALLDENIED, ECALLDENIED]


def test_a_driver_makes_those_that_drivers_make() -> None:
    system = booted()
    privilege = system.machine.table.privileges[DISK + 5]
    assert privilege.kernel_calls >> (SysTimes.type - 0x600) & 1
    assert not privilege.kernel_calls >> (SysFork.type - 0x600) & 1
    assert privilege.interrupt_lines == [14]


def test_a_promoted_process_may_do_what_servers_may() -> None:
    system = booted()

    async def notify(libc: Libc) -> int:
        return await failure(libc.notify(INIT + 1))

    async def wait_for_promotion(libc: Libc) -> None:
        await libc.sigsuspend()

    pid = tell(system, lambda libc: libc.fork(wait_for_promotion))
    process = system.process(pid)
    assert process is not None
    system.promote(process)
    assert process.privilege.slot == process.slot
    assert process.privilege.kernel_calls >> (SysFork.type - 0x600) & 1
    assert tell(system, notify) != OK, "INIT was not promoted"


def test_nothing_runs_before_it_is_asked_to() -> None:
    system = assemble(MachineConfig(), driven_image(Libc()))
    assert system.machine.dispatcher.steps == 0
    assert system.machine.clock.now == 0


def test_thousands_of_processes() -> None:
    async def crowd(libc: Libc) -> Any:
        for _ in range(1200):
            await libc.fork(_rest)
        return await libc.getpid()

    async def _rest(libc: Libc) -> None:
        await libc.sigsuspend()

    system = booted(slots=2000, memory="64M")
    assert tell(system, crowd) == 1
    assert len(list(system.pm.table)) == 1208
    check(system)
