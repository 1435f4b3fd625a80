"""Requests to make a range of a process's memory accessible, page by page.

They come from the kernel, whose calls met unmapped memory, and from VFS, before a file system
copies to a user.  Those that need pages of files wait for VFS in between, as page faults do.

Source: MINIX ``servers/vm/pagefaults.c`` handle_memory_*, do_memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ipc.endpoint import KERNEL, NONE, SELF, VFS
from ipc.errors import EFAULT, OK
from ipc.flags import VMCTL_MEMREQ_GET, VMCTL_MEMREQ_REPLY, VMVFSREQ_FDIO
from ipc.kernelcalls import SysVmctl, SysVmctlMemreqReply
from ipc.message import Message
from ipc.notification import Notification
from ipc.traps import AMF_NOREPLY
from ipc.vm import VmProcctlReply
from kernel.copying import VMSUSPEND
from kernel.panic import Panic
from servers.vm.mapping import round_up
from servers.vm.memory import Memory
from servers.vm.memtypes import FILE
from servers.vm.outcome import BAD_ADDRESS, MAPPED, Failed, NeedsPage, Outcome
from servers.vm.process import PAGE, WORD, VmProcess
from servers.vm.region import WRITABLE, Region, not_aligned

if TYPE_CHECKING:
    from servers.vm.server import VmServer

VMPTYPE_CHECK: Final = 1


@attrs.define(eq=False)
class MemoryRequest:
    """A range that `process` is to have, for a read or a `write`; it shrinks as pages are had.

    `caller` is who gets the answer: the KERNEL (about its `requestor`), VFS (in `transaction`, if
    that is not 0), or NONE, who does not wait.  `vfs_free` says whether VFS can be asked.
    """

    process: VmProcess
    endpoint: int
    address: int
    length: int
    write: bool
    caller: int = NONE
    requestor: int = NONE
    transaction: int = 0
    vfs_free: bool = False


def memory_request(
    memory: Memory,
    process: VmProcess,
    address: int,
    length: int,
    write: bool,
    caller: int = NONE,
    requestor: int = NONE,
    transaction: int = 0,
    vfs_free: bool = False,
) -> MemoryRequest:
    """A request for whole pages.  MINIX: handle_memory_start."""
    offset = address % PAGE
    whole = round_up((length + offset) & WORD)
    if "handlemem-len-wrap" not in memory.quirks:
        # What would reach beyond the last address ends there, where nothing is mapped.
        whole = min(-(-(length + offset) // PAGE) * PAGE, (1 << 32) - (address - offset))
    return MemoryRequest(
        process, process.endpoint, address - offset, whole, write, caller, requestor, transaction,
        vfs_free,
    )  # fmt: skip


def handle_memory_once(
    memory: Memory, process: VmProcess, address: int, length: int, write: bool
) -> int:
    """Make a range accessible without asking anybody: OK or EFAULT or ENOMEM."""
    outcome = step(memory, memory_request(memory, process, address, length, write), False)
    return outcome.errno if type(outcome) is Failed else OK


async def handle_memory(vm: VmServer, request: MemoryRequest) -> None:
    """Make the range of `request` accessible, and tell the caller the result."""
    memory = vm.memory
    outcome = step(memory, request, retry=False)
    while type(outcome) is NeedsPage:
        answer = await vm.ask_vfs(
            VMVFSREQ_FDIO, outcome.fd, request.process.endpoint, outcome.offset, PAGE
        )
        if answer.result != OK:
            outcome = Failed(_as_error(memory, answer.result))
        elif _is_gone(memory, request):
            outcome = BAD_ADDRESS
        else:
            outcome = step(memory, request, retry=True)
    await _finish(vm, request, outcome.errno if type(outcome) is Failed else OK)


def _as_error(memory: Memory, result: int) -> int:
    """What is told of a result of VFS that is not OK: EFAULT, if it is no error either."""
    if (result > 0 or result == VMSUSPEND) and "vfs-reply-no-error" not in memory.quirks:
        return EFAULT
    return result


def _is_gone(memory: Memory, request: MemoryRequest) -> bool:
    """Whether the process has died; with the quirk whoever has its slot now is as good."""
    if "target-died-slot-reused" in memory.quirks:
        return False
    return memory.process(request.endpoint) is not request.process


def step(memory: Memory, request: MemoryRequest, retry: bool) -> Outcome:
    """Go on with `request` as far as possible.

    With `retry` VFS has been asked for the first page and is not asked again.
    MINIX: handle_memory_step.
    """
    while request.length > 0:
        region = request.process.regions.at(request.address)
        if region is None or (request.write and not region.flags & WRITABLE):
            return BAD_ADDRESS
        if region.vaddr % PAGE:
            raise not_aligned(region)
        outcome = _provide(memory, request, region, retry)
        if outcome is not MAPPED:
            return outcome
        retry = False
    return MAPPED


def _provide(memory: Memory, request: MemoryRequest, region: Region, retry: bool) -> Outcome:
    """Map the pages of `request` that lie in `region`."""
    first = (request.address - region.vaddr) >> 12
    for page in range(first, _last_page(memory, request, region)):
        if page >= region.pages:
            raise Panic("a request reaches beyond its region", quirk="handlemem-len-wrap")
        asks = request.vfs_free and not retry if region.kind is FILE else True
        may_ask = asks and request.caller != NONE
        outcome = memory.map_page(region, page, request.write, may_ask)
        if outcome is not MAPPED:
            return outcome
        request.address = (request.address + PAGE) & WORD
        request.length -= PAGE
        retry = False
    return MAPPED


def _last_page(memory: Memory, request: MemoryRequest, region: Region) -> int:
    """The page of `region` behind the last one that is requested, or that there is."""
    end = request.address - region.vaddr + request.length
    if end & WORD <= region.length and "handlemem-len-wrap" in memory.quirks:
        return end >> 12
    return min(end, region.length) >> 12


async def _finish(vm: VmServer, request: MemoryRequest, result: int) -> None:
    """Tell whoever asked.  MINIX: handle_memory_final."""
    if request.caller == KERNEL:
        answered = await vm.vmctl(request.requestor, VMCTL_MEMREQ_REPLY, result & WORD)
        if answered != OK and "requestor-died" in vm.memory.quirks:
            raise Panic("whoever asked for memory is dead", quirk="requestor-died")
    elif request.caller != NONE:
        await answer_later(vm, request.caller, result, request.transaction)


async def answer_later(vm: VmServer, dest: int, result: int, transaction: int) -> None:
    """Answer without waiting; with a transaction, which was not a SENDREC."""
    await vm.flush()
    flags = AMF_NOREPLY if transaction else 0
    await vm.table.send(dest, VmProcctlReply(result, transid=transaction), flags)


async def do_memory_requests(vm: VmServer, source: int, message: Notification) -> None:
    """Deal with all that the kernel waits for.  MINIX: do_memory."""
    while True:
        wanted = await vm.kernel(SysVmctl(SELF, VMCTL_MEMREQ_GET))
        if wanted.type != VMPTYPE_CHECK:
            return
        assert isinstance(wanted, SysVmctlMemreqReply), "a request says what is wanted"
        await _do_memory_request(vm, wanted, source, message)


async def _do_memory_request(
    vm: VmServer, wanted: SysVmctlMemreqReply, source: int, cause: Message
) -> None:
    memory = vm.memory
    process = memory.process(wanted.target)
    if process is None:
        if "memreq-bad-ep" in memory.quirks:
            raise Panic(f"memory is wanted of {wanted.target}, who is dead", quirk="memreq-bad-ep")
        await vm.vmctl(wanted.requestor, VMCTL_MEMREQ_REPLY, EFAULT & WORD)
        return
    request = memory_request(
        memory, process, wanted.addr, wanted.length, bool(wanted.flag),
        KERNEL, wanted.requestor, vfs_free=wanted.requestor != VFS,
    )  # fmt: skip
    await vm.begin(handle_memory(vm, request), source, cause)
