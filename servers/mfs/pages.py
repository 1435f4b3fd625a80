"""What a block cache asks VM for: pages to keep blocks in, and pages that VM has already.

Source: MINIX ``lib/libsys/vm_cache.c``, ``vm_info.c``.
"""

from __future__ import annotations

import struct
from typing import Final

import attrs

from ipc.endpoint import SELF, VM
from ipc.errors import OK
from ipc.flags import MAP_ANON, MAP_PREALLOC, PROT_READ, PROT_WRITE, VMIW_STATS
from ipc.messageclass import maker
from ipc.traps import Load, SendRec, trap
from ipc.vm import (
    VmClearcache,
    VmForgetcachepage,
    VmInfo,
    VmMapcachepage,
    VmMmap,
    VmMunmap,
    VmSetcachepage,
)  # fmt: skip
from servers.mfs.layout import BLOCK_SIZE

# The messages that ask for VM's page for a place on the device, and let VM use a page for one.  A
# cache sends them itself, which saves a coroutine for every block that is read.
vm_mapcachepage: Final = maker(VmMapcachepage)
vm_setcachepage: Final = maker(VmSetcachepage)

# struct vm_stats_info: page size, total, free, largest, cached.
_STATS: Final = struct.Struct("<IIIII")

# What asks for a page of zeros.  The answer: its address, or ENOMEM.  Never changed: all machines
# share it.
ALLOCATE: Final = SendRec(
    VM,
    VmMmap(
        len=BLOCK_SIZE, prot=PROT_READ | PROT_WRITE, flags=MAP_ANON | MAP_PREALLOC, fd=-1,
        forwhom=SELF,
    ),
)  # fmt: skip


@attrs.define(eq=False)
class Pages:
    """Calls to VM, each of which waits for the answer.  A page is as large as a block.

    `scratch` is the address of some bytes of the server's own, where VM puts what it tells.
    """

    scratch: int

    async def unmap(self, address: int) -> None:
        """Give the page at `address` back.

        Differs: MINIX's MFS panics if VM does not take it; here it is lost, and nothing else is.
        """
        await trap(SendRec(VM, VmMunmap(addr=address, len=BLOCK_SIZE)))

    async def forget(self, device: int, device_offset: int) -> None:
        """No file has this place on the device any more."""
        await trap(SendRec(VM, VmForgetcachepage(dev=device, dev_offset=device_offset, pages=1)))

    async def clear(self, device: int) -> None:
        """Nothing of this device may stay in VM's cache."""
        await trap(SendRec(VM, VmClearcache(dev=device)))

    async def free_kilobytes(self) -> int | None:
        """Memory that is free or could be freed from VM's cache (KiB); None if VM does not say."""
        answer = await trap(SendRec(VM, VmInfo(what=VMIW_STATS, ep=SELF, ptr=self.scratch)))
        if answer.type != OK:
            return None
        stats = _STATS.unpack(await trap(Load(self.scratch, _STATS.size)))
        page_size, _total, free, _largest, cached = stats
        return int((free + cached) * page_size // 1024)
