"""Statistics: of the machine, of a process, of its regions.

Source: MINIX ``servers/vm/utility.c`` do_info, do_getrusage; ``region.c`` get_usage_info,
get_region_info.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import attrs
import numpy as np

from ipc.endpoint import PM, SELF, VM
from ipc.errors import EINVAL, ESRCH, OK
from ipc.flags import PROT_READ, PROT_WRITE, VMIW_REGION, VMIW_STATS, VMIW_USAGE
from ipc.message import Reply
from ipc.vm import VmGetrusage, VmInfo, VmInfoReply
from servers.lib.loop import Refused
from servers.lib.memory import copy_in, copy_out
from servers.vm.config import STACK_SIZE
from servers.vm.handle_memory import handle_memory_once
from servers.vm.memory import Memory
from servers.vm.process import PAGE, WORD, VmProcess
from servers.vm.region import SHARED, WRITABLE

if TYPE_CHECKING:
    from servers.vm.server import VmServer

MAX_REGIONS: Final = 64  # MINIX: MAX_VRI_COUNT
RUSAGE_SIZE: Final = 80
_MAXRSS_OFFSET: Final = 24


@attrs.frozen
class Usage:
    """How much memory a process uses, in bytes; `max_resident` in units of 1024 bytes.

    `common` pages are referred to by others too, `shared` ones are so on purpose; `virtual`
    counts addresses, `mapped_virtual` not those of a stack that it has not touched.
    """

    total: int = 0
    common: int = 0
    shared: int = 0
    virtual: int = 0
    mapped_virtual: int = 0
    max_resident: int = 0
    minor_faults: int = 0
    major_faults: int = 0

    def packed(self) -> bytes:
        """As MINIX's struct vm_usage_info has it."""
        return struct.pack("<5I3Q", *attrs.astuple(self))


async def do_info(vm: VmServer, source: int, message: VmInfo) -> VmInfoReply:
    """Copy statistics to the caller: VMIW_STATS, VMIW_USAGE or VMIW_REGION."""
    memory = vm.memory
    count, following = message.count, message.next
    if message.what == VMIW_STATS:
        data = _stats(memory)
    elif message.what == VMIW_USAGE:
        data = _usage_of(memory, message.ep).packed()
    elif message.what == VMIW_REGION:
        process = memory.process(source if message.ep == SELF else message.ep)
        if process is None:
            raise Refused(EINVAL)
        regions, following = region_info(process, min(count, MAX_REGIONS), following)
        count = len(regions)
        data = b"".join(struct.pack("<4I", *region, 0) for region in regions)
    else:
        raise Refused(EINVAL)
    if data:
        await _copy_out(vm, source, message.ptr, data)
    return VmInfoReply(count=count, next=following)


async def _copy_out(vm: VmServer, dest: int, address: int, data: bytes) -> None:
    """Copy `data` to the caller, whose memory is there before the kernel asks VM for it."""
    process = vm.memory.process(dest)
    assert process is not None, "the caller is known"
    result = handle_memory_once(vm.memory, process, address, len(data), write=True)
    if result == OK:
        await vm.flush()
        result = await copy_out(data, dest, address)
    if result != OK:
        raise Refused(result)


def _stats(memory: Memory) -> bytes:
    """As MINIX's struct vm_stats_info has it: page size, pages, free ones, in a row, cached."""
    pages = memory.allocator
    return struct.pack(
        "<5I", PAGE, pages.total, pages.free_count, pages.largest(), len(memory.cache)
    )


def _usage_of(memory: Memory, endpoint: int) -> Usage:
    config = memory.config
    if endpoint < 0:
        size = (config.kernel_bytes + config.kernel_dynamic_bytes) & WORD
        return Usage(total=size, virtual=size, mapped_virtual=size)
    process = memory.process(endpoint)
    if process is None:
        raise Refused(EINVAL)
    if endpoint == VM:
        size = config.vm_bytes
        return Usage(total=size, virtual=size, mapped_virtual=size)
    return usage(memory, process)


def usage(memory: Memory, process: VmProcess) -> Usage:
    """What `process` uses.  MINIX: get_usage_info."""
    total = common = shared = virtual = mapped = 0
    stack = memory.config.user_stack - STACK_SIZE
    for region in process.regions:
        numbers = region.numbers()
        resident = int(np.count_nonzero(numbers))
        several = int(np.count_nonzero(memory.blocks.views[numbers[numbers != 0]] > 1))
        total += resident
        common += several
        if region.flags & SHARED:
            shared += several
        virtual += region.length
        mapped += region.length
        if region.vaddr == stack and region.length == STACK_SIZE:
            mapped -= region.length - resident * PAGE
    return Usage(
        total * PAGE & WORD,
        common * PAGE & WORD,
        shared * PAGE & WORD,
        virtual & WORD,
        mapped & WORD,
        process.total_max // 1024,
        process.minor_faults,
        process.major_faults,
    )


def region_info(
    process: VmProcess, limit: int, following: int
) -> tuple[list[tuple[int, int, int]], int]:
    """Up to `limit` regions from address `following` on, and where to go on.

    Each is the address and length of the part that is in use, and its rights (PROT_*); regions of
    which nothing is in use are left out.  MINIX: get_region_info.
    """
    found: list[tuple[int, int, int]] = []
    region = process.regions.ceiling(following) if limit else None
    while region is not None and len(found) < limit:
        following = region.end & WORD
        (used,) = region.numbers().nonzero()
        if len(used):
            first, last = int(used[0]), int(used[-1])
            rights = PROT_READ | (PROT_WRITE if region.flags & WRITABLE else 0)
            found.append((region.vaddr + first * PAGE, (last + 1 - first) * PAGE, rights))
        region = process.regions.above(region.vaddr)
    return found, following


async def do_getrusage(vm: VmServer, source: int, message: VmGetrusage) -> Reply:
    """Fill in what VM knows of a process's usage in PM's struct rusage; nothing for anyone else."""
    if source != PM:
        return Reply()
    process = vm.memory.process(message.endpt)
    if process is None:
        raise Refused(ESRCH)
    await vm.flush()
    data = await copy_in(source, message.addr, RUSAGE_SIZE)
    if isinstance(data, int):
        raise Refused(data)
    if not message.children:
        data = with_usage(data, process)
    return Reply(await copy_out(data, source, message.addr))


def with_usage(data: bytes, process: VmProcess) -> bytes:
    """A struct rusage with the memory and the page faults of `process` in it."""
    changed = bytearray(data)
    struct.pack_into("<I", changed, _MAXRSS_OFFSET, process.total_max // 1024)
    struct.pack_into(
        "<2I",
        changed,
        _MAXRSS_OFFSET + 16,
        process.minor_faults & WORD,
        process.major_faults & WORD,
    )
    return bytes(changed)
