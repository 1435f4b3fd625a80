"""VFS's requests, one handler each: take it apart, have the file system do it, answer.

Source: MINIX ``libfsdriver/call.c``, ``table.c``.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ipc.errors import EBUSY, EEXIST, EINVAL, ENOTEMPTY, EPERM, OK
from ipc.flags import REQ_RDONLY
from ipc.fs import (
    ReqBpeek,
    ReqBpeekReply,
    ReqBread,
    ReqBreadReply,
    ReqBwrite,
    ReqBwriteReply,
    ReqChmod,
    ReqChmodReply,
    ReqChown,
    ReqChownReply,
    ReqCreate,
    ReqCreateReply,
    ReqFlush,
    ReqFtrunc,
    ReqGetdents,
    ReqGetdentsReply,
    ReqInhibread,
    ReqInhibreadReply,
    ReqLink,
    ReqLookup,
    ReqMkdir,
    ReqMknod,
    ReqMountpoint,
    ReqNewDriver,
    ReqNewnode,
    ReqNewnodeReply,
    ReqPeek,
    ReqPeekReply,
    ReqPutnode,
    ReqRdlink,
    ReqRdlinkReply,
    ReqRead,
    ReqReadReply,
    ReqReadsuper,
    ReqReadsuperReply,
    ReqRename,
    ReqRmdir,
    ReqSlink,
    ReqStat,
    ReqStatvfs,
    ReqSync,
    ReqUnlink,
    ReqUnmount,
    ReqUtime,
    ReqWrite,
    ReqWriteReply,
)  # fmt: skip
from ipc.message import Message, Reply
from ipc.messageclass import maker
from ipc.traps import Store, yields_traps
from servers.lib.fsdriver.data import NAME_MAX, Data, fetch_name
from servers.lib.fsdriver.dirents import DirentList
from servers.lib.fsdriver.lookup import do_lookup
from servers.lib.loop import Handler, Refused

if TYPE_CHECKING:
    from servers.lib.fsdriver.server import FileServer

_req_peek_reply: Final = maker(ReqPeekReply)
_req_inhibread_reply: Final = maker(ReqInhibreadReply)

SSIZE_MAX: Final = 0x7FFFFFFF
UTIME_NOW: Final = 1073741823
UTIME_OMIT: Final = 1073741822
DENTRY_ROOM: Final = 4712  # what MINIX gathers before it copies

_DONE: Final = Reply(OK)  # messages are never changed, so that one is enough

_Fs: TypeAlias = "FileServer"


def _name(server: _Fs, source: int, grant: int, length: int) -> Coroutine[Any, Any, bytes]:
    return fetch_name(source, grant, length, server.scratch, NAME_MAX + 1)


def _refuse_dots(name: bytes, errno: int) -> None:
    if name in (b".", b".."):
        raise Refused(errno)


def _check_range(position: int, length: int) -> None:
    if position < 0 or length > SSIZE_MAX:
        raise Refused(EINVAL)


async def do_readsuper(server: _Fs, source: int, request: ReqReadsuper) -> Message:
    """Mount."""
    if server.mounted:
        raise Refused(EBUSY)
    label = await fetch_name(
        source, request.grant, request.path_len, server.scratch, NAME_MAX + 1, may_be_empty=True
    )
    read_only = bool(request.flags & REQ_RDONLY)
    root, flags = await server.mount(request.device, label.decode(), read_only)
    server.mounted, server.device, server.root = True, request.device, root.inode
    return ReqReadsuperReply(
        OK, file_size=root.size, inode=root.inode, flags=flags, mode=root.mode, uid=root.uid,
        gid=root.gid, transid=request.transid,
    )  # fmt: skip


async def do_unmount(server: _Fs, _source: int, _request: ReqUnmount) -> Message:
    """Unmount."""
    await server.unmount()
    server.mounted = False
    return _DONE


async def do_putnode(server: _Fs, _source: int, request: ReqPutnode) -> Message:
    """Drop references."""
    if not 0 < request.count <= SSIZE_MAX:
        raise Refused(EINVAL)
    await server.put_node(request.inode, request.count)
    return _DONE


async def do_newnode(server: _Fs, _source: int, request: ReqNewnode) -> Message:
    """Open a file without a name."""
    node = await server.new_node(request.mode, request.uid, request.gid, request.device)
    return ReqNewnodeReply(
        OK, file_size=node.size, device=node.device, inode=node.inode, mode=node.mode,
        uid=node.uid, gid=node.gid, transid=request.transid,
    )  # fmt: skip


async def do_read(server: _Fs, source: int, request: ReqRead) -> Message:
    """Read."""
    position, length = request.seek_pos, request.nbytes
    _check_range(position, length)
    done = await server.read(request.inode, Data(source, request.grant), length, position)
    return ReqReadReply(OK, position + done, done, request.transid)


async def do_write(server: _Fs, source: int, request: ReqWrite) -> Message:
    """Write."""
    position, length = request.seek_pos, request.nbytes
    _check_range(position, length)
    done = await server.write(request.inode, Data(source, request.grant), length, position)
    return ReqWriteReply(OK, position + done, done, request.transid)


async def do_peek(server: _Fs, _source: int, request: ReqPeek) -> Message:
    """Bring part of a file into VM's cache."""
    position, length = request.seek_pos, request.nbytes
    if position < 0 or length > SSIZE_MAX:  # `_check_range`, for nearly every page of a file
        raise Refused(EINVAL)
    done = await server.peek(request.inode, length, position)
    return _req_peek_reply(OK, 0, done, request.transid)


