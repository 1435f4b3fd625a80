"""The hardware: a disk controller behind three I/O ports and an interrupt line.

The driver writes the first sector and the number of sectors (with WRITING for a write); when the
transfer is done the controller raises its line, and its status can be read.  The data is then on
the medium, or in `buffer`, which stands for the memory that a controller reads and writes by
itself.

Ports, as offsets from the first: 0 sector, 1 command (sectors, and WRITING), 2 status.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from servers.disk.latency import Latency
from servers.disk.medium import Medium

SECTOR: Final = 512  # bytes
PORTS: Final = 3
SECTOR_PORT: Final = 0
COMMAND_PORT: Final = 1
STATUS_PORT: Final = 2
WRITING: Final = 1 << 31

READY: Final = 0
FAILED: Final = 1


@attrs.define(eq=False)
class Faults:
    """Which transfers fail: those whose number (the first is 1) is in `doomed`.

    `count` is how many there have been.
    """

    doomed: set[int] = attrs.field(factory=set)
    count: int = 0

    def fail(self, nth: int, times: int = 1) -> None:
        """Let the `nth` transfer from now on fail, and those after it up to `times` together."""
        self.doomed.update(range(self.count + nth, self.count + nth + times))

    def strike(self) -> bool:
        """A transfer begins; whether it is to fail."""
        self.count += 1
        return self.count in self.doomed


@attrs.define(eq=False)
class Controller:
    """A controller at port `base` with one disk.

    `after(delay, action)` does something later (virtual ns), and `interrupt()` raises its line:
    both are the machine's.
    """

    medium: Medium
    base: int
    after: Callable[[int, Callable[[], None]], None]
    interrupt: Callable[[], None]
    latency: Latency = attrs.field(factory=Latency)
    faults: Faults = attrs.field(factory=Faults)
    buffer: bytes = b""
    status: int = READY
    _sector: int = 0
    _head: int = 0  # the byte behind the last transfer

    def read(self, port: int) -> int:
        """Read a port; only the status says anything."""
        return self.status if port - self.base == STATUS_PORT else 0

    def write(self, port: int, value: int) -> None:
        """Write a port; writing the command begins a transfer."""
        if port - self.base == SECTOR_PORT:
            self._sector = value
        elif port - self.base == COMMAND_PORT:
            self._begin(value & ~WRITING, bool(value & WRITING))

    def _begin(self, sectors: int, writing: bool) -> None:
        offset, length = self._sector * SECTOR, sectors * SECTOR
        delay = self.latency.of(offset - self._head, length)
        self._head = offset + length
        self.status = FAILED if self.faults.strike() else READY
        if self.status == READY:
            if writing:
                self.medium.write(offset, self.buffer)
            else:
                self.buffer = self.medium.read(offset, length)
        self.after(delay, self.interrupt)
