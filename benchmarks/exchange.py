"""SENDREC round trips, in machines of two processes and of many."""

from __future__ import annotations

from time import perf_counter

from ipc.endpoint import DS, RS
from ipc.message import Reply
from ipc.pm import PmGetuid
from ipc.traps import NextCommand, Receive, Send, SendRec, trap
from kernel.machine import Configuration, Machine
from tracing.records import Recorder

ROUND_TRIPS = 2_500
EVENTS_KEPT = 1_500

_REQUEST = PmGetuid()
_ANSWER = Reply()


async def _serve() -> None:
    """A server that answers whatever it gets."""
    while True:
        source, _message, _status = await trap(Receive())
        await trap(Send(source, _ANSWER))


async def _sleep() -> None:
    """A process that waits for ever."""
    await trap(NextCommand())


class _Client:
    """Asks the server `round_trips` times and keeps how long that took."""

    def __init__(self, round_trips: int) -> None:
        self.round_trips = round_trips
        self.elapsed = 0.0

    async def main(self) -> None:
        """The program of the client's process."""
        request = SendRec(DS, _REQUEST)
        started = perf_counter()
        for _ in range(self.round_trips):
            await trap(request)
        self.elapsed = perf_counter() - started
        await _sleep()


def _machine(processes: int, client: _Client) -> Machine:
    """A machine with a server, a client and so many others that wait."""
    machine = Machine(Configuration(slots=processes + 16))
    for slot in range(12, 10 + processes):
        machine.spawn(slot, "sleeper", _sleep)
    machine.spawn(DS, "server", _serve, system=True)
    machine.run_quiet_nowait()
    machine.spawn(RS, "client", client.main, system=True)
    return machine


def round_trip(processes: int = 2, round_trips: int = ROUND_TRIPS) -> float:
    """Seconds for a SENDREC and its answer, with so many processes alive and no listener."""
    client = _Client(round_trips)
    _machine(processes, client).run_quiet_nowait()
    return client.elapsed / round_trips


def recorded_round_trip(round_trips: int = EVENTS_KEPT) -> float:
    """The same with a listener that keeps every event."""
    client = _Client(round_trips)
    machine = _machine(2, client)
    with Recorder(machine.probes):
        machine.run_quiet_nowait()
    return client.elapsed / round_trips
