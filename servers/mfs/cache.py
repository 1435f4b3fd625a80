"""The block cache: blocks of the device in MFS's memory, shared with VM's page cache.

Each block lies in a page of its own that came from VM: mapped in from VM's cache, or mapped
anonymously and told to VM once its contents make sense, with the file and offset that it belongs
to.  That is how a page of a file gets into other processes.  VM may know a block under another
file, or not know it any more; so a block that is found here under a new owner is told again.

A block is held while it is used (`get` … `put`); a block that is not held may be recycled, least
recently used first.

Source: MINIX ``lib/libminixfs/cache.c``.
"""

from __future__ import annotations

import math
import types
from collections import OrderedDict
from collections.abc import Coroutine, Generator, Iterator
from typing import Any, Final

import attrs

from ipc.endpoint import VM
from ipc.errors import EIO, ENOMEM, OK, IpcError
from ipc.flags import VMSF_ONCE
from ipc.traps import Load, SendRec, Store, trap, yields_traps
from servers.lib.loop import Refused
from servers.mfs.device import GATHER, SCATTER, BlockDevice
from servers.mfs.layout import BLOCK_SIZE, NO_INODE
from servers.mfs.pages import ALLOCATE, Pages, vm_mapcachepage, vm_setcachepage

MINIMUM_BUFFERS: Final = 6
DEFAULT_BUFFERS: Final = 1024
MAX_PREFETCH: Final = 64
# VM knows blocks by their place on the device, a signed number of bytes; no device has this block.
FIRST_BEYOND: Final = (1 << 63) // BLOCK_SIZE
BAND: Final = 10 * 1024  # KiB of allocated or freed blocks after which the size is looked at again


class _Done:
    """What can be awaited, again and again, and is done already."""

    __slots__ = ()

    def __iter__(self) -> Iterator[None]:
        return iter(())

    __await__ = __iter__


_DONE: Final[Any] = _Done()


@attrs.define(eq=False)
class Buffer:
    """A block of `device` (0: of none) and the page at `data` (0: none) where it lies.

    All else is unset until `BlockCache.obtain` has put a block into it.
    """

    device: int = 0
    data: int = 0
    held: int = 0
    block: int = attrs.field(init=False)
    dirty: bool = attrs.field(init=False)
    inode: int = attrs.field(init=False)
    inode_offset: int = attrs.field(init=False)
    tell_vm: bool = attrs.field(init=False)
    # What is in the page, while it was not changed since.
    text: bytes | None = attrs.field(init=False, repr=False)


