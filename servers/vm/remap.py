"""Shared memory: showing the memory of one process in another.

Source: MINIX ``servers/vm/mmap.c`` do_remap, do_get_phys, do_get_refcount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipc.errors import EFAULT, EINVAL, ENOMEM
from ipc.vm import (
    VmGetphys,
    VmGetphysReply,
    VmGetref,
    VmGetrefReply,
    VmRemap,
    VmRemapReply,
    VmRemapRo,
    VmRemapRoReply,
)
from servers.lib.loop import Refused
from servers.vm.config import MMAP_BASE
from servers.vm.mapping import cut, map_region, round_up
from servers.vm.memory import Memory
from servers.vm.memtypes import ANON, SHARED_MEMORY
from servers.vm.memtypes.anon import copy_on_write
from servers.vm.process import PAGE, VmProcess
from servers.vm.region import SHARED, WRITABLE, Region

if TYPE_CHECKING:
    from servers.vm.server import VmServer


def do_remap(vm: VmServer, source: int, message: VmRemap) -> VmRemapReply:
    """Show a region of one process in another, which may write it too."""
    return VmRemapReply(ret_addr=remap(vm.memory, message, SHARED | WRITABLE))


def do_remap_ro(vm: VmServer, source: int, message: VmRemapRo) -> VmRemapRoReply:
    """Show a region of one process in another, which may only read it."""
    return VmRemapRoReply(ret_addr=remap(vm.memory, message, SHARED))


def remap(memory: Memory, message: VmRemap | VmRemapRo, flags: int) -> int:
    """Make the shared region; its address.

    EINVAL if there is no such process or region, EFAULT if not a whole region is shown, ENOMEM if
    there is no room.
    """
    if not message.size:
        raise Refused(EINVAL)
    dest = memory.process(message.destination)
    owner = memory.process(message.source)
    if dest is None or owner is None:
        raise Refused(EINVAL)
    source = owner.regions.at(message.src_addr)
    if source is None:
        raise Refused(EINVAL)
    size = round_up(message.size)
    if source.vaddr != message.src_addr or size != source.length:
        raise Refused(EFAULT)
    _demand_shareable(memory, source, message.dest_addr)
    low, high = message.dest_addr, 0
    if not low:
        low, high = MMAP_BASE, memory.config.user_end
    region = map_region(memory, dest, low, high, size, flags, SHARED_MEMORY)
    if region is None:
        raise Refused(ENOMEM)
    if SHARED_MEMORY.set_source(memory, region, owner.endpoint, source):
        _take_back(memory, dest, region)
        raise Refused(EINVAL)
    return region.vaddr


def _take_back(memory: Memory, dest: VmProcess, region: Region) -> None:
    region.param = None
    cut(memory, dest, region, 0, region.length)


def _demand_shareable(memory: Memory, source: Region, dest_addr: int) -> None:
    """Refuse what is not anonymous or not aligned, and make the source's pages its own.

    Pages that a fork left common with others would be written by all who share the region.
    """
    quirks = memory.quirks
    if source.kind is not ANON and "remap-not-anon" not in quirks:
        raise Refused(EINVAL)
    if dest_addr % PAGE and "remap-unaligned" not in quirks:
        raise Refused(EINVAL)
    if "remaps-fork-cow" in quirks or source.remaps:
        return
    numbers = source.numbers()
    (common,) = np.nonzero((numbers != 0) & (memory.blocks.views[numbers] > 1))
    for page in common.tolist():
        if source.kind_of(page) is ANON:
            if not copy_on_write(memory, source, page):
                raise Refused(ENOMEM)
            memory.write_entry(source, page)


def do_get_phys(vm: VmServer, source: int, message: VmGetphys) -> VmGetphysReply:
    """The number of the memory that the region at an address gives access to."""
    region = _region_starting(vm.memory, message.endpt, message.addr)
    number = region.kind.region_id(vm.memory, region)
    if number is None:
        raise Refused(EINVAL)
    return VmGetphysReply(ret_addr=number)


def do_get_refcount(vm: VmServer, source: int, message: VmGetref) -> VmGetrefReply:
    """How many regions give access to the memory of the region at an address."""
    region = _region_starting(vm.memory, message.endpt, message.addr)
    count = region.kind.sharers(vm.memory, region)
    if count is None:
        raise Refused(EINVAL)
    return VmGetrefReply(retc=count & 0xFF if "getref-shared" in vm.memory.quirks else count)


def _region_starting(memory: Memory, endpoint: int, address: int) -> Region:
    process = memory.process(endpoint)
    region = None if process is None else process.regions.at(address)
    if region is None or region.vaddr != address:
        raise Refused(EINVAL)
    return region
