"""Following a path inside one file system.

VFS gives the inode where the path begins and the caller's root; the walk ends at the file, at a
mount point, at the file system's own root on the way up, or at an absolute symbolic link.

Source: MINIX ``libfsdriver/lookup.c``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import attrs

from ipc.errors import (
    EACCES,
    EENTERMOUNT,
    EINVAL,
    ELEAVEMOUNT,
    ELOOP,
    ENAMETOOLONG,
    ENOTDIR,
    ESYMLINK,
    OK,
)
from ipc.flags import PATH_GET_UCRED, PATH_RET_SYMLINK, S_IFDIR, S_IFLNK, S_IFMT
from ipc.fs import ReqLookup, ReqLookupReply
from ipc.traps import Load, Store, trap
from servers.lib.fsdriver.data import NAME_MAX, PATH_MAX, Data, fetch_name
from servers.lib.fsdriver.node import Node
from servers.lib.loop import Refused

if TYPE_CHECKING:
    from attrs import frozen

    from servers.lib.fsdriver.server import FileServer
else:
    # Nobody changes credentials, but to have attrs enforce it would double what making them costs.
    from attrs import define as frozen

SYMLOOP_MAX: Final = 8
UCRED_SIZE: Final = 76
_UCRED: Final = struct.Struct("<IIi16I")


@frozen
class Credentials:
    """As whom the walk is made."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    def may_search(self, node: Node) -> int:
        """OK if `node` may be used as a directory, else ENOTDIR or EACCES."""
        if node.mode & S_IFMT != S_IFDIR:
            return ENOTDIR
        if self.uid == 0:
            return OK
        if self.uid == node.uid:
            mask = 0o100
        elif self.gid == node.gid or node.gid in self.groups:
            mask = 0o010
        else:
            mask = 0o001
        return OK if node.mode & mask else EACCES


def encode_credentials(credentials: Credentials) -> bytes:
    """The bytes of MINIX's vfs_ucred_t."""
    groups = credentials.groups
    padded = groups + (0,) * (16 - len(groups))
    return _UCRED.pack(credentials.uid, credentials.gid, len(groups), *padded)


@attrs.define(eq=False)
class _Walk:
    """A walk in progress: the path, how far it is done, and the file it is at, which is held."""

    server: FileServer
    request: ReqLookup
    who: Credentials
    path: bytes
    node: Node
    mount_point: bool
    done: int = 0
    links: int = 0

    async def walk(self) -> int:
        """Follow the path; OK, or why VFS must go on elsewhere.  Raises Refused."""
        while self.done < len(self.path):
            start, name = self._next_name()
            if self.mount_point:
                if name != b"..":
                    raise Refused(EINVAL)
            elif (refusal := self.who.may_search(self.node)) != OK:
                raise Refused(refusal)
            if name == b".":
                continue
            if name == b"..":
                if self.node.inode == self.request.root_ino:
                    continue
                if self.node.inode == self.server.root:
                    self.done = start
                    return ELEAVEMOUNT
            result = await self._step(name)
            if result != OK:
                return result
        return OK

    def _next_name(self) -> tuple[int, bytes]:
        path, start = self.path, self.done
        while start < len(path) and path[start] == 0x2F:
            start += 1
        end = path.find(b"/", start)
        self.done = end = len(path) if end < 0 else end
        if end - start > NAME_MAX:
            raise Refused(ENAMETOOLONG)
        return start, path[start:end] or b"."

    async def _step(self, name: bytes) -> int:
        node, mount_point = await self.server.look_up(self.node.inode, name)
        last = self.done == len(self.path)
        if node.mode & S_IFMT == S_IFLNK and not (last and self.request.flags & PATH_RET_SYMLINK):
            await self._follow(node)
            return ESYMLINK if self.path.startswith(b"/") else OK
        await self.server.put_node(self.node.inode, 1)
        self.node, self.mount_point = node, mount_point
        return EENTERMOUNT if mount_point else OK

    async def _follow(self, link: Node) -> None:
        """Put the target of `link` in front of what is left of the path; the walk stays here."""
        self.links += 1
        try:
            if self.links >= SYMLOOP_MAX:
                raise Refused(ELOOP)
            target = await self.server.link_target(link.inode)
        finally:
            await self.server.put_node(link.inode, 1)
        path = target + self.path[self.done :]
        if len(path) >= PATH_MAX:
            raise Refused(ENAMETOOLONG)
        self.path, self.done = path, 0


async def do_lookup(server: FileServer, source: int, request: ReqLookup) -> ReqLookupReply:
    """Find the file that a path leads to, and keep it open for VFS."""
    path = await fetch_name(
        source, request.grant_path, request.path_len, server.scratch, PATH_MAX, may_be_empty=True
    )
    if request.flags & PATH_GET_UCRED:
        who = await _credentials(server, source, request)
    else:
        who = Credentials(request.uid, request.gid)
    node, mount_point = await server.look_up(request.dir_ino, b".")
    walk = _Walk(server, request, who, path, node, mount_point)
    result = OK
    try:
        result = await walk.walk()
        if result != OK and walk.links:
            await _return_path(server, source, request, walk.path)
    except Refused:
        await server.put_node(walk.node.inode, 1)
        raise
    if result == OK:
        node = walk.node
        return ReqLookupReply(
            OK, device=node.device, inode=node.inode, mode=node.mode, file_size=node.size,
            uid=node.uid, gid=node.gid, transid=request.transid,
        )  # fmt: skip
    inode = walk.node.inode if result == EENTERMOUNT else 0
    await server.put_node(walk.node.inode, 1)
    return ReqLookupReply(
        result, offset=walk.done, inode=inode, symloop=walk.links, transid=request.transid
    )


async def _credentials(server: FileServer, source: int, request: ReqLookup) -> Credentials:
    if request.ucred_size != UCRED_SIZE:
        raise Refused(EINVAL)
    await Data(source, request.grant_ucred).copy_in(0, server.scratch, UCRED_SIZE)
    uid, gid, count, *groups = _UCRED.unpack(await trap(Load(server.scratch, UCRED_SIZE)))
    return Credentials(uid, gid, tuple(groups[:count]))


async def _return_path(server: FileServer, source: int, request: ReqLookup, path: bytes) -> None:
    """The path has changed on the way: give VFS the new one."""
    text = path + b"\0"
    if len(text) > request.path_size:
        raise Refused(ENAMETOOLONG)
    await trap(Store(server.scratch, text))
    await Data(source, request.grant_path).copy_out(0, server.scratch, len(text))
