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
from servers.vfs.lock import READ
from servers.vfs.opening import close_fd
from servers.vfs.transfer import bring_in

if TYPE_CHECKING:
    from servers.vfs.worker import Worker

_vm_vfs_reply: Final = maker(VmVfsReply)

FDLOOKUP: Final = 101
FDCLOSE: Final = 102
FDIO: Final = 103
PAGE_SIZE: Final = 4096


@yields_traps
@types.coroutine
def do_vmcall(worker: Worker, request: VfsVmcall) -> Generator[Any, Any, Message | None]:
    """Do one of VM's requests; the answer says which one it was."""
    if worker.fp.endpoint != VM:
        raise Refused(ENOSYS)
    try:
        what = request.req
        if what == FDIO:
            result = yield from bring_in(worker, request.fd, request.offset, request.length)
            answer = _answer(request, result)
        elif what == FDLOOKUP:
            answer = yield from _look_up(worker, request)
        elif what == FDCLOSE:
            result = yield from close_fd(worker, worker.fp, request.fd)
            answer = _answer(request, result)
        else:
            raise Panic(f"VM asks VFS for {what}, which is nothing")
    except Refused as refusal:
        answer = _answer(request, refusal.errno)
    failure = yield worker.vfs.asynsend.offer(VM, answer, 0)
    if failure is not None:
        raise failure
    return None


def _answer(request: VfsVmcall, result: int) -> VmVfsReply:
    return _vm_vfs_reply(request.endpoint, result, request.reqid)


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
