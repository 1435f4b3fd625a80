"""Calls to character drivers and their answers.

Source: MINIX ``minix/com.h``, ``libchardriver``.
"""

from __future__ import annotations

from ipc.message import Message, i32, i64, message, u32


@message
class CdevOpen(Message, number=1024, call="CDEV_OPEN"):
    """Open a minor device for `user`: VFS."""

    id: int = i32(0)
    user: int = i32(4, "endpoint")
    minor: int = i32(8)
    access: int = i32(12, "access")


@message
class CdevClose(Message, number=1025, call="CDEV_CLOSE"):
    """Close a minor device: VFS."""

    id: int = i32(0)
    minor: int = i32(8)


@message
class CdevRead(Message, number=1026, call="CDEV_READ"):
    """Read `count` bytes into the grant, now or later: VFS."""

    pos: int = i64(0)
    grant: int = i32(8)
    count: int = u32(12, "size")
    flags: int = i32(20)
    id: int = i32(24)
    user: int = i32(28, "endpoint")
    minor: int = i32(32)


@message
class CdevWrite(Message, number=1027, call="CDEV_WRITE"):
    """Write `count` bytes from the grant, now or later: VFS."""

    pos: int = i64(0)
    grant: int = i32(8)
    count: int = u32(12, "size")
    flags: int = i32(20)
    id: int = i32(24)
    user: int = i32(28, "endpoint")
    minor: int = i32(32)


@message
class CdevIoctl(Message, number=1028, call="CDEV_IOCTL"):
    """Do the device's own operation `request`: VFS."""

    grant: int = i32(8)
    request: int = u32(16, "hex")
    flags: int = i32(20)
    id: int = i32(24)
    user: int = i32(28, "endpoint")
    minor: int = i32(32)


@message
class CdevCancel(Message, number=1029, call="CDEV_CANCEL"):
    """Give up the request `id` that still waits: VFS, when a signal came."""

    id: int = i32(0)
    minor: int = i32(4)


@message
class CdevSelect(Message, number=1030, call="CDEV_SELECT"):
    """Say which of `ops` would not block: VFS."""

    minor: int = i32(0)
    ops: int = i32(4)


@message
class CdevReply(Message, number=1152, call="CDEV_REPLY"):
    """The result of the request `id`: a character driver."""

    status: int = i32(0, "result")
    id: int = u32(4)


@message
class CdevSel1Reply(Message, number=1153, call="CDEV_SEL1_REPLY"):
    """What a select found at once: a character driver."""

    status: int = i32(0)
    minor: int = i32(4)


@message
class CdevSel2Reply(Message, number=1154, call="CDEV_SEL2_REPLY"):
    """What became ready after a select that asked to be told: a character driver."""

    status: int = i32(0)
    minor: int = i32(4)


MESSAGES = (
    CdevOpen, CdevClose, CdevRead, CdevWrite, CdevIoctl, CdevCancel, CdevSelect, CdevReply,
    CdevSel1Reply, CdevSel2Reply,
)  # fmt: skip
