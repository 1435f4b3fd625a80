"""Asking file systems and VM: a request goes out asynchronously, and the worker waits.

The answer comes back under the worker's transaction number.

Source: MINIX ``servers/vfs/comm.c``.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ipc.endpoint import NONE, SELF, VM
from ipc.errors import EDEADLK, EFAULT, EIO, ERESTART, OK
from ipc.flags import CP_FLAG_TRY, VMPPARAM_HANDLEMEM
from ipc.message import Message, Reply
from ipc.traps import Load, Store, trap, yields_traps
from ipc.vm import VmProcctl
from servers.lib.kernel_calls import sys_vircopy
from servers.lib.loop import Refused
from servers.lib.memory import SCRATCH

if TYPE_CHECKING:
    from servers.vfs.server import Vfs
    from servers.vfs.worker import Worker


@yields_traps
def ask_fs(worker: Worker, fs: int, request: Message) -> Generator[Any, Any, Any]:
    """The answer of file system `fs` to `request`, whose `type` is the result."""
    vfs = worker.vfs
    mount = vfs.mounts.by_fs.get(fs)
    if mount is None:
        return Reply(EIO)
    if fs == worker.fp.endpoint:
        return Reply(EDEADLK)
    if mount.calling or mount.under_way >= mount.limit:
        mount.queue.append((worker, request))
        vfs.queued += 1
    else:
        mount.under_way += 1
        worker.task = fs
        failure = yield vfs.asynsend.offer(fs, request)
        if failure is not None:
            raise failure
    worker.reason, worker.awaits = request.name, fs  # as `pausing` does
    vfs.paused[worker] = worker
    answer = yield worker
    # ERESTART has a meaning of its own here, which a file system cannot give it.
    return Reply(EIO) if answer.type == ERESTART else answer


async def send_more(vfs: Vfs) -> None:
    """Send what waited until a file system had room for it.  MINIX: send_work."""
    for mount in vfs.mounts.all():
        if mount.queue and not mount.calling and mount.under_way < mount.limit:
            worker, request = mount.queue.popleft()
            vfs.queued -= 1
            mount.under_way += 1
            worker.task = mount.fs
            await vfs.asynsend.send(mount.fs, request)


def answered(vfs: Vfs, source: int, message: Message) -> Worker | None:
    """The worker that waited for `message`, and goes on with it; None: nobody.  MINIX: do_reply.

    Differs: an answer nobody waits for is refused like an unknown call, whoever sent it.
    """
    worker = vfs.pool.by_transid.get(getattr(message, "transid", 0))
    if worker is None or worker.task != source:
        return None
    mount = vfs.mounts.by_fs.get(source)
    if mount is not None:
        mount.under_way -= 1
    worker.task = NONE
    del vfs.paused[worker]  # the main loop itself goes on with it, so `proceed` is not needed
    return worker


def give_up(vfs: Vfs, endpoint: int) -> None:
    """`endpoint` is gone: whoever awaits its answer gets EIO.  MINIX: worker_stop_by_endpt."""
    for worker in vfs.pool.workers:
        if worker.task == endpoint:
            worker.task = NONE
            worker.proceed(Reply(EIO))
    mount = vfs.mounts.find(endpoint)
    while mount is not None and mount.queue:
        vfs.queued -= 1
        mount.queue.popleft()[0].proceed(Reply(EIO))


@yields_traps
def handle_memory(
    worker: Worker, endpoint: int, address: int, length: int, writable: bool
) -> Generator[Any, Any, int]:
    """Have VM provide memory of a process that a copy found missing: OK or an error number."""
    request = VmProcctl(
        param=VMPPARAM_HANDLEMEM, who=endpoint, m1=address, len=length, flags=int(writable),
        transid=worker.transid,
    )  # fmt: skip
    worker.task = VM
    failure = yield worker.vfs.asynsend.offer(VM, request)
    if failure is not None:
        raise failure
    answer = yield worker.pausing(request.name, VM)
    return int(answer.type)


async def copy_from_user(worker: Worker, endpoint: int, address: int, length: int) -> bytes:
    """Bytes of a process's memory; raises Refused with what the copy, or VM, said."""
    if length == 0:
        return b""
    result = await sys_vircopy(endpoint, address, SELF, SCRATCH, length, CP_FLAG_TRY)
    if result == EFAULT:
        result = await handle_memory(worker, endpoint, address, length, False)
        if result == OK:
            result = await sys_vircopy(endpoint, address, SELF, SCRATCH, length, CP_FLAG_TRY)
    if result != OK:
        raise Refused(result)
    return bytes(await trap(Load(SCRATCH, length)))


async def copy_to_user(worker: Worker, data: bytes, endpoint: int, address: int) -> int:
    """Copy `data` to a process's memory; OK or an error number."""
    await trap(Store(SCRATCH, data))
    result = await sys_vircopy(SELF, SCRATCH, endpoint, address, len(data), CP_FLAG_TRY)
    if result == EFAULT:
        result = await handle_memory(worker, endpoint, address, len(data), True)
        if result == OK:
            await trap(Store(SCRATCH, data))
            result = await sys_vircopy(SELF, SCRATCH, endpoint, address, len(data), CP_FLAG_TRY)
    return result
