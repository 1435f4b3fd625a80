"""What PM knows of a process.

Source: MINIX ``servers/pm/mproc.h`` and ``servers/pm/const.h``.
"""

from __future__ import annotations

from typing import Final

import attrs

from ipc.endpoint import NONE
from ipc.flags import SIG_DFL
from servers.lib.loop import Ticket
from servers.lib.timers import Timer

IN_USE: Final = 0x00001
WAITING: Final = 0x00002
ZOMBIE: Final = 0x00004
PROC_STOPPED: Final = 0x00008
EXITING: Final = 0x00020
TOLD_PARENT: Final = 0x00040
SIGSUSPENDED: Final = 0x00100
VFS_CALL: Final = 0x00400
UNPAUSED: Final = 0x01000
PRIV_PROC: Final = 0x02000
PARTIAL_EXEC: Final = 0x04000
DELAY_CALL: Final = 0x20000
TAINTED: Final = 0x40000
EVENT_CALL: Final = 0x80000

NR_ITIMERS: Final = 3
NGROUPS_MAX: Final = 16
PROC_NAME_LEN: Final = 16
INIT_PID: Final = 1
SUPER_USER: Final = 0


@attrs.frozen
class SigAction:
    """What a process does about a signal: an address (or SIG_DFL, SIG_IGN), a mask, SA_*."""

    handler: int = SIG_DFL
    mask: int = 0
    flags: int = 0


DEFAULT_ACTION: Final = SigAction()


@attrs.define(eq=False)
class Wait:
    """A WAIT4 under way: for whom (as in the call), where its rusage goes, what resumes it."""

    pid: int
    address: int
    ticket: Ticket


@attrs.define(eq=False)
class Mproc:
    """One slot of PM's process table.  Signal sets are masks: bit n-1 stands for signal n."""

    slot: int
    flags: int = 0
    endpoint: int = NONE
    name: str = ""

    # Family.  A free slot has pid 0; one that is waited for keeps its pid as a zombie.
    pid: int = 0
    procgrp: int = 0
    parent: int = 0  # slot
    exit_status: int = 0  # low eight bits
    signal_status: int = 0

    # What its last call waits for in PM.  `wait` is set while WAITING, `suspension` while
    # SIGSUSPENDED, `vfs` while VFS_CALL, `event` while EVENT_CALL.
    wait: Wait | None = None
    suspension: Ticket | None = None
    vfs: Ticket | None = None
    event: Ticket | None = None
    event_index: int = 0  # the subscriber whose answer is awaited

    # Users and groups.
    realuid: int = 0
    effuid: int = 0
    svuid: int = 0
    realgid: int = 0
    effgid: int = 0
    svgid: int = 0
    groups: tuple[int, ...] = ()

    # Signals.
    ignore: int = 0
    catch: int = 0
    sigmask: int = 0
    sigmask2: int = 0  # the mask to return to after SIGSUSPEND
    sigpending: int = 0
    ksigpending: int = 0  # those of `sigpending` that came from the kernel
    actions: dict[int, SigAction] = attrs.field(factory=dict)
    sigreturn: int = 0  # address of the C library's way back from a handler

    # Time, in ticks.
    alarm: Timer | None = None
    intervals: list[int] = attrs.field(factory=lambda: [0] * NR_ITIMERS)
    started: int = 0
    child_utime: int = 0
    child_stime: int = 0

    # Scheduling.
    nice: int = 0
    scheduler: int = NONE

    # The first frame of its stack, for whoever lists processes.
    frame_address: int = 0
    frame_length: int = 0

    @property
    def alive(self) -> bool:
        """Whether the process exists and is not on its way out."""
        return self.flags & (IN_USE | EXITING) == IN_USE

    @property
    def busy(self) -> bool:
        """Whether VFS or a subscriber of events works on the process for PM."""
        return bool(self.flags & (VFS_CALL | EVENT_CALL))

    def action(self, signal: int) -> SigAction:
        """What the process does about `signal`."""
        return self.actions.get(signal, DEFAULT_ACTION)


def sigbit(signal: int) -> int:
    """The mask with `signal` alone."""
    return 1 << (signal - 1)


def child_of(parent: Mproc, slot: int) -> Mproc:
    """The copy of `parent` in `slot` that a fork starts from.  MINIX: the first half of do_fork."""
    return Mproc(
        slot=slot,
        flags=parent.flags,
        name=parent.name,
        procgrp=parent.procgrp,
        parent=parent.slot,
        realuid=parent.realuid,
        effuid=parent.effuid,
        svuid=parent.svuid,
        realgid=parent.realgid,
        effgid=parent.effgid,
        svgid=parent.svgid,
        groups=parent.groups,
        ignore=parent.ignore,
        catch=parent.catch,
        sigmask=parent.sigmask,
        sigmask2=parent.sigmask2,
        sigpending=parent.sigpending,
        ksigpending=parent.ksigpending,
        actions=dict(parent.actions),
        sigreturn=parent.sigreturn,
        nice=parent.nice,
        scheduler=parent.scheduler,
        frame_address=parent.frame_address,
        frame_length=parent.frame_length,
    )
