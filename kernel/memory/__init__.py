"""The machine's memory: frames and their contents, address spaces, and VM's handle on both."""

from kernel.memory.frames import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, Frames
from kernel.memory.mmu import MemoryEvent, Mmu
from kernel.memory.space import AddressSpace

__all__ = [
    "PAGE_MASK",
    "PAGE_SHIFT",
    "PAGE_SIZE",
    "AddressSpace",
    "Frames",
    "MemoryEvent",
    "Mmu",
]
