"""`sendrec.explore`: a test under many schedules."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import sendrec
from ipc.message import Message, RawMessage, Reply

READ, WRITE = 0x1001, 0x1002


async def do_read(server: Account, _source: int, _message: Message) -> Message:
    return Reply(server.value)


async def do_write(server: Account, _source: int, message: RawMessage) -> Message:
    server.value = message.payload[0]
    return Reply(0)


class Account(sendrec.Server):
    """Keeps a number."""

    CALLS = {READ: do_read, WRITE: do_write}  # noqa: RUF012 - as servers are written

    def __init__(self) -> None:
        super().__init__(name="account")
        self.value = 0


def account(machine: sendrec.Machine) -> int:
    return next(each.endpoint for each in machine.processes() if each.name == "account")


async def deposits(machine: sendrec.Machine) -> None:
    """Two processes add one to what they have read; the second is late, if all goes well."""
    where = account(machine)

    async def deposit(libc: sendrec.Libc) -> None:
        value = (await libc.sendrec(where, RawMessage(READ))).type
        await libc.sendrec(where, RawMessage(WRITE, bytes([value + 1])))

    async def late(libc: sendrec.Libc) -> None:
        await libc.getpid()
        await deposit(libc)

    other = await machine.init.fork()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(machine.init.run, deposit)
        nursery.start_soon(other.run, late)
    answer = await machine.init.sendrec(where, RawMessage(READ))
    assert answer.type == 2


def test_the_lost_update_is_found_and_found_again() -> None:
    with pytest.raises(AssertionError) as raised:
        sendrec.explore(deposits, servers={"account": Account})
    (note,) = raised.value.__notes__
    policy = note.rpartition("policy=")[2].strip("'")
    assert policy.startswith("replay:0x")

    async def run(policy: str) -> None:
        async with sendrec.boot(servers={"account": Account}, policy=policy) as machine:
            await deposits(machine)

    trio.run(run, "fifo")
    with pytest.raises(AssertionError):
        trio.run(run, policy)


def test_what_holds() -> None:
    async def test(machine: sendrec.Machine) -> None:
        child = await machine.init.fork()
        await child.exit(3)
        assert (await machine.init.wait()).status == 3

    found = sendrec.explore(test, bound=1)
    assert found.ok
    assert found.exhausted
    assert len(found.outcomes) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runs": 0}, "runs is 0; it must be a whole number from 1 on"),
        ({"runs": True}, "runs is True"),
        ({"bound": -1}, "bound is -1; it must be a whole number from 0 on"),
        ({"bound": "x"}, "bound is 'x'"),
        ({"seed": 1.5}, "seed is 1.5"),
    ],
)
def test_numbers_that_make_no_search(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sendrec.explore(deposits, **options)


def test_no_policy() -> None:
    with pytest.raises(ValueError, match="no policy"):
        sendrec.explore(deposits, policy="random")
