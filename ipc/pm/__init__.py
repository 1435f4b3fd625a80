"""Calls to PM."""

from __future__ import annotations

from ipc.pm.identity import MESSAGES as IDENTITY
from ipc.pm.identity import (
    PmGetgid,
    PmGetgidReply,
    PmGetgroups,
    PmGetpgrp,
    PmGetpriority,
    PmGetsid,
    PmGetuid,
    PmGetuidReply,
    PmIssetugid,
    PmSetegid,
    PmSeteuid,
    PmSetgid,
    PmSetgroups,
    PmSetpriority,
    PmSetsid,
    PmSetuid,
)
from ipc.pm.processes import MESSAGES as PROCESSES
from ipc.pm.processes import (
    PmExec,
    PmExecNew,
    PmExecNewReply,
    PmExecRestart,
    PmExit,
    PmFork,
    PmGetpid,
    PmGetpidReply,
    PmGetrusage,
    PmPtrace,
    PmPtraceReply,
    PmReboot,
    PmSrvFork,
    PmWait4,
    PmWait4Reply,
)
from ipc.pm.signals import MESSAGES as SIGNALS
from ipc.pm.signals import (
    PmGetmcontext,
    PmItimer,
    PmKill,
    PmProceventmask,
    PmSetmcontext,
    PmSigaction,
    PmSigpending,
    PmSigpendingReply,
    PmSigprocmask,
    PmSigprocmaskReply,
    PmSigreturn,
    PmSigsuspend,
    PmSrvKill,
)
from ipc.pm.system import MESSAGES as SYSTEM
from ipc.pm.system import (
    PmClockGetres,
    PmClockGetresReply,
    PmClockGettime,
    PmClockGettimeReply,
    PmClockSettime,
    PmGetepinfo,
    PmGetepinfoReply,
    PmGetprocnr,
    PmGetprocnrReply,
    PmGetsysinfo,
    PmGettimeofday,
    PmGettimeofdayReply,
    PmSprof,
    PmStime,
    PmSvrctl,
    PmSysuname,
)

MESSAGES = (*PROCESSES, *SIGNALS, *IDENTITY, *SYSTEM)

__all__ = [
    "MESSAGES", "PmClockGetres", "PmClockGetresReply", "PmClockGettime", "PmClockGettimeReply",
    "PmClockSettime", "PmExec", "PmExecNew", "PmExecNewReply", "PmExecRestart", "PmExit", "PmFork",
    "PmGetepinfo", "PmGetepinfoReply", "PmGetgid", "PmGetgidReply", "PmGetgroups", "PmGetmcontext",
    "PmGetpgrp", "PmGetpid", "PmGetpidReply", "PmGetpriority", "PmGetprocnr", "PmGetprocnrReply",
    "PmGetrusage", "PmGetsid", "PmGetsysinfo", "PmGettimeofday", "PmGettimeofdayReply", "PmGetuid",
    "PmGetuidReply", "PmIssetugid", "PmItimer", "PmKill", "PmProceventmask", "PmPtrace",
    "PmPtraceReply", "PmReboot", "PmSetegid", "PmSeteuid", "PmSetgid", "PmSetgroups",
    "PmSetmcontext", "PmSetpriority", "PmSetsid", "PmSetuid", "PmSigaction", "PmSigpending",
    "PmSigpendingReply", "PmSigprocmask", "PmSigprocmaskReply", "PmSigreturn", "PmSigsuspend",
    "PmSprof", "PmSrvFork", "PmSrvKill", "PmStime", "PmSvrctl", "PmSysuname", "PmWait4",
    "PmWait4Reply",
]  # fmt: skip
