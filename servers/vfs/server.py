"""VFS, the process: it receives messages, gives calls to workers, and sends their answers.

Source: MINIX ``servers/vfs/main.c``, ``table.c``, ``worker.c`` worker_main, worker_start.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, ClassVar, Final, TypeAlias

import attrs

from ipc.common import SigsSignalReceived
from ipc.endpoint import NONE, PM, VFS, slot_of
from ipc.errors import EAGAIN, ENOSYS, OK
from ipc.message import Message, RawMessage, Reply
from ipc.pm_vfs import VfsPmInit
from ipc.registry import BY_NUMBER
from ipc.requests import Unreadable, as_request
from ipc.traps import NOTIFY_CALL, STATUS_CALL_MASK, Receive, SendNb, trap, yields_traps
from ipc.vfs import (
    VfsAccess,
    VfsChdir,
    VfsChmod,
    VfsChown,
    VfsChroot,
    VfsClose,
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
    VfsLink,
    VfsLseek,
    VfsLstat,
    VfsMkdir,
    VfsMknod,
    VfsOpen,
    VfsPipe2,
    VfsRead,
    VfsReadlink,
    VfsRename,
    VfsRmdir,
    VfsStat,
    VfsStatvfs1,
    VfsSymlink,
    VfsSync,
    VfsTruncate,
    VfsUmask,
    VfsUnlink,
    VfsUtimens,
    VfsVmcall,
    VfsWrite,
)  # fmt: skip
from kernel.panic import Panic
from kernel.quirks import NO_QUIRKS, Quirks
from servers.lib.asynsend import AsyncTable
from servers.lib.grants import Grants
from servers.lib.loop import ANYTHING, REQUESTS, Refused, Server
from servers.lib.memory import Buffers
from servers.vfs import pmcalls
from servers.vfs.attributes import (
    do_access,
    do_chdir,
    do_chmod,
    do_chown,
    do_fchdir,
    do_fchmod,
    do_fchown,
    do_fstat,
    do_fstatvfs,
    do_ftruncate,
    do_stat,
    do_statvfs,
    do_truncate,
    do_umask,
    do_utimens,
)  # fmt: skip
from servers.vfs.comm import answered, send_more
from servers.vfs.descriptors import do_fcntl, do_fsync, do_sync
from servers.vfs.filp import FilpTable
from servers.vfs.fproc import PID_FREE, BlockedOn, Fproc, FprocTable
from servers.vfs.mounting import RootFileSystem, mount_pfs, mount_root
from servers.vfs.mounts import MountTable
from servers.vfs.names import (
    do_link,
    do_mkdir,
    do_mknod,
    do_readlink,
    do_rename,
    do_symlink,
    do_unlink,
)  # fmt: skip
from servers.vfs.opening import do_close, do_creat, do_open
from servers.vfs.pipes import do_pipe2, resume
from servers.vfs.transfer import do_getdents, do_lseek, do_read, do_write
from servers.vfs.vmcalls import do_vmcall
from servers.vfs.vnode import VnodeTable
from servers.vfs.worker import NR_WORKERS, PATH_MAX, TRANSACTION_BASE, Worker, WorkerPool

Call: TypeAlias = Coroutine[Any, Any, Message | None]
UserCall: TypeAlias = Callable[[Worker, Any], Call]

_FROM_PM: Final = Receive(PM)

CALLS: Final[dict[int, UserCall]] = {
    VfsRead.type: do_read,
    VfsWrite.type: do_write,
    VfsLseek.type: do_lseek,
    VfsOpen.type: do_open,
    VfsCreat.type: do_creat,
    VfsClose.type: do_close,
    VfsLink.type: do_link,
    VfsUnlink.type: do_unlink,
    VfsChdir.type: do_chdir,
    VfsMkdir.type: do_mkdir,
    VfsMknod.type: do_mknod,
    VfsChmod.type: do_chmod,
    VfsChown.type: do_chown,
    VfsAccess.type: do_access,
    VfsSync.type: do_sync,
    VfsRename.type: do_rename,
    VfsRmdir.type: do_unlink,
    VfsSymlink.type: do_symlink,
    VfsReadlink.type: do_readlink,
    VfsStat.type: do_stat,
    VfsFstat.type: do_fstat,
    VfsLstat.type: do_stat,
    VfsFcntl.type: do_fcntl,
    VfsPipe2.type: do_pipe2,
    VfsUmask.type: do_umask,
    VfsChroot.type: do_chdir,
    VfsGetdents.type: do_getdents,
    VfsFchdir.type: do_fchdir,
    VfsFsync.type: do_fsync,
    VfsTruncate.type: do_truncate,
    VfsFtruncate.type: do_ftruncate,
    VfsFchmod.type: do_fchmod,
    VfsFchown.type: do_fchown,
    VfsUtimens.type: do_utimens,
    VfsVmcall.type: do_vmcall,
    VfsStatvfs1.type: do_statvfs,
    VfsFstatvfs1.type: do_fstatvfs,
}


@attrs.define(eq=False)
class Vfs(Server):
    """The virtual file system.

    `root` says what to mount; without it there are no files, only pipes.  `grants` is the table
    that the kernel reads as this process's grants.
    """

    REPLIES: ClassVar[type[SendNb]] = SendNb

    name: str = "vfs"
    root: RootFileSystem | None = None
    quirks: Quirks = NO_QUIRKS
    grants: Grants = attrs.field(factory=Grants)
    asynsend: AsyncTable = attrs.field(factory=AsyncTable)
    buffers: Buffers = attrs.field(factory=Buffers)
    processes: FprocTable = attrs.field(factory=FprocTable)
    filps: FilpTable = attrs.field(factory=FilpTable)
    vnodes: VnodeTable = attrs.field(factory=VnodeTable)
    mounts: MountTable = attrs.field(factory=MountTable)
    pool: WorkerPool = attrs.field(init=False)
    runnable: deque[tuple[Worker, Any]] = attrs.field(factory=deque)
    paused: dict[Worker, Worker] = attrs.field(factory=dict)  # by themselves, as reports want it
    revived: int = 0  # processes whose pipe call can go on
    queued: int = 0  # requests that wait until a file system has room for them

    def __attrs_post_init__(self) -> None:
        take = self.buffers.take
        self.pool = WorkerPool(
            [
                Worker(self, i, take(PATH_MAX), take(PATH_MAX), TRANSACTION_BASE + i)
                for i in range(NR_WORKERS)
            ]
        )
        for worker in self.pool.workers:
            worker.job = self._work(worker)

    @yields_traps
    @types.coroutine
    def main(self) -> Generator[Any, Any, None]:
        """Run the workers that can go on, and then receive and serve, for ever.

        Workers are stepped here and not in a function of their own: all their traps pass through.
        """
        context, runnable = self.context, self.runnable
        yield from self.start()
        worker: Worker | None = None
        value: Any = None  # what the worker goes on with
        while True:
            if worker is not None:
                context.cause = worker.cause
                step = worker.job.send
                try:
                    request = step(value)
                    while request is not worker:
                        request = step((yield request))
                except Exception as error:
                    self._ended(worker, error)
                context.cause = 0
            if runnable:
                worker, value = runnable.popleft()
                continue
            worker = None
            if self.queued:
                yield from send_more(self)
            if self.revived:
                yield from self._unblock()
                continue
            source, value, status = yield ANYTHING
            worker = answered(self, source, value)
            if worker is None:
                try:
                    if source != PM and type(value) in REQUESTS:
                        worker = self._serve(source, value)
                    else:
                        worker = yield from self._attend(source, value, status)
                except Refused as refusal:
                    yield from self._refuse(source, refusal.errno)
                value = None

    # --- the start

    async def start(self) -> None:
        """Learn which processes there are, and have the file systems mounted."""
        self.context.parked = self.paused
        await self._learn_processes()
        self._mount()

    async def _learn_processes(self) -> None:
        """PM tells of the processes of the boot image, one by one; NONE ends the list."""
        while True:
            _source, message, _status = await trap(_FROM_PM)
            message = as_request(message)
            if not isinstance(message, VfsPmInit):
                raise Panic(f"PM begins with {type(message).__name__}")
            if message.endpt == NONE:
                break
            who = self.processes.at(message.slot)
            who.endpoint, who.pid = message.endpt, message.pid
            self.processes.enter(who)
        await pmcalls.tell_pm(Reply(OK))

    def _mount(self) -> None:
        """Mount, as a call of VFS's own; other calls wait until it is done."""
        worker = self.pool.assign(self.processes.at(slot_of(VFS)))
        assert worker is not None, "nobody has a worker yet"
        worker.job = self._mount_all(worker)
        worker.request, worker.caller = Reply(OK), VFS
        self.runnable.append((worker, None))

    async def _mount_all(self, worker: Worker) -> None:
        """Source: MINIX do_init_root."""
        self.pool.closed = True
        await mount_pfs(worker)
        if self.root is not None:
            await mount_root(worker, self.root)
        self.pool.closed = False
        self.pool.dismiss(worker)
        while (who := self._next_pending()) is not None:
            following = self.pool.assign(who)
            assert following is not None, "who may begin gets a worker"
            self.runnable.append((following, None))

    # --- messages

    def _serve(self, source: int, message: Message) -> Worker | None:
        """The worker that is to begin with a request; None if none is, or not yet.

        Raises Refused if the sender is to be told that he must try again.  MINIX: worker_start.
        """
        who = self.processes.by_endpoint.get(source)
        if who is None:
            return None  # a process that PM has not told of, or a task: not ours to answer
        mount = self.mounts.find(source) if who.is_service else None
        if mount is not None:
            if mount.calling or not self.pool.available:
                raise Refused(EAGAIN)
            mount.calling = True
        if who.job is not None:
            # Only somebody who sends without waiting can come here; MINIX panics.
            raise Refused(EAGAIN)
        who.job, who.job_cause, who.resumes = message, self.context.delivered, False
        return self.pool.assign(who, who.is_service)

    async def _attend(self, source: int, message: Message, status: int) -> Worker | None:
        """As `_serve`, for what is not a request as it stands, or is PM's."""
        if type(message) not in REQUESTS:
            if status & STATUS_CALL_MASK == NOTIFY_CALL:
                return None
            message = _readable(message)
        if source != PM:
            return self._serve(source, message)
        self.context.cause = self.context.delivered
        worker = await self._serve_pm(message)
        self.context.cause = 0
        return worker

    async def _refuse(self, source: int, errno: int) -> None:
        """Answer a request that nobody is going to work on."""
        self.context.cause = self.context.delivered
        await self.reply(source, Reply(errno))
        self.context.cause = 0

    async def _serve_pm(self, message: Any) -> Worker | None:
        """Source: MINIX service_pm."""
        at_once = pmcalls.AT_ONCE.get(message.type)
        if at_once is not None:
            await pmcalls.tell_pm(at_once(self, message))
            return None
        if message.type in pmcalls.AS_PM:
            who: Fproc | None = self.processes.lookup(PM)
        elif message.type in pmcalls.BY_WORKER:
            who = self.processes.lookup(message.endpt)
        elif message.type == SigsSignalReceived.type:
            return None
        else:
            raise Refused(ENOSYS)
        if who is None:
            raise Panic(f"PM sends {message.name} about a process that VFS does not know")
        if who.pm_job is not None:
            raise Panic(f"PM sends {message.name} before {who.pm_job.name} is answered")
        who.pm_job, who.pm_cause = message, self.context.delivered
        return self.pool.assign(who)

    async def _unblock(self) -> None:
        """Start what is left of the pipe call of a process that was revived."""
        who = self._next_revived()
        call = who.call
        who.blocked_on = BlockedOn.NOTHING
        assert call is not None, "who waits for a pipe has a call"
        if who.job is not None:  # as in `_serve`
            await self.reply(who.endpoint, Reply(EAGAIN))
            return
        kind = VfsWrite if call.writing else VfsRead
        who.job = kind(call.fd, call.buffer, call.length)
        who.job_cause, who.resumes = self.context.delivered, True
        worker = self.pool.assign(who)
        if worker is not None:
            self.runnable.append((worker, None))

    def _next_revived(self) -> Fproc:
        for who in self.processes.all():
            if who.revived:
                who.revived = False
                self.revived -= 1
                return who
        raise Panic("a process was revived, but there is none")

    # --- workers

    @yields_traps
    @types.coroutine
    def _work(self, worker: Worker) -> Generator[Any, Any, None]:
        """Do all that there is to do, for process after process.  Source: MINIX worker_main.

        What the worker does it does because of the message that it is busy with.
        """
        pool = self.pool
        while True:
            who = worker.fp
            request = who.job
            if request is not None:
                self.context.cause = worker.cause = who.job_cause
                worker.request, worker.caller = request, who.endpoint
                call = self._rest_of_call if who.resumes else CALLS.get(request.type, do_unknown)
                try:
                    reply = yield from call(worker, request)
                except Refused as refusal:
                    reply = Reply(refusal.errno)
                if reply is not None and who.pid != PID_FREE:
                    failure = yield SendNb(worker.caller, reply)
                    if failure is not None:
                        self._unsent(worker.caller, reply, failure)
                who.job = None
            if who.pm_job is not None:
                self.context.cause = worker.cause = who.pm_cause
                worker.request, worker.caller = who.pm_job, who.endpoint
                yield from pmcalls.do_postponed(worker, who.pm_job)
                who.pm_job = None
            if who.is_service and (mount := self.mounts.find(who.endpoint)) is not None:
                mount.calling = False
            pool.dismiss(worker)
            following = self._next_pending() if pool.pending else None
            if following is not None:
                pool.occupy(worker, following)
            else:
                yield worker

    def _rest_of_call(self, worker: Worker, _request: Message) -> Call:
        """What does what is left of a call.  Source: MINIX do_pending_pipe."""
        who = worker.fp
        call, who.call, who.resumes = who.call, None, False
        assert call is not None, "kept when it was started"
        return resume(worker, call)

    def _next_pending(self) -> Fproc | None:
        if not self.pool.may_do_pending():
            return None
        for who in self.processes.all():
            if who.pending:
                who.pending = False
                self.pool.pending -= 1
                return who
        raise Panic("a call waits for a worker, but there is none")

    def _ended(self, worker: Worker, error: Exception) -> None:
        """See to a worker whose job has ended with `error`, which is a panic.

        But if that job was mounting, and is done, it has the usual one from now on.
        """
        if isinstance(error, StopIteration):
            worker.job = self._work(worker)
            return
        panic = error if isinstance(error, Panic) else Panic(f"{type(error).__name__}: {error}")
        handler = CALLS.get(worker.request.type)
        name = getattr(worker.job if handler is None else handler, "__qualname__", "a job")
        panic.during(self.name, name, str(worker))
        if panic is error:
            raise panic
        raise panic from error

    def check(self) -> None:
        """Counts against what they count; nothing is locked when nothing is under way."""
        check(self)


