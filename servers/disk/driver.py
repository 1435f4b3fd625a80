"""The driver: one process that does block requests one after the other.

It tells the controller what to transfer and waits for its interrupt; meanwhile others run, and
further requests wait for the driver to receive them.

Source: MINIX ``libblockdriver/driver.c``, ``driver_st.c``; ``drivers/storage/at_wini``.
"""

from __future__ import annotations

import struct
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, TypeAlias

import attrs

from ipc.bdev import (
    BdevClose,
    BdevGather,
    BdevIoctl,
    BdevOpen,
    BdevRead,
    BdevReply,
    BdevScatter,
    BdevWrite,
)  # fmt: skip
from ipc.endpoint import HARDWARE, NONE
from ipc.errors import EINVAL, EIO, ENOTTY, ENXIO, ERESTART, OK, IpcError
from ipc.flags import IRQ_ENABLE, IRQ_REENABLE, IRQ_SETPOLICY
from ipc.kernelcalls import SysDevio, SysIrqctl, SysSafecopyfrom, SysSafecopyto
from ipc.message import Message
from ipc.messageclass import maker
from ipc.requests import as_request
from ipc.traps import (
    NOTIFY_CALL,
    SENDREC_CALL,
    STATUS_CALL_MASK,
    KernelCall,
    Receive,
    SendNb,
    yields_traps,
)  # fmt: skip
from kernel.memory.frames import PAGE_SHIFT, Frames
from kernel.panic import Panic
from kernel.process import Context
from servers.disk.controller import FAILED, SECTOR, Controller
from servers.lib.asynsend import AsyncTable
from servers.lib.kernel_calls import sys_safecopyfrom, sys_safecopyto
from servers.lib.memory import BUFFERS, SCRATCH

_bdev_reply: Final = maker(BdevReply)
_sys_safecopyto: Final = maker(SysSafecopyto)
_sys_safecopyfrom: Final = maker(SysSafecopyfrom)

NR_IOREQS: Final = 64
DIOCGETP: Final = 0x401C6404
DIOCSETP: Final = 0x801C6403
DISK_IRQ: Final = 14
_DIO_OUTPUT: Final = 0x32  # 32 bits
_ELEMENT: Final = struct.Struct("<iI")  # iovec_s_t: grant, bytes
_ELEMENT_SIZE: Final = _ELEMENT.size
_GEOMETRY: Final = struct.Struct("<QQIII")  # struct part_geom
_VECTOR: Final = BUFFERS  # where a vector is kept: data fill whole frames, and go on as such
_VECTOR_FRAME: Final = _VECTOR >> PAGE_SHIFT  # which the longest vector does not fill
_ANY: Final = Receive()
_INTERRUPT: Final = Receive(HARDWARE)

# A transfer's memory: grants of the caller with their lengths (bytes).
Vector: TypeAlias = list[tuple[int, int]]
# What a handler returns: the result of a request, or what is to be awaited for that.
Doing: TypeAlias = "int | Coroutine[Any, Any, Doing] | Generator[Any, Any, Doing]"
Handler: TypeAlias = Callable[[Any, int, Any], Doing]


