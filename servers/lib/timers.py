"""A server's watchdog timers, all served by its one alarm in the kernel.

Source: MINIX ``lib/libsys/timers.c`` and ``lib/libtimers``.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeAlias

import attrs

from servers.lib.kernel_calls import sys_setalarm

Watchdog: TypeAlias = Callable[[int], Coroutine[Any, Any, None]]

TMRDIFF_MAX: Final = 0x7FFFFFFF  # ticks


@attrs.define(order=False, eq=False)
class Timer:
    """One watchdog: what is called with which argument, and when (ticks since boot)."""

    watchdog: Watchdog
    argument: int
    expires: int


@attrs.define(eq=False)
class Timers:
    """The timers that are set, the first to expire in front.

    The kernel is told only when the first one changes, and not while timers are expiring: then it
    is told once, afterwards.
    """

    pending: list[Timer] = attrs.field(factory=list)
    expiring: bool = False

    async def set(self, now: int, ticks: int, watchdog: Watchdog, argument: int) -> Timer:
        """Have `watchdog(argument)` called when `ticks` have passed; `now` is the time in ticks."""
        assert 0 <= ticks <= TMRDIFF_MAX, "a timer expires within the range of the clock"
        before = self._next()
        timer = Timer(watchdog, argument, now + ticks)
        bisect.insort_right(self.pending, timer, key=_expiry)
        await self._changed(before)
        return timer

    async def cancel(self, timer: Timer) -> None:
        """Forget `timer`; harmless if it expired or was cancelled before."""
        if timer in self.pending:
            before = self._next()
            self.pending.remove(timer)
            await self._changed(before)

    async def expire(self, now: int) -> None:
        """Call the watchdogs that are due at `now` (ticks), and set the alarm for the next."""
        self.expiring = True
        while self.pending and self.pending[0].expires <= now:
            timer = self.pending.pop(0)
            await timer.watchdog(timer.argument)
        self.expiring = False
        if self.pending:
            await sys_setalarm(self.pending[0].expires, abs_time=True)

    def _next(self) -> int | None:
        return self.pending[0].expires if self.pending else None

    async def _changed(self, before: int | None) -> None:
        after = self._next()
        if self.expiring or after == before:
            return
        if after is None:
            await sys_setalarm(0, abs_time=False)
        else:
            await sys_setalarm(after, abs_time=True)


def _expiry(timer: Timer) -> int:
    return timer.expires
