"""What VM asks: to have a file for a mapping, to let go of it, and to bring pages of it in.

VM is a process like others here: the files that it has mapped are open under descriptors of its
own.  The answer is a message with its own number, sent asynchronously, because VM may be doing
something else.

Source: MINIX ``servers/vfs/misc.c`` do_vm_call, dupvm.
"""

from __future__ import annotations

import types
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

from ipc.endpoint import VM
from ipc.errors import EBADF, EINVAL, ENOSYS, ESRCH, OK
from ipc.message import Message
from ipc.messageclass import maker
from ipc.traps import yields_traps
from ipc.vfs import VfsVmcall
from ipc.vm import VmVfsReply
from kernel.panic import Panic
from servers.lib.fsdriver.node import S_IFBLK, S_IFMT
from servers.lib.fsdriver.server import RES_HASPEEK
from servers.lib.loop import Refused
from servers.vfs.comm import ask_fs
from servers.vfs.filp import CLOSED, R_BIT
from servers.vfs.lock import READ
from servers.vfs.opening import close_fd
from servers.vfs.requests import inhibread_request, peek_request
from servers.vfs.transfer import SEEK_SET, set_position

if TYPE_CHECKING:
    from servers.vfs.worker import Worker

_vm_vfs_reply: Final = maker(VmVfsReply)

FDLOOKUP: Final = 101
FDCLOSE: Final = 102
FDIO: Final = 103
PAGE_SIZE: Final = 4096


@yields_traps
@types.coroutine
def do_vmcall(worker: Worker, request: VfsVmcall) -> Generator[Any, Any, None]:
    """Do one of VM's requests; the answer says which one it was.

    Mostly it is to bring part of a file that VM has open into its cache: an lseek to the offset,
    and then a read of which nothing is copied.  Whoever waits for the file comes in between.
    """
    who, fd = worker.fp, request.fd
    if who.endpoint != VM:
        raise Refused(ENOSYS)
    if request.req != FDIO:
        yield from _look_up_or_close(worker, request)
        return
    sought = False
    result = None
    try:
        while result is None:
            filp = who.take_filp(worker, fd, READ) or (yield from who.lock_filp(worker, fd, READ))
            try:
                vnode = filp.vnode
                if not sought:
                    sought = True
                    if set_position(filp, SEEK_SET, request.offset):
                        asked: Message = inhibread_request(vnode.inode, worker.transid)
                        answer = yield from ask_fs(worker, vnode.fs, asked)
                        if answer.type != OK:
                            raise Refused(answer.type)
                    # If nobody waits, to unlock it and lock it again would make no difference; and
                    # one that is closed by now cannot be locked again.
                    if filp.mutex.line or vnode.lock.contended() or filp.mode == CLOSED:
                        continue
                if not filp.mode & R_BIT:
                    raise Refused(EBADF)
                length = request.length
                if length == 0:
                    result = OK
                elif vnode.is_regular or vnode.is_directory:
                    asked = peek_request(vnode.inode, filp.position, length, worker.transid)
                    answer = yield from ask_fs(worker, vnode.fs, asked)
                    result = answer.type
                else:
                    raise Refused(EINVAL)
            finally:
                filp.unlock(worker)
    except Refused as refusal:
        result = refusal.errno
    answer = _vm_vfs_reply(request.endpoint, result, request.reqid)
    failure = yield worker.vfs.asynsend.offer(VM, answer, 0)
    if failure is not None:
        raise failure


async def _look_up_or_close(worker: Worker, request: VfsVmcall) -> None:
    try:
        if request.req == FDLOOKUP:
            answer = await _look_up(worker, request)
        elif request.req == FDCLOSE:
            result = await close_fd(worker, worker.fp, request.fd)
            answer = VmVfsReply(request.endpoint, result, request.reqid)
        else:
            raise Panic(f"VM asks VFS for {request.req}, which is nothing")
    except Refused as refusal:
        answer = VmVfsReply(request.endpoint, refusal.errno, request.reqid)
    await worker.vfs.asynsend.send(VM, answer, 0)


async def _look_up(worker: Worker, request: VfsVmcall) -> VmVfsReply:
    """Give VM a descriptor of its own for an open file of a process, and say what file it is."""
    who = worker.vfs.processes.lookup(request.endpoint)
    if who is None:
        raise Refused(ESRCH)
    try:
        filp = await who.lock_filp(worker, request.fd, READ)
    except Refused:
        raise Refused(EBADF) from None
    try:
        vnode = filp.vnode
        if vnode.mount is None or not vnode.mount.fs_flags & RES_HASPEEK:
            raise Refused(EINVAL)
        if not vnode.is_regular and vnode.mode & S_IFMT != S_IFBLK:
            raise Refused(EINVAL)
        fd = worker.fp.free_fd()
        filp.count += 1
        worker.fp.filps[fd] = filp
        return VmVfsReply(
            endpoint=request.endpoint, result=OK, reqid=request.reqid, dev=vnode.device,
            ino=vnode.inode, fd=fd, size_pages=-(-vnode.size // PAGE_SIZE),
        )  # fmt: skip
    finally:
        filp.unlock(worker)
