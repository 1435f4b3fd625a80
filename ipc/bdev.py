"""Calls to block drivers and their answer.

Source: MINIX ``minix/com.h``, ``libbdev``.
"""

from __future__ import annotations

from ipc.message import Message, i32, i64, message, u32


@message
class BdevOpen(Message, number=1280, call="BDEV_OPEN"):
    """Open a minor device: VFS on mount, file systems, partition code."""

    minor: int = i32(8)
    id: int = i32(12)
    access: int = i32(16, "access")


@message
class BdevClose(Message, number=1281, call="BDEV_CLOSE"):
    """Close a minor device: who opened it."""

    minor: int = i32(8)
    id: int = i32(12)


@message
class BdevRead(Message, number=1282, call="BDEV_READ"):
    """Read `count` bytes at `pos` into the grant: a file system."""

    pos: int = i64(0)
    minor: int = i32(8)
    id: int = i32(12)
    count: int = i32(20, "size")
    grant: int = i32(24)
    flags: int = i32(28)


@message
class BdevWrite(Message, number=1283, call="BDEV_WRITE"):
    """Write `count` bytes at `pos` from the grant: a file system."""

    pos: int = i64(0)
    minor: int = i32(8)
    id: int = i32(12)
    count: int = i32(20, "size")
    grant: int = i32(24)
    flags: int = i32(28)


@message
class BdevGather(Message, number=1284, call="BDEV_GATHER"):
    """Read at `pos` into the `count` buffers of the granted vector: a file system."""

    pos: int = i64(0)
    minor: int = i32(8)
    id: int = i32(12)
    count: int = i32(20)
    grant: int = i32(24)
    flags: int = i32(28)


@message
class BdevScatter(Message, number=1285, call="BDEV_SCATTER"):
    """Write at `pos` from the `count` buffers of the granted vector: a file system."""

    pos: int = i64(0)
    minor: int = i32(8)
    id: int = i32(12)
    count: int = i32(20)
    grant: int = i32(24)
    flags: int = i32(28)


@message
class BdevIoctl(Message, number=1286, call="BDEV_IOCTL"):
    """Do the device's own operation `request`, for `user`: VFS or a file system."""

    minor: int = i32(8)
    id: int = i32(12)
    grant: int = i32(24)
    user: int = i32(32, "endpoint")
    request: int = u32(36, "hex")


@message
class BdevReply(Message, number=1408, call="BDEV_REPLY"):
    """The bytes done, or an error, of the request `id`: a block driver."""

    status: int = i32(0, "result")
    id: int = i32(4)


MESSAGES = (BdevOpen, BdevClose, BdevRead, BdevWrite, BdevGather, BdevScatter, BdevIoctl, BdevReply)