@attrs.define(eq=False)
class Disk:
    """The driver's process; its one minor device is 0.

    Every request is answered with BDEV_REPLY.  Before a device was opened, requests to it are
    answered with ERESTART, as after a driver's restart.  Nobody pages a driver: its `memory` is
    there, and what it does with it needs no kernel.
    """

    controller: Controller
    memory: Frames = attrs.field(factory=Frames)
    name: str = "disk"
    context: Context = attrs.field(factory=Context)
    open: bool = False
    size: int = attrs.field(init=False)  # bytes
    _later: AsyncTable = attrs.field(factory=AsyncTable)
    _doorbell: KernelCall = attrs.field(init=False)
    # Its other kernel calls, with another request each time: it makes one after the other.
    kernel_call: KernelCall = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.size = self.controller.medium.size
        self._doorbell = KernelCall(SysDevio(_DIO_OUTPUT, self.controller.port, 1))
        self.kernel_call = KernelCall(self._doorbell.request)

    @yields_traps
    @types.coroutine
    def main(self) -> Generator[Any, Any, None]:
        """Do requests for ever."""
        hook = yield from self._irqctl(IRQ_SETPOLICY, IRQ_REENABLE, 0)
        yield from self._irqctl(IRQ_ENABLE, 0, hook)
        context = self.context
        replying = SendNb(NONE, BdevReply())  # with every answer, as one is sent at a time
        while True:
            received = yield _ANY
            if type(received) is IpcError:
                raise received
            source, message, status = received
            how = status & STATUS_CALL_MASK
            if how == NOTIFY_CALL:
                continue
            context.cause = context.delivered
            handler = CALLS.get(type(message))
            if handler is None:
                message = as_request(message)
                handler = CALLS.get(type(message))
                if handler is None:
                    continue
            try:
                result: Any = ERESTART
                if self.open or isinstance(message, BdevOpen):
                    result = handler(self, source, message)
                    while type(result) is not int:
                        result = yield from result
            except Panic as panic:
                panic.during(self.name, handler.__name__, type(message).__name__)
                raise
            answer = _bdev_reply(result, message.id)
            # Who waits gets the answer at once, unless it died meanwhile; others asynchronously.
            if how == SENDREC_CALL:
                replying.dest, replying.message = source, answer
                yield replying
            else:
                yield from self._later.send(source, answer)

    # --- transfers

    def transfer(
        self, position: int, endpoint: int, vector: Vector, writing: bool
    ) -> Generator[Any, Any, int]:
        """Move one run of the disk from or to the caller; bytes (0: at the end) or an error."""
        if position < 0 or position % SECTOR:
            return EINVAL
        length = 0
        for _grant, size in vector:
            length += size
        if length > self.size - position:
            length = self.size - position
        if length <= 0:
            return 0
        if length % SECTOR:
            return EINVAL
        controller = self.controller
        if writing:
            collected = yield from self._collect(endpoint, vector, length)
            if isinstance(collected, int):
                return collected
            controller.buffer = collected
        controller.command = (position, length, writing)
        yield self._doorbell
        interrupted = yield _INTERRUPT
        if type(interrupted) is IpcError:
            raise interrupted
        if controller.status == FAILED:
            return EIO
        if writing:
            return length
        data = controller.buffer
        done = 0
        for grant, room in vector:
            part = data[done : done + room] if len(vector) > 1 else data
            if not part:
                break
            self.memory.write(SCRATCH, part)
            size = len(part)
            self.kernel_call.request = _sys_safecopyto(endpoint, grant, 0, SCRATCH, size)
            copied = yield self.kernel_call
            if copied.type != OK:
                return int(copied.type)
            done += size
        return done

    def _collect(
        self, endpoint: int, vector: Vector, length: int
    ) -> Generator[Any, Any, bytes | int]:
        parts = []
        for grant, size in vector:
            part = min(size, length)
            if part == 0:
                break
            self.kernel_call.request = _sys_safecopyfrom(endpoint, grant, 0, SCRATCH, part)
            copied = yield self.kernel_call
            if copied.type != OK:
                return int(copied.type)
            parts.append(self.memory.read(SCRATCH, part))
            length -= part
        return b"".join(parts)

    def _irqctl(self, request: int, policy: int, hook: int) -> Generator[Any, Any, int]:
        self.kernel_call.request = SysIrqctl(request, DISK_IRQ, policy, hook)
        answer = yield self.kernel_call
        if answer.type != OK:
            raise Panic(f"the disk's interrupt line cannot be had: {answer.type}")
        return int(getattr(answer, "hook_id", hook))


async def do_open(disk: Disk, _source: int, request: BdevOpen) -> int:
    """Open the device."""
    if request.minor != 0:
        return ENXIO
    disk.open = True
    return OK


async def do_close(disk: Disk, _source: int, request: BdevClose) -> int:
    """Close the device."""
    return OK if request.minor == 0 else ENXIO


def do_transfer(disk: Disk, source: int, request: BdevRead | BdevWrite) -> Doing:
    """Read or write one buffer."""
    if request.minor != 0:
        return ENXIO
    if request.count < 0:
        return EINVAL
    vector = [(request.grant, request.count)]
    writing = type(request) is BdevWrite
    return disk.transfer(request.pos, source, vector, writing)


@yields_traps
def do_vector_transfer(
    disk: Disk, source: int, request: BdevGather | BdevScatter
) -> Generator[Any, Any, Doing]:
    """Read or write several buffers, one behind the other on the disk.

    Their grants and lengths are in a vector of at most 64 elements behind a grant.
    """
    if request.minor != 0:
        return ENXIO
    length = min(request.count, NR_IOREQS) * _ELEMENT_SIZE
    if length <= 0:
        return EINVAL
    disk.kernel_call.request = _sys_safecopyfrom(source, request.grant, 0, _VECTOR, length)
    copied = yield disk.kernel_call
    if copied.type != OK:
        return EINVAL
    vector = list(_ELEMENT.iter_unpack(disk.memory.get(_VECTOR_FRAME, 0, length)))
    writing = type(request) is BdevScatter
    return disk.transfer(request.pos, source, vector, writing)


async def do_ioctl(disk: Disk, source: int, request: BdevIoctl) -> int:
    """Tell or set the size of the device; it knows nothing else."""
    if request.minor != 0:
        return ENXIO
    if request.request == DIOCSETP:
        result = await sys_safecopyfrom(source, request.grant, 0, SCRATCH, _GEOMETRY.size)
        if result == OK:
            _base, size, *_ = _GEOMETRY.unpack(disk.memory.read(SCRATCH, _GEOMETRY.size))
            disk.size = min(size, disk.controller.medium.size)
        return result
    if request.request != DIOCGETP:
        return ENOTTY
    cylinders = disk.size // SECTOR // (64 * 32)
    disk.memory.write(SCRATCH, _GEOMETRY.pack(0, disk.size, cylinders, 64, 32))
    return await sys_safecopyto(source, request.grant, 0, SCRATCH, _GEOMETRY.size)


CALLS: Final[dict[type[Message], Handler]] = {
    BdevOpen: do_open,
    BdevClose: do_close,
    BdevRead: do_transfer,
    BdevWrite: do_transfer,
    BdevGather: do_vector_transfer,
    BdevScatter: do_vector_transfer,
    BdevIoctl: do_ioctl,
}
