"""Whatever processes do to one another, PM's books stay in order and nobody is lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ipc.endpoint import PM
from ipc.layout import layout
from ipc.message import Message
from ipc.pm import MESSAGES, PmReboot
from ipc.signals import SIGKILL
from servers.boot import boot
from servers.config import MachineConfig
from servers.lib.libc import CallFailed, Libc
from servers.lib.libc.processes import Image
from servers.pm.mproc import EXITING, ZOMBIE
from servers.vm.process import INUSE
from tests.servers.systems import check, failure

DEEPEST = 3
SIGNALS = (1, 6, 9, 11, 14, 15, 20, 30, 31)
NUMBERS = (0, 1, 2, 3, 9, 11, 14, 30, -1, -2, 13, 32781, 0x0804_8000, 0xEFFF_F000, 1 << 31)


def any_request(dice: random.Random) -> Message:
    """A request to PM with all kinds of numbers in it."""
    kind = dice.choice([each for each in MESSAGES if each is not PmReboot])
    values = {}
    for member in layout(kind).members:
        bits = 128 if member.form == "sigset" else 8 * member.size
        value = dice.choice((*NUMBERS, dice.getrandbits(bits))) % (1 << bits)
        if member.form.islower() and member.form != "sigset" and value >> bits - 1:
            value -= 1 << bits
        values[member.name] = value
    return kind(**values)


class Life:
    """The life of a process that does this and that."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    async def live(self, libc: Libc, depth: int = 1) -> int:
        """Do some things, and end."""
        dice = self.dice

        async def child(libc: Libc) -> int:
            return await self.live(libc, depth + 1)

        async def handler(libc: Libc, _signal: int) -> None:
            if dice.random() < 0.3:
                await libc.getpid()

        def somebody() -> int:
            return dice.choice((0, dice.randrange(10, 40), -dice.randrange(10, 40)))

        deeds: list[Callable[[], Coroutine[Any, Any, Any]]] = [
            lambda: libc.fork(child) if depth < DEEPEST else libc.getpid(),
            lambda: libc.fork(child) if depth < DEEPEST else libc.getppid(),
            lambda: libc.waitpid(-1, dice.choice((0, 1, 1))),
            lambda: libc.kill(somebody(), dice.choice(SIGNALS)),
            lambda: libc.sigaction(
                dice.choice((1, 11, 14, 15, 20, 30, 31)),
                dice.choice((0, 1, handler, handler)),
                dice.getrandbits(32),
                dice.choice((0, 4, 16)),
            ),
            lambda: libc.sigprocmask(dice.choice((1, 2, 3)), dice.getrandbits(32)),
            lambda: libc.setitimer(dice.randrange(50_000), 0, dice.choice((0, 0, 1, 2))),
            libc.setsid,
            lambda: libc.nanosleep(dice.randrange(10**7)),
            lambda: libc.compute(dice.randrange(10**6)),
            lambda: libc.load(dice.choice((0x10, 0x0804_8000)), 4),
            lambda: libc.sendrec(PM, any_request(dice)),
            lambda: self.use_a_pipe(libc),
        ]
        for _ in range(dice.randrange(5, 20)):
            try:
                await dice.choice(deeds)()
            except CallFailed:
                continue
        return dice.randrange(256)

    async def use_a_pipe(self, libc: Libc) -> None:
        """Wait in VFS, or do not."""
        source, sink = await libc.pipe()
        if self.dice.random() < 0.5:
            await libc.read(source, libc.on_stack(8), 8)
        else:
            await libc.write(sink, b"x")

    async def rule(self, libc: Libc) -> None:
        """INIT: let users live, kill whom is left, and collect all."""

        async def user(libc: Libc) -> int:
            await libc.setsid()
            await libc.setuid(100)
            return await self.live(libc)

        for _ in range(4):
            await libc.fork(user)
        for _ in range(60):
            while (await libc.waitpid(-1, 1)).pid:
                pass
            await libc.nanosleep(10**7)
        for _ in range(3):
            await failure(libc.kill(-1, SIGKILL))
            await libc.nanosleep(10**7)
        while (await libc.waitpid(-1, 1)).pid:
            pass
        await libc.sigsuspend((1 << 64) - 1)


@pytest.mark.parametrize("seed", range(12))
def test_nobody_is_lost(seed: int) -> None:
    dice = random.Random(seed)
    policy = dice.choice(("priority", "random"))
    config = MachineConfig.of({"policy": policy, "seed": seed, "slots": 64, "memory": "32M"})
    system = boot(config, Image(Life(dice).rule, Libc()))
    check(system)
    left = [each for each in system.pm.table if each.slot > 12]
    assert left == [], "INIT has collected everybody"
    assert {each.slot for each in system.machine.table.all() if each.slot > 12} == set()
    known = system.vm.memory.processes.values()
    assert [each.slot for each in known if each.slot > 12 and each.flags & INUSE] == []
    assert not any(each.flags & (EXITING | ZOMBIE) for each in system.pm.table)
    assert len(system.pm.parked) == 1, "INIT waits, and nobody else"
    assert set(system.sched.slots) == {11}
