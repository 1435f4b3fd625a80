"""The way to a block driver: each call waits for the driver's answer.

A transfer that fails with EIO is tried TRANSFER_TRIES times; a driver that died is not looked for.
# Differs: MINIX asks DS for the driver that replaced it; here drivers are not restarted.

Source: MINIX ``lib/libbdev/bdev.c``, ``ipc.c``.
"""

from __future__ import annotations

import struct
import types
from collections.abc import Callable, Generator
from typing import Any, Final, TypeAlias

import attrs

from ipc.bdev import BdevClose, BdevGather, BdevIoctl, BdevOpen, BdevRead, BdevReply, BdevScatter
from ipc.endpoint import NONE
from ipc.errors import EDEADSRCDST, EINVAL, EIO, OK, IpcError
from ipc.flags import CPF_READ, CPF_WRITE
from ipc.message import Message, Reply
from ipc.messageclass import maker
from ipc.traps import Load, SendRec, Store, trap, yields_traps
from servers.lib.grants import Grants
from servers.lib.memory import OwnMemory

TRANSFER_TRIES: Final = 5
DIOCGETP: Final = 0x401C6404
PART_GEOM_SIZE: Final = 28
READ_BIT: Final = 1
WRITE_BIT: Final = 2
VECTOR_LIMIT: Final = 64  # MINIX: NR_IOREQS

_ELEMENT: Final = struct.Struct("<iI")  # iovec_s_t: grant, bytes

# What makes a request to move a run, and how the driver is to use the memory for it.
Direction: TypeAlias = tuple[Callable[..., BdevGather | BdevScatter], int]
GATHER: Final[Direction] = (maker(BdevGather), CPF_WRITE)
SCATTER: Final[Direction] = (BdevScatter, CPF_READ)


def minor(device: int) -> int:
    """The minor number of a device number.  MINIX: sys/types.h minor."""
    return device & 0xFF | device >> 12 & 0xFFF00


def major(device: int) -> int:
    """The major number of a device number.  MINIX: sys/types.h major."""
    return device >> 8 & 0xFFF


@attrs.define(eq=False)
class BlockDevice:
    """One block device, `device`, and the endpoint of the driver that serves it.

    `choose` says which.  `scratch` is the address of 512 bytes of the caller's own `memory` for
    vectors, in one page.
    """

    grants: Grants
    memory: OwnMemory
    scratch: int
    driver: int = NONE
    device: int = 0
    _minor: int = 0
    # What asks the driver to move a run, with another message each time.
    _asking: SendRec = attrs.field(factory=lambda: SendRec(NONE, Reply()))

    def choose(self, device: int) -> None:
        """It is the device with the number `device` from now on."""
        self.device, self._minor = device, minor(device)

    async def open(self, access: int) -> int:
        """Open the device (READ_BIT, WRITE_BIT); OK or an error number."""
        return await self._call(BdevOpen(minor=self._minor, access=access))

    async def close(self) -> int:
        """Close the device; OK or an error number."""
        return await self._call(BdevClose(minor=self._minor))

    async def read(self, position: int, address: int, length: int) -> int:
        """Read into own memory; how many bytes came, or an error number."""

        result = EIO
        for _ in range(TRANSFER_TRIES):
            grant = self.grants.direct(self.driver, address, length, CPF_WRITE)
            result = await self._call(BdevRead(position, self._minor, 0, length, grant))
            self.grants.revoke(grant)
            if result != EIO:
                break
        return result

    async def size(self) -> int:
        """How many bytes the device has, or an error number."""
        grant = self.grants.direct(self.driver, self.scratch, PART_GEOM_SIZE, CPF_WRITE)
        result = await self._call(
            BdevIoctl(minor=self._minor, request=DIOCGETP, grant=grant, user=NONE)
        )
        self.grants.revoke(grant)
        if result != OK:
            return result
        data = await trap(Load(self.scratch, 16))
        return int.from_bytes(data[8:16], "little")

    @yields_traps
    @types.coroutine
    def transfer(
        self, direction: Direction, position: int, addresses: list[int], length: int
    ) -> Generator[Any, Any, int]:
        """Read (GATHER) or write (SCATTER) one run of the device, by pages of `length` bytes each.

        Returns how many bytes were transferred, or an error number.
        """
        request, access = direction
        count = len(addresses)
        assert 0 < count <= VECTOR_LIMIT, "a vector of 1 to 64 elements"
        table, driver, scratch = self.grants, self.driver, self.scratch
        asking = self._asking
        result = EIO
        for _ in range(TRANSFER_TRIES):
            parts: list[int] = []
            vector = b""
            for address in addresses:
                part = table.direct(driver, address, length, access)
                parts.append(part)
                vector += _ELEMENT.pack(part, length)
            if not self.memory.store(scratch, vector):
                yield Store(scratch, vector)
            grant = table.direct(driver, scratch, len(vector), CPF_READ)
            asking.dest = driver
            asking.message = request(position, self._minor, 0, count, grant)
            answer = yield asking
            table.revoke(grant)
            for part in reversed(parts):
                table.revoke(part)
            result = answer.status if type(answer) is BdevReply else _failure(answer)
            if result != EIO:
                break
        return result

    @yields_traps
    def _call(self, request: Message) -> Generator[Any, Any, int]:
        answer = yield SendRec(self.driver, request)
        return answer.status if type(answer) is BdevReply else _failure(answer)


def _failure(answer: Any) -> int:
    """What it means if a driver does not answer as drivers do: an IpcError tells of none."""
    return EDEADSRCDST if isinstance(answer, IpcError) else EINVAL