@attrs.define(eq=False)
class BlockCache:
    """At most `limit` buffers; `used_blocks` of the device's `total_blocks` are allocated."""

    disk: BlockDevice
    pages: Pages
    limit: int = DEFAULT_BUFFERS
    use_vm: bool = False
    total_blocks: int = 0
    used_blocks: int = 0
    _by_block: dict[tuple[int, int], Buffer] = attrs.field(factory=dict)
    # What is not held, next to be recycled first: `_soon`'s last, then new ones, then `_unused`.
    _soon: list[Buffer] = attrs.field(factory=list)
    _unused: OrderedDict[Buffer, None] = attrs.field(factory=OrderedDict)
    _made: list[Buffer] = attrs.field(factory=list)
    # What asks VM about a block, with another message each time: it is asked one thing at a time.
    _asking: SendRec = attrs.field(factory=lambda: SendRec(VM, vm_mapcachepage()))
    _drift: int = 0
    _holes: int = 0

    # --- getting and putting

    async def get(self, block: int, inode: int = NO_INODE, offset: int = 0) -> Buffer:
        """Hold `block`, reading it if it is neither here nor in VM's cache.

        `inode` and `offset` (bytes) say which part of which file it is, if it is one.  Raises
        Refused if it cannot be read.  Differs: MINIX's MFS panics if a block of its own tables
        cannot be read.
        """
        buffer = self.find(block, inode, offset) or await self.obtain(block, inode, offset)
        if buffer is None:
            buffer = await self._new(block, inode, offset)
            length = await self.disk.read(block * BLOCK_SIZE, buffer.data, BLOCK_SIZE)
            if length != BLOCK_SIZE:
                self._invalidate(buffer)
                await self.put(buffer)
                raise Refused(length if length < 0 else EIO)
        return buffer

    async def peek(self, block: int, inode: int = NO_INODE, offset: int = 0) -> Buffer | None:
        """Hold `block` if it is here or in VM's cache."""
        return self.find(block, inode, offset) or await self.obtain(block, inode, offset)

    def glance(self, block: int, inode: int = NO_INODE, offset: int = 0) -> bytes | None:
        """What is in `block` if the file system has it at hand: as if it were got and put."""
        buffer = self._by_block.get((self.disk.device, block))
        if buffer is None or buffer.text is None:
            return None
        if inode != NO_INODE and (inode != buffer.inode or offset != buffer.inode_offset):
            return None  # VM is to be told
        if not buffer.held:
            self._unused.move_to_end(buffer)
        return buffer.text

    def has(self, block: int) -> bool:
        """Whether `block` is here, so that `get_unread` would give what is in it."""
        return (self.disk.device, block) in self._by_block

    async def get_unread(self, block: int, inode: int = NO_INODE, offset: int = 0) -> Buffer:
        """Hold `block` without reading it: the caller will write all of it."""
        return self.find(block, inode, offset) or await self._new(block, inode, offset)

    def put(self, buffer: Buffer, once: bool = False) -> Coroutine[Any, Any, None]:
        """Let go of `buffer`, as `let_go`.

        What comes back is to be awaited, until VM has been told of the block if it must be.
        """
        told = self.let_go(buffer, once)
        return _DONE if told is None else trap(told)

    def let_go(self, buffer: Buffer, once: bool = False) -> SendRec | None:
        """Let go of `buffer`; `once`: nobody will want it again.  Source: put_block.

        What comes back is the trap that tells VM of the block, to be made next if there is one.
        """
        held = buffer.held
        assert held > 0, "a buffer that is put is held"
        buffer.held = held - 1
        if held > 1:
            return None
        if once or not buffer.device:
            self._soon.append(buffer)
        else:
            self._unused[buffer] = None
        told = self._news(buffer, once) if buffer.tell_vm else None
        if once:
            self._invalidate(buffer)
        return told

    def _news(self, buffer: Buffer, once: bool = False) -> SendRec | None:
        """The trap that tells VM of `buffer`, which it must be told if there is a block in it.

        If VM has no memory left to note it, mappings of the file will miss the page; that is no
        reason to stop.  Differs: MINIX's MFS panics if VM has any other reason.
        """
        buffer.tell_vm = False
        device = buffer.device
        if not device:
            return None
        place = buffer.block * BLOCK_SIZE
        asking = self._asking
        asking.message = vm_setcachepage(
            device, place, buffer.inode_offset, buffer.inode, buffer.data, 0, 1,
            VMSF_ONCE if once else 0,
        )  # fmt: skip
        return asking

    def find(self, block: int, inode: int = NO_INODE, offset: int = 0) -> Buffer | None:
        """Hold `block` if it is here."""
        buffer = self._by_block.get((self.disk.device, block))
        if buffer is None:
            return None
        if buffer.held == 0:
            del self._unused[buffer]
        buffer.held += 1
        self._claim(buffer, inode, offset)
        return buffer

    def _claim(self, buffer: Buffer, inode: int, offset: int) -> None:
        """`buffer` is that part of a file, if it is one: VM is to be told if it was another."""
        if inode != NO_INODE and (inode != buffer.inode or offset != buffer.inode_offset):
            buffer.inode, buffer.inode_offset = inode, offset
            buffer.tell_vm = self.use_vm

    @yields_traps
    @types.coroutine
    def obtain(
        self, block: int, inode: int, offset: int, fresh: bool = False
    ) -> Generator[Any, Any, Buffer | None]:
        """Hold `block`, which is not here, in the page that VM has for it, or in a `fresh` one.

        None if VM has no such page, or no memory.  The buffer is one that is wanted no more, a new
        one, or the one that is longest unused.
        """
        use_vm = self.use_vm
        if not (use_vm or fresh):
            return None
        if self._soon:
            buffer = self._soon.pop()
        elif len(self._made) < self.limit:
            buffer = Buffer()
            self._made.append(buffer)
        else:
            assert self._unused, f"not all {self.limit} buffers are in use"
            buffer = self._unused.popitem(last=False)[0]
        # A buffer is emptied before VM is asked, as in the C: the order of the calls shows it.
        if buffer.device or buffer.data:
            yield from self._empty(buffer)
        device = self.disk.device
        if fresh:
            answer = yield ALLOCATE
        else:
            asking = self._asking
            asking.message = vm_mapcachepage(device, block * BLOCK_SIZE, offset, inode, 0, 1)
            answer = yield asking
        if type(answer) is IpcError:
            raise answer
        if answer.type != OK:
            self._soon.append(buffer)
            return None
        buffer.data = answer.retaddr if fresh else answer.addr
        buffer.device, buffer.block = device, block
        buffer.inode, buffer.inode_offset = inode, offset
        buffer.tell_vm = fresh and use_vm
        buffer.dirty = False
        buffer.text = None
        buffer.held = 1
        self._by_block[device, block] = buffer
        return buffer

    async def _new(self, block: int, inode: int, offset: int) -> Buffer:
        """Hold an empty buffer for `block`; raises as `_obtain_again`."""
        buffer = await self.obtain(block, inode, offset, fresh=True)
        return buffer or await self._obtain_again(block, inode, offset)

    async def _obtain_again(self, block: int, inode: int, offset: int) -> Buffer:
        """The same after VM had no memory for it: give back what nobody holds, and try once more.

        Raises Refused(ENOMEM) if there is still none.  Differs: MINIX's MFS panics.
        """
        await self._free_unused()
        buffer = await self.obtain(block, inode, offset, fresh=True)
        if buffer is None:
            raise Refused(ENOMEM)
        return buffer

    async def contents(self, buffer: Buffer) -> bytes:
        """What is in a block that is held, for the file system itself to look at.

        Nobody but the file system writes to its blocks, so they are loaded once.
        """
        if buffer.text is None:
            buffer.text = await trap(Load(buffer.data, BLOCK_SIZE))
        return buffer.text

    async def change(self, buffer: Buffer, at: int, data: bytes) -> None:
        """Put `data` at byte `at` of a block that is held."""
        await trap(Store(buffer.data + at, data))
        buffer.text = None
        buffer.dirty = True

    def drop(self, buffer: Buffer) -> None:
        """Let go of `buffer`, got unread, into which nothing came that could stay."""
        self._invalidate(buffer)
        self.let_go(buffer)

    # --- recycling

    async def _empty(self, buffer: Buffer) -> None:
        """Write `buffer` back if it has to be, and give up its page.

        Source: MINIX freeblock, which also writes the other dirty blocks of the device.
        """
        if buffer.device:
            if buffer.dirty:
                await self.flush()
            self._invalidate(buffer)
        buffer.dirty = False
        if buffer.data:
            await self.pages.unmap(buffer.data)
            buffer.data = 0

    def _invalidate(self, buffer: Buffer) -> None:
        if buffer.device:
            self._by_block.pop((buffer.device, buffer.block), None)
            buffer.device = 0

    async def _free_unused(self) -> None:
        """Give back all pages of blocks that nobody holds: memory is short."""
        for buffer in list(self._made):
            if buffer.data and not buffer.held:
                await self._empty(buffer)

    async def forget(self, block: int) -> None:
        """`block` is free now: nobody may find it, here or in VM.  MINIX: lmfs_free_block."""
        if self.use_vm:
            await self.pages.forget(self.disk.device, block * BLOCK_SIZE)
        buffer = self._by_block.get((self.disk.device, block))
        if buffer is not None:
            buffer.dirty = False
            self._invalidate(buffer)

    async def show_hole(self, inode: int, offset: int) -> None:
        """Tell VM that `inode` has zeros at `offset`, where no block is.

        A place that no device has is made up, another one each time.

        Source: MINIX lmfs_zero_block_ino.
        """
        if not self.use_vm:
            return
        self._holes = (self._holes + 1) % FIRST_BEYOND
        block = FIRST_BEYOND + self._holes - 1
        if block >= FIRST_BEYOND:
            block -= 2 * FIRST_BEYOND  # as its place travels
        buffer = await self.get_unread(block, inode, offset)
        await self.put(buffer, once=True)

    # --- reading ahead, writing back

    @yields_traps
    @types.coroutine
    def prefetch(self, wanted: list[int], inode: int, offset: int) -> Generator[Any, Any, Buffer]:
        """Hold the first of `wanted`, and read those of the others that lie around it in one run.

        None of them is here; the first is a file's, that of `inode` from `offset` on.  Reading the
        run may fail silently; the first is then read alone.  Raises Refused without memory for it.
        """
        base = wanted[0]
        run = self._run(wanted) if len(wanted) > 1 else wanted
        buffers: list[Buffer] = []
        pages: list[int] = []
        try:
            for block in run:
                buffer: Buffer = (yield from self.obtain(block, NO_INODE, 0, True)) or (
                    yield from self._obtain_again(block, NO_INODE, 0)
                )
                buffers.append(buffer)
                pages.append(buffer.data)
        except Refused:
            for buffer in buffers:
                self.drop(buffer)
            raise
        done = yield from self.disk.transfer(GATHER, run[0] * BLOCK_SIZE, pages, BLOCK_SIZE)
        found: Buffer | None = None
        for buffer in buffers:
            done -= BLOCK_SIZE
            if done < 0:
                self.drop(buffer)
                continue
            if buffer.tell_vm:
                answer = yield self._news(buffer)
                if type(answer) is IpcError:
                    raise answer
            if buffer.block == base:
                found = buffer
            else:
                self.let_go(buffer)
        if found is None:
            found = yield from self.get(base, inode, offset)
        else:  # as `_claim`: it was read for no file
            found.inode, found.inode_offset, found.tell_vm = inode, offset, self.use_vm
        return found

    def _run(self, wanted: list[int]) -> range:
        """The run of blocks around the first of `wanted` that are to be read."""
        base = wanted[0]
        others = set(wanted)
        first, last = base, base
        while first - 1 in others and base - first < MAX_PREFETCH:
            first -= 1
        while last + 1 in others and last - base < MAX_PREFETCH:
            last += 1
        count = min(last - first + 1, MAX_PREFETCH, 18 if self.limit < 50 else self.limit - 4)
        first = base - min(base - first, count - 1)
        return range(first, first + count)

    async def flush(self) -> None:
        """Write all dirty blocks that nobody holds, lowest first, in runs.

        MINIX: lmfs_flushdev.
        """
        dirty = [buffer for buffer in self._by_block.values() if buffer.dirty and not buffer.held]
        dirty.sort(key=lambda buffer: buffer.block)
        while dirty:
            run = 1
            while run < min(len(dirty), MAX_PREFETCH) and dirty[run].block == dirty[0].block + run:
                run += 1
            pages = [buffer.data for buffer in dirty[:run]]
            start = dirty[0].block * BLOCK_SIZE
            done = await self.disk.transfer(SCATTER, start, pages, BLOCK_SIZE)
            written = max(done, 0) // BLOCK_SIZE
            for buffer in dirty[:written]:
                buffer.dirty = False
            if written == 0:
                self._invalidate(dirty[0])
                return
            dirty = dirty[written:]

    async def clear(self) -> None:
        """Drop all blocks of the device, here and in VM; they are written already."""
        for buffer in list(self._by_block.values()):
            self._invalidate(buffer)
            await self.pages.unmap(buffer.data)
            buffer.data = 0
        await self.pages.clear(self.disk.device)

    # --- how large the cache is

    async def mount(self) -> None:
        """Begin anew for a file system that is being mounted.  MINIX: lmfs_set_blocksize."""
        await self._resize(MINIMUM_BUFFERS)
        await self.consider_size()
        self.use_vm = True

    async def set_usage(self, total: int, used: int) -> None:
        """The device has `total` blocks, `used` of them allocated.  MINIX: lmfs_set_blockusage."""
        self.total_blocks, self.used_blocks = total, used
        if not self.in_use():
            await self.consider_size()

    async def change_usage(self, delta: int) -> None:
        """`delta` more blocks are allocated.  MINIX: lmfs_change_blockusage."""
        self.used_blocks = min(max(self.used_blocks + delta, 0), self.total_blocks)
        self._drift += delta
        if not self.in_use() and abs(self._drift) * (BLOCK_SIZE // 1024) > BAND:
            self._drift = 0
            await self.consider_size()

    async def consider_size(self) -> None:
        """Take another size if the present one is far from right.  MINIX: cache_heuristic_check."""
        free = await self.pages.free_kilobytes()
        wanted = MINIMUM_BUFFERS
        if free is None:
            wanted = DEFAULT_BUFFERS
        else:
            root = math.isqrt(self.used_blocks * BLOCK_SIZE // 1024)
            most = min(root, 0xFFFF) * 40  # MINIX's root has 16 bits
            most = min(most, self.total_blocks * BLOCK_SIZE // 1024 // 2)
            wanted = max(wanted, min(free // 10, most) * 1024 // BLOCK_SIZE)
        if abs(wanted - self.limit) * 100 // self.limit > 10:
            await self._resize(wanted)

    async def _resize(self, limit: int) -> None:
        """Source: MINIX lmfs_buf_pool: everything is written and unmapped first."""
        assert not self.in_use(), "the cache is resized only when nobody holds a block"
        await self.sync()
        for buffer in self._made:
            if buffer.data:
                await self.pages.unmap(buffer.data)
        self._by_block.clear()
        self._soon.clear()
        self._unused.clear()
        self._made.clear()
        self.limit = limit

    async def sync(self) -> None:
        """Write everything, and see whether the size is still right.  MINIX: lmfs_flushall."""
        await self.flush()
        await self.change_usage(0)

    def in_use(self) -> int:
        """How many buffers are held."""
        return len(self._made) - len(self._soon) - len(self._unused)

    def check(self) -> None:
        """Each buffer is in exactly one place, and a dirty or findable one has a page."""
        waiting = set(self._soon) | set(self._unused)
        assert len(waiting) == len(self._soon) + len(self._unused), "no buffer is listed twice"
        for buffer in self._made:
            assert (buffer.held == 0) == (buffer in waiting), "held or unused, not both"
            assert not buffer.device or buffer.data, "a findable block has a page"
        for key, buffer in self._by_block.items():
            assert key == (buffer.device, buffer.block), "blocks are found under their number"
        held = sum(1 for buffer in self._made if buffer.held)
        assert self.in_use() == held, "what does not wait to be recycled is held"
