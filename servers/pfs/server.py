"""PFS, the process: nodes without names that hold the bytes of pipes.

A node's buffer lies in PFS's own memory; what was read is made room for when next somebody writes.

Source: MINIX ``fs/pfs/pfs.c``.
"""

from __future__ import annotations

from typing import Final

import attrs

from ipc.errors import EFBIG, EINVAL, ENFILE
from ipc.flags import RES_64BIT, S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK
from ipc.traps import Load, Store, trap
from servers.lib.fsdriver.data import Data
from servers.lib.fsdriver.node import ALL_PERMISSIONS, Node, Stat
from servers.lib.fsdriver.server import FileServer
from servers.lib.loop import Refused
from servers.lib.memory import Buffers

PIPE_BUF: Final = 32768  # bytes
NR_NODES: Final = 512


@attrs.define(eq=False)
class PipeNode:
    """A pipe: `size` bytes from `start` on of its buffer at `buffer` (0: it has none)."""

    number: int
    mode: int
    uid: int
    gid: int
    device: int = 0
    buffer: int = 0
    size: int = 0
    start: int = 0


@attrs.define(eq=False)
class Pfs(FileServer):
    """The pipe file server."""

    buffers: Buffers = attrs.field(factory=Buffers)
    _nodes: dict[int, PipeNode] = attrs.field(factory=dict)
    _free: list[int] = attrs.field(factory=lambda: list(range(NR_NODES, 0, -1)))

    async def mount(self, device: int, label: str, read_only: bool) -> tuple[Node, int]:
        """There is no root; VFS mounts it only to have begun."""
        return Node(), RES_64BIT

    async def new_node(self, mode: int, uid: int, gid: int, device: int) -> Node:
        """Make a pipe, or a device without a name; raises Refused (EINVAL, ENFILE)."""
        kind = mode & S_IFMT
        if kind not in (S_IFIFO, S_IFBLK, S_IFCHR, S_IFSOCK):
            raise Refused(EINVAL)
        if not self._free:
            raise Refused(ENFILE)
        node = PipeNode(self._free.pop(), mode, uid, gid)
        if kind == S_IFIFO:
            node.buffer = self.buffers.take(PIPE_BUF)
        else:
            node.device = device
        self._nodes[node.number] = node
        return Node(node.number, mode, 0, uid, gid, node.device)

    async def put_node(self, inode: int, count: int) -> None:
        """Forget a node: it has one user only."""
        node = self._find(inode)
        if count != 1:
            raise Refused(EINVAL)
        if node.buffer:
            self.buffers.give_back(node.buffer, PIPE_BUF)
        del self._nodes[inode]
        self._free.append(inode)

    async def read(self, inode: int, data: Data, length: int, position: int) -> int:
        """Take bytes out of a pipe."""
        node = self._pipe(inode)
        if length > PIPE_BUF:
            raise Refused(EFBIG)
        length = min(length, node.size)
        await data.copy_out(0, node.buffer + node.start, length)
        node.size -= length
        node.start += length
        return length

    async def write(self, inode: int, data: Data, length: int, position: int) -> int:
        """Put bytes into a pipe."""
        node = self._pipe(inode)
        if node.size + length > PIPE_BUF:
            raise Refused(EFBIG)
        if node.start:
            if node.size:
                rest = await trap(Load(node.buffer + node.start, node.size))
                await trap(Store(node.buffer, rest))
            node.start = 0
        await data.copy_in(0, node.buffer + node.size, length)
        node.size += length
        return length

    async def truncate(self, inode: int, start: int, end: int) -> None:
        """Empty a pipe."""
        node = self._pipe(inode)
        if start or end:
            raise Refused(EINVAL)
        node.size = 0

    async def stat(self, inode: int) -> Stat:
        """A node's attributes."""
        node = self._find(inode)
        return Stat(
            device=self.device, mode=node.mode, inode=inode, uid=node.uid, gid=node.gid,
            special=node.device, size=node.size, blocks=-(-node.size // 512), block_size=PIPE_BUF,
        )  # fmt: skip

    async def change_mode(self, inode: int, mode: int) -> int:
        """Set permissions."""
        node = self._find(inode)
        node.mode = node.mode & ~ALL_PERMISSIONS | mode & ALL_PERMISSIONS
        return node.mode

    def _find(self, inode: int) -> PipeNode:
        node = self._nodes.get(inode)
        if node is None:
            raise Refused(EINVAL)
        return node

    def _pipe(self, inode: int) -> PipeNode:
        node = self._find(inode)
        if node.mode & S_IFMT != S_IFIFO:
            raise Refused(EINVAL)
        return node
