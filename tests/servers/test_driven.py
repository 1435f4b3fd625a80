"""Processes driven from outside in the places of servers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ipc.endpoint import DS, INIT, MFS, PM, RS, VFS, VM
from ipc.errors import EPERM
from ipc.message import Reply
from ipc.traps import KernelCall, trap
from ipc.vm import VmFork, VmVfsReply, VmWillexit
from servers.boot import System, boot
from servers.config import BadConfig, MachineConfig
from servers.lib.driven import Command, Returned
from servers.lib.libc import Libc


def tell(system: System, endpoint: int, action: Callable[[Libc], Coroutine[Any, Any, Any]]) -> Any:
    """What comes of a command that must not block."""
    outcomes: list[Any] = []
    process = system.machine.table.lookup(endpoint)
    assert process is not None
    system.machine.driven.inject(process, Command(action, "a command"), outcomes.append)
    system.machine.run_nowait()
    (outcome,) = outcomes
    assert isinstance(outcome, Returned), outcome
    return outcome.value


def test_replaced_servers_do_not_run() -> None:
    system = boot(MachineConfig(driven={"files": VFS, "mfs": MFS}))
    assert {"vfs", "mfs"}.isdisjoint(system.servers)
    assert {"pm", "sched", "vm", "pfs", "disk"} <= set(system.servers)
    files = system.machine.table.lookup(VFS)
    assert files is not None
    assert files.name == "files"


def test_has_the_rights_of_a_server() -> None:
    system = boot(MachineConfig(driven={"pm": PM, "ds": DS}))
    assert tell(system, DS, lambda libc: libc.sendrec(VM, VmWillexit(INIT))) == Reply(EPERM)
    assert tell(system, PM, lambda libc: libc.sendrec(VM, VmWillexit(INIT))) == Reply()


def test_has_memory_of_its_own() -> None:
    async def use(libc: Libc) -> bytes:
        await libc.store(0x8048000, b"mine")
        return await libc.load(0x8048000, 4)

    assert tell(boot(MachineConfig(driven={"ds": DS})), DS, use) == b"mine"


def test_plays_pm_for_a_fork() -> None:
    """The script does what PM would: receive the request, have VM copy, answer both."""
    system = boot(MachineConfig(driven={"pm": PM, "vfs": VFS}))
    init = system.machine.table.lookup(INIT)
    assert init is not None
    pids: list[Any] = []

    async def child(_libc: Libc) -> int:
        return 0

    command = Command(lambda libc: libc.fork(child), "fork")
    system.machine.driven.inject(init, command, pids.append)

    async def receive(libc: Libc) -> int:
        source, _message, _status = await libc.receive(INIT)
        return source

    async def answer(libc: Libc) -> Any:
        reply = await libc.sendrec(VM, VmFork(INIT, 40))
        await libc.sendnb(INIT, Reply(7))
        return reply

    assert tell(system, PM, receive) == INIT
    reply = tell(system, PM, answer)
    assert reply.type == 0
    assert reply.child_endpoint & 0x7FFF == 40
    assert pids == [Returned(7)]


def test_may_call_the_kernel() -> None:
    from ipc.kernelcalls import SysTimes

    async def times(_libc: Libc) -> int:
        reply = await trap(KernelCall(SysTimes(endpt=INIT)))
        return int(reply.type)

    assert tell(boot(MachineConfig(driven={"rs": RS})), RS, times) == 0


def test_an_answer_of_vfs_that_nobody_waits_for_is_dropped() -> None:
    system = boot(MachineConfig(driven={"vfs": VFS}))
    tell(system, VFS, lambda libc: libc.senda([(VM, VmVfsReply(reqid=1, endpoint=INIT))]))
    system.machine.check()


@pytest.mark.parametrize(
    ("driven", "reason"),
    [
        ({"vm": VM}, "VM cannot be replaced"),
        ({"someone": INIT}, "INIT cannot be replaced"),
        ({"far": 4000}, "no endpoint of a server"),
        ({"a": 6, "b": 6}, "two processes have the same endpoint"),
        ({"pm": 6}, "pm has the endpoint 0"),
        ({"not a name": 6}, "no name for a process"),
    ],
)
def test_what_cannot_be(driven: dict[str, int], reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        boot(MachineConfig(driven=driven))
