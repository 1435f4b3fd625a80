"""Kernel calls: memory and copies.

Source: MINIX ``minix/com.h``, ``kernel/system``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i16, i32, message, u32


@message
class SysMemset(Message, number=1549, call="SYS_MEMSET"):
    """Fill memory, physical or of a process, with a pattern: VM and drivers."""

    base: int = u32(0, "address")
    count: int = u32(4, "size")
    pattern: int = u32(8, "hex")
    process: int = i32(12, "endpoint")


@message
class SysUmap(Message, number=1550, call="SYS_UMAP"):
    """Give the physical address of memory of a process: drivers."""

    src_endpt: int = i32(0, "endpoint")
    segment: int = i32(4, "hex")
    src_addr: int = u32(8, "address")
    dst_endpt: int = i32(12, "endpoint")
    nr_bytes: int = i32(16, "size")


@message
class SysUmapReply(Reply):
    """The physical address."""

    dst_addr: int = u32(0, "address")


@message
class SysVircopy(Message, number=1551, call="SYS_VIRCOPY"):
    """Copy between memories of processes: servers."""

    src_endpt: int = i32(0, "endpoint")
    src_addr: int = u32(4, "address")
    dst_endpt: int = i32(8, "endpoint")
    dst_addr: int = u32(12, "address")
    nr_bytes: int = u32(16, "size")
    flags: int = i32(20, "copy")


@message
class SysPhyscopy(Message, number=1552, call="SYS_PHYSCOPY"):
    """Copy between physical memory and that of processes: VM."""

    src_endpt: int = i32(0, "endpoint")
    src_addr: int = u32(4, "address")
    dst_endpt: int = i32(8, "endpoint")
    dst_addr: int = u32(12, "address")
    nr_bytes: int = u32(16, "size")
    flags: int = i32(20, "copy")


@message
class SysUmapRemote(Message, number=1553, call="SYS_UMAP_REMOTE"):
    """As SYS_UMAP, also through a grant to another process: drivers."""

    src_endpt: int = i32(0, "endpoint")
    segment: int = i32(4, "hex")
    src_addr: int = u32(8, "address")
    dst_endpt: int = i32(12, "endpoint")
    nr_bytes: int = i32(16, "size")


@message
class SysUmapRemoteReply(Reply):
    """The physical address."""

    dst_addr: int = u32(0, "address")


@message
class SysVumap(Message, number=1554, call="SYS_VUMAP"):
    """Give the physical addresses of a vector of buffers: drivers."""

    endpt: int = i32(0, "endpoint")
    vaddr: int = u32(4, "address")
    vcount: int = i32(8)
    paddr: int = u32(12, "address")
    pmax: int = i32(16)
    access: int = i32(20)
    offset: int = u32(24)


@message
class SysVumapReply(Reply):
    """How many physical ranges there are."""

    pcount: int = i32(0)


@message
class SysSafecopyfrom(Message, number=1567, call="SYS_SAFECOPYFROM"):
    """Copy from a grant of another process: servers and drivers."""

    from_to: int = i32(0, "endpoint")
    gid: int = i32(4)
    offset: int = u32(8)
    address: int = u32(12, "address")
    bytes: int = u32(16, "size")


@message
class SysSafecopyto(Message, number=1568, call="SYS_SAFECOPYTO"):
    """Copy into a grant of another process: servers and drivers."""

    from_to: int = i32(0, "endpoint")
    gid: int = i32(4)
    offset: int = u32(8)
    address: int = u32(12, "address")
    bytes: int = u32(16, "size")


@message
class SysVsafecopy(Message, number=1569, call="SYS_VSAFECOPY"):
    """Do a vector of safe copies: servers and drivers."""

    vec_addr: int = u32(0, "address")
    vec_size: int = i32(4)


@message
class SysSetgrant(Message, number=1570, call="SYS_SETGRANT"):
    """Say where the caller's grant table is: servers and drivers."""

    addr: int = u32(0, "address")
    size: int = i32(4, "size")


@message
class SysVmctl(Message, number=1579, call="SYS_VMCTL"):
    """Do what VM alone may: page tables, page faults, memory requests: VM."""

    who: int = i32(8, "endpoint")
    param: int = i32(12, "vmctl")
    value: int = u32(16, "hex")
    vir_addr: int = u32(20, "address")


@message
class SysVmctlReply(Reply):
    """The value asked for, as VMCTL_GET_PDBR does."""

    value: int = u32(16, "hex")


@message
class SysVmctlMemreqReply(Reply):
    """What the kernel lacks: the answer to VMCTL_MEMREQ_GET."""

    target: int = i32(8, "endpoint")
    addr: int = u32(12, "address")
    length: int = u32(16, "size")
    ep2: int = i32(20, "endpoint")
    addr2: int = u32(24, "address")
    requestor: int = i32(28, "endpoint")
    flag: int = i16(48)


@message
class SysVmctlPhysmapReply(Reply):
    """What the kernel wants mapped: the answer to VMCTL_KERN_PHYSMAP."""

    map_flags: int = i32(8, "physmap")
    map_phys_addr: int = u32(20, "address")
    map_phys_len: int = u32(24, "size")


@message
class SysSafememset(Message, number=1592, call="SYS_SAFEMEMSET"):
    """Fill a grant of another process with a pattern: drivers."""

    dst: int = i32(8, "endpoint")
    pattern: int = i32(12, "hex")
    gid: int = i32(16)
    offset: int = u32(20)
    bytes: int = u32(24, "size")


MESSAGES = (
    SysMemset, SysUmap, SysVircopy, SysPhyscopy, SysUmapRemote, SysVumap, SysSafecopyfrom,
    SysSafecopyto, SysVsafecopy, SysSetgrant, SysVmctl, SysSafememset,
)  # fmt: skip
