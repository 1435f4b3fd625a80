"""Calls to VFS."""

from __future__ import annotations

from ipc.vfs.files import MESSAGES as FILES
from ipc.vfs.files import (
    VfsClose,
    VfsCopyfd,
    VfsCreat,
    VfsFchdir,
    VfsFchmod,
    VfsFchown,
    VfsFcntl,
    VfsFstat,
    VfsFstatvfs1,
    VfsFsync,
    VfsFtruncate,
    VfsGetdents,
    VfsIoctl,
    VfsLseek,
    VfsLseekReply,
    VfsOpen,
    VfsPipe2,
    VfsPipe2Reply,
    VfsRead,
    VfsSelect,
    VfsWrite,
)
from ipc.vfs.paths import MESSAGES as PATHS
from ipc.vfs.paths import (
    VfsAccess,
    VfsChdir,
    VfsChmod,
    VfsChown,
    VfsChroot,
    VfsGetvfsstat,
    VfsLink,
    VfsLstat,
    VfsMkdir,
    VfsMknod,
    VfsMount,
    VfsReadlink,
    VfsRename,
    VfsRmdir,
    VfsStat,
    VfsStatvfs1,
    VfsSymlink,
    VfsSync,
    VfsTruncate,
    VfsUmask,
    VfsUmount,
    VfsUnlink,
    VfsUtimens,
)
from ipc.vfs.sockets import MESSAGES as SOCKETS
from ipc.vfs.sockets import (
    VfsAccept,
    VfsAcceptReply,
    VfsBind,
    VfsConnect,
    VfsGetpeername,
    VfsGetpeernameReply,
    VfsGetsockname,
    VfsGetsocknameReply,
    VfsGetsockopt,
    VfsGetsockoptReply,
    VfsListen,
    VfsRecvfrom,
    VfsRecvfromReply,
    VfsRecvmsg,
    VfsSendmsg,
    VfsSendto,
    VfsSetsockopt,
    VfsShutdown,
    VfsSocket,
    VfsSocketpair,
    VfsSocketpairReply,
)
from ipc.vfs.system import MESSAGES as SYSTEM
from ipc.vfs.system import (
    VfsGcovFlush,
    VfsGetrusage,
    VfsGetsysinfo,
    VfsMapdriver,
    VfsSocketpath,
    VfsSocketpathReply,
    VfsSvrctl,
    VfsVmcall,
)

MESSAGES = (*FILES, *PATHS, *SYSTEM, *SOCKETS)

__all__ = [
    "MESSAGES", "VfsAccept", "VfsAcceptReply", "VfsAccess", "VfsBind", "VfsChdir", "VfsChmod",
    "VfsChown", "VfsChroot", "VfsClose", "VfsConnect", "VfsCopyfd", "VfsCreat", "VfsFchdir",
    "VfsFchmod", "VfsFchown", "VfsFcntl", "VfsFstat", "VfsFstatvfs1", "VfsFsync", "VfsFtruncate",
    "VfsGcovFlush", "VfsGetdents", "VfsGetpeername", "VfsGetpeernameReply", "VfsGetrusage",
    "VfsGetsockname", "VfsGetsocknameReply", "VfsGetsockopt", "VfsGetsockoptReply", "VfsGetsysinfo",
    "VfsGetvfsstat", "VfsIoctl", "VfsLink", "VfsListen", "VfsLseek", "VfsLseekReply", "VfsLstat",
    "VfsMapdriver", "VfsMkdir", "VfsMknod", "VfsMount", "VfsOpen", "VfsPipe2", "VfsPipe2Reply",
    "VfsRead", "VfsReadlink", "VfsRecvfrom", "VfsRecvfromReply", "VfsRecvmsg", "VfsRename",
    "VfsRmdir", "VfsSelect", "VfsSendmsg", "VfsSendto", "VfsSetsockopt", "VfsShutdown", "VfsSocket",
    "VfsSocketpair", "VfsSocketpairReply", "VfsSocketpath", "VfsSocketpathReply", "VfsStat",
    "VfsStatvfs1", "VfsSvrctl", "VfsSymlink", "VfsSync", "VfsTruncate", "VfsUmask", "VfsUmount",
    "VfsUnlink", "VfsUtimens", "VfsVmcall", "VfsWrite",
]  # fmt: skip
