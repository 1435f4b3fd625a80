"""The server loop: what it does with answers, refusals, parked calls, deaths and failures."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import pytest

from ipc.endpoint import CLOCK, NONE, VFS
from ipc.errors import EIO, ENOSYS, ENOTREADY, EPERM, OK, IpcError
from ipc.fs import ReqPeek, ReqStat
from ipc.message import Message, RawMessage, Reply
from ipc.pm import PmExit, PmGetpid, PmGetpidReply, PmKill, PmWait4
from ipc.traps import SENDREC_CALL, Notify, Receive, Send, SendNb, SendRec, trap
from kernel.machine import Machine
from kernel.panic import Panic
from servers.lib.fsdriver.server import FileServer
from servers.lib.kernel_calls import sys_setalarm
from servers.lib.loop import Refused, Server, Ticket, wait

SERVER = 20
CLIENTS = 21


async def do_answer(server: Desk, source: int, _message: PmGetpid) -> Message:
    server.log.append(("asked", source))
    return PmGetpidReply(source, 1)


async def do_refuse(_server: Desk, _source: int, message: PmExit) -> Message:
    raise Refused(message.status)


async def do_park(server: Desk, source: int, message: PmWait4) -> Message:
    ticket = Ticket(message.pid, "a test", kept=bool(message.options))
    server.tickets.append(ticket)
    try:
        value = await wait(ticket)
    finally:
        server.log.append(("left", source))
    if message.addr:
        again = Ticket()
        server.tickets.append(again)
        value += await wait(again)
    server.log.append(("resumed", source, value))
    return Reply(value)


async def do_resume(server: Desk, source: int, message: PmKill) -> Message:
    """Resume the oldest ticket with `nr`; what `cancel` and others do is for a `pid` below 0."""
    if message.pid == -1:
        return Reply(server.cancel(message.nr))
    if message.pid == -3:
        raise ZeroDivisionError("a handler's mistake")
    if message.pid == -4:
        raise Panic("an invariant", quirk="some-quirk")
    if message.pid == -5:
        await server.begin(linger(server), source, message)
        return Reply(OK)
    ticket = server.tickets.pop(0)
    waits = ticket.call is not None
    await server.resume(ticket, message.nr)
    server.log.append(("resumer", source))
    return Reply(OK if waits else EPERM)


async def linger(server: Desk) -> None:
    ticket = Ticket()
    server.tickets.append(ticket)
    server.log.append(("lingered", await wait(ticket)))


async def do_clock(server: Desk, source: int, _message: Message) -> None:
    server.log.append(("notified", source))


@attrs.define(eq=False)
class Desk(Server):
    """A server that does what it is told, and keeps a log."""

    CALLS = {  # noqa: RUF012
        PmGetpid.type: do_answer,
        PmExit.type: do_refuse,
        PmWait4.type: do_park,
        PmKill.type: do_resume,
    }
    NOTIFIED = {CLOCK: do_clock}  # noqa: RUF012

    name: str = "desk"
    log: list[Any] = attrs.field(factory=list)
    tickets: list[Ticket] = attrs.field(factory=list)
    unsent: list[tuple[int, int]] = attrs.field(factory=list)

    def unanswered(self, dest: int, _message: Message, errno: int) -> None:
        self.unsent.append((dest, errno))


class NbDesk(Desk):
    """As Desk, but it answers only who waits."""

    REPLIES: ClassVar[type[Send | SendNb]] = SendNb


@attrs.define(eq=False)
class Bench:
    """A server, and clients that each make some requests in turn."""

    desk: Desk = attrs.field(factory=lambda: Desk())
    machine: Machine = attrs.field(factory=Machine)
    answers: dict[int, list[Any]] = attrs.field(factory=dict)
    clients: int = 0

    def __attrs_post_init__(self) -> None:
        self.machine.spawn(SERVER, "desk", self.desk.main, system=True, context=self.desk.context)

    def ask(self, *requests: Message) -> list[Any]:
        """A new client makes `requests`; its answers so far, and it goes on when it can."""
        slot = CLIENTS + self.clients
        self.clients += 1
        answers = self.answers[slot] = []

        async def client() -> None:
            for request in requests:
                try:
                    answers.append(await trap(SendRec(SERVER, request)))
                except IpcError as failure:
                    answers.append(failure.code)
            await trap(SendRec(SERVER, PmWait4(pid=NONE)))

        self.machine.spawn(slot, f"client{slot}", client, system=True)
        self.machine.run_quiet_nowait()
        return answers


def test_answers_and_refusals() -> None:
    bench = Bench()
    answers = bench.ask(PmGetpid(), PmExit(EPERM), RawMessage(999), PmGetpid())
    assert answers == [PmGetpidReply(21, 1), Reply(EPERM), Reply(ENOSYS), PmGetpidReply(21, 1)]


def test_a_request_is_read_as_its_number_says() -> None:
    bench = Bench()
    answers = bench.ask(
        RawMessage(PmExit.type, (-5).to_bytes(4, "little", signed=True)),
        Reply(PmGetpid.type),
    )
    assert answers == [Reply(EIO), PmGetpidReply(21, 1)]


def test_a_parked_call_lets_others_be_served_and_is_resumed_inside_the_resumer() -> None:
    bench = Bench()
    parked = bench.ask(PmWait4(pid=7))
    assert parked == []
    (ticket,) = bench.desk.parked.values()
    assert (ticket.awaits, ticket.reason) == (7, "a test")
    assert str(next(iter(bench.desk.parked))) == "PM_WAIT4 from 21"
    assert bench.ask(PmGetpid()) == [PmGetpidReply(22, 1)]
    bench.desk.tickets.insert(0, bench.desk.tickets.pop(0))
    assert bench.ask(PmKill(nr=42)) == [Reply(OK)]
    assert parked == [Reply(42)]
    order = [entry[0] for entry in bench.desk.log]
    assert order.index("resumed") < order.index("resumer")


def test_a_call_may_park_again() -> None:
    bench = Bench()
    parked = bench.ask(PmWait4(addr=1))
    bench.desk.tickets = bench.desk.tickets[:1]
    bench.ask(PmKill(nr=40), PmKill(nr=2))
    assert parked == [Reply(42)]


def test_cancelled_calls_are_closed_and_their_tickets_are_dead() -> None:
    bench = Bench()
    parked = bench.ask(PmWait4())
    ticket = bench.desk.tickets[0]
    assert bench.ask(PmKill(pid=-1, nr=CLIENTS)) == [Reply(1)]
    assert ("left", CLIENTS) in bench.desk.log, "finally clauses run"
    assert ticket.call is None
    assert bench.ask(PmKill(nr=42)) == [Reply(EPERM)], "nothing waits on the ticket"
    assert parked == []
    assert all(call.source != CLIENTS for call in bench.desk.parked)


def test_a_kept_call_goes_on_after_its_callers_death_without_an_answer() -> None:
    bench = Bench()
    parked = bench.ask(PmWait4(options=1))
    assert bench.ask(PmKill(pid=-1, nr=CLIENTS)) == [Reply(1)]
    assert bench.ask(PmKill(nr=42)) == [Reply(OK)]
    assert ("resumed", CLIENTS, 42) in bench.desk.log
    assert parked == []
    assert bench.desk.unsent == []


def test_work_that_outlasts_its_call() -> None:
    bench = Bench()
    assert bench.ask(PmKill(pid=-5)) == [Reply(OK)]
    bench.desk.tickets = bench.desk.tickets[:1]
    assert bench.ask(PmKill(nr=9)) == [Reply(OK)]
    assert ("lingered", 9) in bench.desk.log


def test_a_mistake_in_a_handler_is_the_servers_panic() -> None:
    bench = Bench()
    with pytest.raises(Panic) as caught:
        bench.ask(PmKill(pid=-3))
    panic = caught.value
    assert (panic.process, panic.handler) == ("desk", "do_resume")
    assert panic.message == "PM_KILL from 21"
    assert panic.reason == "ZeroDivisionError: a handler's mistake"
    assert isinstance(panic.__cause__, ZeroDivisionError)
    assert bench.machine.panic is panic


def test_a_panic_keeps_its_reason_and_quirk() -> None:
    with pytest.raises(Panic) as caught:
        Bench().ask(PmKill(pid=-4))
    assert (caught.value.reason, caught.value.quirk) == ("an invariant", "some-quirk")
    assert caught.value.process == "desk"


def test_notifications_are_never_answered() -> None:
    class Alarmed(Desk):
        async def start(self) -> None:
            await sys_setalarm(3, abs_time=False)

    bench = Bench(Alarmed())
    bench.machine.run_quiet_nowait()
    assert bench.desk.log == [("notified", CLOCK)]

    async def notifier() -> None:
        await trap(Notify(SERVER))
        await trap(SendRec(SERVER, PmWait4()))

    bench.machine.spawn(40, "notifier", notifier, system=True)
    bench.machine.run_quiet_nowait()
    assert bench.desk.log == [("notified", CLOCK)], "notifications of others are ignored"


@pytest.mark.parametrize(("desk", "errors"), [(Desk, []), (NbDesk, [ENOTREADY])])
def test_an_answer_that_nobody_waits_for(desk: type[Desk], errors: list[int]) -> None:
    """SEND waits for the asker to receive; SENDNB gives up, which the server can hear of."""
    bench = Bench(desk())

    async def careless() -> None:
        await trap(Send(SERVER, PmGetpid()))
        await trap(Receive(CLOCK))

    bench.machine.spawn(40, "careless", careless, system=True)
    bench.machine.run_quiet_nowait()
    assert [errno for dest, errno in bench.desk.unsent if dest == 40] == errors


def test_the_cause_of_what_a_server_does_is_the_request() -> None:
    bench = Bench()
    causes = []
    deliveries: dict[int, int] = {}

    def listen(event: Any) -> None:
        if type(event).__name__ == "MessageDelivered" and event.dest == SERVER:
            deliveries.setdefault(event.source, event.seq)
        elif type(event).__name__ == "MessageSent" and event.source == SERVER:
            causes.append((event.dest, event.cause))

    bench.machine.probes.listen(listen)
    bench.ask(PmWait4())
    bench.desk.tickets = bench.desk.tickets[:1]
    bench.ask(PmKill(nr=1))
    assert causes == [(21, deliveries[21]), (22, deliveries[22])], (
        "a resumed call acts on its own request's behalf, not the resumer's"
    )
    assert bench.desk.context.cause == 0


@pytest.mark.parametrize("base", [Server, FileServer])
@pytest.mark.parametrize("sanity", [True, False])
def test_what_is_outgoing_goes_first_and_a_sane_server_is_checked_after_each_message(
    base: type[Server], sanity: bool
) -> None:
    done: list[str] = []

    class Watched(base):  # type: ignore[misc, valid-type]
        def check(self) -> None:
            done.append("checked")

        async def flush(self) -> None:
            self.outgoing.clear()
            done.append("flushed")

    server = Watched(sanity=sanity)
    server.outgoing.append(Reply())
    job = server.main()
    assert job.send(None) == Receive()
    for _ in range(2):
        answer = job.send((VFS, ReqPeek(), SENDREC_CALL))
        assert type(answer) is Send
        done.append("answered")
        assert job.send(None) == Receive()
    checked = ["checked"] if sanity else []
    assert done == ["flushed", "answered", *checked, "answered", *checked]


def test_a_file_server_may_have_calls_of_its_own() -> None:
    def do_more(_server: Any, _source: int, _message: Message) -> Message:
        return Reply(7)

    class Own(FileServer):
        CALLS: ClassVar[Any] = {**FileServer.CALLS, 0xA50: do_more, ReqStat.type: do_more}

    server = Own(mounted=True)
    usual = server.handler(VFS, ReqPeek())
    assert usual is FileServer.CALLS[ReqPeek.type]
    assert server.handler(VFS, RawMessage(0xA50)) is do_more
    assert server.handler(VFS, ReqStat()) is do_more
    assert server.handler(VFS, RawMessage(0xA51)) not in (None, do_more, usual)


def test_a_receive_that_the_kernel_refuses_ends_the_server() -> None:
    job = Server().main()
    job.send(None)
    with pytest.raises(IpcError, match="EPERM"):
        job.send(IpcError(EPERM))


def test_a_parked_call_that_a_handler_returns_goes_on_and_is_answered() -> None:
    tickets: list[Ticket] = []

    async def do_wait(_server: Server, _source: int, _message: Message) -> Message:
        tickets.append(Ticket())
        return Reply(await wait(tickets[-1]) + await wait(tickets[-1]))

    def do_go_on(server: Server, _source: int, message: PmKill) -> Any:
        return server.take(tickets[-1], message.nr)

    class Waiting(Server):
        CALLS: ClassVar[Any] = {PmGetpid.type: do_wait, PmKill.type: do_go_on}

    server = Waiting()
    job = server.main()
    assert job.send(None) == Receive()
    assert job.send((30, PmGetpid(), SENDREC_CALL)) == Receive()
    assert job.send((31, PmKill(0, 1), SENDREC_CALL)) == Receive()
    assert [call.source for call in server.parked] == [30]
    answer = job.send((31, PmKill(0, 2), SENDREC_CALL))
    assert answer == Send(30, Reply(3))
    assert not server.parked
    assert job.send(None) == Receive()
    assert job.send((31, PmKill(0, 3), SENDREC_CALL)) == Receive(), "nobody waits any more"
