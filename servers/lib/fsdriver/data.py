"""The memory that a request is about: the caller's, through a grant, or the file system's own.

Source: MINIX ``libfsdriver/utility.c``.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ipc.errors import EINVAL, ENAMETOOLONG, OK
from ipc.kernelcalls import SysSafecopyfrom, SysSafecopyto, SysSafememset
from ipc.message import Message
from ipc.traps import KernelCall, Load, yields_traps
from servers.lib.loop import Refused

if TYPE_CHECKING:
    from attrs import frozen
else:
    # Nobody changes this, but to have attrs enforce it would double what making one costs.
    from attrs import define as frozen

NAME_MAX: Final = 511
PATH_MAX: Final = 1024

# What is to be awaited until a copy is done.
Copied: TypeAlias = Coroutine[Any, Any, None]


@frozen
class Data:
    """A buffer of `endpoint`, as far as `grant` lets us use it."""

    endpoint: int
    grant: int

    def copy_in(self, offset: int, address: int, length: int) -> Copied:
        """Copy from byte `offset` of the buffer to own memory; raises Refused (EFAULT …)."""
        return _copy(SysSafecopyfrom(self.endpoint, self.grant, offset, address, length))

    def copy_out(self, offset: int, address: int, length: int) -> Copied:
        """Copy from own memory to byte `offset` of the buffer; raises Refused (EFAULT …)."""
        return _copy(SysSafecopyto(self.endpoint, self.grant, offset, address, length))

    def zero(self, offset: int, length: int) -> Copied:
        """Clear part of the buffer; raises Refused (EFAULT …)."""
        return _copy(SysSafememset(self.endpoint, 0, self.grant, offset, length))


@yields_traps
def _copy(request: Message) -> Generator[Any, Any, None]:
    answer = yield KernelCall(request)
    if answer.type != OK:
        raise Refused(answer.type)


@yields_traps
def fetch_name(
    endpoint: int, grant: int, length: int, scratch: int, limit: int, may_be_empty: bool = False
) -> Generator[Any, Any, bytes]:
    """The string of `length` bytes (its final zero included) behind `grant`.

    `scratch` is where in own memory it may be put, with room for `limit` bytes.  Raises Refused
    (EINVAL, ENAMETOOLONG, or what the copy says).  MINIX: fsdriver_getname.
    """
    if length == 0 or (length == 1 and not may_be_empty):
        raise Refused(EINVAL)
    if length > limit:
        raise Refused(ENAMETOOLONG)
    answer = yield KernelCall(SysSafecopyfrom(endpoint, grant, 0, scratch, length))
    if answer.type != OK:
        raise Refused(answer.type)
    text: bytes = yield Load(scratch, length)
    if text[-1]:
        raise Refused(EINVAL)
    return text.split(b"\0", 1)[0]
