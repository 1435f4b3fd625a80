"""Calls to VFS: sockets.

Source: MINIX ``minix/callnr.h``, ``servers/vfs``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, message, u32


@message
class VfsSocket(Message, number=305, call="VFS_SOCKET"):
    """Make a socket: libc socket."""

    domain: int = i32(0)
    type_: int = i32(4)
    protocol: int = i32(8)


@message
class VfsSocketpair(Message, number=306, call="VFS_SOCKETPAIR"):
    """Make two connected sockets: libc socketpair."""

    domain: int = i32(0)
    type_: int = i32(4)
    protocol: int = i32(8)


@message
class VfsSocketpairReply(Reply):
    """The two file descriptors."""

    fd0: int = i32(0)
    fd1: int = i32(4)


@message
class VfsBind(Message, number=307, call="VFS_BIND"):
    """Give a socket an address: libc bind."""

    fd: int = i32(0)
    addr: int = u32(4, "address")
    addr_len: int = u32(8, "size")


@message
class VfsConnect(Message, number=308, call="VFS_CONNECT"):
    """Connect a socket to an address: libc connect."""

    fd: int = i32(0)
    addr: int = u32(4, "address")
    addr_len: int = u32(8, "size")


@message
class VfsListen(Message, number=309, call="VFS_LISTEN"):
    """Let a socket take connections: libc listen."""

    fd: int = i32(0)
    backlog: int = i32(4)


@message
class VfsAccept(Message, number=310, call="VFS_ACCEPT"):
    """Take a connection: libc accept."""

    fd: int = i32(0)
    addr: int = u32(4, "address")
    addr_len: int = u32(8, "size")


@message
class VfsAcceptReply(Reply):
    """The length of the peer's address."""

    len: int = u32(0, "size")


@message
class VfsSendto(Message, number=311, call="VFS_SENDTO"):
    """Send data on a socket: libc sendto."""

    fd: int = i32(0)
    buf: int = u32(4, "address")
    len: int = u32(8, "size")
    flags: int = i32(12)
    addr: int = u32(16, "address")
    addr_len: int = u32(20, "size")


@message
class VfsSendmsg(Message, number=312, call="VFS_SENDMSG"):
    """Send data and more on a socket: libc sendmsg."""

    fd: int = i32(0)
    msgbuf: int = u32(4, "address")
    flags: int = i32(8)


@message
class VfsRecvfrom(Message, number=313, call="VFS_RECVFROM"):
    """Receive data from a socket: libc recvfrom."""

    fd: int = i32(0)
    buf: int = u32(4, "address")
    len: int = u32(8, "size")
    flags: int = i32(12)
    addr: int = u32(16, "address")
    addr_len: int = u32(20, "size")


@message
class VfsRecvfromReply(Reply):
    """The length of the sender's address."""

    len: int = u32(0, "size")


@message
class VfsRecvmsg(Message, number=314, call="VFS_RECVMSG"):
    """Receive data and more from a socket: libc recvmsg."""

    fd: int = i32(0)
    msgbuf: int = u32(4, "address")
    flags: int = i32(8)


@message
class VfsSetsockopt(Message, number=315, call="VFS_SETSOCKOPT"):
    """Set an option of a socket: libc setsockopt."""

    fd: int = i32(0)
    level: int = i32(4)
    name_: int = i32(8)
    buf: int = u32(12, "address")
    len: int = u32(16, "size")


@message
class VfsGetsockopt(Message, number=316, call="VFS_GETSOCKOPT"):
    """Get an option of a socket: libc getsockopt."""

    fd: int = i32(0)
    level: int = i32(4)
    name_: int = i32(8)
    buf: int = u32(12, "address")
    len: int = u32(16, "size")


@message
class VfsGetsockoptReply(Reply):
    """The length of the option's value."""

    len: int = u32(0, "size")


@message
class VfsGetsockname(Message, number=317, call="VFS_GETSOCKNAME"):
    """Get a socket's address: libc getsockname."""

    fd: int = i32(0)
    addr: int = u32(4, "address")
    addr_len: int = u32(8, "size")


@message
class VfsGetsocknameReply(Reply):
    """The length of the address."""

    len: int = u32(0, "size")


@message
class VfsGetpeername(Message, number=318, call="VFS_GETPEERNAME"):
    """Get the address of a socket's peer: libc getpeername."""

    fd: int = i32(0)
    addr: int = u32(4, "address")
    addr_len: int = u32(8, "size")


@message
class VfsGetpeernameReply(Reply):
    """The length of the address."""

    len: int = u32(0, "size")


@message
class VfsShutdown(Message, number=319, call="VFS_SHUTDOWN"):
    """Close one or both directions of a socket: libc shutdown."""

    fd: int = i32(0)
    how: int = i32(4)


MESSAGES = (
    VfsSocket, VfsSocketpair, VfsBind, VfsConnect, VfsListen, VfsAccept, VfsSendto, VfsSendmsg,
    VfsRecvfrom, VfsRecvmsg, VfsSetsockopt, VfsGetsockopt, VfsGetsockname, VfsGetpeername,
    VfsShutdown,
)  # fmt: skip
