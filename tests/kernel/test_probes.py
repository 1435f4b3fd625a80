"""Events and their listeners."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from ipc.endpoint import NONE, VM
from ipc.errors import EDEADSRCDST, ENOTREADY, IpcError
from ipc.message import Reply
from ipc.traps import (
    SEND_CALL,
    SENDNB_CALL,
    SENDREC_CALL,
    Compute,
    Receive,
    Send,
    SendNb,
    SendRec,
    Store,
    trap,
)
from kernel.machine import Configuration, Machine
from kernel.probes import (
    Blocked,
    Chosen,
    Event,
    KernelCalled,
    MemoryChanged,
    MessageDelivered,
    MessageSent,
    PageFaulted,
    ProcessCreated,
    ProcessDied,
    ProgramEnded,
    TrapRefused,
)
from tests.kernel.machines import Small


async def echo() -> None:
    while True:
        source, message, _ = await trap(Receive())
        await trap(Send(source, message))


async def ask() -> None:
    await trap(SendRec(20, Reply(1)))
    await trap(Receive())


def conversation() -> Machine:
    machine = Machine()
    machine.spawn(20, "echo", echo, system=True)
    machine.run_nowait()
    machine.spawn(21, "ask", ask, system=True)
    return machine


def test_events_are_numbered_in_the_order_in_which_they_happen() -> None:
    machine = conversation()
    events: list[Event] = []
    machine.probes.listen(events.append)
    machine.run_nowait()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert [type(event) for event in events] == [
        MessageSent, MessageDelivered, Blocked, MessageSent, MessageDelivered, Blocked, Blocked
    ]  # fmt: skip
    delivered = events[1]
    assert machine.table.at(20).context.delivered == delivered.seq


def test_what_is_refused_can_be_seen_at_once_and_after_a_death() -> None:
    machine = Machine()
    events: list[Any] = []
    machine.probes.listen(events.append)

    async def mute() -> None:
        await trap(Receive(22))

    async def pester() -> None:
        for request in (SendRec(99, Reply(1)), SendNb(20, Reply(2)), Send(20, Reply(3))):
            with suppress(IpcError):
                await trap(request)
        await trap(Receive())

    dumb = machine.spawn(20, "mute", mute, system=True)
    machine.spawn(22, "echo", echo, system=True)
    machine.run_nowait()
    machine.spawn(21, "pester", pester, system=True)
    machine.run_nowait()
    machine.rendezvous.clear_endpoint(dumb)
    machine.run_nowait()
    refused = [event for event in events if isinstance(event, TrapRefused)]
    assert [(each.process, each.partner, each.message, each.call, each.error)
            for each in refused] == [
        (21, 99, Reply(1), SENDREC_CALL, EDEADSRCDST),
        (21, 20, Reply(2), SENDNB_CALL, ENOTREADY),
        (21, 20, Reply(3), SEND_CALL, EDEADSRCDST),
    ]  # fmt: skip


def test_nothing_is_made_for_nobody() -> None:
    machine = conversation()
    machine.run_nowait()
    assert machine.probes.emit is None
    assert machine.probes.seq == 0


def test_who_no_longer_listens_hears_nothing() -> None:
    machine = conversation()
    first: list[Event] = []
    second: list[Event] = []
    unlisten = machine.probes.listen(first.append)
    machine.probes.listen(second.append)
    unlisten()
    unlisten()
    machine.run_nowait()
    assert first == []
    assert len(second) == 7


def test_a_listener_that_fails_ends_the_run_and_leaves_the_machine_whole() -> None:
    machine = conversation()
    heard: list[Event] = []

    def fail(event: Event) -> None:
        if isinstance(event, MessageDelivered):
            raise LookupError("the listener is broken")

    machine.probes.listen(fail)
    machine.probes.listen(heard.append)
    with pytest.raises(LookupError, match="the listener is broken"):
        machine.run_nowait()
    machine.check()
    machine.run_nowait()
    assert machine.quiet
    assert len(heard) == 7  # the other one missed nothing


def test_a_listener_can_stop_the_run_between_two_steps() -> None:
    machine = conversation()
    machine.probes.listen(lambda event: machine.dispatcher.stop())
    machine.run_nowait()
    assert not machine.quiet
    machine.check()
    while not machine.quiet:
        machine.run_nowait()
    assert machine.table.at(21).rts


def test_the_life_of_a_process_and_its_memory_can_be_seen() -> None:
    small = Small()
    events: list[Any] = []
    small.machine.probes.listen(events.append)

    async def user() -> None:
        await trap(Store(0x10000, b"x"))

    process = small.user("user", user, 30)
    small.run()
    mapped = [event for event in events if getattr(event, "action", "") == "map"]
    assert [(each.process, each.address, each.pages) for each in mapped] == [
        (process.endpoint, 0x10000, 1)
    ]
    kinds = [type(event) for event in events[2:]]  # after the creation and the bind
    for kind in (
        PageFaulted, MemoryChanged, KernelCalled, ProgramEnded, ProcessDied
    ):  # fmt: skip
        assert kind in kinds, kind
    assert kinds.index(PageFaulted) < kinds.index(MemoryChanged) < kinds.index(ProgramEnded)
    created = next(event for event in events if isinstance(event, ProcessCreated))
    assert (created.process, created.parent, created.name) == (process.endpoint, NONE, "user")
    fault = next(event for event in events if isinstance(event, MessageSent))
    assert (fault.source, fault.dest, fault.from_kernel) == (process.endpoint, VM, True)


def test_only_choices_that_change_who_runs_are_told() -> None:
    machine = Machine(Configuration(policy="replay:0,1"))
    events: list[Any] = []
    machine.probes.listen(events.append)

    async def busy() -> None:
        await trap(Compute(1))
        await trap(Receive())

    machine.spawn(20, "a", busy, system=True)
    machine.spawn(21, "b", busy, system=True)
    machine.run_nowait()
    chosen = [(e.process, e.index, e.ready) for e in events if isinstance(e, Chosen)]
    assert chosen == [(21, 1, 2)]
