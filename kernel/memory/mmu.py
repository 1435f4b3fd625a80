"""The handle with which VM, and nobody else, rules the machine's memory.

VM makes address spaces, gives them to processes, writes their page tables, and copies and clears
physical memory.  Whoever watches is told of each range once.

Differs: in MINIX page tables are memory that VM writes itself, and copying and clearing are kernel
calls; here all of it is a call on this handle.

Source: MINIX ``servers/vm/pagetable.c``, ``kernel/system/{do_copy,do_memset,do_vmctl}.c``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ipc.endpoint import NONE
from kernel.memory.frames import PAGE_MASK, PAGE_SHIFT, Frames
from kernel.memory.space import (
    PTE_FLAGS,
    PTE_FRAME,
    TABLE_INDEX,
    TABLE_SHIFT,
    AddressSpace,
    Entries,
)


@attrs.frozen
class MemoryEvent:
    """VM changed memory: `action` is map, unmap, copy, clear, bind, or free.

    `endpoint` is the process (NONE for physical memory), `address` the first virtual address (or
    the destination of a copy), `frame` the first physical address (or the source of a copy), and
    `flags` the page table flags of the first page.
    """

    action: str
    endpoint: int
    address: int
    pages: int
    frame: int = 0
    flags: int = 0


Watcher: TypeAlias = Callable[[MemoryEvent], None]
Binder: TypeAlias = Callable[[int, AddressSpace], int]


@attrs.define(eq=False)
class Mmu:
    """What VM can do to memory.

    `binder(endpoint, space)` is the kernel's part of binding: it makes the space the process's
    and answers OK, or EINVAL if there is no such process.
    """

    frames: Frames
    binder: Binder
    watch: Watcher | None = None

    def new(self) -> AddressSpace:
        """A new address space in which nothing is mapped."""
        return AddressSpace()

    def bind(self, endpoint: int, space: AddressSpace) -> int:
        """Make `space` the address space of a process.  OK, or EINVAL if it is dead."""
        result = self.binder(endpoint, space)
        if result == 0:
            space.endpoint = endpoint
        if self.watch is not None:
            self.watch(MemoryEvent("bind", endpoint, 0, 0))
        return result

    def free(self, space: AddressSpace) -> None:
        """Unmap everything in `space`, which no process uses any more."""
        if self.watch is not None:
            self.watch(MemoryEvent("free", space.endpoint, 0, 0))
        space.clear_all()

    def map_page(self, space: AddressSpace, vaddr: int, entry: int) -> None:
        """Make `entry` (frame and flags) the page table entry of the page at `vaddr`."""
        table = space.tables.get(vaddr >> TABLE_SHIFT)
        if table is None:
            space.set(vaddr, entry)
        else:
            table[vaddr >> PAGE_SHIFT & TABLE_INDEX] = entry
        if self.watch is not None:
            event = MemoryEvent(
                "map", space.endpoint, vaddr, 1, entry & PTE_FRAME, entry & PTE_FLAGS
            )
            self.watch(event)

    def map_range(self, space: AddressSpace, vaddr: int, entries: Entries) -> None:
        """Write page table entries, one a page from `vaddr` on; 0 leaves a page as it is."""
        space.write(vaddr, entries)
        if self.watch is not None and entries.any():
            first = int(entries[entries != 0][0])
            count = int(np.count_nonzero(entries))
            self.watch(
                MemoryEvent(
                    "map", space.endpoint, vaddr, count, first & PTE_FRAME, first & PTE_FLAGS
                )
            )

    def unmap(self, space: AddressSpace, vaddr: int, pages: int) -> None:
        """Unmap `pages` pages from `vaddr` on."""
        space.clear(vaddr, pages)
        if self.watch is not None:
            self.watch(MemoryEvent("unmap", space.endpoint, vaddr, pages))

    def copy(self, source: int, dest: int, length: int) -> None:
        """Copy `length` bytes of physical memory.  MINIX: sys_abscopy."""
        self.frames.copy(source, dest, length)
        if self.watch is not None:
            pages = (length + PAGE_MASK) >> PAGE_SHIFT
            self.watch(MemoryEvent("copy", NONE, dest, pages, source))

    def fill(self, phys: int, byte: int, length: int) -> None:
        """Set `length` bytes of physical memory to `byte`.  MINIX: sys_memset."""
        self.frames.fill(phys, byte, length)
        if self.watch is not None:
            self.watch(MemoryEvent("clear", NONE, 0, (length + PAGE_MASK) >> PAGE_SHIFT, phys))

    def clear_page(self, frame: int) -> None:
        """Clear the page frame with this number."""
        self.frames.contents.pop(frame, None)
        if self.watch is not None:
            self.watch(MemoryEvent("clear", NONE, 0, 1, frame << PAGE_SHIFT))

    def clear_frames(self, addresses: NDArray[Any]) -> None:
        """Clear the page frames at these physical addresses, in this order."""
        self.frames.clear_frames(addresses >> PAGE_SHIFT)
        if self.watch is not None and len(addresses):
            self.watch(MemoryEvent("clear", NONE, 0, len(addresses), int(addresses[0])))


__all__ = ["Binder", "MemoryEvent", "Mmu", "Watcher"]
