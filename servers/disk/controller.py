"""The hardware: a disk controller behind an I/O port and an interrupt line.

The controller reads and writes memory by itself, as today's do: the driver puts what is to be done
into `command` (and the data of a write into `buffer`) and rings the doorbell, a port.  When the
transfer is done, `status` and the data of a read are in memory, and the controller raises its line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import attrs

from kernel.clock import Clock
from kernel.memory.frames import Data
from servers.disk.latency import Latency
from servers.disk.medium import Medium

SECTOR: Final = 512  # bytes

READY: Final = 0
FAILED: Final = 1


# What the driver wants: from which byte of the disk on, how many bytes, and whether to write them.
Transfer: TypeAlias = tuple[int, int, bool]


@attrs.define(eq=False)
class Faults:
    """Which transfers fail: those whose number (the first is 1) is in `doomed`.

    `count` is how many there have been, with the one that goes on.
    """

    doomed: set[int] = attrs.field(factory=set)
    count: int = 0

    def fail(self, nth: int, times: int = 1) -> None:
        """Let the `nth` transfer from now on fail, and those after it up to `times` together."""
        self.doomed.update(range(self.count + nth, self.count + nth + times))


@attrs.define(eq=False)
class Controller:
    """A controller with one disk, whose doorbell is port `port`.

    `clock` is the machine's, and `interrupt()` raises the controller's line.
    """

    medium: Medium
    port: int
    clock: Clock
    interrupt: Callable[[], None]
    latency: Latency = attrs.field(factory=Latency)
    faults: Faults = attrs.field(factory=Faults)
    command: Transfer | None = None
    buffer: Data = b""
    status: int = READY
    _head: int = 0  # the byte behind the last transfer

    def read(self, port: int) -> int:
        """The doorbell says nothing."""
        return 0

    def write(self, port: int, value: int) -> None:
        """The doorbell: do the command."""
        command = self.command
        if command is None:
            return
        offset, length, writing = command
        latency, faults = self.latency, self.faults
        delay = -(-length // 4096) * latency.per_block
        if offset != self._head:
            delay += latency.seek
        self._head = offset + length
        faults.count += 1
        if faults.count in faults.doomed:
            self.status = FAILED
        else:
            self.status = READY
            if writing:
                self.medium.write(offset, self.buffer)
            else:
                self.buffer = self.medium.read(offset, length)
        self.clock.schedule(self.clock.now + delay, self.interrupt)
