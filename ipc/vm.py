"""Calls to VM.

Source: MINIX ``minix/com.h``, ``servers/vm``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, i64, message, transaction, u8, u16, u32, u64


@message
class VmExit(Message, number=3072, call="VM_EXIT"):
    """A process is gone; free its memory: PM."""

    endpoint: int = i32(8, "endpoint")


@message
class VmFork(Message, number=3073, call="VM_FORK"):
    """Make a child in a slot, sharing the memory of the process copy-on-write: PM."""

    endpoint: int = i32(8, "endpoint")
    slotno: int = i32(12)


@message
class VmForkReply(Reply):
    """The child's endpoint."""

    child_endpoint: int = i32(16, "endpoint")


@message
class VmBrk(Message, number=3074, call="VM_BRK"):
    """Set the end of the caller's heap: libc brk and sbrk."""

    addr: int = u32(0, "address")


@message
class VmExecNewmem(Message, number=3075, call="VM_EXEC_NEWMEM"):
    """Obsolete; nobody calls it."""

    endpoint: int = i32(8, "endpoint")
    argssize: int = i32(12, "size")
    argsptr: int = u32(20, "address")


@message
class VmWillexit(Message, number=3077, call="VM_WILLEXIT"):
    """A process is about to exit; start nothing more for it: PM."""

    endpoint: int = i32(8, "endpoint")


@message
class VmMmap(Message, number=3082, call="VM_MMAP"):
    """Map memory or a file into the caller, or into `forwhom`: libc mmap, RS, VFS."""

    offset: int = i64(0)
    addr: int = u32(8, "address")
    len: int = u32(12, "size")
    prot: int = i32(16, "prot")
    flags: int = i32(20, "map")
    fd: int = i32(24)
    forwhom: int = i32(28, "endpoint")


@message
class VmMmapReply(Reply):
    """Where it was mapped."""

    retaddr: int = u32(32, "address")


@message
class VmAdddma(Message, number=3084, call="VM_ADDDMA"):
    """Obsolete; nobody calls it."""

    ep: int = i32(8, "endpoint")
    start: int = u32(20, "address")
    size: int = u32(24, "size")


@message
class VmDeldma(Message, number=3085, call="VM_DELDMA"):
    """Obsolete; nobody calls it."""

    ep: int = i32(8, "endpoint")
    start: int = u32(20, "address")
    size: int = u32(24, "size")


@message
class VmGetdma(Message, number=3086, call="VM_GETDMA"):
    """Obsolete; nobody calls it."""

    procp: int = u32(8, "address")
    basep: int = u32(20, "address")
    sizep: int = u32(24, "address")


@message
class VmMapPhys(Message, number=3087, call="VM_MAP_PHYS"):
    """Map physical memory into a process: drivers."""

    ep: int = i32(0, "endpoint")
    phaddr: int = u32(4, "address")
    len: int = u32(8, "size")


@message
class VmMapPhysReply(Reply):
    """Where it was mapped."""

    reply: int = u32(12)


@message
class VmUnmapPhys(Message, number=3088, call="VM_UNMAP_PHYS"):
    """Take away what VM_MAP_PHYS mapped: drivers."""

    ep: int = i32(0, "endpoint")
    vaddr: int = u32(4, "address")


@message
class VmMunmap(Message, number=3089, call="VM_MUNMAP"):
    """Unmap part of the caller's memory: libc munmap."""

    addr: int = u32(8, "address")
    len: int = u32(12, "size")


@message
class VmMapcachepage(Message, number=3098, call="VM_MAPCACHEPAGE"):
    """Map a block of the page cache into the caller: a file system."""

    dev: int = u64(0, "hex")
    dev_offset: int = i64(8)
    ino_offset: int = i64(16)
    ino: int = u64(24)
    flags_ptr: int = u32(36, "address")
    pages: int = u8(40)
    flags: int = u8(41, "cache")


@message
class VmMapcachepageReply(Reply):
    """Where the block was mapped."""

    addr: int = u32(0, "address")
    flags: int = u8(4, "cache")


@message
class VmSetcachepage(Message, number=3099, call="VM_SETCACHEPAGE"):
    """Put pages of the caller into the page cache: a file system."""

    dev: int = u64(0, "hex")
    dev_offset: int = i64(8)
    ino_offset: int = i64(16)
    ino: int = u64(24)
    block: int = u32(32, "address")
    flags_ptr: int = u32(36, "address")
    pages: int = u8(40)
    flags: int = u8(41, "cache")


@message
class VmForgetcachepage(Message, number=3100, call="VM_FORGETCACHEPAGE"):
    """Drop a block from the page cache: a file system."""

    dev: int = u64(0, "hex")
    dev_offset: int = i64(8)
    ino_offset: int = i64(16)
    ino: int = u64(24)
    block: int = u32(32, "address")
    flags_ptr: int = u32(36, "address")
    pages: int = u8(40)
    flags: int = u8(41, "cache")


@message
class VmClearcache(Message, number=3101, call="VM_CLEARCACHE"):
    """Drop every block of a device from the page cache: a file system, on unmount."""

    dev: int = u64(0, "hex")


@message
class VmVfsReply(Message, number=3102, call="VM_VFS_REPLY"):
    """The result of a VFS_VMCALL: VFS."""

    endpoint: int = i32(8, "endpoint")
    result: int = i32(12, "result")
    reqid: int = i32(16)
    dev: int = i32(20, "hex")
    ino: int = i32(24)
    fd: int = i32(28)
    size_pages: int = i32(32)


