"""A server's main loop, and how one of its calls may be put aside.

A call handler is a coroutine, or a plain function if it needs no trap.  A coroutine's traps pass
through to the kernel; a `Ticket` does not: it stops here, the loop parks the call on it, sends no
reply, and receives the next message.  This is MINIX's SUSPEND, without the callback and its saved
state.

Rules of the house:

- A handler returns the reply, or None if there is to be none (now or ever).
- A handler refuses with `raise Refused(errno)`; only the loop makes that a reply.
- A parked call is resumed by whoever owns its ticket, inside the handler that does so: what the
  resumed call sends is sent at that point, as from a callback.
- What is not kept across an await: anything but numbers.  Look it up again.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator, Mapping
from functools import cache
from typing import Any, ClassVar, Final, TypeAlias

import attrs

from ipc.common import SigsSignalReceived
from ipc.endpoint import NONE, PM, endpoint_name
from ipc.errors import ENOSYS, OK, IpcError
from ipc.message import Message, Reply
from ipc.notification import Notification
from ipc.registry import BY_NUMBER
from ipc.requests import as_request
from ipc.traps import NOTIFY_CALL, STATUS_CALL_MASK, Receive, Send, SendNb, yields_traps
from kernel.panic import Panic
from kernel.process import Context
from kernel.wellformed import Malformed, demand_well_formed

Answering: TypeAlias = Coroutine[Any, Any, Message | None]
Handler: TypeAlias = "Callable[[Any, int, Any], Answering | Call | Message | None]"

ANYTHING: Final = Receive()
# The classes of messages that are requests as they stand; `Server._unusual` sees to all else.
REQUESTS: Final = frozenset(BY_NUMBER.values()) - {Notification, SigsSignalReceived}
_NOTHING: Final = Reply(OK)


class Refused(Exception):
    """A handler's refusal of a request; the loop alone turns it into an error reply."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


@attrs.define(eq=False)
class Ticket:
    """Something that a call waits for.  Whoever owns the ticket resumes the call.

    `awaits` is the endpoint of whoever must act for that to happen (NONE: no single one), and
    `reason` says in words what is waited for; both are there for the hang report.  A `kept` one
    outlives the caller: the call goes on, but nobody is answered.  `asked` is what was asked of
    that endpoint, if the owner keeps it.
    """

    awaits: int = NONE
    reason: str = ""
    asked: Any = None
    kept: bool = False
    call: Call | None = None


@attrs.define(eq=False)
class Call:
    """A request being handled: who asked, what, and the coroutine that answers it."""

    source: int
    message: Message
    coroutine: Answering
    cause: int = 0  # the event that delivered the request
    answered: bool = True  # whether what the handler returns is sent to the source
    handler: Handler | None = None  # which began it
    value: Any = None  # with which it goes on

    def __str__(self) -> str:
        return f"{describe(self.message)} from {endpoint_name(self.source)}"


@types.coroutine
def wait(ticket: Ticket) -> Generator[Ticket, Any, Any]:
    """Park the call that is running until the owner of `ticket` resumes it; its value comes back.

    A value that is an exception is raised here.
    """
    value = yield ticket
    if isinstance(value, BaseException):
        raise value
    return value


# What handlers return that is no answer yet.
_UNDER_WAY: Final = frozenset({types.CoroutineType, types.GeneratorType, Call})


