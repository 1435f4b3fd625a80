"""The memory that a request is about: the caller's, through a grant, or the file system's own.

Source: MINIX ``libfsdriver/utility.c``.
"""

from __future__ import annotations

from typing import Final

import attrs

from ipc.errors import EINVAL, ENAMETOOLONG, OK
from ipc.traps import Load, trap
from servers.lib.kernel_calls import sys_safecopyfrom, sys_safecopyto, sys_safememset
from servers.lib.loop import Refused

NAME_MAX: Final = 511
PATH_MAX: Final = 1024


@attrs.frozen
class Data:
    """A buffer of `endpoint`, as far as `grant` lets us use it."""

    endpoint: int
    grant: int

    async def copy_in(self, offset: int, address: int, length: int) -> None:
        """Copy from byte `offset` of the buffer to own memory; raises Refused (EFAULT …)."""
        _require(await sys_safecopyfrom(self.endpoint, self.grant, offset, address, length))

    async def copy_out(self, offset: int, address: int, length: int) -> None:
        """Copy from own memory to byte `offset` of the buffer; raises Refused (EFAULT …)."""
        _require(await sys_safecopyto(self.endpoint, self.grant, offset, address, length))

    async def zero(self, offset: int, length: int) -> None:
        """Clear part of the buffer; raises Refused (EFAULT …)."""
        _require(await sys_safememset(self.endpoint, self.grant, offset, 0, length))


def _require(result: int) -> None:
    if result != OK:
        raise Refused(result)


async def fetch_name(
    endpoint: int, grant: int, length: int, scratch: int, limit: int, may_be_empty: bool = False
) -> bytes:
    """The string of `length` bytes (its final zero included) behind `grant`.

    `scratch` is where in own memory it may be put, with room for `limit` bytes.  Raises Refused
    (EINVAL, ENAMETOOLONG, or what the copy says).  MINIX: fsdriver_getname.
    """
    if length == 0 or (length == 1 and not may_be_empty):
        raise Refused(EINVAL)
    if length > limit:
        raise Refused(ENAMETOOLONG)
    await Data(endpoint, grant).copy_in(0, scratch, length)
    text: bytes = await trap(Load(scratch, length))
    if text[-1]:
        raise Refused(EINVAL)
    return text.split(b"\0", 1)[0]