def _readable(message: Message) -> Message:
    """`message` as its number says to read it; one that cannot be read is nothing we know."""
    kind = type(message)
    if kind is BY_NUMBER.get(message.type, kind):
        return message
    try:
        return as_request(message)
    except Unreadable:
        return RawMessage(message.type)


async def do_unknown(_worker: Worker, _request: Message) -> Message | None:
    """Refuse what is not in the table."""
    raise Refused(ENOSYS)


def check(vfs: Vfs) -> None:
    """Every filp is referred to as often as it counts; with nobody at work nothing is locked."""
    uses: dict[int, int] = {}
    for who in vfs.processes.all():
        for filp in who.filps:
            if filp is not None:
                uses[id(filp)] = uses.get(id(filp), 0) + 1
                assert filp.count > 0, "a descriptor refers to a filp in use"
                assert filp.vnode.references > 0, "an open file has a vnode in use"
    for who in vfs.processes.all():
        for filp in who.filps:
            if filp is not None:
                assert filp.count == uses[id(filp)], "a filp counts its descriptors"
    if not any(worker.busy for worker in vfs.pool.workers):
        for vnode in vfs.vnodes.all():
            vnode.lock.check()
            assert not vnode.lock.busy, f"{vnode.lock.what} is locked, but nobody works"
