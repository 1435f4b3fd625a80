"""Faults from Python."""

from __future__ import annotations

import pytest

import sendrec
from ipc.errors import EIO, ENOMEM
from ipc.flags import MAP_ANON, MAP_PREALLOC, MAP_PRIVATE
from ipc.vfs import VfsOpen
from sendrec import (
    AllocationFault,
    CallFailed,
    Crash,
    MachineStopped,
    NeverStruck,
    NoServer,
    Panic,
    ReplyFault,
    When,
)

FILES = {"/f": b"text"}


async def test_an_error_is_what_the_caller_gets() -> None:
    async with sendrec.boot(files=FILES) as machine:
        fault = ReplyFault("vfs", error=EIO, request=VfsOpen, when=2)
        with machine.injected(fault) as (armed,):
            assert await machine.init.open("/f") == 0
            with pytest.raises(CallFailed) as caught:
                await machine.init.open("/f")
            assert caught.value.errno == EIO
            assert await machine.init.open("/f") == 1
        assert (armed.seen, armed.fired) == (2, 1)


async def test_a_delay_is_virtual_time() -> None:
    async with sendrec.boot() as machine:
        before = machine.now
        with machine.injected(ReplyFault("pm", delay=7_000_000, when=1)):
            assert await machine.init.getpid() == 1
        assert 7_000_000 < machine.now - before < 8_000_000


async def test_an_allocation_fails() -> None:
    async with sendrec.boot() as machine:
        flags = MAP_PRIVATE | MAP_ANON | MAP_PREALLOC
        with machine.injected(AllocationFault(when=2)):
            with pytest.raises(CallFailed) as caught:
                await machine.init.mmap(length=8192, flags=flags)
            assert caught.value.errno == ENOMEM
        assert await machine.init.mmap(length=8192, flags=flags)


async def test_a_crash_over_a_request_and_one_at_once() -> None:
    async with sendrec.boot(files=FILES) as machine:
        with machine.injected(Crash("mfs", request="REQ_LOOKUP")), pytest.raises(CallFailed):
            await machine.init.open("/f")
        machine.crash("sched")
        await machine.run_until_quiet()
        alive = [each.name for each in machine.processes()]
        assert alive == ["pm", "vfs", "vm", "pfs", "init", "disk"]
        with pytest.raises(NoServer, match="there is no server mfs"):
            machine.crash("mfs")


async def test_the_crash_of_vm_stops_the_machine() -> None:
    async with sendrec.boot() as machine:
        with pytest.raises(Panic):
            machine.crash("vm")
        with pytest.raises(MachineStopped):
            await machine.init.getpid()


async def test_a_fault_that_never_strikes_is_told() -> None:
    async with sendrec.boot(files=FILES) as machine:
        fault = ReplyFault("vfs", error=EIO, request="VFS_OPEN", when=When(5))
        said = "VFS received 1 VFS_OPEN since"
        with pytest.raises(NeverStruck, match=said), machine.injected(fault):
            await machine.init.open("/f")


async def test_another_failure_is_not_hidden_by_it() -> None:
    async with sendrec.boot() as machine:
        with pytest.raises(CallFailed), machine.injected(ReplyFault("disk", error=EIO)):
            await machine.init.open("/none")


async def test_a_fault_stays_until_it_is_ended() -> None:
    async with sendrec.boot() as machine:
        armed = machine.inject(ReplyFault("pm", error=EIO))
        for _ in range(3):
            with pytest.raises(CallFailed):
                await machine.init.getpid()
        machine.system.machine.faults.disarm(armed)
        assert await machine.init.getpid() == 1
        assert armed.fired == 3
