"""What came of the attempt to put memory behind a page.

The core never waits.  Where it lacks a page of a file it says so, and the handler that asked gets
the page and asks again, by endpoint and address.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import attrs

from ipc.errors import EFAULT, EINVAL, ENOMEM


@attrs.frozen
class Mapped:
    """The page is there, and mapped with the rights that were asked for."""


@attrs.define(eq=False)  # a frozen one costs twice as much
class NeedsPage:
    """VFS must first bring 4096 bytes at `offset` of its file `fd` into the page cache."""

    fd: int
    offset: int


@attrs.frozen
class Failed:
    """It cannot be had, for the reason `errno`."""

    errno: int


Outcome: TypeAlias = Mapped | NeedsPage | Failed

MAPPED: Final = Mapped()
NO_MEMORY: Final = Failed(ENOMEM)
BAD_ADDRESS: Final = Failed(EFAULT)
NO_SOURCE: Final = Failed(EINVAL)
