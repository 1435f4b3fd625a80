"""The C library: memory.

Source: MINIX ``lib/libc/sys/{mmap,brk,sbrk}.c``.
"""

from __future__ import annotations

from typing import Final

from ipc.endpoint import SELF, VM
from ipc.errors import ENOMEM
from ipc.flags import MAP_ANON, MAP_PRIVATE, PROT_READ, PROT_WRITE
from ipc.message import unsigned
from ipc.vm import VmBrk, VmMmap, VmMunmap
from servers.lib.libc.base import Library
from servers.lib.libc.errors import CallFailed

NULL: Final = 0
_TOP: Final = 1 << 32


class Memory(Library):
    """Calls to VM."""

    __slots__ = ()

    async def mmap(
        self,
        addr: int = NULL,
        length: int = 0,
        prot: int = PROT_READ | PROT_WRITE,
        flags: int = MAP_PRIVATE | MAP_ANON,
        fd: int = -1,
        offset: int = 0,
    ) -> int:
        """Map `length` bytes of memory or of a file; the address.  Raises CallFailed."""
        request = VmMmap(
            offset=offset,
            addr=unsigned(addr),
            len=unsigned(length),
            prot=prot,
            flags=flags,
            fd=fd,
            forwhom=SELF,
        )
        reply = await self.syscall(VM, request)
        return int(reply.retaddr)

    async def munmap(self, addr: int, length: int) -> int:
        """Unmap what is mapped in a range.  Raises CallFailed."""
        reply = await self.syscall(VM, VmMunmap(unsigned(addr), unsigned(length)))
        return int(reply.type)

    async def brk(self, addr: int) -> int:
        """Make `addr` the end of the heap.  VM is only asked for a new one.  Raises CallFailed."""
        if addr != self.break_address:
            await self.syscall(VM, VmBrk(unsigned(addr)))
            self.break_address = addr
        return 0

    async def sbrk(self, increment: int) -> int:
        """Let the heap grow (or shrink) by `increment` bytes; its old end.  Raises CallFailed."""
        before = self.break_address
        if not 0 <= before + increment < _TOP:
            raise CallFailed("VM_BRK", ENOMEM)
        await self.brk(before + increment)
        return before
