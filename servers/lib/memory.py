"""Buffers in a server's own memory, and copies between them and the memory of others.

A server's program is not in the simulated machine, but what it lends to others and what it copies
must be: every server has a stretch of memory for that.

Source: MINIX ``minix/syslib.h`` sys_datacopy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import SELF
from ipc.errors import OK
from ipc.traps import Load, Store, trap
from kernel.memory.frames import PAGE_MASK, Frames
from kernel.memory.space import USER_WRITE
from servers.lib.kernel_calls import sys_vircopy

if TYPE_CHECKING:
    from kernel.process import Process

# Where a server keeps what it is copying at the moment; `Buffers` hands out what lies above.
SCRATCH: Final = 0x0804_8000
SCRATCH_SIZE: Final = 0x0010_0000
BUFFERS: Final = SCRATCH + SCRATCH_SIZE
_ALIGNMENT: Final = 16


async def copy_out(data: bytes, dest: int, address: int, flags: int = 0) -> int:
    """Copy `data` to `address` of process `dest`: OK, or an error such as EFAULT."""
    await trap(Store(SCRATCH, data))
    return await sys_vircopy(SELF, SCRATCH, dest, address, len(data), flags)


async def copy_in(source: int, address: int, length: int, flags: int = 0) -> bytes | int:
    """The `length` bytes at `address` of process `source`, or an error such as EFAULT."""
    result = await sys_vircopy(source, address, SELF, SCRATCH, length, flags)
    if result != OK:
        return result
    data = await trap(Load(SCRATCH, length))
    return bytes(data)


class OwnMemory:
    """A server's own memory as its program writes to it: as its page tables have it.

    That is no affair of the kernel's as long as the page is there.  Whoever makes the server's
    process says whose memory it is.
    """

    def __init__(self) -> None:
        self._process: Process | None = None
        self._frames = Frames()

    def belongs_to(self, process: Process, frames: Frames) -> None:
        """It is that of `process`, in a machine with the memory `frames`."""
        self._process, self._frames = process, frames

    def store(self, address: int, data: bytes) -> bool:
        """Store `data`, all of it in one page; False if that takes a trap, as it faults."""
        process = self._process
        if process is None or process.space is None:
            return False
        frame = process.space.frame(address, USER_WRITE)
        if frame < 0:
            return False
        self._frames.put(frame, address & PAGE_MASK, data)
        return True


class Buffers:
    """Hands out addresses of a server's memory, for what must stay while others work with it."""

    def __init__(self, base: int = BUFFERS) -> None:
        self._top = base
        self._free: dict[int, list[int]] = {}

    def take(self, length: int) -> int:
        """The address of `length` bytes that are nobody else's until they are given back."""
        size = _rounded(length)
        freed = self._free.get(size)
        if freed:
            return freed.pop()
        address = self._top
        self._top += size
        return address

    def give_back(self, address: int, length: int) -> None:
        """The `length` bytes at `address` may be handed out again."""
        self._free.setdefault(_rounded(length), []).append(address)

    async def hold(self, data: bytes) -> int:
        """The address at which `data` is kept until it is given back."""
        address = self.take(len(data))
        await trap(Store(address, data))
        return address


def _rounded(length: int) -> int:
    return max(_ALIGNMENT, -(-length // _ALIGNMENT) * _ALIGNMENT)
