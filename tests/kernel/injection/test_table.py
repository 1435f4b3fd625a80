"""Faults that strike servers: what their callers see, and what the servers do not."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ipc.endpoint import CLOCK, INIT, PM, VM
from ipc.errors import EDEADSRCDST, EIO, ENOMEM, OK, IpcError
from ipc.message import Message, Reply
from ipc.pm import PmGetpid, PmGettimeofday
from ipc.signals import SIGKILL, SIGSEGV
from ipc.traps import AMF_NOREPLY, AMF_VALID, AsyncEntry, Compute, Receive, Send, SendA, SendRec
from ipc.traps import trap as make
from ipc.vm import VmProcctl, VmProcctlReply
from kernel.flags import RTS_DELAYED
from kernel.injection import (
    AllocationFault,
    Armed,
    Crash,
    Fault,
    NeverStruck,
    NoServer,
    ReplyFault,
)
from kernel.limits import Limits
from kernel.machine import Configuration
from kernel.panic import Panic
from kernel.probes import Event, FaultInjected
from kernel.process import Process
from tests.kernel.machines import Small

ECHO = 22  # the endpoint of the server that is interfered with
MS = 1_000_000

Program = Callable[[], Coroutine[Any, Any, Any]]


class Echo:
    """Answers each request with how many it has got; takes no notice of notifications."""

    def __init__(self) -> None:
        self.got: list[Message] = []

    async def main(self) -> None:
        while True:
            source, message, _status = await make(Receive())
            if source >= 0:
                self.got.append(message)
                await make(Send(source, Reply(len(self.got))))


def with_echo(*faults: Fault) -> tuple[Small, Echo, list[Armed]]:
    """A machine with an Echo that waits for its first request, and the faults set."""
    small, echo = Small(), Echo()
    small.machine.spawn(ECHO, "echo", echo.main, system=True)
    small.run()
    return small, echo, [small.machine.faults.arm(fault) for fault in faults]


def asking(*requests: Message) -> Program:
    """A program that makes the requests and returns the results of the answers, or the errors."""

    async def program() -> list[int]:
        results = []
        for request in requests:
            try:
                results.append((await make(SendRec(ECHO, request))).type)
            except IpcError as error:
                results.append(error.code)
        return results

    return program


def asked(small: Small, *requests: Message, name: str = "asker", slot: int = INIT + 1) -> Any:
    small.user(name, asking(*requests), slot)
    small.run()
    return small.results[name]


CASES: list[tuple[list[Fault], list[int], int]] = [
    ([], [1, 2, 3, 4], 4),
    ([ReplyFault(ECHO, error=EIO)], [EIO, EIO, EIO, EIO], 0),
    ([ReplyFault("echo", error=EIO, when=2)], [1, EIO, 2, 3], 3),
    ([ReplyFault("ECHO", error=EIO, when="2+2")], [1, EIO, 2, EIO], 2),
    ([ReplyFault(ECHO, error=EIO, request=PmGettimeofday)], [1, EIO, 2, EIO], 2),
    ([ReplyFault(ECHO, error=EIO, request=PmGettimeofday, when=2)], [1, 2, 3, EIO], 3),
    # Each counts on its own; of two errors the one set first is taken.
    ([ReplyFault(ECHO, error=EIO, when=2), ReplyFault(ECHO, error=ENOMEM, when=3)],
     [1, EIO, ENOMEM, 2], 2),
    ([ReplyFault(ECHO, error=ENOMEM, when=2), ReplyFault(ECHO, error=EIO)],
     [EIO, ENOMEM, EIO, EIO], 0),
    ([ReplyFault(ECHO, delay=MS)], [1, 2, 3, 4], 4),
    ([ReplyFault(ECHO, delay=MS, error=EIO, when=1)], [EIO, 1, 2, 3], 3),
    ([Crash(ECHO, when=2)], [1, EDEADSRCDST, EDEADSRCDST, EDEADSRCDST], 1),
    ([Crash(ECHO, request="PM_GETTIMEOFDAY")], [1, EDEADSRCDST, EDEADSRCDST, EDEADSRCDST], 1),
    ([ReplyFault(ECHO, error=EIO, when=1), Crash(ECHO, when=1)], [EDEADSRCDST] * 4, 0),
]  # fmt: skip


@pytest.mark.parametrize(("faults", "results", "served"), CASES)
def test_what_callers_see_and_what_the_server_does_not(
    faults: list[Fault], results: list[int], served: int
) -> None:
    small, echo, _armed = with_echo(*faults)
    assert asked(small, PmGetpid(), PmGettimeofday(), PmGetpid(), PmGettimeofday()) == results
    assert len(echo.got) == served


def test_it_is_counted_what_a_fault_could_strike_and_did() -> None:
    small, _echo, (every, second, other) = with_echo(
        ReplyFault(ECHO, delay=1), ReplyFault(ECHO, error=EIO, when=2), Crash(ECHO, when=9)
    )
    asked(small, PmGetpid(), PmGetpid(), PmGetpid())
    assert [(each.seen, each.fired, each.live) for each in (every, second, other)] == [
        (3, 3, True), (2, 1, False), (3, 0, True),
    ]  # fmt: skip
    every.demand_fired()
    with pytest.raises(NeverStruck, match="22 received 3 requests since the fault was set"):
        other.demand_fired()


def test_a_late_server_does_nothing_and_others_run() -> None:
    small, echo, _armed = with_echo(ReplyFault(ECHO, delay=5 * MS, when=1))
    order = []

    async def impatient() -> None:
        await make(Compute(MS))
        order.append(("others ran", list(echo.got)))

    async def patient() -> None:
        await make(SendRec(ECHO, PmGetpid()))
        order.append(("it was answered", list(echo.got)))

    small.user("patient", patient, INIT + 1)
    small.user("impatient", impatient, INIT + 2)
    before = small.machine.clock.now
    small.machine.run_nowait()
    server = small.machine.table.lookup(ECHO)
    assert server is not None
    assert server.rts == RTS_DELAYED
    small.run()
    assert order == [("others ran", []), ("it was answered", [PmGetpid()])]
    assert 5 * MS < small.machine.clock.now - before < 7 * MS


def test_delays_add_up() -> None:
    small, _echo, _armed = with_echo(ReplyFault(ECHO, delay=3 * MS), ReplyFault(ECHO, delay=4 * MS))
    before = small.machine.clock.now
    asked(small, PmGetpid())
    assert 7 * MS < small.machine.clock.now - before < 8 * MS


def test_one_who_dies_while_the_server_is_late_is_not_answered() -> None:
    small, echo, _armed = with_echo(ReplyFault(ECHO, delay=5 * MS, error=EIO, when=1))
    asker = small.user("asker", asking(PmGetpid()), INIT + 1)
    small.machine.run_nowait()
    small.machine.faults.kill(asker)
    small.run()
    assert small.pm.signaled == [(asker.endpoint, SIGKILL)]
    assert asked(small, PmGetpid(), name="next", slot=INIT + 2) == [1]
    assert len(echo.got) == 1


def test_a_server_that_dies_while_it_is_late_stays_dead() -> None:
    small, _echo, _armed = with_echo(ReplyFault(ECHO, delay=5 * MS, when=1))
    small.user("asker", asking(PmGetpid()), INIT + 1)
    small.machine.run_nowait()
    small.machine.faults.crash(ECHO)
    small.run()
    assert small.results["asker"] == [EDEADSRCDST]
    assert small.machine.table.lookup(ECHO) is None


@pytest.mark.parametrize("server", [ECHO, "echo"])
def test_a_server_crashes_at_once(server: int | str) -> None:
    small, _echo, _armed = with_echo()
    small.machine.faults.crash(server)
    assert asked(small, PmGetpid()) == [EDEADSRCDST]
    assert small.pm.signaled == [(ECHO, SIGSEGV)]


@pytest.mark.parametrize("server", [VM, PM])
def test_nobody_can_manage_the_crash_of_the_managers(server: int) -> None:
    small, _echo, _armed = with_echo()
    with pytest.raises(Panic, match="gets lethal signal SIGSEGV for itself"):
        small.machine.faults.crash(server)
    assert small.machine.panic is not None


def test_a_manager_that_waits_for_who_crashes_is_let_go() -> None:
    small, _echo, _armed = with_echo(Crash(ECHO))
    answers = []

    async def manage() -> None:
        answers.append(await asking(PmGetpid())())
        await small.pm.main()

    manager = small.machine.table.lookup(PM)
    assert manager is not None
    small.machine.rendezvous.clear_references(manager, EDEADSRCDST)
    small.machine.start(manager, manage)
    small.machine.ready.unblock(manager, manager.rts)
    small.run()
    assert answers == [[EDEADSRCDST]]
    assert small.pm.signaled == [(ECHO, SIGSEGV)]


def test_answers_and_notifications_are_no_requests() -> None:
    small = Small()
    got = []

    async def relay() -> None:
        """Asks the Echo on behalf of its callers, by SEND and RECEIVE."""
        while True:
            source, message, _ = await make(Receive())
            await make(Send(ECHO, message))
            got.append((await make(Receive(ECHO)))[1].type)
            await make(Send(source, Reply(OK)))

    small.machine.spawn(ECHO, "echo", Echo().main, system=True)
    small.machine.spawn(21, "relay", relay, system=True)
    small.run()
    armed = [small.machine.faults.arm(ReplyFault(each, delay=1)) for each in ("relay", "echo")]
    small.machine.rendezvous.kernel_notify(CLOCK, ECHO)
    small.run()

    async def program() -> None:
        await make(SendRec(21, PmGetpid()))

    small.user("asker", program, INIT + 1)
    small.run()
    assert got == [1]
    assert [each.seen for each in armed] == [1, 1]


def test_a_request_that_nobody_waits_to_have_answered_is_not_refused() -> None:
    small, echo, (armed,) = with_echo(ReplyFault(ECHO, error=EIO))

    async def program() -> Any:
        await make(Send(ECHO, PmGetpid()))
        return (await make(Receive(ECHO)))[1]

    assert small.result(program) == Reply(1)
    assert (armed.seen, len(echo.got)) == (0, 1)


def test_an_answer_that_would_close_a_circle_is_sent_later() -> None:
    # The caller offers its request and then sends something else, for which it waits.
    small, echo, _armed = with_echo(ReplyFault(ECHO, error=EIO, when=1))

    async def program() -> Any:
        entry = AsyncEntry(AMF_VALID | AMF_NOREPLY, ECHO, VmProcctl(transid=0xB01))
        await make(Compute(0))
        await make(SendA([entry]))
        await make(Send(ECHO, PmGetpid()))
        return sorted([(await make(Receive(ECHO)))[1].type, (await make(Receive(ECHO)))[1].type])

    echo_process = small.machine.table.lookup(ECHO)
    assert echo_process is not None
    small.machine.ready.block(echo_process, RTS_DELAYED)  # so that both are there when it looks
    caller = small.server("caller", program, 21)
    small.machine.run_nowait()
    assert caller.send_to == ECHO
    assert echo.got == []
    small.machine.ready.unblock(echo_process, RTS_DELAYED)
    small.run()
    assert small.results["caller"] == sorted([EIO, 1])


def test_a_refused_transaction_keeps_its_number() -> None:
    small, _echo, _armed = with_echo(ReplyFault(ECHO, error=EIO))

    async def program() -> Any:
        await make(SendA([AsyncEntry(AMF_VALID | AMF_NOREPLY, ECHO, VmProcctl(transid=0xB01))]))
        return (await make(Receive(ECHO)))[1]

    assert small.result(program) == VmProcctlReply(EIO, transid=0xB01)


def test_the_server_runs_alone_when_no_fault_is_left() -> None:
    small, _echo, (armed,) = with_echo(ReplyFault(ECHO, error=EIO, when=1))
    server = small.machine.table.lookup(ECHO)
    assert server is not None
    stand_in = server.coroutine
    assert asked(small, PmGetpid()) == [EIO]
    assert not armed.live
    assert server.coroutine is not stand_in
    small.machine.faults.arm(ReplyFault(ECHO, delay=1))
    assert asked(small, PmGetpid(), name="again", slot=INIT + 2) == [1]
    small.machine.faults.disarm_all()
    assert asked(small, PmGetpid(), name="and again", slot=INIT + 3) == [2]
    assert running(server) == "Echo.main"


def running(process: Process) -> str:
    return getattr(process.coroutine, "__qualname__", "a stand-in")


def test_a_program_that_has_not_begun_can_be_interfered_with() -> None:
    small, echo = Small(), Echo()
    small.machine.spawn(ECHO, "echo", echo.main, system=True)
    small.machine.faults.arm(ReplyFault(ECHO, error=EIO, when=2))
    assert asked(small, PmGetpid(), PmGetpid(), PmGetpid()) == [1, EIO, 2]


def test_a_server_that_gives_no_control_back_is_ended_though_a_fault_is_set() -> None:
    small = Small(Configuration(limits=Limits(host_seconds=0.3)))

    async def spin() -> None:
        await make(Receive())
        while True:
            pass

    async def wait() -> None:
        await make(Send(ECHO, Reply(1)))

    small.machine.spawn(ECHO, "echo", spin, system=True)
    small.run()
    small.machine.faults.arm(ReplyFault(ECHO, delay=1, when="2"))
    small.server("asker", wait, 30)
    with pytest.raises(Panic, match="ran too long without giving control back"):
        small.run()


def test_every_fault_that_strikes_is_an_event_and_every_one_that_is_set_is_recorded() -> None:
    small, _echo, _armed = with_echo(ReplyFault(ECHO, error=EIO, request=PmGettimeofday, when="2+"))
    events: list[Event] = []
    small.machine.probes.listen(events.append)
    asker = small.user(
        "asker", asking(PmGettimeofday(), PmGettimeofday(), PmGettimeofday()), INIT + 1
    )
    small.run()
    small.machine.faults.disarm_all()
    small.machine.faults.crash("echo")
    small.run()
    struck = [each for each in events if isinstance(each, FaultInjected)]
    assert [(each.process, each.fault, each.number) for each in struck] == [
        (ECHO, "PM_GETTIMEOFDAY error=EIO", 2),
        (ECHO, "PM_GETTIMEOFDAY error=EIO", 3),
        (ECHO, "crash", 0),
    ]
    assert struck[0].cause > 0, "it is told which request it was"
    recorded = [(each.process, each.command) for each in small.machine.driven.injections]
    assert recorded == [
        (ECHO, "inject PM_GETTIMEOFDAY error=EIO when=2+"),
        (ECHO, "end PM_GETTIMEOFDAY error=EIO when=2+"),
        (ECHO, "inject crash"),
    ]
    assert asker.name == "asker"


@pytest.mark.parametrize(
    ("server", "reason"),
    [("nobody", "there is no server nobody"), (77, "there is no server 77"),
     ("asker", "asker is no server"), ("clock", "there is no server clock")],
)  # fmt: skip
def test_only_servers_have_faults(server: int | str, reason: str) -> None:
    small, _echo, _armed = with_echo()
    small.user("asker", asking(), INIT + 1)
    for fault in (ReplyFault(server, error=EIO), Crash(server)):
        with pytest.raises(NoServer, match=reason):
            small.machine.faults.arm(fault)
    with pytest.raises(NoServer, match=reason):
        small.machine.faults.crash(server)


def test_where_there_is_no_allocator_no_allocation_fails() -> None:
    with pytest.raises(NoServer, match="no VM"):
        Small().machine.faults.arm(AllocationFault())
