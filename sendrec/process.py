"""A process of a machine, as a trio program sees and drives it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

import attrs

from kernel.process import Process as KernelProcess
from servers.lib.driven import Command, driven_image
from servers.lib.libc import Libc, Program
from servers.lib.libc.processes import Image

if TYPE_CHECKING:
    from kernel.bridge import Started
    from sendrec.machine import Machine

P = ParamSpec("P")
R = TypeVar("R")

Method = Callable[Concatenate[Libc, P], Coroutine[Any, Any, R]]


@attrs.frozen
class InProgress(Generic[R]):
    """A call that a process was told to make and that may not have returned.

    `await call` gives its result, or raises what it raised; that can be done later, and again.
    """

    _started: Started

    @property
    def returned(self) -> bool:
        """Whether the call has returned, or never will."""
        return self._started.finished

    async def result(self) -> R:
        """Wait until the call has returned.

        Raises CallFailed if it failed; ProcessEnded if the process is no more; Hang if nothing
        can bring it to an end (it can be asked again); MachineStopped.
        """
        return cast("R", await self._started.result())

    def __await__(self) -> Any:
        return self.result().__await__()


class Driven(Generic[P, R]):
    """A call of the C library as a method of `Process`: `await process.mmap(0, 4096)`."""

    def __init__(self, method: Method[P, R]) -> None:
        self.method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, process: None, owner: type) -> Driven[P, R]: ...
    @overload
    def __get__(self, process: Process, owner: type) -> BoundCall[P, R]: ...
    def __get__(self, process: Process | None, owner: type) -> Driven[P, R] | BoundCall[P, R]:
        return self if process is None else BoundCall(process, self.method)


@attrs.frozen
class BoundCall(Generic[P, R]):
    """A call that a certain process can make."""

    process: Process
    method: Method[P, R]

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Have the process make the call, and wait for its result.

        Raises CallFailed, ProcessEnded, Hang, MachineStopped.
        """
        command = self._command(args, kwargs)
        return cast("R", await self.process.machine.bridge.command(self.process.kernel, command))

    def start(self, *args: P.args, **kwargs: P.kwargs) -> InProgress[R]:
        """Have the process make the call; whether and when to wait for it is left open."""
        command = self._command(args, kwargs)
        return InProgress(self.process.machine.bridge.start(self.process.kernel, command))

    def _command(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Command:
        shown = [repr(each) for each in args]
        shown += [f"{name}={value!r}" for name, value in kwargs.items()]
        method = self.method

        async def act(libc: Libc) -> R:
            return await method(libc, *args, **kwargs)

        return Command(act, f"{method.__name__}({', '.join(shown)})")


@attrs.frozen
class Process:
    """One process of `machine`; `kernel` is the kernel's record of it, to look at.

    A driven process makes the calls that are awaited here, one at a time; the C library
    (`servers.lib.libc`) documents each.  One that was spawned with a program runs by itself.
    """

    machine: Machine
    kernel: KernelProcess

    @property
    def endpoint(self) -> int:
        """The name by which others send to it."""
        return self.kernel.endpoint

    @property
    def name(self) -> str:
        """What it is called."""
        return self.kernel.name

    @property
    def pid(self) -> int:
        """Its pid; 0 when nobody knows it any more."""
        return self.machine.system.pid(self.kernel)

    @property
    def alive(self) -> bool:
        """Whether the kernel still has it."""
        return self.machine.system.machine.table.lookup(self.endpoint) is self.kernel

    def __repr__(self) -> str:
        return f"<Process {self.name} {self.endpoint}>"

    async def join(self) -> None:
        """Let the machine go on until this process has ended, however it does.

        Raises Hang if the machine comes to rest before that; MachineStopped.
        """
        from kernel.hang import Hang, report

        await self.machine.run_until_quiet()
        if self.alive:
            raise Hang(report(self.machine.system.machine))

    async def run(self, action: Callable[[Libc], Coroutine[Any, Any, R]]) -> R:
        """Have the process run an async function of its C library, and wait for the result."""
        name = getattr(action, "__qualname__", type(action).__name__)
        command = Command(action, name)
        return cast("R", await self.machine.bridge.command(self.kernel, command))

    async def fork(self) -> Process:
        """Have the process fork; the child, which is driven as well.  Raises CallFailed."""
        return await self._fork(lambda parent: driven_image(parent.copied()))

    async def fork_program(self, program: Program, name: str = "") -> Process:
        """Have the process fork; the child, which runs `program` by itself.  Raises CallFailed."""
        child = await self._fork(lambda parent: Image(program, parent.copied()))
        child.kernel.name = name or getattr(program, "__name__", child.name)
        return child

    async def _fork(self, make: Callable[[Libc], Image]) -> Process:
        async def act(libc: Libc) -> int:
            return await libc.fork_image(make(libc))

        pid = await self.machine.bridge.command(self.kernel, Command(act, "fork()"))
        known = self.machine.system.pm.table.find(pid)
        assert known is not None, "a child stays until it was waited for"
        # A child that is dead already is still in its slot.
        return Process(self.machine, self.machine.system.machine.table.at(known.slot))

    mmap = Driven(Libc.mmap)
    munmap = Driven(Libc.munmap)
    brk = Driven(Libc.brk)
    sbrk = Driven(Libc.sbrk)
    load = Driven(Libc.load)
    store = Driven(Libc.store)
    memset = Driven(Libc.memset)
    compute = Driven(Libc.compute)

    wait = Driven(Libc.wait)
    waitpid = Driven(Libc.waitpid)
    wait4 = Driven(Libc.wait4)
    getpid = Driven(Libc.getpid)
    getppid = Driven(Libc.getppid)
    getuid = Driven(Libc.getuid)
    geteuid = Driven(Libc.geteuid)
    getgid = Driven(Libc.getgid)
    getegid = Driven(Libc.getegid)
    setuid = Driven(Libc.setuid)
    seteuid = Driven(Libc.seteuid)
    setgid = Driven(Libc.setgid)
    setegid = Driven(Libc.setegid)
    getpgrp = Driven(Libc.getpgrp)
    setsid = Driven(Libc.setsid)
    getpriority = Driven(Libc.getpriority)
    setpriority = Driven(Libc.setpriority)
    getrusage = Driven(Libc.getrusage)
    gettimeofday = Driven(Libc.gettimeofday)

    kill = Driven(Libc.kill)
    sigaction = Driven(Libc.sigaction)
    signal = Driven(Libc.signal)
    sigprocmask = Driven(Libc.sigprocmask)
    sigpending = Driven(Libc.sigpending)
    sigsuspend = Driven(Libc.sigsuspend)
    pause = Driven(Libc.pause)
    alarm = Driven(Libc.alarm)
    setitimer = Driven(Libc.setitimer)
    nanosleep = Driven(Libc.nanosleep)

    open = Driven(Libc.open)
    creat = Driven(Libc.creat)
    close = Driven(Libc.close)
    read = Driven(Libc.read)
    read_bytes = Driven(Libc.read_bytes)
    write = Driven(Libc.write)
    lseek = Driven(Libc.lseek)
    stat = Driven(Libc.stat)
    fstat = Driven(Libc.fstat)
    access = Driven(Libc.access)
    mkdir = Driven(Libc.mkdir)
    rmdir = Driven(Libc.rmdir)
    unlink = Driven(Libc.unlink)
    chdir = Driven(Libc.chdir)
    chmod = Driven(Libc.chmod)
    dup = Driven(Libc.dup)
    dup2 = Driven(Libc.dup2)
    ftruncate = Driven(Libc.ftruncate)
    pipe = Driven(Libc.pipe)

    send = Driven(Libc.send)
    receive = Driven(Libc.receive)
    sendrec = Driven(Libc.sendrec)
    notify = Driven(Libc.notify)
    sendnb = Driven(Libc.sendnb)
    senda = Driven(Libc.senda)

    async def exit(self, status: int = 0) -> None:
        """Have the process end, and wait until it is told to no longer."""
        from kernel.driven import ProcessEnded

        async def act(libc: Libc) -> None:
            await libc.exit(status)

        try:
            await self.machine.bridge.command(self.kernel, Command(act, f"exit({status})"))
        except ProcessEnded:
            return
