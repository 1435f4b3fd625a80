"""VFS's requests to a file system: names, directories and inodes.

Source: MINIX ``minix/vfsif.h``, ``libfsdriver``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, i64, message, transaction, u16, u32, u64


@message
class ReqGetnode(Message, number=2561, call="REQ_GETNODE"):
    """Obsolete; VFS sends it no more."""

    transid: int = transaction()


@message
class ReqGetnodeReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqSlink(Message, number=2563, call="REQ_SLINK"):
    """Make a symbolic link."""

    inode: int = u64(0)
    path_len: int = u32(8, "size")
    mem_size: int = u32(12, "size")
    grant_path: int = i32(16)
    grant_target: int = i32(20)
    uid: int = u32(24)
    gid: int = u32(28)
    transid: int = transaction()


@message
class ReqSlinkReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqUnlink(Message, number=2573, call="REQ_UNLINK"):
    """Remove a name from a directory."""

    inode: int = u64(0)
    grant: int = i32(8)
    path_len: int = u32(12, "size")
    transid: int = transaction()


@message
class ReqUnlinkReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqRmdir(Message, number=2574, call="REQ_RMDIR"):
    """Remove a directory."""

    inode: int = u64(0)
    grant: int = i32(8)
    path_len: int = u32(12, "size")
    transid: int = transaction()


@message
class ReqRmdirReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqMknod(Message, number=2581, call="REQ_MKNOD"):
    """Make a device file or another special one."""

    device: int = u64(0, "hex")
    inode: int = u64(8)
    mode: int = u32(16, "octal")
    uid: int = u32(20)
    gid: int = u32(24)
    grant: int = i32(28)
    path_len: int = u32(32, "size")
    transid: int = transaction()


@message
class ReqMknodReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqMkdir(Message, number=2582, call="REQ_MKDIR"):
    """Make a directory."""

    inode: int = u64(0)
    mode: int = u32(8, "octal")
    uid: int = u32(12)
    gid: int = u32(16)
    grant: int = i32(20)
    path_len: int = u32(24, "size")
    transid: int = transaction()


@message
class ReqMkdirReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqCreate(Message, number=2583, call="REQ_CREATE"):
    """Make and open a file."""

    inode: int = u64(0)
    mode: int = u32(8, "octal")
    uid: int = u32(12)
    gid: int = u32(16)
    grant: int = i32(20)
    path_len: int = u32(24, "size")
    transid: int = transaction()


@message
class ReqCreateReply(Reply):
    """The new file's inode."""

    file_size: int = i64(0, "size")
    inode: int = u64(8)
    mode: int = u32(16, "octal")
    uid: int = u32(20)
    gid: int = u32(24)
    transid: int = transaction()


@message
class ReqLink(Message, number=2584, call="REQ_LINK"):
    """Give a file a second name."""

    inode: int = u64(0)
    dir_ino: int = u64(8)
    grant: int = i32(16)
    path_len: int = u32(20, "size")
    transid: int = transaction()


@message
class ReqLinkReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqRename(Message, number=2585, call="REQ_RENAME"):
    """Move a name."""

    dir_old: int = u64(0)
    dir_new: int = u64(8)
    len_old: int = u32(16, "size")
    len_new: int = u32(20, "size")
    grant_old: int = i32(24)
    grant_new: int = i32(28)
    transid: int = transaction()


@message
class ReqRenameReply(Reply):
    """The result."""

    transid: int = transaction()


@message
class ReqLookup(Message, number=2586, call="REQ_LOOKUP"):
    """Follow a path as far as this file system reaches, and open what is there."""

    dir_ino: int = u64(0)
    root_ino: int = u64(8)
    flags: int = u32(16, "lookup")
    path_len: int = u32(20, "size")
    path_size: int = u32(24, "size")
    ucred_size: int = u32(28)
    grant_path: int = i32(32)
    grant_ucred: int = i32(36)
    uid: int = u32(40)
    gid: int = u32(44)
    transid: int = transaction()


@message
class ReqLookupReply(Reply):
    """The inode, or how much of the path was used up."""

    offset: int = i64(0)
    file_size: int = i64(8, "size")
    device: int = u64(16, "hex")
    inode: int = u64(24)
    mode: int = u32(32, "octal")
    uid: int = u32(36)
    gid: int = u32(40)
    symloop: int = u16(44)
    transid: int = transaction()


@message
class ReqNewnode(Message, number=2589, call="REQ_NEWNODE"):
    """Make an inode that no directory names, for a pipe."""

    device: int = u64(0, "hex")
    mode: int = u32(8, "octal")
    uid: int = u32(12)
    gid: int = u32(16)
    transid: int = transaction()


@message
class ReqNewnodeReply(Reply):
    """The inode."""

    file_size: int = i64(0, "size")
    device: int = u64(8, "hex")
    inode: int = u64(16)
    mode: int = u32(24, "octal")
    uid: int = u32(28)
    gid: int = u32(32)
    transid: int = transaction()


@message
class ReqRdlink(Message, number=2590, call="REQ_RDLINK"):
    """Copy where a symbolic link points into the grant."""

    inode: int = u64(0)
    grant: int = i32(8)
    mem_size: int = u32(12, "size")
    transid: int = transaction()


@message
class ReqRdlinkReply(Reply):
    """The bytes copied."""

    nbytes: int = u32(0, "size")
    transid: int = transaction()


MESSAGES = (
    ReqGetnode, ReqSlink, ReqUnlink, ReqRmdir, ReqMknod, ReqMkdir, ReqCreate, ReqLink, ReqRename,
    ReqLookup, ReqNewnode, ReqRdlink,
)  # fmt: skip
