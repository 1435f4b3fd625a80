"""The C library: processes.

Source: MINIX ``lib/libc/sys/{fork,_exit,wait4,getpid,getuid,setsid,getrusage,priority,…}.c``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from ipc.endpoint import PM
from ipc.errors import IpcError
from ipc.flags import WAIT_ANY
from ipc.pm import (
    PmClockGettime,
    PmExit,
    PmFork,
    PmGetgid,
    PmGetpgrp,
    PmGetpid,
    PmGetpriority,
    PmGetrusage,
    PmGetsid,
    PmGettimeofday,
    PmGetuid,
    PmSetegid,
    PmSeteuid,
    PmSetgid,
    PmSetpriority,
    PmSetsid,
    PmSetuid,
    PmWait4,
)
from ipc.traps import ForkingSendRec, trap
from kernel.process import Context
from servers.lib.libc.base import Library, checked
from servers.lib.libc.errors import CallFailed
from servers.lib.libc.results import RUSAGE, ResourceUsage, Waited

if TYPE_CHECKING:
    from servers.lib.libc.library import Libc

# What a user program is: it gets its C library, and what it returns is its exit status.
Program: TypeAlias = "Callable[[Libc], Coroutine[Any, Any, int | None]]"

PRIO_PROCESS: Final = 0
PRIO_MIN: Final = -20
NANOSECONDS: Final = 1_000_000_000


@attrs.frozen
class Image:
    """A program together with the library that it runs with, ready to become a process.

    `context` is shared with the process, so that the library's signal handlers are the process's.
    """

    program: Program
    libc: Libc

    @property
    def context(self) -> Context:
        """The context of the process that is to run this."""
        return self.libc.context

    def __call__(self) -> Coroutine[Any, Any, int | None]:
        return self.program(self.libc)


class Processes(Library):
    """Calls to PM.  All raise CallFailed."""

    __slots__ = ()

    async def fork(self, child: Program) -> int:
        """Make a copy of this process, which runs `child` with a library of its own; its pid."""
        image = Image(child, self.copied())
        return await self.fork_image(image)

    async def fork_image(self, image: Image) -> int:
        """Make a copy of this process which runs `image`; its pid."""
        request = PmFork()
        try:
            reply = await trap(ForkingSendRec(PM, request, image))
        except IpcError as failure:
            raise CallFailed(request.name, failure.code) from None
        return int(checked(request, reply).type)

    def copied(self) -> Libc:
        """The library as a forked child has it."""
        raise NotImplementedError

    async def exit(self, status: int = 0) -> None:
        """End this process.  Comes back only if PM cannot be asked, which is a failure."""
        await self.syscall(PM, PmExit(status))

    async def wait4(self, pid: int = WAIT_ANY, options: int = 0, rusage: int = 0) -> Waited:
        """Wait for a child (-1: any, 0: of the own group, -n: of group n) to end.

        With WNOHANG the `pid` of the answer may be 0.  `rusage` is an address, or 0.
        """
        reply = await self.syscall(PM, PmWait4(pid, options, rusage))
        return Waited(reply.type, getattr(reply, "status", 0))

    async def waitpid(self, pid: int = WAIT_ANY, options: int = 0) -> Waited:
        """As `wait4`, without usage."""
        return await self.wait4(pid, options)

    async def wait(self) -> Waited:
        """Wait for any child to end."""
        return await self.wait4()

    async def getpid(self) -> int:
        """This process's pid."""
        return int((await self.syscall(PM, PmGetpid())).type)

    async def getppid(self) -> int:
        """The parent's pid."""
        return int((await self.syscall(PM, PmGetpid())).parent_pid)

    async def getuid(self) -> int:
        """The real user."""
        return int((await self.syscall(PM, PmGetuid())).type)

    async def geteuid(self) -> int:
        """The effective user."""
        return int((await self.syscall(PM, PmGetuid())).euid)

    async def getgid(self) -> int:
        """The real group."""
        return int((await self.syscall(PM, PmGetgid())).type)

    async def getegid(self) -> int:
        """The effective group."""
        return int((await self.syscall(PM, PmGetgid())).egid)

    async def setuid(self, uid: int) -> int:
        """Become another user."""
        return int((await self.syscall(PM, PmSetuid(uid))).type)

    async def seteuid(self, uid: int) -> int:
        """Act as another user."""
        return int((await self.syscall(PM, PmSeteuid(uid))).type)

    async def setgid(self, gid: int) -> int:
        """Change to another group."""
        return int((await self.syscall(PM, PmSetgid(gid))).type)

    async def setegid(self, gid: int) -> int:
        """Act in another group."""
        return int((await self.syscall(PM, PmSetegid(gid))).type)

    async def getpgrp(self) -> int:
        """The process group."""
        return int((await self.syscall(PM, PmGetpgrp())).type)

    async def getsid(self, pid: int = 0) -> int:
        """The session of a process, or of this one."""
        return int((await self.syscall(PM, PmGetsid(pid))).type)

    async def setsid(self) -> int:
        """Lead a session and a process group of one's own; its number."""
        return int((await self.syscall(PM, PmSetsid())).type)

    async def getpriority(self, which: int = PRIO_PROCESS, who: int = 0) -> int:
        """The nice value of a process, -20 the best."""
        return int((await self.syscall(PM, PmGetpriority(which, who))).type) + PRIO_MIN

    async def setpriority(self, which: int, who: int, priority: int) -> int:
        """Change the nice value of a process."""
        return int((await self.syscall(PM, PmSetpriority(which, who, priority))).type)

    async def getrusage(self, who: int = 0) -> ResourceUsage:
        """What this process (0), or its dead children (-1), have used."""
        address = self.on_stack(RUSAGE.size)
        await self.syscall(PM, PmGetrusage(who, address))
        return ResourceUsage.unpack(await self.load(address, RUSAGE.size))

    async def gettimeofday(self) -> int:
        """The time since 1970 in nanoseconds."""
        reply = await self.syscall(PM, PmGettimeofday())
        return int(reply.sec * NANOSECONDS + reply.nsec)

    async def clock_gettime(self, clock: int) -> int:
        """The time of a clock in nanoseconds."""
        reply = await self.syscall(PM, PmClockGettime(clk_id=clock))
        return int(reply.sec * NANOSECONDS + reply.nsec)
