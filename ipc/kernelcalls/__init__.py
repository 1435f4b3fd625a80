"""Kernel calls: what servers ask of the kernel."""

from __future__ import annotations

from ipc.kernelcalls.machine import MESSAGES as MACHINE
from ipc.kernelcalls.machine import (
    SysAbort,
    SysDevio,
    SysDevioReply,
    SysDiagctl,
    SysGetinfo,
    SysGetinfoReply,
    SysIopenable,
    SysIrqctl,
    SysIrqctlReply,
    SysPadconf,
    SysReadbios,
    SysSdevio,
    SysSetalarm,
    SysSetalarmReply,
    SysSettime,
    SysSprof,
    SysStime,
    SysTimes,
    SysTimesReply,
    SysVdevio,
    SysVtimer,
    SysVtimerReply,
)
from ipc.kernelcalls.memory import MESSAGES as MEMORY
from ipc.kernelcalls.memory import (
    SysMemset,
    SysPhyscopy,
    SysSafecopyfrom,
    SysSafecopyto,
    SysSafememset,
    SysSetgrant,
    SysUmap,
    SysUmapRemote,
    SysUmapRemoteReply,
    SysUmapReply,
    SysVircopy,
    SysVmctl,
    SysVmctlMemreqReply,
    SysVmctlPhysmapReply,
    SysVmctlReply,
    SysVsafecopy,
    SysVumap,
    SysVumapReply,
)
from ipc.kernelcalls.processes import MESSAGES as PROCESSES
from ipc.kernelcalls.processes import (
    SysClear,
    SysEndksig,
    SysExec,
    SysExit,
    SysFork,
    SysForkReply,
    SysGetksig,
    SysGetksigReply,
    SysGetmcontext,
    SysKill,
    SysPrivctl,
    SysRunctl,
    SysSchedctl,
    SysSchedule,
    SysSetmcontext,
    SysSigreturn,
    SysSigsend,
    SysStatectl,
    SysTrace,
    SysTraceReply,
    SysUpdate,
)

MESSAGES = (*PROCESSES, *MEMORY, *MACHINE)

__all__ = [
    "MESSAGES", "SysAbort", "SysClear", "SysDevio", "SysDevioReply", "SysDiagctl", "SysEndksig",
    "SysExec", "SysExit", "SysFork", "SysForkReply", "SysGetinfo", "SysGetinfoReply", "SysGetksig",
    "SysGetksigReply", "SysGetmcontext", "SysIopenable", "SysIrqctl", "SysIrqctlReply", "SysKill",
    "SysMemset", "SysPadconf", "SysPhyscopy", "SysPrivctl", "SysReadbios", "SysRunctl",
    "SysSafecopyfrom", "SysSafecopyto", "SysSafememset", "SysSchedctl", "SysSchedule", "SysSdevio",
    "SysSetalarm", "SysSetalarmReply", "SysSetgrant", "SysSetmcontext", "SysSettime",
    "SysSigreturn", "SysSigsend", "SysSprof", "SysStatectl", "SysStime", "SysTimes",
    "SysTimesReply", "SysTrace", "SysTraceReply", "SysUmap", "SysUmapRemote", "SysUmapRemoteReply",
    "SysUmapReply", "SysUpdate", "SysVdevio", "SysVircopy", "SysVmctl", "SysVmctlMemreqReply",
    "SysVmctlPhysmapReply", "SysVmctlReply", "SysVsafecopy", "SysVtimer", "SysVtimerReply",
    "SysVumap", "SysVumapReply",
]  # fmt: skip