async def do_getdents(server: _Fs, source: int, request: ReqGetdents) -> Message:
    """Read a directory."""
    _check_range(request.seek_pos, request.mem_size)
    entries = DirentList(Data(source, request.grant), request.mem_size, server.scratch, DENTRY_ROOM)
    position = await server.get_entries(request.inode, entries, request.seek_pos)
    return ReqGetdentsReply(OK, position, await entries.finish(), request.transid)


async def do_ftrunc(server: _Fs, _source: int, request: ReqFtrunc) -> Message:
    """Cut a file, or make a hole."""
    if request.trc_start < 0 or request.trc_end < 0:
        raise Refused(EINVAL)
    await server.truncate(request.inode, request.trc_start, request.trc_end)
    return _DONE


def do_inhibread(server: _Fs, _source: int, request: ReqInhibread) -> Message:
    """The position jumped."""
    server.inhibit_read_ahead(request.inode)
    return _req_inhibread_reply(OK, request.transid)


async def do_create(server: _Fs, source: int, request: ReqCreate) -> Message:
    """Make a file and open it."""
    name = await _name(server, source, request.grant, request.path_len)
    _refuse_dots(name, EEXIST)
    node = await server.create(request.inode, name, request.mode, request.uid, request.gid)
    return ReqCreateReply(
        OK, file_size=node.size, inode=node.inode, mode=node.mode, uid=node.uid, gid=node.gid,
        transid=request.transid,
    )  # fmt: skip


async def do_mkdir(server: _Fs, source: int, request: ReqMkdir) -> Message:
    """Make a directory."""
    name = await _name(server, source, request.grant, request.path_len)
    _refuse_dots(name, EEXIST)
    await server.make_directory(request.inode, name, request.mode, request.uid, request.gid)
    return _DONE


async def do_mknod(server: _Fs, source: int, request: ReqMknod) -> Message:
    """Make a special file."""
    name = await _name(server, source, request.grant, request.path_len)
    _refuse_dots(name, EEXIST)
    await server.make_node(
        request.inode, name, request.mode, request.uid, request.gid, request.device
    )
    return _DONE


async def do_link(server: _Fs, source: int, request: ReqLink) -> Message:
    """Give a file another name."""
    name = await _name(server, source, request.grant, request.path_len)
    _refuse_dots(name, EEXIST)
    await server.link(request.dir_ino, name, request.inode)
    return _DONE


async def do_unlink(server: _Fs, source: int, request: ReqUnlink) -> Message:
    """Take a name away."""
    name = await _name(server, source, request.grant, request.path_len)
    _refuse_dots(name, EPERM)
    await server.unlink(request.inode, name, False)
    return _DONE


async def do_rmdir(server: _Fs, source: int, request: ReqRmdir) -> Message:
    """Remove a directory."""
    name = await _name(server, source, request.grant, request.path_len)
    if name == b".":
        raise Refused(EINVAL)
    if name == b"..":
        raise Refused(ENOTEMPTY)
    await server.unlink(request.inode, name, True)
    return _DONE


async def do_rename(server: _Fs, source: int, request: ReqRename) -> Message:
    """Move a name."""
    old = await _name(server, source, request.grant_old, request.len_old)
    _refuse_dots(old, EINVAL)
    new = await _name(server, source, request.grant_new, request.len_new)
    _refuse_dots(new, EINVAL)
    await server.rename(request.dir_old, old, request.dir_new, new)
    return _DONE


async def do_slink(server: _Fs, source: int, request: ReqSlink) -> Message:
    """Make a symbolic link."""
    name = await _name(server, source, request.grant_path, request.path_len)
    _refuse_dots(name, EEXIST)
    data = Data(source, request.grant_target)
    await server.make_link(request.inode, name, request.uid, request.gid, data, request.mem_size)
    return _DONE


async def do_rdlink(server: _Fs, source: int, request: ReqRdlink) -> Message:
    """Read a symbolic link."""
    done = await server.read_link(request.inode, Data(source, request.grant), request.mem_size)
    return ReqRdlinkReply(OK, done, request.transid)


