"""Directory entries on their way to the caller of getdents.

Source: MINIX ``libfsdriver/dentry.c``, ``sys/dirent.h``.
"""

from __future__ import annotations

import struct
from typing import Final

import attrs

from ipc.errors import EINVAL
from ipc.traps import Store, trap
from servers.lib.fsdriver.data import Data
from servers.lib.loop import Refused

_HEAD: Final = struct.Struct("<QHHB")  # d_fileno, d_reclen, d_namlen, d_type
_ALIGNMENT: Final = 8


@attrs.frozen
class Dirent:
    """A directory entry as getdents gives it; `kind` is a DT_* (S_IF* >> 12)."""

    inode: int
    kind: int
    name: bytes

    def encode(self) -> bytes:
        """The entry's bytes: the name is closed with a zero, and all is padded to 8 bytes."""
        length = _HEAD.size + len(self.name) + 1
        length += -length % _ALIGNMENT
        head = _HEAD.pack(self.inode, length, len(self.name), self.kind)
        return (head + self.name).ljust(length, b"\0")


def decode_dirents(data: bytes) -> list[Dirent]:
    """The entries in a buffer that getdents filled."""
    found = []
    while data:
        inode, length, name_length, kind = _HEAD.unpack_from(data)
        found.append(Dirent(inode, kind, data[_HEAD.size : _HEAD.size + name_length]))
        data = data[length:]
    return found


@attrs.define(eq=False)
class DirentList:
    """Entries that are gathered in own memory at `scratch` (`room` bytes) and then copied out."""

    data: Data
    limit: int  # bytes of the caller's buffer
    scratch: int
    room: int
    _copied: int = 0
    _pending: bytes = b""

    async def add(self, entry: Dirent) -> bool:
        """Add `entry`; False if the caller's buffer has no room for it.

        Raises Refused(EINVAL) if that has no room for even one.
        """
        text = entry.encode()
        if self._copied + len(self._pending) + len(text) > self.limit:
            if not self._copied and not self._pending:
                raise Refused(EINVAL)
            return False
        if len(self._pending) + len(text) > self.room:
            await self.finish()
        self._pending += text
        return True

    async def finish(self) -> int:
        """Copy out what is pending; how many bytes have been copied altogether."""
        if self._pending:
            await trap(Store(self.scratch, self._pending))
            await self.data.copy_out(self._copied, self.scratch, len(self._pending))
            self._copied += len(self._pending)
            self._pending = b""
        return self._copied
