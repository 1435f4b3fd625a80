"""What file systems ask of the page cache.  Source: MINIX ``servers/vm/mem_cache.c``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.errors import EFAULT, EINVAL, ENOENT, ENOMEM
from ipc.message import Reply
from ipc.vm import (
    VmClearcache,
    VmForgetcachepage,
    VmMapcachepage,
    VmMapcachepageReply,
    VmSetcachepage,
)
from kernel.panic import Panic
from servers.lib.loop import Refused
from servers.vm.config import MMAP_BASE
from servers.vm.mapping import cut, map_nothing, map_region
from servers.vm.memory import Memory
from servers.vm.memtypes import ANON, CACHE, CONTIG
from servers.vm.outcome import MAPPED
from servers.vm.pagecache import NO_DEVICE, NO_INODE, ONCE, CachedPage
from servers.vm.process import PAGE, WORD
from servers.vm.region import ANON as ANON_FLAG
from servers.vm.region import WRITABLE, Region

if TYPE_CHECKING:
    from servers.vm.server import VmServer


_DONE: Final = Reply()
_NOT_CACHED: Final = Reply(ENOENT)
_LONG: Final = 0xFFFFFFFFFFFFFFFF


def do_mapcache(vm: VmServer, source: int, message: VmMapcachepage) -> Reply:
    """Map pages of the cache into the caller; ENOENT unless all of them are in it."""
    memory = vm.memory
    device_offset, inode_offset = message.dev_offset, message.ino_offset
    if (device_offset | inode_offset) % PAGE:
        raise Refused(EFAULT)
    process = vm.caller
    if not message.pages:
        raise Refused(EINVAL)
    length = message.pages * PAGE
    # With quirks, what was at the place of a region can still be mapped, and goes with it.
    if (message.dev, device_offset & _LONG) not in memory.cache.by_device and not memory.quirks:
        if not map_nothing(memory, process, length):
            raise Refused(ENOMEM)
        return _NOT_CACHED  # no refusal, but what a file system hears for each new block
    top = memory.config.user_end
    region = map_region(memory, process, MMAP_BASE, top, length, ANON_FLAG | WRITABLE, CACHE)
    if region is None:
        raise Refused(ENOMEM)
    for offset in range(0, length, PAGE):
        cached = memory.cache.find(
            message.dev, device_offset + offset & _LONG, message.ino, inode_offset + offset & _LONG
        )
        if cached is None or cached.flags & ONCE:
            cut(memory, process, region, 0, length)
            return _NOT_CACHED
        region.param = cached.block
        if memory.map_page(region, offset >> 12, write=True, may_ask=False) is not MAPPED:
            cut(memory, process, region, 0, length)
            raise Refused(ENOMEM)
    return VmMapcachepageReply(addr=region.vaddr)


def do_setcache(vm: VmServer, source: int, message: VmSetcachepage) -> Reply:
    """Put pages of the caller's memory into the cache.

    EFAULT where the caller has no page, or one that is not its own alone.
    """
    memory = vm.memory
    if not message.pages:
        raise Refused(EINVAL)
    if (message.dev_offset | message.ino_offset) % PAGE:
        raise Refused(EFAULT)
    if message.block % PAGE and "setcache-unaligned" not in memory.quirks:
        raise Refused(EFAULT)
    if message.dev == NO_DEVICE and "setcache-nodev" not in memory.quirks:
        raise Refused(EINVAL)
    regions, cache = vm.caller.regions, memory.cache
    for offset in range(0, message.pages * PAGE, PAGE):
        vaddr = (message.block + offset) & WORD
        region = regions.at(vaddr)
        if region is None:
            raise Refused(EFAULT)
        inside = vaddr - region.vaddr
        if inside & 0xFFF:
            raise Panic("not the start of a page of a region", quirk="setcache-unaligned")
        page = inside >> 12
        block = 0 if region.blocks is None else region.blocks[page]
        if not block:
            raise Refused(EFAULT)
        cached = cache.find(
            message.dev, message.dev_offset + offset & _LONG,
            message.ino, message.ino_offset + offset & _LONG,
        )  # fmt: skip
        if cached is None or cached.block != block or cached.flags & ONCE:
            wanted = CachedPage(
                message.dev, message.dev_offset + offset & _LONG,
                message.ino, message.ino_offset + offset & _LONG, message.flags & ONCE, block,
            )  # fmt: skip
            _set_page(memory, region, page, cached, wanted)
        elif message.ino == NO_INODE and "stale-inode" not in memory.quirks:
            cache.set_inode(cached, NO_INODE, 0)
    return _DONE


def _set_page(
    memory: Memory, region: Region, page: int, cached: CachedPage | None, wanted: CachedPage
) -> None:
    """Put page `page` into the cache as `wanted`, in place of what is `cached` for that offset."""
    cache = memory.cache
    if cached is not None and "setcache-drops-old" in memory.quirks:
        cache.remove(cached)
        cached = None
    kind = region.kind if region.kinds is None else region.kind_of(page)
    if (kind is not ANON and kind is not CONTIG) or memory.blocks.refs[wanted.block] != 1:
        raise Refused(EFAULT)
    if cached is not None:
        cache.remove(cached)
    region.set_kind(page, CACHE)
    if not cache.add(wanted):
        raise Refused(EINVAL)


def do_forgetcache(vm: VmServer, source: int, message: VmForgetcachepage) -> Reply:
    """Drop pages of a device from the cache."""
    if not message.pages:
        raise Refused(EINVAL)
    if message.dev_offset % PAGE:
        raise Refused(EFAULT)
    cache = vm.memory.cache
    for offset in range(0, message.pages * PAGE, PAGE):
        cached = cache.find(message.dev, message.dev_offset + offset & _LONG, touch=False)
        if cached is not None:
            cache.remove(cached)
    return _DONE


def do_clearcache(vm: VmServer, source: int, message: VmClearcache) -> Reply:
    """Drop all pages of a device from the cache."""
    vm.memory.cache.clear_device(message.dev)
    return _DONE