@message
class VmRemap(Message, number=3105, call="VM_REMAP"):
    """Map memory of one process into another, shared: the IPC server."""

    destination: int = i32(0, "endpoint")
    source: int = i32(4, "endpoint")
    dest_addr: int = u32(8, "address")
    src_addr: int = u32(12, "address")
    size: int = u32(16, "size")


@message
class VmRemapReply(Reply):
    """Where it was mapped."""

    ret_addr: int = u32(20, "address")


@message
class VmShmUnmap(Message, number=3106, call="VM_SHM_UNMAP"):
    """Unmap a shared mapping of another process: the IPC server."""

    forwhom: int = i32(0, "endpoint")
    addr: int = u32(4, "address")


@message
class VmGetphys(Message, number=3107, call="VM_GETPHYS"):
    """Give the physical address of a page: the IPC server."""

    endpt: int = i32(0, "endpoint")
    addr: int = u32(4, "address")


@message
class VmGetphysReply(Reply):
    """The physical address."""

    ret_addr: int = u32(8, "address")


@message
class VmGetref(Message, number=3108, call="VM_GETREF"):
    """Count who shares a mapping: the IPC server."""

    endpt: int = i32(0, "endpoint")
    addr: int = u32(4, "address")


@message
class VmGetrefReply(Reply):
    """How many share the mapping."""

    retc: int = i32(8)


@message
class VmRsSetPriv(Message, number=3109, call="VM_RS_SET_PRIV"):
    """Set which calls a process may make to VM: RS."""

    nr: int = i32(8, "endpoint")
    sys: int = i32(12)
    buf: int = u32(20, "address")


@message
class VmInfo(Message, number=3112, call="VM_INFO"):
    """Copy statistics, a process's usage, or its regions to the caller: IS, procfs."""

    what: int = i32(0, "vminfo")
    ep: int = i32(4, "endpoint")
    count: int = i32(8)
    ptr: int = u32(12, "address")
    next: int = u32(16, "address")


@message
class VmInfoReply(Reply):
    """How many regions were copied, and where to go on."""

    count: int = i32(8)
    next: int = u32(16, "address")


@message
class VmRsUpdate(Message, number=3113, call="VM_RS_UPDATE"):
    """Exchange a service with its new version: RS."""

    src: int = i32(0, "endpoint")
    dst: int = i32(4, "endpoint")
    flags: int = i32(8)


@message
class VmRsMemctl(Message, number=3114, call="VM_RS_MEMCTL"):
    """Pin a service's memory, or get and set its preallocation: RS."""

    endpt: int = i32(8, "endpoint")
    req: int = i32(12, "memctl")
    len: int = u32(16, "size")
    addr: int = u32(28, "address")


@message
class VmRsMemctlReply(Reply):
    """The preallocated mapping."""

    len: int = u32(16, "size")
    addr: int = u32(28, "address")


@message
class VmRemapRo(Message, number=3116, call="VM_REMAP_RO"):
    """As VM_REMAP, but the destination can only read: RS and others."""

    destination: int = i32(0, "endpoint")
    source: int = i32(4, "endpoint")
    dest_addr: int = u32(8, "address")
    src_addr: int = u32(12, "address")
    size: int = u32(16, "size")


@message
class VmRemapRoReply(Reply):
    """Where it was mapped."""

    ret_addr: int = u32(20, "address")


@message
class VmProcctl(Message, number=3117, call="VM_PROCCTL"):
    """Clear a process's memory for exec, or make a range present: RS; VFS, with a transaction."""

    param: int = i32(16, "procctl")
    who: int = i32(20, "endpoint")
    m1: int = u32(24, "address")
    len: int = u32(28, "size")
    flags: int = i32(32)
    transid: int = transaction()


@message
class VmProcctlReply(Reply):
    """The result, to the transaction that asked."""

    transid: int = transaction()


@message
class VmVfsMmap(Message, number=3118, call="VM_VFS_MMAP"):
    """Map part of an executable into a process: VFS, for exec."""

    offset: int = i64(0)
    dev: int = u64(8, "hex")
    ino: int = u64(16)
    who: int = i32(24, "endpoint")
    vaddr: int = u32(28, "address")
    len: int = u32(32, "size")
    flags: int = u32(36, "vfsmap")
    fd: int = u32(40)
    clearend: int = u16(44)


@message
class VmGetrusage(Message, number=3119, call="VM_GETRUSAGE"):
    """Fill in the memory part of a process's resource usage: PM."""

    endpt: int = i32(0, "endpoint")
    addr: int = u32(4, "address")
    children: int = i32(8)


@message
class VmRsPrepare(Message, number=3120, call="VM_RS_PREPARE"):
    """Get ready for the exchange of a service: RS."""

    src: int = i32(0, "endpoint")
    dst: int = i32(4, "endpoint")
    flags: int = i32(8)


@message
class VmPagefault(Message, number=3327, call="VM_PAGEFAULT"):
    """The sender accessed memory that it cannot: the kernel, in the name of the process."""

    addr: int = u32(8, "address")
    flags: int = i32(12, "pagefault")


MESSAGES = (
    VmExit, VmFork, VmBrk, VmExecNewmem, VmWillexit, VmMmap, VmAdddma, VmDeldma, VmGetdma,
    VmMapPhys, VmUnmapPhys, VmMunmap, VmMapcachepage, VmSetcachepage, VmForgetcachepage,
    VmClearcache, VmVfsReply, VmRemap, VmShmUnmap, VmGetphys, VmGetref, VmRsSetPriv, VmInfo,
    VmRsUpdate, VmRsMemctl, VmRemapRo, VmProcctl, VmVfsMmap, VmGetrusage, VmRsPrepare, VmPagefault,
)  # fmt: skip
