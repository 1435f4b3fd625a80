"""What VM asks: to have a file for a mapping, to let go of it, and to bring pages of it in.

VM is a process like others here: the files that it has mapped are open under descriptors of its
own.  But nothing that it asks waits for a lock: whoever has that may be waiting for VM.  The answer
is a message with its own number, sent asynchronously, because VM may be doing something else.

Source: MINIX ``servers/vfs/misc.c`` do_vm_call, dupvm.
"""

from __future__ import annotations

import types
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from ipc.endpoint import VM
from ipc.errors import EBADF, EINVAL, ENOSYS, ESRCH, OK
from ipc.flags import (
    RES_HASPEEK,
    S_IFBLK,
    S_IFMT,
    SEEK_SET,
    VMVFSREQ_FDCLOSE,
    VMVFSREQ_FDIO,
    VMVFSREQ_FDLOOKUP,
)  # fmt: skip
from ipc.message import Message
from ipc.messageclass import maker
from ipc.traps import yields_traps
from ipc.vfs import VfsVmcall
from ipc.vm import VmVfsReply
from kernel.panic import Panic
from servers.lib.layout import PAGE_SIZE
from servers.lib.loop import Refused
from servers.vfs.comm import ask_fs
from servers.vfs.filp import R_BIT
from servers.vfs.lock import READ
from servers.vfs.opening import close_fd, take_out
from servers.vfs.requests import inhibread_request, peek_request
from servers.vfs.transfer import set_position

if TYPE_CHECKING:
    from servers.vfs.filp import Filp
    from servers.vfs.worker import Worker

_vm_vfs_reply: Final = maker(VmVfsReply)


@yields_traps
@types.coroutine
def do_vmcall(worker: Worker, request: VfsVmcall) -> Generator[Any, Any, None]:
    """Do one of VM's requests; the answer says which one it was.

    Mostly it is to bring part of a file that VM has open into its cache: an lseek to the offset,
    and then a read of which nothing is copied.
    """
    if worker.fp.endpoint != VM:
        raise Refused(ENOSYS)
    locks = "vm-awaits-locks" in worker.vfs.quirks
    try:
        if request.req != VMVFSREQ_FDIO:
            answer: Message = yield from _look_up_or_close(worker, request, locks)
        elif locks:
            result = yield from _bring_in_locked(worker, request)
            answer = _vm_vfs_reply(request.endpoint, result, request.reqid)
        else:
            filp = worker.fp.filp(request.fd)
            vnode = filp.vnode
            if set_position(filp, SEEK_SET, request.offset):
                asked: Message = inhibread_request(vnode.inode, worker.transid)
                answer = yield from ask_fs(worker, vnode.fs, asked)
                if answer.type != OK:
                    raise Refused(answer.type)
            asked = _peek(worker, filp, request.offset, request.length)
            answer = yield from ask_fs(worker, vnode.fs, asked)
            answer = _vm_vfs_reply(request.endpoint, answer.type, request.reqid)
    except Refused as refusal:
        answer = _vm_vfs_reply(request.endpoint, refusal.errno, request.reqid)
    failure = yield worker.vfs.asynsend.offer(VM, answer, 0)
    if failure is not None:
        raise failure


def _peek(worker: Worker, filp: Filp, offset: int, length: int) -> Message:
    """What the file system is asked for; raises Refused (EBADF, EINVAL)."""
    vnode = filp.vnode
    if not filp.mode & R_BIT:
        raise Refused(EBADF)
    if not (vnode.is_regular or vnode.is_directory):
        raise Refused(EINVAL)
    return peek_request(vnode.inode, offset, length, worker.transid)


async def _bring_in_locked(worker: Worker, request: VfsVmcall) -> int:
    """With the file locked for each of the two (quirk vm-awaits-locks)."""
    who, fd = worker.fp, request.fd
    filp = await who.lock_filp(worker, fd, READ)
    try:
        if set_position(filp, SEEK_SET, request.offset):
            asked: Message = inhibread_request(filp.vnode.inode, worker.transid)
            answer = await ask_fs(worker, filp.vnode.fs, asked)
            if answer.type != OK:
                raise Refused(answer.type)
    finally:
        filp.unlock(worker)
    filp = await who.lock_filp(worker, fd, READ)
    try:
        asked = _peek(worker, filp, filp.position, request.length)
        return int((await ask_fs(worker, filp.vnode.fs, asked)).type)
    finally:
        filp.unlock(worker)


async def _look_up_or_close(worker: Worker, request: VfsVmcall, locks: bool) -> VmVfsReply:
    who = worker.fp
    if request.req == VMVFSREQ_FDLOOKUP:
        return await _look_up(worker, request, locks)
    if request.req != VMVFSREQ_FDCLOSE:
        raise Panic(f"VM asks VFS for {request.req}, which is nothing")
    filp = who.filp(request.fd, closing=True)
    if locks or filp.count > 1 or filp.vnode.references == 1:
        # Without the quirk, nobody has a lock on a file that VM alone uses.
        await close_fd(worker, who, request.fd)
    else:
        take_out(who, request.fd)
        worker.vfs.filps.drop(filp)
        filp.vnode.references -= 1
    return VmVfsReply(request.endpoint, OK, request.reqid)


async def _look_up(worker: Worker, request: VfsVmcall, locks: bool) -> VmVfsReply:
    """Give VM a descriptor of its own for an open file of a process, and say what file it is."""
    who = worker.vfs.processes.lookup(request.endpoint)
    if who is None:
        raise Refused(ESRCH)
    try:
        filp = await who.lock_filp(worker, request.fd, READ) if locks else who.filp(request.fd)
    except Refused:
        raise Refused(EBADF) from None
    try:
        vnode = filp.vnode
        if vnode.mount is None or not vnode.mount.fs_flags & RES_HASPEEK:
            raise Refused(EINVAL)
        if not vnode.is_regular and vnode.mode & S_IFMT != S_IFBLK:
            raise Refused(EINVAL)
        fd = worker.fp.free_fd()
        if "mmap-moves-offset" in worker.vfs.quirks:
            filp.count += 1
            worker.fp.filps[fd] = filp
        else:
            worker.fp.filps[fd] = worker.vfs.filps.copy(filp)
        return VmVfsReply(
            endpoint=request.endpoint, result=OK, reqid=request.reqid, dev=vnode.device,
            ino=vnode.inode, fd=fd, size_pages=-(-vnode.size // PAGE_SIZE),
        )  # fmt: skip
    finally:
        if locks:
            filp.unlock(worker)
