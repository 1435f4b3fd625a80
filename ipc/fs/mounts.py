"""VFS's requests to a file system: mounting, devices and blocks.

Source: MINIX ``minix/vfsif.h``, ``libfsdriver``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, i64, message, transaction, u16, u32, u64


@message
class ReqStatvfs(Message, number=2570, call="REQ_STATVFS"):
    """Copy the file system's figures into the grant."""

    grant: int = i32(0)
    transid: int = transaction()


@message
class ReqStatvfsReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqBread(Message, number=2571, call="REQ_BREAD"):
    """Read from a block device into the grant."""

    device: int = u64(0, "hex")
    seek_pos: int = i64(8)
    grant: int = i32(16)
    nbytes: int = u32(20, "size")
    transid: int = transaction()


@message
class ReqBreadReply(Reply):
    """The bytes read and the new position."""

    seek_pos: int = i64(0)
    nbytes: int = u32(8, "size")
    transid: int = transaction()


@message
class ReqBwrite(Message, number=2572, call="REQ_BWRITE"):
    """Write to a block device from the grant."""

    device: int = u64(0, "hex")
    seek_pos: int = i64(8)
    grant: int = i32(16)
    nbytes: int = u32(20, "size")
    transid: int = transaction()


@message
class ReqBwriteReply(Reply):
    """The bytes written and the new position."""

    seek_pos: int = i64(0)
    nbytes: int = u32(8, "size")
    transid: int = transaction()


@message
class ReqUnmount(Message, number=2575, call="REQ_UNMOUNT"):
    """Write everything back and let go of the device."""

    transid: int = transaction()


@message
class ReqUnmountReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqSync(Message, number=2576, call="REQ_SYNC"):
    """Write everything back."""

    transid: int = transaction()


@message
class ReqSyncReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqNewDriver(Message, number=2577, call="REQ_NEW_DRIVER"):
    """Another driver serves the device from now on."""

    device: int = u64(0, "hex")
    grant: int = i32(8)
    path_len: int = u32(12, "size")
    transid: int = transaction()


@message
class ReqNewDriverReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqFlush(Message, number=2578, call="REQ_FLUSH"):
    """Write back and drop the blocks of a device."""

    device: int = u64(0, "hex")
    transid: int = transaction()


@message
class ReqFlushReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqMountpoint(Message, number=2587, call="REQ_MOUNTPOINT"):
    """Another file system is mounted on that directory."""

    inode: int = u64(0)
    transid: int = transaction()


@message
class ReqMountpointReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqReadsuper(Message, number=2588, call="REQ_READSUPER"):
    """Mount the file system on a device."""

    device: int = u64(0, "hex")
    flags: int = u32(8, "mount")
    path_len: int = u32(12, "size")
    grant: int = i32(16)
    transid: int = transaction()


@message
class ReqReadsuperReply(Reply):
    """The root directory and what the file system can do."""

    file_size: int = i64(0, "size")
    device: int = u64(8, "hex")
    inode: int = u64(16)
    flags: int = u32(24, "fs")
    mode: int = u32(28, "octal")
    uid: int = u32(32)
    gid: int = u32(36)
    con_reqs: int = u16(40)
    transid: int = transaction()


@message
class ReqBpeek(Message, number=2593, call="REQ_BPEEK"):
    """Bring part of a block device into VM's page cache: for a page fault."""

    device: int = u64(0, "hex")
    seek_pos: int = i64(8)
    nbytes: int = u32(20, "size")
    transid: int = transaction()


@message
class ReqBpeekReply(Reply):
    """The bytes that are in the cache, and the new position."""

    seek_pos: int = i64(0)
    nbytes: int = u32(8, "size")
    transid: int = transaction()


MESSAGES = (
    ReqStatvfs, ReqBread, ReqBwrite, ReqUnmount, ReqSync, ReqNewDriver, ReqFlush, ReqMountpoint,
    ReqReadsuper, ReqBpeek,
)  # fmt: skip
