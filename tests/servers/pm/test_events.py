"""Subscribers of process events: each is asked in turn, and the process waits for them."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from ipc.common import ProcEvent, ProcEventReply
from ipc.endpoint import PM
from ipc.errors import ENOMEM, OK
from ipc.flags import PROC_EVENT_EXIT, PROC_EVENT_SIGNAL
from ipc.pm import PmProceventmask
from ipc.signals import SIGKILL, SIGUSR1
from ipc.traps import SendRec, trap
from servers.boot import System
from servers.lib.asynsend import AsyncTable
from servers.lib.libc import Libc
from servers.lib.loop import Server
from tests.servers.systems import booted, check, sleeping, tell


async def do_event(service: Subscriber, _source: int, message: ProcEvent) -> None:
    """Note an event, and answer it unless told not to."""
    service.seen.append((service.name, message.event))
    reply = ProcEventReply(message.endpt, message.event + service.mistake)
    service.owed.append(reply)
    if service.answers:
        await service.answer()


@attrs.define(eq=False)
class Subscriber(Server):
    """A service that subscribes to events when it starts."""

    CALLS = {ProcEvent.type: do_event}  # noqa: RUF012

    mask: int = 0
    seen: list[Any] = attrs.field(factory=list)
    answers: bool = True
    mistake: int = 0
    owed: list[ProcEventReply] = attrs.field(factory=list)
    outgoing: AsyncTable = attrs.field(factory=AsyncTable)
    results: list[int] = attrs.field(factory=list)

    async def start(self) -> None:
        """Subscribe."""
        reply = await trap(SendRec(PM, PmProceventmask(self.mask)))
        self.results.append(reply.type)

    async def answer(self) -> None:
        """Answer the oldest event that is unanswered."""
        await self.outgoing.send(PM, self.owed.pop(0))


def with_subscribers(*services: Subscriber) -> System:
    return booted(servers={each.name: (lambda each=each: each) for each in services})


def subscribers(*masks: int, **options: Any) -> tuple[list[Any], list[Subscriber]]:
    seen: list[Any] = []
    made = [
        Subscriber(name=name, mask=mask, seen=seen, **options)
        for name, mask in zip("abcde", masks, strict=False)
    ]
    return seen, made


async def leave(_libc: Libc) -> None:
    return


async def live_and_die(libc: Libc) -> int:
    """A child catches a signal and ends; its exit status."""

    async def catcher(child: Libc) -> int:
        async def handler(_libc: Libc, _signal: int) -> None:
            return

        await child.sigaction(SIGUSR1, handler)
        await child.compute(1)
        source, _ = await child.pipe()
        try:
            await child.read(source, child.on_stack(4), 4)
        except Exception:
            return 5
        return 6

    pid = await libc.fork(catcher)
    await libc.nanosleep(1)
    await libc.kill(pid, SIGUSR1)
    return (await libc.wait()).status


BOTH = PROC_EVENT_EXIT | PROC_EVENT_SIGNAL


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        ((0,), []),
        ((PROC_EVENT_EXIT,), [("a", PROC_EVENT_EXIT)]),
        ((PROC_EVENT_SIGNAL,), [("a", PROC_EVENT_SIGNAL)]),
        (
            (PROC_EVENT_EXIT, BOTH, PROC_EVENT_SIGNAL),
            [
                ("b", PROC_EVENT_SIGNAL),
                ("c", PROC_EVENT_SIGNAL),
                ("a", PROC_EVENT_EXIT),
                ("b", PROC_EVENT_EXIT),
            ],
        ),
    ],
)
def test_events_go_to_whoever_asked(masks: tuple[int, ...], expected: list[Any]) -> None:
    seen, services = subscribers(*masks)
    system = with_subscribers(*services)
    assert tell(system, live_and_die) == 5
    assert seen == expected
    check(system)


def test_there_are_only_so_many_places() -> None:
    _, services = subscribers(1, 1, 1, 1, 1)
    with_subscribers(*services)
    assert [each.results for each in services] == [[OK]] * 4 + [[ENOMEM]]


def test_a_process_is_not_gone_before_the_answer() -> None:
    seen, (service,) = subscribers(PROC_EVENT_EXIT, answers=False)
    system = with_subscribers(service)
    tell(system, lambda libc: libc.fork(leave))
    assert seen == [("a", PROC_EVENT_EXIT)]
    # The parent may be told, but the slot is not free.
    assert tell(system, lambda libc: libc.wait()).pid == 11
    process = system.pm.table.find(11)
    assert process is not None
    assert process.event is not None
    assert system.machine.table.lookup(process.endpoint) is not None


def test_an_answer_to_another_event_is_dropped() -> None:
    _, (service,) = subscribers(PROC_EVENT_EXIT, mistake=1)
    system = with_subscribers(service)
    tell(system, lambda libc: libc.fork(leave))
    process = system.pm.table.find(11)
    assert process is not None
    assert process.event is not None


def test_the_death_of_a_subscriber_lets_all_go_on() -> None:
    _, (service,) = subscribers(PROC_EVENT_EXIT, answers=False)
    system = with_subscribers(service)
    known = next(each for each in system.pm.table if each.name == "a")
    tell(system, lambda libc: libc.fork(leave))

    async def kill_it(libc: Libc) -> int:
        await libc.fork(sleeping())
        return await libc.kill(known.pid, SIGKILL)

    assert tell(system, kill_it) == OK
    assert system.pm.subscribers == []
    process = system.pm.table.find(11)
    assert process is not None, "nobody has waited for it"
    assert process.event is None
    assert system.machine.table.lookup(process.endpoint) is None
    check(system)