async def do_stat(server: _Fs, source: int, request: ReqStat) -> Message:
    """Copy a file's attributes."""
    stat = await server.stat(request.inode)
    await _copy(server, Data(source, request.grant), stat.encode())
    return _DONE


async def do_statvfs(server: _Fs, source: int, request: ReqStatvfs) -> Message:
    """Copy the file system's figures."""
    await _copy(server, Data(source, request.grant), (await server.statvfs()).encode())
    return _DONE


@yields_traps
@types.coroutine
def _copy(server: _Fs, data: Data, text: bytes) -> Generator[Any, Any, None]:
    yield Store(server.scratch, text)
    yield from data.copy_out(0, server.scratch, len(text))


async def do_chmod(server: _Fs, _source: int, request: ReqChmod) -> Message:
    """Set permissions."""
    mode = await server.change_mode(request.inode, request.mode)
    return ReqChmodReply(OK, mode, request.transid)


async def do_chown(server: _Fs, _source: int, request: ReqChown) -> Message:
    """Set the owner."""
    mode = await server.change_owner(request.inode, request.uid, request.gid)
    return ReqChownReply(OK, mode, request.transid)


async def do_utime(server: _Fs, _source: int, request: ReqUtime) -> Message:
    """Set times."""
    await server.set_times(
        request.inode,
        _time(request.actime, request.acnsec),
        _time(request.modtime, request.modnsec),
    )
    return _DONE


def _time(seconds: int, nanoseconds: int) -> int | None:
    if nanoseconds == UTIME_OMIT:
        return None
    return -1 if nanoseconds == UTIME_NOW else seconds


async def do_mountpoint(server: _Fs, _source: int, request: ReqMountpoint) -> Message:
    """Prepare a file for a mount."""
    await server.set_mount_point(request.inode)
    return _DONE


async def do_sync(server: _Fs, _source: int, _request: ReqSync) -> Message:
    """Write everything back."""
    await server.sync()
    return _DONE


async def do_new_driver(server: _Fs, source: int, request: ReqNewDriver) -> Message:
    """A device has another driver."""
    label = await fetch_name(
        source, request.grant, request.path_len, server.scratch, NAME_MAX + 1, may_be_empty=True
    )
    await server.set_driver(request.device, label.decode())
    return _DONE


async def do_flush(server: _Fs, _source: int, request: ReqFlush) -> Message:
    """Forget a device's blocks."""
    await server.flush_device(request.device)
    return _DONE


async def do_bread(server: _Fs, source: int, request: ReqBread) -> Message:
    """Read a block device."""
    position, length = request.seek_pos, request.nbytes
    _check_range(position, length)
    data = Data(source, request.grant)
    done = await server.transfer_blocks(request.device, data, length, position, False)
    return ReqBreadReply(OK, position + done, done, request.transid)


async def do_bwrite(server: _Fs, source: int, request: ReqBwrite) -> Message:
    """Write a block device."""
    position, length = request.seek_pos, request.nbytes
    _check_range(position, length)
    data = Data(source, request.grant)
    done = await server.transfer_blocks(request.device, data, length, position, True)
    return ReqBwriteReply(OK, position + done, done, request.transid)


async def do_bpeek(server: _Fs, _source: int, request: ReqBpeek) -> Message:
    """Bring part of a block device into VM's cache."""
    _check_range(request.seek_pos, request.nbytes)
    done = await server.transfer_blocks(
        request.device, None, request.nbytes, request.seek_pos, False
    )
    return ReqBpeekReply(OK, 0, done, request.transid)


CALLS: Final[dict[int, Handler]] = {
    ReqPutnode.type: do_putnode,
    ReqSlink.type: do_slink,
    ReqFtrunc.type: do_ftrunc,
    ReqChown.type: do_chown,
    ReqChmod.type: do_chmod,
    ReqInhibread.type: do_inhibread,
    ReqStat.type: do_stat,
    ReqUtime.type: do_utime,
    ReqStatvfs.type: do_statvfs,
    ReqBread.type: do_bread,
    ReqBwrite.type: do_bwrite,
    ReqUnlink.type: do_unlink,
    ReqRmdir.type: do_rmdir,
    ReqUnmount.type: do_unmount,
    ReqSync.type: do_sync,
    ReqNewDriver.type: do_new_driver,
    ReqFlush.type: do_flush,
    ReqRead.type: do_read,
    ReqWrite.type: do_write,
    ReqMknod.type: do_mknod,
    ReqMkdir.type: do_mkdir,
    ReqCreate.type: do_create,
    ReqLink.type: do_link,
    ReqRename.type: do_rename,
    ReqLookup.type: do_lookup,
    ReqMountpoint.type: do_mountpoint,
    ReqReadsuper.type: do_readsuper,
    ReqNewnode.type: do_newnode,
    ReqRdlink.type: do_rdlink,
    ReqGetdents.type: do_getdents,
    ReqPeek.type: do_peek,
    ReqBpeek.type: do_bpeek,
}
