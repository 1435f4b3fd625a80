"""What VFS tells PM of a new program, in its own memory.

Differs: only what PM reads of MINIX's `struct exec_info` is there.

Source: MINIX ``lib/libexec/libexec.h``, ``servers/pm/exec.c`` do_newexec.
"""

from __future__ import annotations

import struct
from typing import Final

import attrs

_LAYOUT: Final = struct.Struct("<IIiII16s")


@attrs.frozen
class ExecInfo:
    """A program: whom it makes of the process, the top of its stack, its first frame, its name."""

    new_uid: int = 0
    new_gid: int = 0
    allow_setuid: bool = False
    stack_high: int = 0
    frame_len: int = 0
    progname: str = ""

    def pack(self) -> bytes:
        """The bytes that VFS lets PM copy."""
        name = self.progname.encode()[:15]
        return _LAYOUT.pack(
            self.new_uid, self.new_gid, self.allow_setuid, self.stack_high, self.frame_len, name
        )

    @classmethod
    def unpack(cls, data: bytes) -> ExecInfo:
        """The record that `pack` made these bytes of."""
        uid, gid, setuid, stack_high, frame_len, name = _LAYOUT.unpack(data)
        text = name.rstrip(b"\0").decode("ascii", "replace")
        return cls(uid, gid, bool(setuid), stack_high, frame_len, text)


EXEC_INFO_SIZE: Final = _LAYOUT.size
