"""Flags and other named numbers in the fields of messages, and their names.

A *kind* is what a field holds: its values go by names of their own.  Some kinds are sets of bits
(`prot`, `map`), some one choice of several (`whence`), `open` is both.

Source: the MINIX header at the head of each group.
"""

from __future__ import annotations

from typing import Final

import attrs

# Memory mappings: mmap's protection and flags.  Source: sys/mman.h
PROT_NONE: Final = 0
PROT_READ: Final = 1
PROT_WRITE: Final = 2
PROT_EXEC: Final = 4
MAP_FILE: Final = 0
MAP_SHARED: Final = 1
MAP_PRIVATE: Final = 2
MAP_FIXED: Final = 16
MAP_RENAME: Final = 32
MAP_NORESERVE: Final = 64
MAP_INHERIT: Final = 128
MAP_HASSEMAPHORE: Final = 512
MAP_TRYFIXED: Final = 1024
MAP_WIRED: Final = 2048
MAP_ANON: Final = 0x1000
MAP_ANONYMOUS: Final = 0x1000
MAP_STACK: Final = 0x2000
MAP_UNINITIALIZED: Final = 0x40000
MAP_PREALLOC: Final = 0x80000
MAP_CONTIG: Final = 0x100000
MAP_LOWER16M: Final = 0x200000
MAP_LOWER1M: Final = 0x400000
MAP_THIRDPARTY: Final = 0x800000

# What a page fault was.  Source: machine/vm.h
I386_VM_PFE_P: Final = 1
I386_VM_PFE_W: Final = 2
I386_VM_PFE_U: Final = 4

# What VM is asked.  Source: minix/com.h, minix/vm.h
VMPPARAM_CLEAR: Final = 1
VMPPARAM_HANDLEMEM: Final = 2
VMIW_STATS: Final = 1
VMIW_USAGE: Final = 2
VMIW_REGION: Final = 3
VM_RS_MEM_PIN: Final = 0
VM_RS_MEM_MAKE_VM: Final = 1
VM_RS_MEM_HEAP_PREALLOC: Final = 2
VM_RS_MEM_MAP_PREALLOC: Final = 3
VM_RS_MEM_GET_PREALLOC_MAP: Final = 4
VMSF_ONCE: Final = 1
VMC_NO_INODE: Final = 0
MVM_WRITABLE: Final = 0x8000

# What VM asks of VFS.  Source: minix/com.h
VMVFSREQ_FDLOOKUP: Final = 101
VMVFSREQ_FDCLOSE: Final = 102
VMVFSREQ_FDIO: Final = 103

# Kernel calls: SYS_VMCTL.  Source: minix/com.h
VMCTL_CLEAR_PAGEFAULT: Final = 12
VMCTL_GET_PDBR: Final = 13
VMCTL_MEMREQ_GET: Final = 14
VMCTL_MEMREQ_REPLY: Final = 15
VMCTL_NOPAGEZERO: Final = 18
VMCTL_I386_KERNELLIMIT: Final = 19
VMCTL_I386_INVLPG: Final = 25
VMCTL_FLUSHTLB: Final = 26
VMCTL_KERN_PHYSMAP: Final = 27
VMCTL_KERN_MAP_REPLY: Final = 28
VMCTL_SETADDRSPACE: Final = 29
VMCTL_VMINHIBIT_SET: Final = 30
VMCTL_VMINHIBIT_CLEAR: Final = 31
VMCTL_CLEARMAPCACHE: Final = 32
VMCTL_BOOTINHIBIT_CLEAR: Final = 33
VMMF_UNCACHED: Final = 1
VMMF_USER: Final = 2
VMMF_WRITE: Final = 4
VMMF_GLO: Final = 8

