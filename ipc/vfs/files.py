"""Calls to VFS: open files.

Source: MINIX ``minix/callnr.h``, ``servers/vfs``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, i64, message, raw, u32


@message
class VfsRead(Message, number=256, call="VFS_READ"):
    """Read from a file: libc read."""

    fd: int = i32(0)
    buf: int = u32(4, "address")
    len: int = u32(8, "size")


@message
class VfsWrite(Message, number=257, call="VFS_WRITE"):
    """Write to a file: libc write."""

    fd: int = i32(0)
    buf: int = u32(4, "address")
    len: int = u32(8, "size")


@message
class VfsLseek(Message, number=258, call="VFS_LSEEK"):
    """Move a file's position: libc lseek."""

    offset: int = i64(0)
    fd: int = i32(8)
    whence: int = i32(12, "whence")


@message
class VfsLseekReply(Reply):
    """The new position."""

    offset: int = i64(0)


@message
class VfsOpen(Message, number=259, call="VFS_OPEN"):
    """Open a file that exists: libc open without O_CREAT."""

    name_: int = u32(0, "address")
    len: int = u32(4, "size")
    flags: int = i32(8, "open")
    mode: int = u32(12, "octal")
    buf: bytes = raw(16, 40)


@message
class VfsCreat(Message, number=260, call="VFS_CREAT"):
    """Open a file, made if need be: libc open with O_CREAT."""

    name_: int = u32(0, "address")
    len: int = u32(4, "size")
    flags: int = i32(8, "open")
    mode: int = u32(12, "octal")


@message
class VfsClose(Message, number=261, call="VFS_CLOSE"):
    """Close a file: libc close."""

    fd: int = i32(0)
    nblock: int = i32(4)


@message
class VfsFstat(Message, number=278, call="VFS_FSTAT"):
    """Get the attributes of an open file: libc fstat."""

    fd: int = i32(0)
    buf: int = u32(4, "address")


@message
class VfsIoctl(Message, number=280, call="VFS_IOCTL"):
    """Do a device's own operation: libc ioctl."""

    fd: int = i32(0)
    req: int = u32(4, "hex")
    arg: int = u32(8, "address")


@message
class VfsFcntl(Message, number=281, call="VFS_FCNTL"):
    """Duplicate, lock, or change an open file: libc fcntl, dup, dup2."""

    fd: int = i32(0)
    cmd: int = i32(4, "fcntl")
    arg_int: int = i32(8)
    arg_ptr: int = u32(12, "address")


@message
class VfsPipe2(Message, number=282, call="VFS_PIPE2"):
    """Make a pipe: libc pipe and pipe2."""

    flags: int = i32(0, "open")
    oflags: int = i32(8, "open")


@message
class VfsPipe2Reply(Reply):
    """The two file descriptors."""

    fd0: int = i32(0)
    fd1: int = i32(4)


@message
class VfsGetdents(Message, number=285, call="VFS_GETDENTS"):
    """Read entries of a directory: libc getdents."""

    fd: int = i32(0)
    buf: int = u32(4, "address")
    len: int = u32(8, "size")


@message
class VfsSelect(Message, number=286, call="VFS_SELECT"):
    """Wait until some of several files are ready: libc select."""

    nfds: int = u32(0)
    readfds: int = u32(4, "address")
    writefds: int = u32(8, "address")
    errorfds: int = u32(12, "address")
    timeout: int = u32(16, "address")


@message
class VfsFchdir(Message, number=287, call="VFS_FCHDIR"):
    """Change the working directory to an open one: libc fchdir."""

    fd: int = i32(0)


@message
class VfsFsync(Message, number=288, call="VFS_FSYNC"):
    """Write a file's data to its device: libc fsync."""

    fd: int = i32(0)


@message
class VfsFtruncate(Message, number=290, call="VFS_FTRUNCATE"):
    """Set the size of an open file: libc ftruncate."""

    offset: int = i64(0)
    fd: int = i32(8)


@message
class VfsFchmod(Message, number=291, call="VFS_FCHMOD"):
    """Set the mode of an open file: libc fchmod."""

    fd: int = i32(0)
    mode: int = u32(4, "octal")


@message
class VfsFchown(Message, number=292, call="VFS_FCHOWN"):
    """Set the owner of an open file: libc fchown."""

    fd: int = i32(8)
    owner: int = u32(12)
    group: int = u32(16)


@message
class VfsFstatvfs1(Message, number=297, call="VFS_FSTATVFS1"):
    """Get the figures of an open file's file system: libc fstatvfs1."""

    fd: int = i32(0)
    flags: int = i32(4)
    buf: int = u32(16, "address")


@message
class VfsCopyfd(Message, number=302, call="VFS_COPYFD"):
    """Copy a file descriptor from, to, or close it in another process: services."""

    endpt: int = i32(0, "endpoint")
    fd: int = i32(4)
    what: int = i32(8, "copyfd")


MESSAGES = (
    VfsRead, VfsWrite, VfsLseek, VfsOpen, VfsCreat, VfsClose, VfsFstat, VfsIoctl, VfsFcntl,
    VfsPipe2, VfsGetdents, VfsSelect, VfsFchdir, VfsFsync, VfsFtruncate, VfsFchmod, VfsFchown,
    VfsFstatvfs1, VfsCopyfd,
)  # fmt: skip
