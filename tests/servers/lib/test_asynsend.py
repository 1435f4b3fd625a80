"""Asynchronous tables: order, reuse, and what becomes of failures."""

from __future__ import annotations

from typing import Any

import pytest

from ipc.endpoint import CLOCK
from ipc.errors import EDEADSRCDST
from ipc.message import RawMessage
from ipc.traps import AMF_DONE, Receive, Send, trap
from kernel.machine import Machine
from kernel.panic import Panic
from servers.lib.asynsend import AsyncTable

SENDER = 20
RECEIVER = 21
OTHER = 22


def machine_with(sender: Any, receiver: Any = None) -> Machine:
    machine = Machine()
    machine.spawn(SENDER, "sender", sender, system=True)
    if receiver is not None:
        machine.spawn(RECEIVER, "receiver", receiver, system=True)
    return machine


def test_messages_arrive_in_order_and_the_table_is_emptied() -> None:
    table = AsyncTable()
    got = []

    async def sender() -> None:
        for number in range(5):
            await table.send(RECEIVER, RawMessage(number + 1))
        await trap(Receive())

    async def receiver() -> None:
        for _ in range(5):
            source, message, _status = await trap(Receive())
            got.append((source, message.type))
        await trap(Receive())

    machine_with(sender, receiver).run_quiet_nowait()
    assert got == [(SENDER, number + 1) for number in range(5)]
    assert all(entry.result == 0 for entry in table.entries)


def test_what_was_delivered_makes_room() -> None:
    table = AsyncTable(capacity=2)
    got = []

    async def sender() -> None:
        for number in range(10):
            await table.send(RECEIVER, RawMessage(number + 1))
            if number % 2:
                await trap(Receive(RECEIVER))
        await trap(Receive())

    async def receiver() -> None:
        for number in range(10):
            got.append((await trap(Receive()))[1].type)
            if number % 2:
                await trap(Send(SENDER, RawMessage(99)))
        await trap(Receive())

    machine_with(sender, receiver).run_quiet_nowait()
    assert got == list(range(1, 11))
    assert len(table.entries) <= 2


def test_a_full_table_is_a_panic() -> None:
    table = AsyncTable(capacity=3)

    async def sender() -> None:
        for _ in range(4):
            await table.send(RECEIVER, RawMessage(1))

    async def receiver() -> None:
        await trap(Receive(CLOCK))

    machine = machine_with(sender, receiver)
    with pytest.raises(Panic, match="is full"):
        machine.run_quiet_nowait()


def test_what_failed_makes_room() -> None:
    table = AsyncTable(capacity=1)
    got = []

    async def sender() -> None:
        await table.send(77, RawMessage(1))
        assert [entry.result for entry in table.entries] == [EDEADSRCDST]
        await table.send(RECEIVER, RawMessage(2))
        await trap(Receive())

    async def receiver() -> None:
        while True:
            got.append((await trap(Receive()))[1].type)

    machine_with(sender, receiver).run_quiet_nowait()
    assert got == [2]


def test_a_message_that_waits_keeps_its_place() -> None:
    table = AsyncTable()
    got = []

    async def sender() -> None:
        await table.send(RECEIVER, RawMessage(1))
        await table.send(OTHER, RawMessage(2))
        await table.send(OTHER, RawMessage(3))
        await trap(Receive())

    async def other() -> None:
        while True:
            got.append((await trap(Receive()))[1].type)

    async def receiver() -> None:
        await trap(Receive(OTHER))

    machine = machine_with(sender, receiver)
    machine.spawn(OTHER, "other", other, system=True)
    machine.run_quiet_nowait()
    assert got == [2, 3]
    assert table.entries[0].message == RawMessage(1)
    assert not table.entries[0].flags & AMF_DONE