# Kernel calls: SYS_PRIVCTL, SYS_STATECTL, SYS_SCHEDCTL, SYS_RUNCTL, SYS_FORK.  Source: minix/com.h
SYS_PRIV_ALLOW: Final = 1
SYS_PRIV_DISALLOW: Final = 2
SYS_PRIV_SET_SYS: Final = 3
SYS_PRIV_SET_USER: Final = 4
SYS_PRIV_ADD_IO: Final = 5
SYS_PRIV_ADD_MEM: Final = 6
SYS_PRIV_ADD_IRQ: Final = 7
SYS_PRIV_QUERY_MEM: Final = 8
SYS_PRIV_UPDATE_SYS: Final = 9
SYS_PRIV_YIELD: Final = 10
SYS_PRIV_CLEAR_IPC_REFS: Final = 11
SYS_STATE_CLEAR_IPC_REFS: Final = 1
SYS_STATE_SET_STATE_TABLE: Final = 2
SYS_STATE_ADD_IPC_BL_FILTER: Final = 3
SYS_STATE_ADD_IPC_WL_FILTER: Final = 4
SYS_STATE_CLEAR_IPC_FILTERS: Final = 5
SCHEDCTL_FLAG_KERNEL: Final = 1
RC_STOP: Final = 0
RC_RESUME: Final = 1
RC_DELAY: Final = 1
PFF_VMINHIBIT: Final = 1

# Kernel calls: SYS_GETINFO.  Source: minix/com.h
GET_KINFO: Final = 0
GET_IMAGE: Final = 1
GET_PROCTAB: Final = 2
GET_RANDOMNESS: Final = 3
GET_MONPARAMS: Final = 4
GET_KENV: Final = 5
GET_IRQHOOKS: Final = 6
GET_PRIVTAB: Final = 8
GET_KADDRESSES: Final = 9
GET_SCHEDINFO: Final = 10
GET_PROC: Final = 11
GET_MACHINE: Final = 12
GET_LOCKTIMING: Final = 13
GET_BIOSBUFFER: Final = 14
GET_LOADINFO: Final = 15
GET_IRQACTIDS: Final = 16
GET_PRIV: Final = 17
GET_HZ: Final = 18
GET_WHOAMI: Final = 19
GET_RANDOMNESS_BIN: Final = 20
GET_IDLETSC: Final = 21
GET_CPUINFO: Final = 23
GET_REGS: Final = 24
GET_CPUTICKS: Final = 25

# Kernel calls: the others.  Source: minix/com.h, minix/safecopies.h
DIAGCTL_CODE_DIAG: Final = 1
DIAGCTL_CODE_STACKTRACE: Final = 2
DIAGCTL_CODE_REGISTER: Final = 3
DIAGCTL_CODE_UNREGISTER: Final = 4
CP_FLAG_TRY: Final = 1
VT_VIRTUAL: Final = 1
VT_PROF: Final = 2
VUA_READ: Final = 1
VUA_WRITE: Final = 2
IRQ_SETPOLICY: Final = 1
IRQ_RMPOLICY: Final = 2
IRQ_ENABLE: Final = 3
IRQ_DISABLE: Final = 4
IRQ_REENABLE: Final = 1
CPF_READ: Final = 1
CPF_WRITE: Final = 2
CPF_TRY: Final = 16
CPF_USED: Final = 256
CPF_DIRECT: Final = 512
CPF_INDIRECT: Final = 1024
CPF_MAGIC: Final = 2048
CPF_VALID: Final = 0x1000
GRANT_INVALID: Final = -1

# PM: waiting, signals, timers, tracing, events.  Source: sys/wait.h, sys/signal.h, sys/ptrace.h
WNOHANG: Final = 1
WUNTRACED: Final = 2
WALTSIG: Final = 4
WALLSIG: Final = 8
WNOWAIT: Final = 0x10000
WNOZOMBIE: Final = 0x20000
WAIT_ANY: Final = -1
WAIT_MYPGRP: Final = 0
SIG_BLOCK: Final = 1
SIG_UNBLOCK: Final = 2
SIG_SETMASK: Final = 3
SIG_DFL: Final = 0
SIG_IGN: Final = 1
SIG_HOLD: Final = 3
ITIMER_REAL: Final = 0
ITIMER_VIRTUAL: Final = 1
ITIMER_PROF: Final = 2
CLOCK_REALTIME: Final = 0
CLOCK_MONOTONIC: Final = 3
T_STOP: Final = -1
T_OK: Final = 0
T_GETINS: Final = 1
T_GETDATA: Final = 2
T_GETUSER: Final = 102
T_SETINS: Final = 4
T_SETDATA: Final = 5
T_SETUSER: Final = 103
T_RESUME: Final = 7
T_EXIT: Final = 8
T_STEP: Final = 104
T_SYSCALL: Final = 14
T_ATTACH: Final = 9
T_DETACH: Final = 10
T_SETOPT: Final = 105
T_GETRANGE: Final = 106
T_SETRANGE: Final = 107
PROC_EVENT_EXIT: Final = 1
PROC_EVENT_SIGNAL: Final = 2

