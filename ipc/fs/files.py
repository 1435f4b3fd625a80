"""VFS's requests to a file system: a file's data and attributes.

Source: MINIX ``minix/vfsif.h``, ``libfsdriver``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, i64, message, transaction, u32, u64


@message
class ReqPutnode(Message, number=2562, call="REQ_PUTNODE"):
    """Drop `count` references to an inode."""

    inode: int = u64(0)
    count: int = u32(8)
    transid: int = transaction()


@message
class ReqPutnodeReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqFtrunc(Message, number=2564, call="REQ_FTRUNC"):
    """Cut a file at `trc_start`, or free the range up to `trc_end`."""

    inode: int = u64(0)
    trc_start: int = i64(8)
    trc_end: int = i64(16)
    transid: int = transaction()


@message
class ReqFtruncReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqChown(Message, number=2565, call="REQ_CHOWN"):
    """Set a file's owner."""

    inode: int = u64(0)
    uid: int = u32(8)
    gid: int = u32(12)
    transid: int = transaction()


@message
class ReqChownReply(Reply):
    """The mode, which may have lost its set-id bits."""

    mode: int = u32(0, "octal")
    transid: int = transaction()


@message
class ReqChmod(Message, number=2566, call="REQ_CHMOD"):
    """Set a file's mode."""

    inode: int = u64(0)
    mode: int = u32(8, "octal")
    transid: int = transaction()


@message
class ReqChmodReply(Reply):
    """The mode as it is now."""

    mode: int = u32(0, "octal")
    transid: int = transaction()


@message
class ReqInhibread(Message, number=2567, call="REQ_INHIBREAD"):
    """Read nothing ahead at the next read: the position jumped."""

    inode: int = u64(0)
    transid: int = transaction()


@message
class ReqInhibreadReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqStat(Message, number=2568, call="REQ_STAT"):
    """Copy a file's attributes into the grant."""

    inode: int = u64(0)
    grant: int = i32(8)
    transid: int = transaction()


@message
class ReqStatReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqUtime(Message, number=2569, call="REQ_UTIME"):
    """Set a file's times."""

    inode: int = u64(0)
    actime: int = i64(8)
    modtime: int = i64(16)
    acnsec: int = u32(24)
    modnsec: int = u32(28)
    transid: int = transaction()


@message
class ReqUtimeReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqRead(Message, number=2579, call="REQ_READ"):
    """Read from a file into the grant."""

    inode: int = u64(0)
    seek_pos: int = i64(8)
    grant: int = i32(16)
    nbytes: int = u32(20, "size")
    transid: int = transaction()


@message
class ReqReadReply(Reply):
    """The bytes read and the new position."""

    seek_pos: int = i64(0)
    nbytes: int = u32(8, "size")
    transid: int = transaction()


@message
class ReqWrite(Message, number=2580, call="REQ_WRITE"):
    """Write to a file from the grant."""

    inode: int = u64(0)
    seek_pos: int = i64(8)
    grant: int = i32(16)
    nbytes: int = u32(20, "size")
    transid: int = transaction()


@message
class ReqWriteReply(Reply):
    """The bytes written and the new position."""

    seek_pos: int = i64(0)
    nbytes: int = u32(8, "size")
    transid: int = transaction()


@message
class ReqGetdents(Message, number=2591, call="REQ_GETDENTS"):
    """Copy entries of a directory into the grant."""

    inode: int = u64(0)
    seek_pos: int = i64(8)
    grant: int = i32(16)
    mem_size: int = u32(20, "size")
    transid: int = transaction()


@message
class ReqGetdentsReply(Reply):
    """The bytes copied and the new position."""

    seek_pos: int = i64(0)
    nbytes: int = u32(8, "size")
    transid: int = transaction()


@message
class ReqPeek(Message, number=2592, call="REQ_PEEK"):
    """Bring part of a file into VM's page cache: for a page fault."""

    inode: int = u64(0)
    seek_pos: int = i64(8)
    nbytes: int = u32(20, "size")
    transid: int = transaction()


@message
class ReqPeekReply(Reply):
    """The bytes that are in the cache, and the new position."""

    seek_pos: int = i64(0)
    nbytes: int = u32(8, "size")
    transid: int = transaction()


MESSAGES = (
    ReqPutnode, ReqFtrunc, ReqChown, ReqChmod, ReqInhibread, ReqStat, ReqUtime, ReqRead, ReqWrite,
    ReqGetdents, ReqPeek,
)  # fmt: skip
