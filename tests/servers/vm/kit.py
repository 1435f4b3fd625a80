"""A VM without a machine around it, for tests of its parts."""

from __future__ import annotations

from typing import Any

from ipc.errors import OK
from kernel.memory import Frames, Mmu
from kernel.quirks import NO_QUIRKS, Quirks
from scenarios.campaign.vm_operations import PAGE, boot
from scenarios.conform.vm import VmReplay
from servers.vm.alloc import memory_chunks
from servers.vm.config import BootConfig
from servers.vm.memory import Memory
from servers.vm.process import INUSE, VmProcess

Json = dict[str, Any]

ANON = 0x1002  # MAP_ANON|MAP_PRIVATE
FIXED = 0x1012
PREALLOC = 0x81002
TEXT = 0x8048000


def new_memory(frames: int = 64, *quirks: str) -> Memory:
    """VM's state, with so many frames from 1 MiB on and no process."""
    chunks = ((0x100000, frames * PAGE),)
    mmu = Mmu(Frames(chunks), lambda endpoint, space: OK)
    memory = Memory(mmu, BootConfig(chunks), frozenset(quirks))
    memory.allocator.add_memory(memory_chunks(chunks))
    return memory


def new_process(memory: Memory, slot: int) -> VmProcess:
    """A process without memory."""
    process = memory.slot(slot)
    process.flags = INUSE
    memory.enter(process, slot)
    return process


def op(name: str, src: int = 11, **fields: Any) -> Json:
    """An operation as recordings have it."""
    return {"op": name, "src": src, **fields}


def run(
    operations: list[Json], quirks: Quirks = NO_QUIRKS, frames: int = 192
) -> tuple[VmReplay, list[Json]]:
    """VM after the operations, and what it did in the last one."""
    machine = VmReplay(boot(frames), quirks)
    return machine, carry_on(machine, operations)


def carry_on(machine: VmReplay, operations: list[Json]) -> list[Json]:
    """Do more operations; what VM did in the last one."""
    out: list[Json] = []
    for operation in operations:
        out = machine.answer({"in": operation})["out"]
    return out


def last_reply(out: list[Json]) -> int | None:
    """The result in the last answer that VM gave, if it gave one."""
    replies = [event["type"] for event in out if event["ev"] == "reply"]
    return replies[-1] if replies else None


def cached(inode: int = 7, pages: int = 1, flags: int = 0) -> list[Json]:
    """MFS puts pages of a file into the cache."""
    return [
        op("mmap", 10, addr=0x30000000, len=pages * PAGE, flags=0x81012),
        op("setcache", 10, dev=769, dev_offset=0, ino=inode, ino_offset=0, block=0x30000000,
           pages=pages, flags=flags),
    ]  # fmt: skip


def mapped_file(
    request: int, address: int = 0, src: int = 11, pages: int = 1, **fields: Any
) -> list[Json]:
    """A process maps a file, and VFS finds it."""
    return [
        op("mmap", src, addr=address, len=pages * PAGE, flags=2, fd=3, **fields),
        op("vfs_reply", 1, endpoint=src, reqid=request, dev=769, ino=7, fd=20, size_pages=4),
    ]
