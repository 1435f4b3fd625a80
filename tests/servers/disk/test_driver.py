"""The block driver, asked by a process that stands where MFS would."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from ipc.bdev import (
    BdevClose,
    BdevGather,
    BdevIoctl,
    BdevOpen,
    BdevRead,
    BdevReply,
    BdevScatter,
    BdevWrite,
)
from ipc.endpoint import MFS
from ipc.errors import EINVAL, EIO, ENOTTY, ENXIO, ERESTART, OK
from ipc.flags import CPF_READ, CPF_WRITE
from ipc.message import RawMessage, Reply
from ipc.traps import Load, Receive, SendRec, Store, trap
from kernel.machine import Machine
from servers.disk.controller import Controller
from servers.disk.driver import DIOCGETP, DIOCSETP, Disk
from servers.disk.latency import Latency
from servers.disk.medium import Medium
from servers.lib.grants import Grants

DISK = 12
PORT = 0x1F0
BLOCK = 4096
BLOCKS = 16
INSTANT = Latency(0, 0)
BUFFER = 0x10000


class Bench:
    """A machine with the driver and a client; the disk's blocks are filled with their number."""

    def __init__(self, latency: Latency = INSTANT) -> None:
        self.machine = machine = Machine()
        medium = Medium(BLOCKS * BLOCK, lambda block: bytes([block]) * BLOCK)

        def interrupt() -> None:
            machine.interrupts.raise_line(14)

        self.controller = Controller(medium, PORT, machine.clock, interrupt, latency)
        machine.interrupts.ports[PORT] = self.controller
        disk = Disk(self.controller)
        process = machine.spawn(DISK, "disk", disk.main, system=True, context=disk.context)
        process.private = disk.memory
        self.grants = Grants()

    def run(self, program: Any) -> Any:
        """What the client's `program(bench)` returns."""
        results = []

        async def client() -> None:
            results.append(await program(self))
            await trap(Receive(MFS))  # for ever

        process = self.machine.spawn(MFS, "client", client, system=True)
        process.privilege.grants = self.grants
        self.machine.run_until_nowait(lambda: bool(results))
        return results[0]

    async def ask(self, request: Any) -> int:
        answer = await trap(SendRec(DISK, request))
        assert isinstance(answer, BdevReply)
        assert answer.id == getattr(request, "id", 0)
        return answer.status

    async def read(self, position: int, length: int) -> int:
        grant = self.grants.direct(DISK, BUFFER, max(length, 0), CPF_WRITE)
        return await self.ask(BdevRead(position, 0, 7, length, grant))

    async def write(self, position: int, data: bytes) -> int:
        await trap(Store(BUFFER, data))
        grant = self.grants.direct(DISK, BUFFER, len(data), CPF_READ)
        return await self.ask(BdevWrite(position, 0, 7, len(data), grant))

    async def vector(self, sizes: list[int], access: int) -> int:
        table = b""
        for index, size in enumerate(sizes):
            grant = self.grants.direct(DISK, BUFFER + index * 0x10000, size, access)
            table += struct.pack("<iI", grant, size)
        await trap(Store(0x8000, table))
        return self.grants.direct(DISK, 0x8000, len(table), CPF_READ)


def opened(action: Any) -> Any:
    async def program(bench: Bench) -> Any:
        assert await bench.ask(BdevOpen(access=3)) == OK
        return await action(bench)

    return program


async def before_open(bench: Bench) -> int:
    return await bench.read(0, BLOCK)


async def read_back(bench: Bench) -> Any:
    done = await bench.write(BLOCK + 512, b"x" * 512)
    return done, await bench.read(BLOCK, 1536), (await trap(Load(BUFFER, 1536)))[510:1026]


async def gather(bench: Bench) -> Any:
    grant = await bench.vector([BLOCK, 512, BLOCK], CPF_WRITE)
    done = await bench.ask(BdevGather(2 * BLOCK, count=3, grant=grant))
    parts = [(await trap(Load(BUFFER + i * 0x10000, 512)))[:1] for i in range(3)]
    return done, parts


async def scatter(bench: Bench) -> Any:
    await trap(Store(BUFFER, b"a" * 512))
    await trap(Store(BUFFER + 0x10000, b"b" * 512))
    grant = await bench.vector([512, 512], CPF_READ)
    done = await bench.ask(BdevScatter(5 * BLOCK, count=2, grant=grant))
    return done, bench.controller.medium.read(5 * BLOCK + 511, 2)


