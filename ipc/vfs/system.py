"""Calls to VFS: what VM and other services ask.

Source: MINIX ``minix/callnr.h``, ``servers/vfs``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, i32s, message, u32, u64


@message
class VfsVmcall(Message, number=294, call="VFS_VMCALL"):
    """Look up, read ahead of, or close a file that is mapped: VM; the answer is a VM_VFS_REPLY."""

    offset: int = u64(0)
    req: int = i32(8, "vmcall")
    fd: int = i32(12)
    reqid: int = i32(16)
    endpoint: int = i32(20, "endpoint")
    length: int = u32(32, "size")


@message
class VfsGetrusage(Message, number=298, call="VFS_GETRUSAGE"):
    """Obsolete; PM does this now."""

    who: int = i32(0)
    addr: int = u32(4, "address")


@message
class VfsSvrctl(Message, number=299, call="VFS_SVRCTL"):
    """Read or write a parameter of VFS: libc svrctl."""

    request: int = u32(0, "hex")
    arg: int = u32(4, "address")


@message
class VfsGcovFlush(Message, number=300, call="VFS_GCOV_FLUSH"):
    """Get a service's test coverage data: gcov."""

    labellen: int = u32(0)
    buflen: int = u32(4)
    label: int = u32(8, "address")
    buf: int = u32(12, "address")


@message
class VfsMapdriver(Message, number=301, call="VFS_MAPDRIVER"):
    """Tell which driver serves a major device or socket domains: RS."""

    major: int = i32(0)
    labellen: int = u32(4)
    label: int = u32(8, "address")
    ndomains: int = i32(12)
    domains: tuple[int, ...] = i32s(16, 8)


@message
class VfsSocketpath(Message, number=303, call="VFS_SOCKETPATH"):
    """Find or make the file behind a local socket's address: socket drivers."""

    endpt: int = i32(0, "endpoint")
    grant: int = i32(4)
    count: int = u32(8)
    what: int = i32(12)


@message
class VfsSocketpathReply(Reply):
    """The file."""

    device: int = u64(0, "hex")
    inode: int = u64(8)


@message
class VfsGetsysinfo(Message, number=304, call="VFS_GETSYSINFO"):
    """Copy one of VFS's tables to the caller: IS and others."""

    what: int = i32(0)
    where: int = u32(4, "address")
    size: int = u32(8, "size")


MESSAGES = (
    VfsVmcall, VfsGetrusage, VfsSvrctl, VfsGcovFlush, VfsMapdriver, VfsSocketpath, VfsGetsysinfo,
)  # fmt: skip
