"""Who waits for whom when nothing moves."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from ipc.endpoint import ANY, NONE, PM, VFS, VM
from ipc.pm import PmGetpid
from ipc.traps import NextCommand, Receive, SendRec, trap
from kernel.flags import RTS_NO_PRIV, RTS_PAGEFAULT, RTS_PROC_STOP, RTS_SIGNALED, RTS_VMINHIBIT
from kernel.hang import REASONS, Hang, at_rest, describe_process, report
from kernel.machine import Machine


async def serve() -> None:
    while True:
        await trap(Receive(ANY))


async def ask(whom: int) -> None:
    await trap(SendRec(whom, PmGetpid()))


async def driven() -> None:
    await trap(NextCommand())


@attrs.frozen
class Ticket:
    """What a server may keep of a call that it has put aside."""

    awaits: int
    reason: str


def test_a_machine_at_rest_has_nothing_to_report() -> None:
    machine = Machine()
    machine.spawn(PM, "pm", serve, system=True)
    process = machine.spawn(30, "driven", driven)
    machine.run_quiet_nowait()
    found = report(machine)
    assert (found.waiting, found.circles, found.parked) == ((), (), ())
    assert str(found) == "nobody waits"
    assert at_rest(process)


def test_the_report_says_who_waits_for_whom_and_what_servers_have_put_aside() -> None:
    machine = Machine()
    pm = machine.spawn(PM, "pm", serve, system=True)
    pm.context.parked = {"PM_WAIT4 from 30": Ticket(VFS, "the child")}
    machine.spawn(30, "init", lambda: ask(PM))
    machine.spawn(31, "lonely", serve).privilege.trap_mask = (1 << 17) - 1
    machine.run_quiet_nowait()
    found = report(machine)
    assert [(each.name, each.partner) for each in found.waiting] == [("init", PM), ("lonely", ANY)]
    assert str(found).splitlines() == [
        "init waits for PM to answer PM_GETPID",
        "lonely waits for anybody",
        "PM has put aside PM_WAIT4 from 30, waiting for VFS (the child)",
    ]
    assert "nothing can run and nothing is due:\ninit waits" in str(Hang(found))


def test_a_circle_is_named() -> None:
    machine = Machine()
    for slot, partner in ((20, 21), (21, 22), (22, 20)):
        process = machine.spawn(slot, f"p{slot}", serve, system=True)
        machine.run_quiet_nowait()
        # Message passing refuses to close a circle; this is what it would look like.
        process.get_from = partner
    assert report(machine).circles == ((20, 21, 22),)
    assert "a circle: p20 -> p21 -> p22 -> p20" in str(report(machine))


def test_who_waits_is_told_apart_from_others_of_the_same_name() -> None:
    machine = Machine()
    machine.spawn(20, "twin", serve, system=True)
    machine.spawn(21, "twin", lambda: trap(Receive(20)), system=True)
    machine.spawn(22, "single", lambda: trap(Receive(21)), system=True)
    machine.run_quiet_nowait()
    assert str(report(machine)).splitlines() == [
        "twin (21) waits for twin (20)",
        "single waits for twin (21)",
    ]


@pytest.mark.parametrize("flag", sorted(REASONS))
def test_every_reason_to_wait_has_words(flag: int) -> None:
    machine = Machine()
    machine.spawn(VM, "vm", serve, system=True)
    process = machine.spawn(30, "user", serve)
    machine.ready.block(process, flag)
    machine.run_quiet_nowait()
    assert describe_process(process) == REASONS[flag]
    assert not at_rest(process)


@pytest.mark.parametrize(
    ("flag", "partner"),
    [(RTS_PAGEFAULT, VM), (RTS_VMINHIBIT, VM), (RTS_SIGNALED, PM), (RTS_PROC_STOP, NONE),
     (RTS_NO_PRIV, NONE)],
)  # fmt: skip
def test_whose_act_ends_the_wait(flag: int, partner: int) -> None:
    machine = Machine()
    process = machine.spawn(30, "user", serve)
    machine.ready.block(process, flag)
    assert [each.partner for each in report(machine).waiting] == [partner]


def test_run_until_tells_a_hang_from_an_end() -> None:
    machine = Machine()
    machine.spawn(PM, "pm", serve, system=True)
    done: list[Any] = []
    machine.spawn(30, "init", lambda: ask(PM))
    assert machine.run_until_nowait(lambda: True)
    assert not machine.run_until_nowait(lambda: bool(done))
    machine.clock.schedule(5_000, lambda: done.append(1))
    assert machine.run_until_nowait(lambda: bool(done))
    assert machine.clock.now >= 5_000
