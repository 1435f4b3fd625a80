"""Telling services of signals and exits: who subscribes is asked, one after the other.

A subscriber answers each event, and until it does the process that the event is about waits.

Source: MINIX ``servers/pm/event.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ipc.common import ProcEvent, ProcEventReply
from ipc.errors import ENOMEM, ENOSYS, EPERM, OK
from ipc.flags import PROC_EVENT_EXIT, PROC_EVENT_SIGNAL
from ipc.message import Message, Reply
from ipc.pm import PmProceventmask
from servers.lib.loop import Refused, Ticket, wait
from servers.pm.mproc import EVENT_CALL, EXITING, PRIV_PROC, Mproc

if TYPE_CHECKING:
    from servers.pm.server import ProcessManager

NR_SUBS: Final = 4


@attrs.define(eq=False)
class Subscriber:
    """A service that wants to know: of which events, and how many answers it owes."""

    endpoint: int
    mask: int
    waiting: int = 0


async def publish_event(pm: ProcessManager, process: Mproc, event: int) -> None:
    """Tell every subscriber of `event` that it happens to `process`, waiting for each answer."""
    if process.flags & PRIV_PROC and event == PROC_EVENT_EXIT:
        gone = next((each for each in pm.subscribers if each.endpoint == process.endpoint), None)
        if gone is not None:
            await _remove(pm, gone)
    process.flags |= EVENT_CALL
    process.event_index = 0
    while process.event_index < len(pm.subscribers):
        subscriber = pm.subscribers[process.event_index]
        if not subscriber.mask & event:
            process.event_index += 1
            continue
        process.event = ticket = Ticket(subscriber.endpoint, "the answer to PROC_EVENT", kept=True)
        await pm.asynsend.send(subscriber.endpoint, ProcEvent(process.endpoint, event))
        subscriber.waiting += 1
        await wait(ticket)
    process.flags &= ~EVENT_CALL
    process.event = None


async def do_proceventmask(pm: ProcessManager, source: int, message: PmProceventmask) -> Message:
    """PM_PROCEVENTMASK: subscribe to events, or with an empty mask no longer.

    EPERM: only services may; ENOMEM: too many do.
    """
    if not pm.caller.flags & PRIV_PROC:
        raise Refused(EPERM)
    for subscriber in pm.subscribers:
        if subscriber.endpoint == source:
            subscriber.mask = message.mask
            if not message.mask and not subscriber.waiting:
                await _remove(pm, subscriber)
            return Reply(OK)
    if message.mask:
        if len(pm.subscribers) == NR_SUBS:
            raise Refused(ENOMEM)
        pm.subscribers.append(Subscriber(source, message.mask))
    return Reply(OK)


async def do_proc_event_reply(pm: ProcessManager, source: int, message: ProcEventReply) -> None:
    """PROC_EVENT_REPLY: a subscriber has seen an event; the next one is told, or life goes on.

    An answer that nobody waits for is dropped.
    """
    if not pm.caller.flags & PRIV_PROC:
        raise Refused(ENOSYS)
    process = pm.table.lookup(message.endpt)
    if process is None or process.event is None or process.event_index >= len(pm.subscribers):
        return
    subscriber = pm.subscribers[process.event_index]
    happening = PROC_EVENT_EXIT if process.flags & EXITING else PROC_EVENT_SIGNAL
    if subscriber.endpoint != source or message.event != happening:
        return
    subscriber.waiting -= 1
    if not subscriber.mask and not subscriber.waiting:
        await _remove(pm, subscriber)
        return
    process.event_index += 1
    await _go_on(pm, process)


async def _remove(pm: ProcessManager, subscriber: Subscriber) -> None:
    """Forget `subscriber`; whoever waits for it goes on with the next."""
    index = pm.subscribers.index(subscriber)
    del pm.subscribers[index]
    for process in pm.table:
        if process.event is None:
            continue
        if process.event_index == index:
            await _go_on(pm, process)
        elif process.event_index > index:
            process.event_index -= 1


async def _go_on(pm: ProcessManager, process: Mproc) -> None:
    ticket, process.event = process.event, None
    assert ticket is not None, "a process in an event call waits for a subscriber"
    await pm.resume(ticket)
