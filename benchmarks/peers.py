"""What sendrec is compared with: the same exchange between two trio tasks, and in SimPy."""

from __future__ import annotations

from collections.abc import Generator
from time import perf_counter
from typing import Any

import trio

ROUND_TRIPS = 800


def trio_round_trip(round_trips: int = ROUND_TRIPS) -> float:
    """T: seconds for a message over a zero-buffer memory channel and its answer over another."""

    async def answer(
        requests: trio.MemoryReceiveChannel[object], answers: trio.MemorySendChannel[object]
    ) -> None:
        async for request in requests:
            await answers.send(request)

    async def ask() -> float:
        to_server, requests = trio.open_memory_channel[object](0)
        to_client, answers = trio.open_memory_channel[object](0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, requests, to_client)
            message = object()
            started = perf_counter()
            for _ in range(round_trips):
                await to_server.send(message)
                await answers.receive()
            elapsed = perf_counter() - started
            to_server.close()
        return elapsed / round_trips

    return trio.run(ask)


def simpy_round_trip(round_trips: int = ROUND_TRIPS) -> float:
    """Seconds for a message through one SimPy Store and its answer through another."""
    import simpy

    environment = simpy.Environment()
    requests, answers = simpy.Store(environment), simpy.Store(environment)

    def server() -> Generator[Any, Any, None]:
        while True:
            request = yield requests.get()
            yield answers.put(request)

    def client() -> Generator[Any, Any, None]:
        message = object()
        for _ in range(round_trips):
            yield requests.put(message)
            yield answers.get()

    environment.process(server())
    asked = environment.process(client())
    started = perf_counter()
    environment.run(until=asked)
    return (perf_counter() - started) / round_trips