@attrs.define(eq=False)
class Server:
    """What every server has: its call table, its way to reply, and its parked calls.

    A server is a subclass with its tables as literals and its state as attributes.  `main` is the
    program of its process; `context` is that process's, put here by whoever makes the process.
    What is `outgoing` goes before any other trap: whoever is about to make one has it sent with
    `flush`, and the loop does.  With `sanity` the loop calls `check` after each message.
    """

    CALLS: ClassVar[Mapping[int, Handler]] = {}  # by request number
    NOTIFIED: ClassVar[Mapping[int, Handler]] = {}  # by source of a notification; others: ignored
    REPLIES: ClassVar[type[Send | SendNb]] = Send
    PARKS: ClassVar[bool] = True  # whether handlers may wait for tickets; if not, they are faster

    name: str = "server"
    context: Context = attrs.field(factory=Context)
    status: int = 0  # the status word of the message received last
    parked: dict[Call, Ticket] = attrs.field(factory=dict)  # oldest first
    outgoing: list[Message] = attrs.field(factory=list)
    sanity: bool = False
    checked: bool = False  # whether its answers are looked at: nobody trusts servers of users

    @yields_traps
    @types.coroutine
    def main(self) -> Generator[Any, Any, None]:
        """Start, and handle messages for ever; in here, as traps pass through all calls between."""
        context = self.context
        context.parked = self.parked
        outgoing, parks, checked = self.outgoing, self.PARKS, self.checked
        replying = self.REPLIES(NONE, _NOTHING)  # with every answer, as one is sent at a time
        complete = self.complete if type(self).complete is not Server.complete else None
        yield from self.start()
        while True:
            source, message, self.status = yield ANYTHING
            answered = True
            if type(message) in REQUESTS:
                handler = self.handler(source, message)
            else:
                handler, message, answered = self._unusual(source, message)
            context.cause = context.delivered
            try:
                answer: Any = None if handler is None else handler(self, source, message)
                if type(answer) in _UNDER_WAY:
                    value = None
                    if type(answer) is Call:
                        source, message, handler = answer.source, answer.message, answer.handler
                        answered, value, context.cause = answer.answered, answer.value, answer.cause
                        answer = answer.coroutine
                    if parks:
                        step = answer.send
                        request = step(value)
                        while type(request) is not Ticket:
                            request = step((yield request))
                        self._park(source, message, answer, request, handler, answered)
                        answer = None
                    else:
                        answer = yield from answer
            except StopIteration as done:
                answer = done.value
            except Exception as error:
                answer = self._refusal(error, handler or answer, source, message)
            if outgoing:
                yield from self.flush()
            if answer is not None and answered:
                if checked:
                    self._demand_message(answer, handler, source, message)
                if complete is not None and type(answer) is Reply:
                    answer = complete(answer)
                replying.dest, replying.message = source, answer
                failure = yield replying
                if failure is not None:
                    self._answer_failed(failure, handler, source, message, answer)
            context.cause = 0
            if self.sanity:
                self.check()

    def _unusual(self, source: int, message: Message) -> tuple[Handler | None, Message, bool]:
        """Who handles a message that is not simply a request, how to read it, and if to answer.

        It is a notification, a signal that PM tells of, or a request that must be read anew.
        """
        if self.status & STATUS_CALL_MASK == NOTIFY_CALL:
            return self.NOTIFIED.get(source), message, False
        kind = type(message)
        if kind is not BY_NUMBER.get(message.type, kind):
            message = as_request(message)
        if type(message) is SigsSignalReceived and source == PM:
            return do_signal, message, True
        return self.handler(source, message), message, True

    def _park(
        self,
        source: int,
        message: Message,
        coroutine: Answering,
        ticket: Ticket,
        handler: Handler | None,
        answered: bool,
    ) -> None:
        """Put a call aside until somebody resumes it."""
        call = Call(source, message, coroutine, self.context.cause, answered, handler)
        ticket.call = call
        self.parked[call] = ticket

    def _refusal(self, error: Exception, work: Any, source: int, message: Message) -> Message:
        """The answer to a call that raised Refused; all else that a handler raises is a panic."""
        if isinstance(error, Refused):
            return refusal(error.errno)
        if isinstance(error, Panic):
            self._name_call(error, work, source, message)
            raise error
        panic = Panic(f"{type(error).__name__}: {error}")
        self._name_call(panic, work, source, message)
        raise panic from error

    def _demand_message(self, answer: Any, work: Any, source: int, message: Message) -> None:
        """See that what a handler returned is a message."""
        try:
            demand_well_formed(answer)
        except Malformed as flaw:
            panic = Panic(f"returned what is no message: {flaw}")
            self._name_call(panic, work, source, message)
            raise panic from None

    def _name_call(self, panic: Panic, work: Any, source: int, message: Message) -> None:
        """Have `panic` say in which call it came, and what was at work."""
        name = getattr(work, "__qualname__", "handler")
        panic.during(self.name, name, f"{describe(message)} from {endpoint_name(source)}")

    async def start(self) -> None:
        """Whatever the server does before its first message."""

    async def signalled(self, signal: int) -> None:
        """What the server does about a signal that does not end it; nothing, by default.

        MINIX: sef_cb_signal_handler.
        """

    async def flush(self) -> None:
        """Send what is `outgoing`; who has such messages says how."""

    def check(self) -> None:
        """See that all is well between two messages."""

    def handler(self, source: int, message: Message) -> Handler | None:
        """Who handles `message` from `source`: None if it is to be dropped without an answer."""
        return self.CALLS.get(message.type, do_unknown)

    def complete(self, answer: Reply) -> Message:
        """What is sent if a handler returns `answer`, which is no more than a result."""
        return answer

    @yields_traps
    @types.coroutine
    def reply(self, dest: int, message: Message) -> Generator[Any, Any, None]:
        """Answer `dest`, as the loop does with what a handler returns.

        A caller that has died meanwhile, or (with SENDNB) does not wait for an answer, gets none:
        the failed trap is in the trace, and nobody is left who could be told.
        """
        if self.outgoing:
            yield from self.flush()
        if type(message) is Reply:
            message = self.complete(message)
        failure = yield self.REPLIES(dest, message)
        if failure is not None:
            self._unsent(dest, message, failure)

    def _answer_failed(
        self, failure: Exception, work: Any, source: int, message: Message, answer: Message
    ) -> None:
        """See to a call whose answer was not delivered."""
        try:
            self._unsent(source, answer, failure)
        except Panic as panic:
            self._name_call(panic, work, source, message)
            raise

    def _unsent(self, dest: int, message: Message, failure: Exception) -> None:
        if not isinstance(failure, IpcError):
            raise failure
        self.unanswered(dest, message, failure.code)

    def unanswered(self, dest: int, message: Message, errno: int) -> None:
        """What to do about an answer to `dest` that the kernel refused to deliver with `errno`."""

    @yields_traps
    @types.coroutine
    def run(self, call: Call, value: Any = None) -> Generator[Any, Any, None]:
        """Run `call` until it parks or returns, and send its reply.

        Nothing that it raises is lost.
        """
        context = self.context
        outer = context.cause
        context.cause = call.cause
        step = call.coroutine.send
        reply: Message | None = None
        try:
            request = step(value)
            while type(request) is not Ticket:
                request = step((yield request))
        except StopIteration as done:
            reply = done.value
        except Exception as error:
            reply = self._refusal(error, call.handler or call.coroutine, call.source, call.message)
        else:
            request.call = call
            self.parked[call] = request
        if reply is not None and call.answered:
            yield from self.reply(call.source, reply)
        context.cause = outer

    def resume(self, ticket: Ticket, value: Any = None) -> Coroutine[Any, Any, None]:
        """Run the call that waits on `ticket` on, with `value` (an exception: raised there).

        To be awaited at once.  Nothing happens if nothing waits on the ticket any more, because its
        call was cancelled.
        """
        call = self.take(ticket)
        return _nobody() if call is None else self.run(call, value)

    def take(self, ticket: Ticket, value: Any = None) -> Call | None:
        """The call that waits on `ticket`, to be returned by a handler that has nothing more to do.

        It goes on with `value` then, as by `resume`.
        """
        call = ticket.call
        if call is not None:
            ticket.call = None
            del self.parked[call]
            call.value = value
        return call

    async def begin(self, coroutine: Answering, source: int, message: Message) -> None:
        """Run `coroutine` as a call of its own, which may park, that answers nobody.

        It is work that goes on after the call that starts it is done; `source` and `message` say
        for whom and why, as those of a request do.
        """
        cause = self.context.cause
        await self.run(Call(source, message, coroutine, cause, answered=False))

    def cancel(self, source: int) -> int:
        """Forget every parked call of `source`, which has died; returns how many there were.

        Their coroutines are closed: only their `finally` clauses run, and those may not await.
        Those parked on a ticket that is `kept` stay, but will not be answered.
        """
        calls = [call for call in self.parked if call.source == source]
        for call in calls:
            call.answered = False
            if self.parked[call].kept:
                continue
            self.parked.pop(call).call = None
            call.coroutine.close()
        return len(calls)


async def _nobody() -> None:
    pass


@cache
def refusal(errno: int) -> Reply:
    """The reply that says why a request is refused."""
    return Reply(errno)


async def do_signal(server: Server, _source: int, message: SigsSignalReceived) -> None:
    """PM tells of a signal; nobody is to answer.  MINIX: do_sef_signal_request."""
    await server.signalled(message.num)


async def do_unknown(_server: Server, _source: int, _message: Message) -> Message:
    """Refuse a request whose number is not in the table."""
    raise Refused(ENOSYS)


def describe(message: Message) -> str:
    """What `message` is, for those who read reports: its name if it has one, or its number."""
    name = type(message).__dict__.get("name")
    return name if isinstance(name, str) else f"message {message.type:#x}"
