"""Using vnodes and letting go of them; who may do what with a file.

Source: MINIX ``servers/vfs/vnode.c`` put_vnode, ``protect.c`` forbidden, ``link.c`` truncate_vnode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import NONE
from ipc.errors import EACCES, EINVAL, EROFS, OK
from ipc.vfs import VfsAccess
from servers.lib.loop import Refused
from servers.vfs.filp import R_BIT, W_BIT, X_BIT
from servers.vfs.lock import SERIAL
from servers.vfs.requests import NodeDetails, req_ftrunc, req_putnode
from servers.vfs.vnode import Vnode

if TYPE_CHECKING:
    from servers.vfs.fproc import Fproc
    from servers.vfs.worker import Worker

TOO_MANY: Final = 256  # references that a file system keeps for us before some are given back


async def put_vnode(worker: Worker, vnode: Vnode) -> None:
    """End one use of `vnode`; with the last, its file system hears of it.  MINIX: put_vnode."""
    locked = await vnode.lock.acquire(worker, SERIAL)
    if vnode.references > 1:
        vnode.references -= 1
        if vnode.fs_count > TOO_MANY:
            await clean_references(worker, vnode)
        if locked:
            vnode.lock.release(worker)
        return
    assert locked, "the last user of a vnode has not locked it"
    assert vnode.references == 1, "a vnode that is put is in use"
    assert vnode.fs_count > 0, "a vnode in use is known in its file system"
    await vnode.lock.upgrade(worker)
    await req_putnode(worker, vnode.fs, vnode.inode, vnode.fs_count)
    if vnode.map_endpoint not in (NONE, vnode.fs):
        await req_putnode(worker, vnode.map_endpoint, vnode.map_inode, vnode.map_count)
    vnode.references = vnode.fs_count = vnode.map_count = 0
    worker.vfs.vnodes.drop(vnode)
    vnode.lock.release(worker)


async def clean_references(worker: Worker, vnode: Vnode) -> None:
    """Give all references but one back to the file system.  MINIX: vnode_clean_refs."""
    if vnode.fs_count > 1:
        await req_putnode(worker, vnode.fs, vnode.inode, vnode.fs_count - 1)
        vnode.fs_count = 1


def new_vnode(worker: Worker, details: NodeDetails) -> Vnode:
    """A vnode for a file that its file system has just opened, used by nobody yet."""
    mount = worker.vfs.mounts.find(details.fs)
    return worker.vfs.vnodes.add(
        Vnode(
            details.fs, details.inode, details.mode, details.size, details.uid, details.gid,
            details.special, mount.device if mount is not None else 0, mount, fs_count=1,
        )
    )  # fmt: skip


async def truncate_vnode(worker: Worker, vnode: Vnode, size: int) -> int:
    """Cut a regular file or a pipe, which the caller has locked; OK or an error number."""
    if not (vnode.is_regular or vnode.is_pipe):
        return EINVAL
    result = await req_ftrunc(worker, vnode.fs, vnode.inode, size, 0)
    if result == OK:
        vnode.size = size
    return result


def require_access(worker: Worker, vnode: Vnode, wanted: int) -> None:
    """Raises Refused (EACCES, EROFS) if the caller may not do what `wanted` (R_BIT …) says."""
    result = forbidden(worker, worker.fp, vnode, wanted)
    if result != OK:
        raise Refused(result)


def forbidden(worker: Worker, who: Fproc, vnode: Vnode, wanted: int) -> int:
    """OK, EACCES or EROFS: whether `who` may use `vnode` so.  Source: MINIX protect.c forbidden."""
    uid, gid = ids(worker, who)
    if uid == 0:
        any_execute = vnode.is_directory or vnode.mode & 0o111
        allowed = R_BIT | W_BIT | X_BIT if any_execute else R_BIT | W_BIT
    elif uid == vnode.uid:
        allowed = vnode.mode >> 6 & 7
    elif gid == vnode.gid or who.in_group(vnode.gid):
        allowed = vnode.mode >> 3 & 7
    else:
        allowed = vnode.mode & 7
    if wanted & ~allowed:
        return EACCES
    return read_only(vnode) if wanted & W_BIT else OK


def ids(worker: Worker, who: Fproc) -> tuple[int, int]:
    """As whom `who` acts: access asks for the real ids, everything else for the effective ones."""
    if worker.request.type == VfsAccess.type:
        return who.real_uid, who.real_gid
    return who.uid, who.gid


def read_only(vnode: Vnode) -> int:
    """EROFS if the file's file system is mounted read-only, else OK."""
    return EROFS if vnode.mount is not None and vnode.mount.read_only else OK
