"""The way to a block driver: each call waits for the driver's answer.

A transfer that fails with EIO is tried again a few times; a driver that died is not looked for.
# Differs: MINIX asks DS for the driver that replaced it; here drivers are not restarted.

Source: MINIX ``lib/libbdev/bdev.c``, ``ipc.c``.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from ipc.bdev import BdevClose, BdevGather, BdevIoctl, BdevOpen, BdevRead, BdevReply, BdevScatter
from ipc.endpoint import NONE
from ipc.errors import EDEADSRCDST, EINVAL, EIO, OK, IpcError
from ipc.message import Message
from ipc.traps import Load, SendRec, Store, trap
from kernel.grants import CPF_READ, CPF_WRITE
from servers.lib.grants import Grants

TRANSFER_TRIES: Final = 5
DIOCGETP: Final = 0x401C6404
PART_GEOM_SIZE: Final = 28
READ_BIT: Final = 1
WRITE_BIT: Final = 2
VECTOR_LIMIT: Final = 64  # MINIX: NR_IOREQS

_ELEMENT: Final = struct.Struct("<iI")  # iovec_s_t: grant, bytes


def minor(device: int) -> int:
    """The minor number of a device number.  MINIX: sys/types.h minor."""
    return device & 0xFF | device >> 12 & 0xFFF00


def major(device: int) -> int:
    """The major number of a device number.  MINIX: sys/types.h major."""
    return device >> 8 & 0xFFF


@attrs.define(eq=False)
class BlockDevice:
    """One block device, `device`, and the endpoint of the driver that serves it.

    `scratch` is the address of 512 bytes of the caller's own memory for vectors.
    """

    grants: Grants
    scratch: int
    driver: int = NONE
    device: int = 0

    async def open(self, access: int) -> int:
        """Open the device (READ_BIT, WRITE_BIT); OK or an error number."""
        return await self._call(BdevOpen(minor=minor(self.device), access=access))

    async def close(self) -> int:
        """Close the device; OK or an error number."""
        return await self._call(BdevClose(minor=minor(self.device)))

    async def read(self, position: int, address: int, length: int) -> int:
        """Read into own memory; how many bytes came, or an error number."""

        async def attempt() -> int:
            grant = self.grants.direct(self.driver, address, length, CPF_WRITE)
            request = BdevRead(minor=minor(self.device), pos=position, count=length, grant=grant)
            result = await self._call(request)
            self.grants.revoke(grant)
            return result

        return await _persistently(attempt)

    async def gather(self, position: int, addresses: list[int], length: int) -> int:
        """Read one run of the device into pages of `length` bytes each; bytes or an error."""
        return await self._vector(BdevGather, CPF_WRITE, position, addresses, length)

    async def scatter(self, position: int, addresses: list[int], length: int) -> int:
        """Write pages of `length` bytes each to one run of the device; bytes or an error."""
        return await self._vector(BdevScatter, CPF_READ, position, addresses, length)

    async def size(self) -> int:
        """How many bytes the device has, or an error number."""
        grant = self.grants.direct(self.driver, self.scratch, PART_GEOM_SIZE, CPF_WRITE)
        result = await self._call(
            BdevIoctl(minor=minor(self.device), request=DIOCGETP, grant=grant, user=NONE)
        )
        self.grants.revoke(grant)
        if result != OK:
            return result
        data = await trap(Load(self.scratch, 16))
        return int.from_bytes(data[8:16], "little")

    async def _vector(
        self,
        kind: type[BdevGather | BdevScatter],
        access: int,
        position: int,
        addresses: list[int],
        length: int,
    ) -> int:
        async def attempt() -> int:
            table = self.grants
            parts = [table.direct(self.driver, at, length, access) for at in addresses]
            vector = b"".join(_ELEMENT.pack(part, length) for part in parts)
            await trap(Store(self.scratch, vector))
            grant = table.direct(self.driver, self.scratch, len(vector), CPF_READ)
            request = kind(minor=minor(self.device), pos=position, count=len(parts), grant=grant)
            result = await self._call(request)
            table.revoke(grant)
            for part in reversed(parts):
                table.revoke(part)
            return result

        assert 0 < len(addresses) <= VECTOR_LIMIT, "a vector of 1 to 64 elements"
        return await _persistently(attempt)

    async def _call(self, request: Message) -> int:
        try:
            answer = await trap(SendRec(self.driver, request))
        except IpcError:
            return EDEADSRCDST
        return answer.status if isinstance(answer, BdevReply) else EINVAL


async def _persistently(attempt: Callable[[], Awaitable[int]]) -> int:
    """Try a transfer until its result is another one than EIO, or often enough."""
    for _ in range(TRANSFER_TRIES - 1):
        result = await attempt()
        if result != EIO:
            return result
    return await attempt()
