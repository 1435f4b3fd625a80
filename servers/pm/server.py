"""PM's call table, and how it starts.

Source: MINIX ``servers/pm/main.c``, ``servers/pm/table.c``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import attrs

from ipc.common import ProcEventReply
from ipc.endpoint import CLOCK, INIT, NONE, SCHED, SYSTEM, VFS, slot_of
from ipc.errors import ESRCH, OK
from ipc.message import Message
from ipc.pm import (
    PmClockGetres,
    PmClockGettime,
    PmClockSettime,
    PmExec,
    PmExecNew,
    PmExecRestart,
    PmExit,
    PmFork,
    PmGetepinfo,
    PmGetgid,
    PmGetgroups,
    PmGetpgrp,
    PmGetpid,
    PmGetpriority,
    PmGetprocnr,
    PmGetrusage,
    PmGetsid,
    PmGettimeofday,
    PmGetuid,
    PmIssetugid,
    PmItimer,
    PmKill,
    PmProceventmask,
    PmReboot,
    PmSetegid,
    PmSeteuid,
    PmSetgid,
    PmSetgroups,
    PmSetpriority,
    PmSetsid,
    PmSetuid,
    PmSigaction,
    PmSigpending,
    PmSigprocmask,
    PmSigreturn,
    PmSigsuspend,
    PmSrvFork,
    PmSrvKill,
    PmStime,
    PmSysuname,
    PmWait4,
)  # fmt: skip
from ipc.pm_vfs import (
    VfsPmCoreReply,
    VfsPmExecReply,
    VfsPmExitReply,
    VfsPmForkReply,
    VfsPmInit,
    VfsPmRebootReply,
    VfsPmSetgidReply,
    VfsPmSetgroupsReply,
    VfsPmSetsidReply,
    VfsPmSetuidReply,
    VfsPmSrvForkReply,
    VfsPmUnpauseReply,
)  # fmt: skip
from ipc.traps import Send, SendNb, SendRec, trap
from kernel.clock import Clock
from kernel.panic import Panic
from servers.lib.asynsend import AsyncTable
from servers.lib.loop import Handler, Refused, Server
from servers.lib.timers import Timers
from servers.pm.alarms import cause_sigalrm, do_clock_notify, do_itimer
from servers.pm.events import Subscriber, do_proc_event_reply, do_proceventmask
from servers.pm.execs import do_exec, do_execrestart, do_newexec
from servers.pm.exits import do_exit
from servers.pm.forks import do_fork, do_srv_fork
from servers.pm.identity import (
    do_getgid,
    do_getgroups,
    do_getpgrp,
    do_getpid,
    do_getsid,
    do_getuid,
    do_issetugid,
    do_setegid,
    do_seteuid,
    do_setgid,
    do_setgroups,
    do_setsid,
    do_setuid,
)  # fmt: skip
from servers.pm.kernel_signals import do_system_notify
from servers.pm.misc import (
    do_getepinfo,
    do_getpriority,
    do_getprocnr,
    do_reboot,
    do_setpriority,
    do_sysuname,
)  # fmt: skip
from servers.pm.mproc import EXITING, IN_USE, INIT_PID, PRIV_PROC, Mproc
from servers.pm.schedule import start_init
from servers.pm.signal_calls import (
    do_kill,
    do_sigaction,
    do_sigpending,
    do_sigprocmask,
    do_sigreturn,
    do_sigsuspend,
    do_srv_kill,
)  # fmt: skip
from servers.pm.table import ProcessTable
from servers.pm.times import (
    do_getres,
    do_getrusage,
    do_gettime,
    do_settime,
    do_stime,
    do_time,
)  # fmt: skip
from servers.pm.vfs import do_reboot_reply, do_vfs_reply
from servers.pm.waits import do_wait4

# Differs: there is no ptrace, and no profiling, parameters or machine contexts; their numbers are
# refused as unknown ones are.
CALLS: Final[Mapping[int, Handler]] = {
    PmExit.type: do_exit,
    PmFork.type: do_fork,
    PmWait4.type: do_wait4,
    PmGetpid.type: do_getpid,
    PmSetuid.type: do_setuid,
    PmGetuid.type: do_getuid,
    PmStime.type: do_stime,
    PmSetgroups.type: do_setgroups,
    PmGetgroups.type: do_getgroups,
    PmKill.type: do_kill,
    PmSetgid.type: do_setgid,
    PmGetgid.type: do_getgid,
    PmExec.type: do_exec,
    PmSetsid.type: do_setsid,
    PmGetpgrp.type: do_getpgrp,
    PmItimer.type: do_itimer,
    PmSigaction.type: do_sigaction,
    PmSigsuspend.type: do_sigsuspend,
    PmSigpending.type: do_sigpending,
    PmSigprocmask.type: do_sigprocmask,
    PmSigreturn.type: do_sigreturn,
    PmSysuname.type: do_sysuname,
    PmGetpriority.type: do_getpriority,
    PmSetpriority.type: do_setpriority,
    PmGettimeofday.type: do_time,
    PmSeteuid.type: do_seteuid,
    PmSetegid.type: do_setegid,
    PmIssetugid.type: do_issetugid,
    PmGetsid.type: do_getsid,
    PmClockGetres.type: do_getres,
    PmClockGettime.type: do_gettime,
    PmClockSettime.type: do_settime,
    PmGetrusage.type: do_getrusage,
    PmReboot.type: do_reboot,
    PmProceventmask.type: do_proceventmask,
    PmSrvFork.type: do_srv_fork,
    PmSrvKill.type: do_srv_kill,
    PmExecNew.type: do_newexec,
    PmExecRestart.type: do_execrestart,
    PmGetepinfo.type: do_getepinfo,
    PmGetprocnr.type: do_getprocnr,
    ProcEventReply.type: do_proc_event_reply,
}

VFS_REPLIES: Final[Mapping[int, Handler]] = {
    VfsPmSetuidReply.type: do_vfs_reply,
    VfsPmSetgidReply.type: do_vfs_reply,
    VfsPmSetgroupsReply.type: do_vfs_reply,
    VfsPmSetsidReply.type: do_vfs_reply,
    VfsPmExecReply.type: do_vfs_reply,
    VfsPmCoreReply.type: do_vfs_reply,
    VfsPmExitReply.type: do_vfs_reply,
    VfsPmForkReply.type: do_vfs_reply,
    VfsPmSrvForkReply.type: do_vfs_reply,
    VfsPmUnpauseReply.type: do_vfs_reply,
    VfsPmRebootReply.type: do_reboot_reply,
}


@attrs.frozen
class BootProcess:
    """A process that is there when PM starts."""

    endpoint: int
    name: str


@attrs.define(eq=False)
class ProcessManager(Server):
    """PM: its process table, and what it works on at the moment.

    `boot` lists the processes of the boot image; `clock` is the machine's time, which MINIX keeps
    in memory that everybody can read.
    """

    CALLS: ClassVar[Mapping[int, Handler]] = CALLS
    NOTIFIED: ClassVar[Mapping[int, Handler]] = {
        CLOCK: do_clock_notify,
        SYSTEM: do_system_notify,
    }
    REPLIES: ClassVar[type[Send | SendNb]] = SendNb

    clock: Clock = attrs.field(kw_only=True)
    boot: tuple[BootProcess, ...] = attrs.field(kw_only=True)
    table: ProcessTable = attrs.field(factory=ProcessTable)
    name: str = "pm"

    # Who made the call at hand, or in whose name PM acts.  Handlers note it before they await.
    caller: Mproc = attrs.field(factory=lambda: Mproc(0))
    asynsend: AsyncTable = attrs.field(factory=AsyncTable)
    timers: Timers = attrs.field(factory=Timers)
    subscribers: list[Subscriber] = attrs.field(factory=list)

    def handler(self, source: int, message: Message) -> Handler | None:
        """As every server; calls of the exiting are dropped, and VFS's answers are no calls."""
        caller = self.table.lookup(source)
        if caller is None:
            return do_stranger
        self.caller = caller
        if caller.flags & EXITING:
            return None
        if source == VFS:
            reply = VFS_REPLIES.get(message.type)
            if reply is not None:
                return reply
        return Server.handler(self, source, message)

    async def cause_sigalrm(self, endpoint: int) -> None:
        """The watchdog of every alarm."""
        await cause_sigalrm(self, endpoint)

    async def start(self) -> None:
        """Know the processes of the boot image, and make them known to VFS and SCHED.

        MINIX: sef_cb_init_fresh.
        """
        present = {each.endpoint for each in self.boot}
        for each in self.boot:
            process = self._enrol(each)
            if VFS in present:
                request = VfsPmInit(process.endpoint, process.slot, process.pid)
                await trap(Send(VFS, request))
        if VFS in present:
            reply = await trap(SendRec(VFS, VfsPmInit(endpt=NONE)))
            if reply.type != OK:
                raise Panic("VFS and PM do not agree on the boot image")
        init = self.table.lookup(INIT)
        if init is not None and SCHED in present:
            await start_init(init, SCHED)

    def _enrol(self, each: BootProcess) -> Mproc:
        """An entry for a process of the boot image; all are INIT's children or its servers."""
        process = Mproc(slot_of(each.endpoint), IN_USE, each.endpoint, each.name)
        process.parent = slot_of(INIT)
        if each.endpoint == INIT:
            process.pid = process.procgrp = INIT_PID
        else:
            process.pid = self.table.new_pid()
            process.flags |= PRIV_PROC
        self.table.add(process)
        return process


async def do_stranger(_pm: ProcessManager, _source: int, _message: Message) -> Message:
    """A call of a process that PM does not know.  Differs: MINIX panics."""
    raise Refused(ESRCH)
