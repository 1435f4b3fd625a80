"""What a block cache asks VM for: pages to keep blocks in, and pages that VM has already.

Source: MINIX ``lib/libsys/vm_cache.c``, ``vm_info.c``.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from ipc.endpoint import SELF, VM
from ipc.errors import ENOMEM, OK
from ipc.flags import MAP_ANON, MAP_PREALLOC, PROT_READ, PROT_WRITE
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
from kernel.panic import Panic
from servers.mfs.layout import BLOCK_SIZE

VMSF_ONCE: Final = 1
VMIW_STATS: Final = 1
# struct vm_stats_info: page size, total, free, largest, cached.
_STATS: Final = struct.Struct("<IIIII")


@attrs.define(eq=False)
class Pages:
    """Calls to VM, each of which waits for the answer.  A page is as large as a block.

    `scratch` is the address of some bytes of the server's own, where VM puts what it tells.
    """

    scratch: int

    async def allocate(self, make_room: Callable[[], Awaitable[None]]) -> int:
        """The address of a new page of zeros; `make_room` is tried once if there is no memory."""
        request = VmMmap(
            addr=0, len=BLOCK_SIZE, prot=PROT_READ | PROT_WRITE, flags=MAP_ANON | MAP_PREALLOC,
            fd=-1, forwhom=SELF,
        )  # fmt: skip
        for retry in (True, False):
            answer = await trap(SendRec(VM, request))
            if answer.type == OK:
                return int(answer.retaddr)
            if retry:
                await make_room()
        raise Panic("no memory for a block of the cache")

    async def unmap(self, address: int) -> None:
        """Give the page at `address` back."""
        answer = await trap(SendRec(VM, VmMunmap(addr=address, len=BLOCK_SIZE)))
        if answer.type != OK:
            raise Panic(f"VM does not take back the page at {address:#x}: {answer.type}")

    async def map_cached(self, device: int, device_offset: int, inode: int, offset: int) -> int:
        """Map VM's page for a place on the device; the address, or 0 if VM has none."""
        answer = await trap(
            SendRec(
                VM,
                VmMapcachepage(
                    dev=device, dev_offset=_signed(device_offset), ino=inode, ino_offset=offset,
                    pages=1,
                ),
            )
        )  # fmt: skip
        return int(answer.addr) if answer.type == OK else 0

    async def tell(
        self, address: int, device: int, device_offset: int, inode: int, offset: int, once: bool
    ) -> None:
        """Let VM use the page at `address` for this place on the device and in the file.

        If VM has no memory left to note it, mappings of the file will miss the page; that is no
        reason to stop.
        """
        answer = await trap(
            SendRec(
                VM,
                VmSetcachepage(
                    dev=device, dev_offset=_signed(device_offset), ino=inode, ino_offset=offset,
                    block=address, pages=1, flags=VMSF_ONCE if once else 0,
                ),
            )
        )  # fmt: skip
        if answer.type not in (OK, ENOMEM):
            raise Panic(f"VM refuses the cache block at {address:#x}: {answer.type}")

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


def _signed(offset: int) -> int:
    """A 64-bit place as the signed number in which it travels."""
    return offset - (1 << 64) if offset >> 63 else offset
