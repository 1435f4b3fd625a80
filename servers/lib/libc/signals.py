"""The C library: signals, and time that ends with one.

A handler is an async function of the library and the signal's number.  It runs in the process,
in place of whatever the process was doing, which then goes on; a call that was interrupted fails
with EINTR.

Source: MINIX ``lib/libc/sys/{sigaction,sigprocmask,sigsuspend,sigreturn,kill,setitimer}.c``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ipc.endpoint import PM
from ipc.errors import EINTR
from ipc.flags import ITIMER_REAL, SIG_BLOCK, SIG_DFL, SIG_SETMASK
from ipc.pm import PmItimer, PmKill, PmSigaction, PmSigpending, PmSigprocmask, PmSigsuspend
from ipc.signals import NSIG, SIGALRM
from kernel.process import SignalHandler
from servers.lib.layout import HANDLER_SIZE, HANDLERS_BASE, SIGRETURN_ADDRESS
from servers.lib.libc.base import Handler, Library
from servers.lib.libc.errors import CallFailed

if TYPE_CHECKING:
    from servers.lib.libc.library import Libc

SIG_INQUIRE: Final = 10

SIGACTION: Final = struct.Struct("<I16si")
ITIMERVAL: Final = struct.Struct("<qiqi")
EVERY_SIGNAL: Final = (1 << NSIG - 1) - 1
_ALARM: Final = 1 << SIGALRM - 1
MICROSECONDS: Final = 1_000_000
NANOSECONDS: Final = 1_000_000_000


class Signals(Library):
    """Calls to PM about signals.  All raise CallFailed."""

    __slots__ = ()

    async def kill(self, pid: int, signal: int) -> int:
        """Signal a process; 0: the own group, -1: everybody, -n: group n."""
        return int((await self.syscall(PM, PmKill(pid, signal))).type)

    async def sigaction(
        self, signal: int, handler: Handler | int, mask: int = 0, flags: int = 0
    ) -> Handler | int:
        """Have `signal` call `handler` (or SIG_DFL, SIG_IGN); what it did before."""
        address = handler if isinstance(handler, int) else self._address_of(handler)
        where = self.on_stack(SIGACTION.size)
        await self.store(where, SIGACTION.pack(address, mask.to_bytes(16, "little"), flags))
        request = PmSigaction(nr=signal, act=where, oact=0, ret=SIGRETURN_ADDRESS)
        await self.syscall(PM, request)
        before = self.actions.get(signal, SIG_DFL)
        self.actions[signal] = handler
        return before

    async def signal(self, signal: int, handler: Handler | int) -> Handler | int:
        """As `sigaction`, without mask or flags."""
        return await self.sigaction(signal, handler)

    async def sigprocmask(self, how: int = SIG_INQUIRE, signals: int = 0) -> int:
        """Change which signals are held back (a set: bit n-1 is signal n); the set before."""
        return int((await self.syscall(PM, PmSigprocmask(how, signals))).set)

    async def sigpending(self) -> int:
        """The set of signals that are held back and wait."""
        return int((await self.syscall(PM, PmSigpending())).set)

    async def sigsuspend(self, signals: int = 0) -> None:
        """Hold back just `signals` until one of the others has called its handler."""
        try:
            await self.syscall(PM, PmSigsuspend(signals))
        except CallFailed as failure:
            if failure.errno != EINTR:
                raise

    async def pause(self) -> None:
        """Wait until a signal has called its handler.

        A signal that came before this call was made has called its handler already and ends
        nothing.  Who waits for one that is sure to come holds it back until `sigsuspend`.
        """
        await self.sigsuspend(await self.sigprocmask())

    async def setitimer(self, value: int, interval: int = 0, which: int = ITIMER_REAL) -> int:
        """Set a timer of SIGALRM (or another), in microseconds, 0 for none; what was left of it."""
        new = self.on_stack(ITIMERVAL.size)
        old = self.on_stack(ITIMERVAL.size, above=new)
        data = ITIMERVAL.pack(*divmod(interval, MICROSECONDS), *divmod(value, MICROSECONDS))
        await self.store(new, data)
        await self.syscall(PM, PmItimer(which, new, old))
        _, _, seconds, microseconds = ITIMERVAL.unpack(await self.load(old, ITIMERVAL.size))
        return int(seconds * MICROSECONDS + microseconds)

    async def alarm(self, seconds: int) -> int:
        """Get SIGALRM in that many seconds; how many were left until the one before, rounded up."""
        left = await self.setitimer(seconds * MICROSECONDS)
        return -(-left // MICROSECONDS)

    async def nanosleep(self, duration: int) -> None:
        """Wait for `duration` virtual nanoseconds, or until a signal calls its handler.

        Differs: MINIX's library sleeps in VFS (select); this one does in PM, with SIGALRM.  An
        alarm that was set before goes on, but does not come while this waits.
        """
        if duration <= 0:
            return
        length = -(-duration * MICROSECONDS // NANOSECONDS)
        before = await self.sigaction(SIGALRM, _nothing)
        # If others run for long, the time is over before PM is asked to wait for that.
        held = await self.sigprocmask(SIG_BLOCK, _ALARM)
        alarm = await self.setitimer(length)
        await self.sigsuspend(held & ~_ALARM)
        slept = length - await self.setitimer(0)
        await self.sigprocmask(SIG_SETMASK, held)
        await self.sigaction(SIGALRM, before)
        if alarm:
            await self.setitimer(max(alarm - slept, 1))

    def _address_of(self, handler: Handler) -> int:
        """The address that stands for `handler` in messages; from now on the kernel knows it."""
        address = self.addresses.get(handler)
        if address is None:
            address = HANDLERS_BASE + len(self.addresses) * HANDLER_SIZE
            self.addresses[handler] = address
            self.context.handlers[address] = self.bound(handler)
        return address

    def bound(self, handler: Handler) -> SignalHandler:
        """What the kernel has run: the handler, and then the first half of sigreturn."""

        async def run(signal: int) -> None:
            await handler(self.itself(), signal)
            # Nothing may come between here and PM's answer to SIGRETURN, which the kernel sends.
            await self.sigprocmask(SIG_SETMASK, EVERY_SIGNAL)

        return run

    def itself(self) -> Libc:
        """The whole library."""
        raise NotImplementedError


async def _nothing(_libc: Libc, _signal: int) -> None:
    """A handler that only ends the call which its signal interrupts."""