# VFS: opening and using files.  Source: sys/fcntl.h, sys/unistd.h, minix/const.h
O_RDONLY: Final = 0
O_WRONLY: Final = 1
O_RDWR: Final = 2
O_ACCMODE: Final = 3
O_NONBLOCK: Final = 4
O_NDELAY: Final = 4
O_APPEND: Final = 8
O_SHLOCK: Final = 16
O_EXLOCK: Final = 32
O_ASYNC: Final = 64
O_SYNC: Final = 128
O_NOFOLLOW: Final = 256
O_CREAT: Final = 512
O_TRUNC: Final = 1024
O_EXCL: Final = 2048
O_NOCTTY: Final = 0x8000
O_DSYNC: Final = 0x10000
O_RSYNC: Final = 0x20000
O_DIRECT: Final = 0x80000
O_DIRECTORY: Final = 0x200000
O_CLOEXEC: Final = 0x400000
O_NOSIGPIPE: Final = 0x1000000
SEEK_SET: Final = 0
SEEK_CUR: Final = 1
SEEK_END: Final = 2
F_OK: Final = 0
X_OK: Final = 1
W_OK: Final = 2
R_OK: Final = 4
F_DUPFD: Final = 0
F_GETFD: Final = 1
F_SETFD: Final = 2
F_GETFL: Final = 3
F_SETFL: Final = 4
F_GETOWN: Final = 5
F_SETOWN: Final = 6
F_GETLK: Final = 7
F_SETLK: Final = 8
F_SETLKW: Final = 9
F_CLOSEM: Final = 10
F_MAXFD: Final = 11
F_DUPFD_CLOEXEC: Final = 12
F_GETNOSIGPIPE: Final = 13
F_SETNOSIGPIPE: Final = 14
F_FREESP: Final = 100
F_FLUSH_FS_CACHE: Final = 101
FD_CLOEXEC: Final = 1
AT_FDCWD: Final = -100
AT_EACCESS: Final = 256
AT_SYMLINK_NOFOLLOW: Final = 512
AT_SYMLINK_FOLLOW: Final = 1024
AT_REMOVEDIR: Final = 2048
COPYFD_FROM: Final = 0
COPYFD_TO: Final = 1
COPYFD_CLOSE: Final = 2

# VFS: modes of files (printed in octal).  Source: sys/stat.h
S_IFMT: Final = 0o170000
S_IFIFO: Final = 0o10000
S_IFCHR: Final = 0o20000
S_IFDIR: Final = 0o40000
S_IFBLK: Final = 0o60000
S_IFREG: Final = 0o100000
S_IFLNK: Final = 0o120000
S_IFSOCK: Final = 0o140000
S_ISUID: Final = 0o4000
S_ISGID: Final = 0o2000
S_ISVTX: Final = 0o1000
S_IRWXU: Final = 0o700
S_IRUSR: Final = 0o400
S_IWUSR: Final = 0o200
S_IXUSR: Final = 0o100
S_IRWXG: Final = 0o70
S_IRGRP: Final = 0o40
S_IWGRP: Final = 0o20
S_IXGRP: Final = 0o10
S_IRWXO: Final = 0o7
S_IROTH: Final = 0o4
S_IWOTH: Final = 0o2
S_IXOTH: Final = 0o1

# File systems and drivers.  Source: minix/vfsif.h, minix/com.h
REQ_RDONLY: Final = 1
REQ_ISROOT: Final = 2
PATH_RET_SYMLINK: Final = 8
PATH_GET_UCRED: Final = 16
RES_THREADED: Final = 1
RES_HASPEEK: Final = 2
RES_64BIT: Final = 4
BDEV_R_BIT: Final = 1
BDEV_W_BIT: Final = 2
BDEV_FORCEWRITE: Final = 1
BDEV_NOPAGE: Final = 2
CDEV_R_BIT: Final = 1
CDEV_W_BIT: Final = 2
CDEV_NOCTTY: Final = 4
CDEV_NONBLOCK: Final = 1
CDEV_OP_RD: Final = 1
CDEV_OP_WR: Final = 2
CDEV_OP_ERR: Final = 4
CDEV_NOTIFY: Final = 8
CDEV_CLONED: Final = 0x20000000
CDEV_CTTY: Final = 0x40000000