async def geometry(bench: Bench) -> Any:
    grant = bench.grants.direct(DISK, BUFFER, 28, CPF_WRITE)
    done = await bench.ask(BdevIoctl(request=DIOCGETP, grant=grant))
    return done, struct.unpack("<QQIII", await trap(Load(BUFFER, 28)))


@pytest.mark.parametrize(("program", "expected"), [
    (before_open, ERESTART),
    (opened(lambda b: b.read(0, BLOCK)), BLOCK),
    (opened(read_back), (512, 1536, b"\1\1" + b"x" * 512 + b"\1\1")),
    (opened(gather), (2 * BLOCK + 512, [b"\2", b"\3", b"\3"])),
    (opened(scatter), (1024, b"ab")),
    (opened(geometry), (OK, (0, BLOCKS * BLOCK, 0, 64, 32))),
    # At the end of the disk there is less, and behind it nothing.
    (opened(lambda b: b.read((BLOCKS - 1) * BLOCK, 2 * BLOCK)), BLOCK),
    (opened(lambda b: b.read(BLOCKS * BLOCK, BLOCK)), 0),
    (opened(lambda b: b.read(512, 100)), EINVAL),
    (opened(lambda b: b.read(100, 512)), EINVAL),
    (opened(lambda b: b.read(-512, 512)), EINVAL),
    (opened(lambda b: b.read(0, -512)), EINVAL),
    (opened(lambda b: b.ask(BdevRead(0, 1, 0, BLOCK, 0))), ENXIO),
    (opened(lambda b: b.ask(BdevOpen(minor=1))), ENXIO),
    (opened(lambda b: b.ask(BdevClose())), OK),
    (opened(lambda b: b.ask(BdevIoctl(request=1))), ENOTTY),
    (opened(lambda b: b.ask(BdevIoctl(minor=7, request=1))), ENXIO),
    (opened(lambda b: b.ask(BdevIoctl(minor=7, request=DIOCGETP))), ENXIO),
    (opened(lambda b: b.ask(BdevIoctl(minor=7, request=DIOCSETP))), ENXIO),
    # Numbers that nobody took for a request of the driver's are read as one.
    (lambda b: b.ask(RawMessage(BdevOpen.type, b"")), OK),
    (lambda b: b.ask(Reply(BdevRead.type)), ERESTART),
    (opened(lambda b: b.ask(RawMessage(BdevClose.type, b""))), OK),
    (opened(lambda b: b.ask(RawMessage(BdevRead.type, b""))), 0),
    (opened(lambda b: b.ask(RawMessage(BdevWrite.type, bytes(8) + b"\1"))), ENXIO),
    (opened(lambda b: b.ask(Reply(BdevGather.type))), EINVAL),
    (opened(lambda b: b.ask(Reply(BdevIoctl.type))), ENOTTY),
    (opened(lambda b: b.ask(BdevGather(0, count=2, grant=999))), EINVAL),
])  # fmt: skip
def test_requests(program: Any, expected: Any) -> None:
    assert Bench().run(program) == expected


def test_a_grant_that_is_too_small_is_refused() -> None:
    async def program(bench: Bench) -> int:
        grant = bench.grants.direct(DISK, BUFFER, 512, CPF_WRITE)
        return await bench.ask(BdevRead(0, 0, 0, BLOCK, grant))

    assert Bench().run(opened(program)) == -1  # EPERM, from the copy


def test_time_passes_while_the_disk_works() -> None:
    bench = Bench(Latency(seek=5_000_000, per_block=100_000))

    async def program(each: Bench) -> list[int]:
        times = []
        for position in (0, BLOCK, 8 * BLOCK):
            begin = each.machine.clock.now
            await each.read(position, BLOCK)
            times.append((each.machine.clock.now - begin) // 100_000)
        return times

    assert bench.run(opened(program)) == [1, 1, 51]


def test_the_transfers_that_fail() -> None:
    bench = Bench()
    bench.controller.faults.fail(2, times=2)

    async def program(each: Bench) -> list[int]:
        return [await each.read(0, BLOCK) for _ in range(4)]

    assert bench.run(opened(program)) == [BLOCK, EIO, EIO, BLOCK]
