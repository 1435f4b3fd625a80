"""How long a run may take, and what is done about a program that never gives control back.

Steps and virtual time are counted exactly, so those limits end a run at the same place every time.
A program that computes without ever yielding cannot be counted; a watchdog thread, one for all
machines, looks at the host's clock a few times a second and raises `Stuck` inside the program.
That ends the process, never the simulator.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from kernel.dispatcher import Dispatcher

WATCH_INTERVAL: Final = 0.1  # host seconds


@attrs.frozen
class Limits:
    """Where a run ends: steps, virtual ns, and for one step host seconds and bytes of growth."""

    steps: int = 100_000_000
    time: int = 24 * 3600 * 1_000_000_000
    host_seconds: float = 10.0
    host_memory: int = 2 << 30


class LimitReached(Exception):
    """A run came to a limit.  The machine is whole; it could go on with a higher one."""


class Stuck(BaseException):
    """Raised inside a program that has not given control back for too long."""

    reason = "ran too long without giving control back"


class StuckAllocating(Stuck):
    """Raised inside a program that allocates without end."""

    reason = "allocated too much memory of the host without giving control back"


@attrs.define(eq=False)
class _Watched:
    """What the watchdog saw last of a dispatcher."""

    dispatcher: weakref.ref[Dispatcher]
    step: int = -1
    since: float = 0.0
    memory: int = 0


class Watchdog:
    """The thread that watches dispatchers.  Started with the first one, never stopped."""

    def __init__(self) -> None:
        self._watched: list[_Watched] = []
        self._thread: threading.Thread | None = None

    def watch(self, dispatcher: Dispatcher) -> None:
        """Look at `dispatcher` from now on for as long as it exists."""
        self._watched.append(_Watched(weakref.ref(dispatcher)))
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(WATCH_INTERVAL)
            for watched in list(self._watched):
                dispatcher = watched.dispatcher()
                if dispatcher is None:
                    self._watched.remove(watched)
                else:
                    _look_at(watched, dispatcher)
                del dispatcher


def _look_at(watched: _Watched, dispatcher: Dispatcher) -> None:
    if not _in_program(dispatcher):
        watched.step = -1
        return
    now = time.monotonic()
    if watched.step != dispatcher.steps:
        watched.step, watched.since, watched.memory = dispatcher.steps, now, resident_memory()
        return
    limits = dispatcher.limits
    if resident_memory() - watched.memory > limits.host_memory:
        _raise_in_program(dispatcher, StuckAllocating)
    elif now - watched.since > limits.host_seconds:
        _raise_in_program(dispatcher, Stuck)
        watched.since = now


def _in_program(dispatcher: Dispatcher) -> bool:
    """Whether the dispatcher's thread executes the program of a process at this moment.

    It does if the process's coroutine is running, or a program is being ended.  (To look for its
    frame on that thread's stack is not safe: the stack changes when this thread is interrupted.)
    """
    if dispatcher.ending:
        return True
    process = dispatcher.current
    coroutine = None if process is None else process.coroutine
    return is_running(coroutine)


def is_running(coroutine: object) -> bool:
    """Whether the code of `coroutine`, or of what stands in for one, runs at this moment."""
    return getattr(coroutine, "cr_running", False) or getattr(coroutine, "gi_running", False)


def _raise_in_program(dispatcher: Dispatcher, kind: type[Stuck]) -> None:
    import ctypes  # costs much, is wanted seldom

    # This thread holds the interpreter, so the other one stands still where it is now: if that is
    # inside the program, the program is where the exception comes out.
    if _in_program(dispatcher):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(dispatcher.thread), ctypes.py_object(kind)
        )


def resident_memory() -> int:
    """How much memory the host has given to this Python, in bytes; 0 where it does not say."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


WATCHDOG: Final = Watchdog()