# How a service starts.  Source: minix/sef.h
SEF_INIT_FRESH: Final = 0
SEF_INIT_LU: Final = 1
SEF_INIT_RESTART: Final = 2


@attrs.frozen
class Kind:
    """The names of the values of one kind of field.

    A name fits a value if the bits under its mask are the name's; names are tried in order.
    """

    names: tuple[tuple[str, int, int], ...]


def _bits(names: str) -> Kind:
    return Kind(tuple((name, CONSTANTS[name], CONSTANTS[name]) for name in names.split()))


def _choice(names: str, mask: int = -1) -> Kind:
    return Kind(tuple((name, CONSTANTS[name], mask) for name in names.split()))


CONSTANTS: Final[dict[str, int]] = {
    name: value for name, value in list(globals().items()) if name.isupper() and type(value) is int
}

KINDS: Final = {
    "access": _bits("BDEV_R_BIT BDEV_W_BIT"),
    "accessmode": _bits("R_OK W_OK X_OK"),
    "cache": _bits("VMSF_ONCE"),
    "clock": _choice("CLOCK_REALTIME CLOCK_MONOTONIC"),
    "copy": _bits("CP_FLAG_TRY"),
    "copyfd": _choice("COPYFD_FROM COPYFD_TO COPYFD_CLOSE"),
    "diagctl": _choice(
        "DIAGCTL_CODE_DIAG DIAGCTL_CODE_STACKTRACE DIAGCTL_CODE_REGISTER DIAGCTL_CODE_UNREGISTER"
    ),
    "fcntl": _choice(
        "F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETOWN F_SETOWN F_GETLK F_SETLK F_SETLKW "
        "F_CLOSEM F_MAXFD F_DUPFD_CLOEXEC F_GETNOSIGPIPE F_SETNOSIGPIPE F_FREESP "
        "F_FLUSH_FS_CACHE"
    ),
    "fork": _bits("PFF_VMINHIBIT"),
    "fs": _bits("RES_THREADED RES_HASPEEK RES_64BIT"),
    "getinfo": _choice(
        "GET_KINFO GET_IMAGE GET_PROCTAB GET_RANDOMNESS GET_MONPARAMS GET_KENV GET_IRQHOOKS "
        "GET_PRIVTAB GET_KADDRESSES GET_SCHEDINFO GET_PROC GET_MACHINE GET_LOCKTIMING "
        "GET_BIOSBUFFER GET_LOADINFO GET_IRQACTIDS GET_PRIV GET_HZ GET_WHOAMI "
        "GET_RANDOMNESS_BIN GET_IDLETSC GET_CPUINFO GET_REGS GET_CPUTICKS"
    ),
    "init": _choice("SEF_INIT_FRESH SEF_INIT_LU SEF_INIT_RESTART"),
    "irqctl": _choice("IRQ_SETPOLICY IRQ_RMPOLICY IRQ_ENABLE IRQ_DISABLE"),
    "itimer": _choice("ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF"),
    "lookup": _bits("PATH_RET_SYMLINK PATH_GET_UCRED"),
    "map": _bits(
        "MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_RENAME MAP_NORESERVE MAP_INHERIT "
        "MAP_HASSEMAPHORE MAP_TRYFIXED MAP_WIRED MAP_ANON MAP_STACK MAP_UNINITIALIZED "
        "MAP_PREALLOC MAP_CONTIG MAP_LOWER16M MAP_LOWER1M MAP_THIRDPARTY"
    ),
    "memctl": _choice(
        "VM_RS_MEM_PIN VM_RS_MEM_MAKE_VM VM_RS_MEM_HEAP_PREALLOC VM_RS_MEM_MAP_PREALLOC "
        "VM_RS_MEM_GET_PREALLOC_MAP"
    ),
    "mount": _bits("REQ_RDONLY REQ_ISROOT"),
    "open": Kind(
        _choice("O_RDONLY O_WRONLY O_RDWR", O_ACCMODE).names
        + _bits(
            "O_NONBLOCK O_APPEND O_SHLOCK O_EXLOCK O_ASYNC O_SYNC O_NOFOLLOW O_CREAT O_TRUNC "
            "O_EXCL O_NOCTTY O_DSYNC O_RSYNC O_DIRECT O_DIRECTORY O_CLOEXEC O_NOSIGPIPE"
        ).names
    ),
    "pagefault": _bits("I386_VM_PFE_P I386_VM_PFE_W I386_VM_PFE_U"),
    "physmap": _bits("VMMF_UNCACHED VMMF_USER VMMF_WRITE VMMF_GLO"),
    "privctl": _choice(
        "SYS_PRIV_ALLOW SYS_PRIV_DISALLOW SYS_PRIV_SET_SYS SYS_PRIV_SET_USER SYS_PRIV_ADD_IO "
        "SYS_PRIV_ADD_MEM SYS_PRIV_ADD_IRQ SYS_PRIV_QUERY_MEM SYS_PRIV_UPDATE_SYS "
        "SYS_PRIV_YIELD SYS_PRIV_CLEAR_IPC_REFS"
    ),
    "procctl": _choice("VMPPARAM_CLEAR VMPPARAM_HANDLEMEM"),
    "procevent": _choice("PROC_EVENT_EXIT PROC_EVENT_SIGNAL"),
    "procevents": _bits("PROC_EVENT_EXIT PROC_EVENT_SIGNAL"),
    "prot": Kind((*_choice("PROT_NONE").names, *_bits("PROT_READ PROT_WRITE PROT_EXEC").names)),
    "ptrace": _choice(
        "T_STOP T_OK T_GETINS T_GETDATA T_GETUSER T_SETINS T_SETDATA T_SETUSER T_RESUME "
        "T_EXIT T_STEP T_SYSCALL T_ATTACH T_DETACH T_SETOPT T_GETRANGE T_SETRANGE"
    ),
    "runctl": _choice("RC_STOP RC_RESUME"),
    "schedctl": _bits("SCHEDCTL_FLAG_KERNEL"),
    "sigmask": _choice("SIG_BLOCK SIG_UNBLOCK SIG_SETMASK"),
    "statectl": _choice(
        "SYS_STATE_CLEAR_IPC_REFS SYS_STATE_SET_STATE_TABLE SYS_STATE_ADD_IPC_BL_FILTER "
        "SYS_STATE_ADD_IPC_WL_FILTER SYS_STATE_CLEAR_IPC_FILTERS"
    ),
    "vfsmap": _bits("MVM_WRITABLE"),
    "vmcall": _choice("VMVFSREQ_FDLOOKUP VMVFSREQ_FDCLOSE VMVFSREQ_FDIO"),
    "vmctl": _choice(
        "VMCTL_CLEAR_PAGEFAULT VMCTL_GET_PDBR VMCTL_MEMREQ_GET VMCTL_MEMREQ_REPLY "
        "VMCTL_NOPAGEZERO VMCTL_I386_KERNELLIMIT VMCTL_I386_INVLPG VMCTL_FLUSHTLB "
        "VMCTL_KERN_PHYSMAP VMCTL_KERN_MAP_REPLY VMCTL_SETADDRSPACE VMCTL_VMINHIBIT_SET "
        "VMCTL_VMINHIBIT_CLEAR VMCTL_CLEARMAPCACHE VMCTL_BOOTINHIBIT_CLEAR"
    ),
    "vminfo": _choice("VMIW_STATS VMIW_USAGE VMIW_REGION"),
    "vtimer": _choice("VT_VIRTUAL VT_PROF"),
    "wait": _bits("WNOHANG WUNTRACED WALTSIG WALLSIG WNOWAIT WNOZOMBIE"),
    "whence": _choice("SEEK_SET SEEK_CUR SEEK_END"),
}


def flag_names(kind: str, value: int) -> str:
    """`value` as people write it: names joined by ``|``, and what has no name as a number.

    Raises KeyError for a kind that is not in `KINDS`.
    """
    names = []
    rest = value
    for name, number, mask in KINDS[kind].names:
        if value & mask == number:
            names.append(name)
            rest &= ~mask
    if rest or not names:
        names.append(str(rest) if 0 <= rest < 10 else hex(rest & 0xFFFFFFFF))
    return "|".join(names)


def constant(name: str) -> int:
    """The number that goes by `name` in MINIX's headers.  Raises KeyError for an unknown name."""
    return CONSTANTS[name]
