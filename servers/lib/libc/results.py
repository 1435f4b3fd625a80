"""What calls give back besides a number.

Source: MINIX ``sys/wait.h``, ``sys/stat.h``, ``sys/resource.h`` (i386).
"""

from __future__ import annotations

import struct
from typing import Final

import attrs

STAT: Final = struct.Struct("<QIQIIIQ" + "qi" * 4 + "qqiII2I")
RUSAGE: Final = struct.Struct("<qiqi14i")
WCOREFLAG: Final = 0x80
MICROSECONDS: Final = 1_000_000


@attrs.frozen
class Waited:
    """The news of a child: its `pid` (0: none has died), and how it ended, as a word.

    `status` is its exit status if it exited, else 0; `signal` is what killed it, else 0.
    """

    pid: int
    word: int = 0

    @property
    def signal(self) -> int:
        """The signal that killed the child, or 0.  MINIX: WTERMSIG."""
        return self.word & 0x7F

    @property
    def status(self) -> int:
        """The exit status (0..255) of a child that exited.  MINIX: WEXITSTATUS."""
        return 0 if self.signal else self.word >> 8 & 0xFF

    @property
    def core(self) -> bool:
        """Whether the child left a core dump.  MINIX: WCOREDUMP."""
        return bool(self.signal) and bool(self.word & WCOREFLAG)


@attrs.frozen
class Stat:
    """What is known of a file.  Sizes in bytes, blocks of 512 bytes, times in seconds."""

    st_dev: int
    st_mode: int
    st_ino: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_rdev: int
    st_atime: int
    st_mtime: int
    st_ctime: int
    st_size: int
    st_blocks: int
    st_blksize: int

    @classmethod
    def unpack(cls, data: bytes) -> Stat:
        """The record in the bytes of a `struct stat`."""
        dev, mode, ino, nlink, uid, gid, rdev, *rest = STAT.unpack(data)
        atime, _, mtime, _, ctime, _, _, _, size, blocks, blksize = rest[:11]
        return cls(
            dev, mode, ino, nlink, uid, gid, rdev, atime, mtime, ctime, size, blocks, blksize
        )


@attrs.frozen
class ResourceUsage:
    """What a process has used: microseconds of time, KiB of memory, page faults."""

    user_time: int
    system_time: int
    max_resident: int
    minor_faults: int
    major_faults: int

    @classmethod
    def unpack(cls, data: bytes) -> ResourceUsage:
        """The record in the bytes of a `struct rusage`."""
        values = RUSAGE.unpack(data)
        user = values[0] * MICROSECONDS + values[1]
        system = values[2] * MICROSECONDS + values[3]
        return cls(user, system, values[4], values[8], values[9])
