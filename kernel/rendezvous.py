"""Message passing: a message moves when its sender and its receiver have met.

Rules.
1. SEND waits until the receiver takes the message; SENDNB never waits; RECEIVE waits for a message
   from one process or from any; SENDREC sends and then receives from the same process.
2. RECEIVE looks at pending notifications, then at asynchronous messages, then at its queue of
   senders, whose first acceptable one it takes.
3. Permissions come first: whom the caller may send to, then which traps it may use.
4. Nobody starts to wait in a circle of processes that wait for one another.
5. While a process is in SENDREC (MF_REPLY_PEND) it gets no notification and its status word is
   left alone.
6. A message is passed as it is: nobody changes a message object.

Every operation returns OK, BLOCKED (the caller must wait) or an error number, and never waits
itself.  What a process is given is put into its `result`: `(source, message, status)` if it is in
RECEIVE, the message alone if it is in SENDREC, an IpcError if its partner died.

Source: MINIX ``kernel/proc.c`` do_sync_ipc, mini_send, mini_receive; ``kernel/ipc.h``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from ipc.endpoint import ANY
from ipc.errors import (
    ECALLDENIED,
    EDEADSRCDST,
    EFAULT,
    EINVAL,
    ELOCKED,
    ENOTREADY,
    ETRAPDENIED,
    OK,
)
from ipc.traps import (
    FROM_KERNEL,
    NOTIFY_CALL,
    SEND_CALL,
    SENDA_CALL,
    SENDNB_CALL,
    SENDREC_CALL,
    Receive,
    Send,
    SendA,
    SendNb,
    SendRec,
)
from kernel import death, notify, senda
from kernel.deadlock import closes_circle
from kernel.filters import admits
from kernel.flags import (
    MF_REPLY_PEND,
    MF_SENDING_FROM_KERNEL,
    MF_SIG_DELAY,
    RTS_NO_ENDPOINT,
    RTS_RECEIVING,
    RTS_SENDING,
)
from kernel.panic import Panic
from kernel.wellformed import demand_well_formed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipc.message import Message
    from ipc.traps import AsyncEntry
    from kernel.clock import Clock
    from kernel.probes import Probes
    from kernel.process import Process
    from kernel.quirks import Quirks
    from kernel.ready import ReadyQueue
    from kernel.table import ProcessTable

BLOCKED: Final = 1

_NOTIFY: Final = 1 << NOTIFY_CALL

_NEVER_WAIT: Final = (SENDNB_CALL, SENDA_CALL)
_WAITING: Final = RTS_SENDING | RTS_RECEIVING
_PARTNER: Final = RTS_SENDING | RTS_RECEIVING | RTS_NO_ENDPOINT
_NO_REPLY: Final = ~MF_REPLY_PEND
_WHEN_TAKEN: Final = MF_SENDING_FROM_KERNEL | MF_SIG_DELAY


class Rendezvous:
    """The message passing of one machine.

    `sending_done` is called when a process with MF_SIG_DELAY has got rid of its message; it must
    clear that flag.
    """

    def __init__(
        self,
        table: ProcessTable,
        ready: ReadyQueue,
        quirks: Quirks,
        clock: Clock,
        probes: Probes,
    ) -> None:
        self.table = table
        self.endpoints = table.endpoints
        self.most_offers = senda.most_offers(table)
        self.ready = ready
        self.quirks = quirks
        self.clock = clock
        self.probes = probes
        self.sending_done: Callable[[Process], None] | None = None

    # What a process may ask for.

    def send(self, caller: Process, dest: int, message: Message | None) -> int:
        """SEND `message`; None is one that cannot be read from the caller's memory (EFAULT)."""
        return self.enter_send(caller, Send(dest, cast("Message", message)))

    def enter_send(self, caller: Process, trap: Send) -> int:
        """SEND, as the trap that a process makes."""
        dest = trap.dest
        message = trap.message
        receiver = self.endpoints.get(dest)
        privilege = caller.privilege
        if not privilege.system and message is not None:
            demand_well_formed(message)
        if receiver is None or not privilege.sends_to[receiver.privilege.id] or receiver.slot < 0:
            return _refusal(caller, dest, receiver)
        caller.result = None
        return self.deliver(caller, receiver, message, SEND_CALL)

    def sendnb(self, caller: Process, dest: int, message: Message | None) -> int:
        """SENDNB: send `message` if the receiver waits for it; ENOTREADY if it does not."""
        return self.enter_sendnb(caller, SendNb(dest, cast("Message", message)))

    def enter_sendnb(self, caller: Process, trap: SendNb) -> int:
        """SENDNB, as the trap that a process makes."""
        dest = trap.dest
        message = trap.message
        receiver = self.endpoints.get(dest)
        privilege = caller.privilege
        if not privilege.system and message is not None:
            demand_well_formed(message)
        if receiver is None or not privilege.tries[receiver.privilege.id] or receiver.slot < 0:
            return _refusal(caller, dest, receiver)
        caller.result = None
        return self.deliver(caller, receiver, message, SENDNB_CALL)

    def sendrec(self, caller: Process, dest: int, message: Message | None) -> int:
        """SENDREC: send `message` and wait for the answer.  A kernel task never answers."""
        return self.enter_sendrec(caller, SendRec(dest, cast("Message", message)))

    def enter_sendrec(self, caller: Process, trap: SendRec) -> int:
        """SENDREC, as the trap that a process makes."""
        dest = trap.dest
        message = trap.message
        receiver = self.endpoints.get(dest)
        privilege = caller.privilege
        if not privilege.system and message is not None:
            demand_well_formed(message)
        if receiver is None or not privilege.asks[receiver.privilege.id]:
            return _refusal(caller, dest, receiver)
        caller.misc |= MF_REPLY_PEND
        code = self.deliver(caller, receiver, message, SENDREC_CALL)
        if code == OK and not (receiver.rts or caller.callers or privilege.async_pending):
            # Nothing that `_collect` looks for can be there, and this is `_wait`.
            caller.get_from = dest
            if caller.rts:
                self.ready.block(caller, RTS_RECEIVING)
            else:
                caller.rts = RTS_RECEIVING
                self.ready.queue.remove(caller)
            if self.probes.emit is not None:
                self.probes.blocked(caller, caller.rts, dest)
            return BLOCKED
        if code >= 0:
            code = self._collect(caller, dest, receiver)
        if code < 0 and "stale-reply-pending" not in self.quirks:
            caller.misc &= ~MF_REPLY_PEND
        return code

    def receive(self, caller: Process, source: int = ANY) -> int:
        """RECEIVE a message from `source`, an endpoint or ANY.  Needs no permission to send."""
        return self.enter_receive(caller, Receive(source))

    def enter_receive(self, caller: Process, trap: Receive) -> int:
        """RECEIVE, as the trap that a process makes."""
        source = trap.source
        sender = None
        if source != ANY:
            sender = self.endpoints.get(source)
            if sender is None:
                return EDEADSRCDST
        privilege = caller.privilege
        if not privilege.receives:
            return ETRAPDENIED
        if caller.misc:
            caller.misc &= _NO_REPLY
        caller.status = 0
        if (
            caller.callers
            or privilege.notify_pending
            or privilege.async_pending
            or (sender is not None and sender.rts & _PARTNER)
        ):
            return self._collect(caller, source, sender)
        # What follows is `_wait`, written out because nearly every message is waited for here.
        caller.get_from = source
        if caller.rts:
            self.ready.block(caller, RTS_RECEIVING)
        else:
            caller.rts = RTS_RECEIVING
            self.ready.queue.remove(caller)
        if self.probes.emit is not None:
            self.probes.blocked(caller, caller.rts, source)
        return BLOCKED

    def notify(self, caller: Process, dest: int) -> int:
        """NOTIFY: post a notification; never blocks."""
        receiver = self.endpoints.get(dest)
        privilege = caller.privilege
        if (
            receiver is None
            or not privilege.reaches[receiver.privilege.id]
            or not privilege.trap_mask & _NOTIFY
            or receiver.slot < 0
        ):
            return _refusal(caller, dest, receiver)
        return notify.post(self, caller, dest)

    def senda(self, caller: Process, table: list[AsyncEntry], size: int | None = None) -> int:
        """SENDA: offer the messages in `table`, in place of those offered before; never blocks.

        `size` is the number of entries that the caller says the table has.
        """
        return senda.offer(self, caller, SendA(table), size)

    # What the kernel does in a process's name.

    def kernel_send(self, process: Process, dest: int, message: Message) -> int:
        """Send `message` to `dest` in the name of `process`, which needs no permission for it."""
        receiver = self.endpoints.get(dest)
        if receiver is None:
            return EDEADSRCDST
        return self.deliver(process, receiver, message, SEND_CALL, FROM_KERNEL)

    def kernel_notify(self, task: int, dest: int) -> int:
        """Notify `dest` in the name of the kernel task in slot `task`."""
        return notify.post(self, self.table.at(task), dest)

    def clear_endpoint(self, process: Process) -> None:
        """Take from `process` the ability to send and receive, and tell all who wait for it."""
        death.clear_endpoint(self, process)

    def clear_references(self, process: Process, code: int) -> None:
        """End all that others have going on with `process`; who waits for it gets `code`."""
        death.clear_references(self, process, code)

    # The two halves of every exchange.

    def give(
        self, sender: Process, receiver: Process, message: Message, status: int, cause: int
    ) -> None:
        """Make `message` what `receiver` gets when it runs next.

        `status` tells which trap sent it, `cause` on behalf of which event it was sent.
        """
        if receiver.misc and receiver.misc & MF_REPLY_PEND:
            receiver.misc ^= MF_REPLY_PEND
            receiver.result = message
            status = 0
        else:
            receiver.status = status
            receiver.result = (sender.endpoint, message, status)
        if self.probes.emit is not None:
            self.probes.delivered(sender.endpoint, receiver, message, status, cause)

    def deliver(
        self, caller: Process, receiver: Process, message: Message | None, call: int, flags: int = 0
    ) -> int:
        """Give `message` to `receiver` if it waits for it; if not, join its queue.

        With a `call` that never waits (SENDNB, SENDA) the answer is ENOTREADY instead.
        """
        rts = receiver.rts
        if rts == RTS_RECEIVING or rts & _PARTNER == RTS_RECEIVING:
            wanted = receiver.get_from
            if (wanted == ANY or wanted == caller.endpoint) and (
                not receiver.privilege.filters
                or admits(receiver, caller, None if message is None else message.type)
            ):
                if message is None:
                    return EFAULT
                # What follows is `give`, written out because every message passes here.
                misc = receiver.misc
                if misc and misc & MF_REPLY_PEND:
                    receiver.misc = misc ^ MF_REPLY_PEND
                    receiver.result = message
                    status = 0
                else:
                    status = call
                    if caller.misc and caller.misc & MF_REPLY_PEND and call != SENDA_CALL:
                        status = SENDREC_CALL
                    if flags:
                        status |= flags
                    receiver.status = status
                    receiver.result = (caller.endpoint, message, status)
                if self.probes.emit is not None:
                    self.probes.sent(caller, receiver.endpoint, message, call, bool(flags))
                    cause = caller.context.cause
                    self.probes.delivered(caller.endpoint, receiver, message, status, cause)
                if rts == RTS_RECEIVING:
                    receiver.rts = 0
                    self.ready.queue.append(receiver)
                else:
                    self.ready.unblock(receiver, RTS_RECEIVING)
                return OK
        elif rts & RTS_NO_ENDPOINT:
            return EDEADSRCDST
        if call in _NEVER_WAIT:
            return ENOTREADY
        return self._join(caller, receiver, message, call, flags)

    def _join(
        self, caller: Process, receiver: Process, message: Message | None, call: int, flags: int
    ) -> int:
        """Let `caller` wait in the queue of `receiver`."""
        if receiver.rts & _WAITING and closes_circle(
            self.table, self.quirks, caller, receiver, RTS_SENDING
        ):
            return ELOCKED
        if message is None:
            return EFAULT
        if flags:
            caller.misc |= MF_SENDING_FROM_KERNEL
        if caller.stale_link:
            raise Panic(
                f"{caller.name} is to queue, but still has a link to the next in another queue",
                quirk="stale-queue-link",
            )
        caller.sending = message
        caller.send_to = receiver.endpoint
        self.ready.block(caller, RTS_SENDING)
        receiver.callers.append(caller)
        if self.probes.emit is not None:
            self.probes.sent(caller, receiver.endpoint, message, call, bool(flags))
            if call == SEND_CALL:
                self.probes.blocked(caller, caller.rts, receiver.endpoint)
        return BLOCKED

    def _collect(self, caller: Process, source: int, sender: Process | None) -> int:
        """Give `caller` a message from `source`, or let it wait for one.

        `sender` is the process in `source`, None for ANY.  A caller that is still queued (in
        SENDREC) gets nothing.
        """
        if sender is not None and sender.rts & RTS_NO_ENDPOINT:
            return EDEADSRCDST
        sending = caller.rts & RTS_SENDING
        if not sending:
            privilege = caller.privilege
            if (
                privilege.notify_pending
                and not caller.misc & MF_REPLY_PEND
                and notify.take(self, caller, sender)
            ):
                return OK
            if privilege.async_pending and senda.take(self, caller, sender):
                return OK
            if caller.callers and self._take(caller, source):
                return OK
        if (
            sender is not None
            and sender.rts & _WAITING
            and (not sending or "elocked-while-queued" in self.quirks)
            and closes_circle(self.table, self.quirks, caller, sender, RTS_RECEIVING)
        ):
            return ELOCKED
        return self._wait(caller, source)

    def _wait(self, caller: Process, source: int) -> int:
        """Let `caller` wait for a message from `source`."""
        caller.get_from = source
        self.ready.block(caller, RTS_RECEIVING)
        if self.probes.emit is not None:
            self.probes.blocked(caller, caller.rts, source)
        return BLOCKED

    def _take(self, caller: Process, source: int) -> bool:
        """Give `caller` the message of the first acceptable sender in its queue."""
        queue = caller.callers
        filters = caller.privilege.filters
        position = 0
        for sender in queue:
            message = sender.sending
            assert message is not None, "a queued process has a message"
            if (source == ANY or source == sender.endpoint) and (
                not filters or admits(caller, sender, message.type)
            ):
                break
            position += 1
        else:
            return False
        if not sender.rts & RTS_SENDING:
            death.meet_stale_sender(caller, sender)
        self.ready.unblock(sender, RTS_SENDING)
        status = SENDREC_CALL if sender.misc & MF_REPLY_PEND else SEND_CALL
        if sender.misc & _WHEN_TAKEN:
            status |= self._sending_done(sender)
        del queue[position]
        self.give(sender, caller, message, status, sender.context.cause)
        return True

    def _sending_done(self, sender: Process) -> int:
        """A message of `sender` with something special about it is taken.  Returns its flags."""
        flags = FROM_KERNEL if sender.misc & MF_SENDING_FROM_KERNEL else 0
        sender.misc &= ~MF_SENDING_FROM_KERNEL
        if sender.misc & MF_SIG_DELAY:
            assert self.sending_done is not None, "somebody delays signals"
            self.sending_done(sender)
        return flags


def _refusal(caller: Process, dest: int, receiver: Process | None) -> int:
    """Why `caller` may not send to `dest`, where `receiver` is.

    If nothing else is the matter, then it may not use the trap, or not towards a kernel task.
    """
    if dest == ANY:
        return EINVAL
    if receiver is None:
        return EDEADSRCDST
    if not caller.privilege.ipc_to & receiver.privilege.bit:
        return ECALLDENIED
    return ETRAPDENIED
