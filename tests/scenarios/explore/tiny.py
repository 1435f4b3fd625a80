"""Machines without servers, whose processes do a few traps each: small enough to try everything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from ipc.endpoint import ANY
from ipc.errors import IpcError, error_name
from ipc.message import RawMessage
from ipc.traps import NextCommand, Notify, Program, Receive, Send, SendNb, SendRec, Trap, trap
from kernel.hang import report
from kernel.machine import Machine
from scenarios.explore.search import Exploration, Run, Search
from scenarios.explore.steps import Deviations
from scenarios.explore.watcher import Watcher

FIRST = 20  # the endpoint of the first process


class Tiny:
    """Plays a machine whose processes make these traps, whatever comes of each."""

    def __init__(self, *programs: Sequence[Trap]) -> None:
        self.programs = programs

    def __call__(self, deviations: Deviations, careful: bool) -> tuple[Run, Watcher]:
        """Make one schedule."""
        machine = Machine()
        results: list[list[str]] = [[] for _ in self.programs]
        for number, (traps, result) in enumerate(zip(self.programs, results, strict=True)):
            machine.spawn(FIRST + number, f"p{number}", _program(traps, result), system=True)
        watcher = Watcher(machine, deviations, careful=careful)
        machine.run_nowait()
        outcome = tuple((str(number), tuple(each)) for number, each in enumerate(results))
        waiting = tuple(each.reason for each in report(machine).waiting)
        run = Run(
            watcher.deviations, watcher.schedule, "hang" if waiting else "ok", str(waiting),
            results=(*outcome, ("waiting", waiting)),
        )  # fmt: skip
        return run, watcher


def _program(traps: Iterable[Trap], results: list[str]) -> Program:
    async def program() -> int | None:
        for each in traps:
            results.append(await _result(each))  # noqa: PERF401 - it may never end
        await trap(NextCommand())  # and rest
        return None

    return program


async def _result(request: Trap) -> str:
    try:
        match await trap(request):
            case (source, message, _):
                return f"{source} {message.type}"
            case None:
                return "done"
            case answer:
                return f"answer {answer.type}"
    except IpcError as error:
        return error_name(error.code)


def message(number: int) -> RawMessage:
    """A message that can be told from others."""
    return RawMessage(number, b"")


def send(to: int, number: int = 1) -> Send:
    """Send to the process with that number."""
    return Send(FIRST + to, message(number))


def receive(source: int | None = None) -> Receive:
    """Receive from the process with that number, or from anybody."""
    return Receive(ANY if source is None else FIRST + source)


def random_programs(random: Random) -> list[list[Trap]]:
    """Three processes with up to three traps each."""

    def one(me: int) -> Trap:
        other = random.choice([each for each in range(3) if each != me])
        number = random.randrange(1, 100)
        return random.choice([
            send(other, number), SendNb(FIRST + other, message(number)),
            SendRec(FIRST + other, message(number)), Notify(FIRST + other),
            receive(), receive(), receive(other),
        ])  # fmt: skip

    return [[one(me) for _ in range(random.randrange(1, 4))] for me in range(3)]


def everything(play: Tiny, bound: int = 99, *, whole: bool) -> Exploration:
    """What comes of every schedule, also after a failure."""
    return Search(play, bound, 1_000_000, whole=whole, on=True).finish()
