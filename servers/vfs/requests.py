"""The requests to file systems, one function each.

Each waits for the answer, but two that only make a message.  Those that may fail in a way that the
caller handles return the result (OK or an error number), or the answer itself, whose `type` it is;
the others raise Refused.  What a request is to copy from or to a user is granted so that a missing
page ends the request at once (CPF_TRY): the file system is not to wait for VM, which may be waiting
for it.  VM is then asked from here, and the request is made again.

Source: MINIX ``servers/vfs/request.c``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ipc.errors import EENTERMOUNT, EINVAL, ELEAVEMOUNT, ESYMLINK, OK
from ipc.flags import (
    CPF_READ,
    CPF_TRY,
    CPF_WRITE,
    PATH_GET_UCRED,
    REQ_ISROOT,
    REQ_RDONLY,
    RES_64BIT,
)
from ipc.fs import (
    ReqChmod,
    ReqChown,
    ReqCreate,
    ReqFtrunc,
    ReqGetdents,
    ReqInhibread,
    ReqLink,
    ReqLookup,
    ReqMkdir,
    ReqMknod,
    ReqNewnode,
    ReqPeek,
    ReqPutnode,
    ReqRdlink,
    ReqRead,
    ReqReadsuper,
    ReqRename,
    ReqRmdir,
    ReqSlink,
    ReqStat,
    ReqStatvfs,
    ReqSync,
    ReqUnlink,
    ReqUtime,
    ReqWrite,
)  # fmt: skip
from ipc.messageclass import maker
from ipc.traps import Load, Store, trap
from servers.lib.fsdriver.lookup import UCRED_SIZE, Credentials, encode_credentials
from servers.lib.fsdriver.node import STAT_SIZE, STATVFS_SIZE
from servers.lib.grants import GRANT_FAULTED
from servers.lib.loop import Refused
from servers.vfs.comm import ask_fs, handle_memory
from servers.vfs.worker import PATH_MAX

if TYPE_CHECKING:
    from servers.vfs.fproc import Fproc
    from servers.vfs.worker import Worker

# The messages of two requests that are made for nearly every page of a file, to be sent with
# `ask_fs`: to bring part of a file into VM's cache; and that the next read will be somewhere else.
peek_request: Final = maker(ReqPeek)
inhibread_request: Final = maker(ReqInhibread)

INT_MAX: Final = 0x7FFFFFFF


class NodeDetails(NamedTuple):
    """What a file system told of a file that it has opened."""

    fs: int
    inode: int
    mode: int
    size: int
    uid: int
    gid: int
    special: int = 0


def _details(fs: int, answer: Any, special: int = 0) -> NodeDetails:
    return NodeDetails(
        fs, answer.inode, answer.mode, answer.file_size, answer.uid, answer.gid, special
    )


def _require(answer: Any) -> Any:
    if answer.type != OK:
        raise Refused(answer.type)
    return answer


async def _with_name(
    worker: Worker, fs: int, name: bytes, ask: Callable[[int, int], Awaitable[Any]]
) -> Any:
    """Grant `fs` to read `name`, and ask it with the grant and the length."""
    text = name + b"\0"
    await trap(Store(worker.name_buffer, text))
    grants = worker.vfs.grants
    grant = grants.direct(fs, worker.name_buffer, len(text), CPF_READ)
    answer = await ask(grant, len(text))
    grants.revoke(grant)
    return answer


async def _with_user(
    worker: Worker,
    fs: int,
    user: tuple[int, int, int],
    access: int,
    ask: Callable[[int], Awaitable[Any]],
) -> Any:
    """Grant `fs` the memory `user` (endpoint, address, bytes), and ask it, twice if need be.

    Returns the answer; raises Refused if VM cannot provide the memory.
    """
    endpoint, address, length = user
    grants = worker.vfs.grants
    grant = grants.magic(fs, endpoint, address, length, access | CPF_TRY)
    answer = await ask(grant)
    if grants.revoke(grant) != GRANT_FAULTED:
        return answer
    result = await handle_memory(worker, endpoint, address, length, access == CPF_WRITE)
    if result != OK:
        raise Refused(result)
    grant = grants.magic(fs, endpoint, address, length, access)
    answer = await ask(grant)
    grants.revoke(grant)
    return answer


# --- paths


async def req_lookup(
    worker: Worker, fs: int, directory: int, root: int, path: bytes, flags: int, who: Fproc,
    ids: tuple[int, int],
) -> tuple[Any, bytes]:  # fmt: skip
    """Follow `path`; the answer, and the path as the file system left it."""
    grants = worker.vfs.grants
    await trap(Store(worker.path_buffer, path + b"\0"))
    grant = grants.direct(fs, worker.path_buffer, PATH_MAX, CPF_READ | CPF_WRITE)
    credentials = -1
    uid, gid = ids
    if who.groups:
        await trap(Store(worker.name_buffer, encode_credentials(Credentials(*ids, who.groups))))
        credentials = grants.direct(fs, worker.name_buffer, UCRED_SIZE, CPF_READ)
        flags |= PATH_GET_UCRED
        uid = gid = 0
    request = ReqLookup(
        dir_ino=directory, root_ino=root, flags=flags, path_len=len(path) + 1,
        path_size=PATH_MAX + 1, ucred_size=UCRED_SIZE if who.groups else 0, grant_path=grant,
        grant_ucred=credentials if who.groups else 0, uid=uid, gid=gid, transid=worker.transid,
    )  # fmt: skip
    answer = await ask_fs(worker, fs, request)
    grants.revoke(grant)
    if who.groups:
        grants.revoke(credentials)
    if answer.type in (EENTERMOUNT, ELEAVEMOUNT, ESYMLINK):
        path = (await trap(Load(worker.path_buffer, PATH_MAX))).split(b"\0", 1)[0]
    return answer, path


async def req_create(
    worker: Worker, fs: int, directory: int, mode: int, who: Fproc, name: bytes
) -> NodeDetails:
    """Make a regular file."""

    def ask(grant: int, length: int) -> Awaitable[Any]:
        return ask_fs(
            worker, fs,
            ReqCreate(directory, mode, who.uid, who.gid, grant, length, worker.transid),
        )  # fmt: skip

    return _details(fs, _require(await _with_name(worker, fs, name, ask)))


async def req_mkdir(
    worker: Worker, fs: int, directory: int, name: bytes, who: Fproc, mode: int
) -> int:
    """Make a directory."""

    def ask(grant: int, length: int) -> Awaitable[Any]:
        return ask_fs(
            worker, fs,
            ReqMkdir(directory, mode, who.uid, who.gid, grant, length, worker.transid),
        )  # fmt: skip

    return int((await _with_name(worker, fs, name, ask)).type)


async def req_mknod(
    worker: Worker, fs: int, directory: int, name: bytes, who: Fproc, mode: int, device: int
) -> int:
    """Make a special file."""

    def ask(grant: int, length: int) -> Awaitable[Any]:
        request = ReqMknod(device, directory, mode, who.uid, who.gid, grant, length, worker.transid)
        return ask_fs(worker, fs, request)

    return int((await _with_name(worker, fs, name, ask)).type)


async def req_link(worker: Worker, fs: int, directory: int, name: bytes, inode: int) -> int:
    """Give a file another name."""

    def ask(grant: int, length: int) -> Awaitable[Any]:
        return ask_fs(worker, fs, ReqLink(inode, directory, grant, length, worker.transid))

    return int((await _with_name(worker, fs, name, ask)).type)


async def req_unlink(worker: Worker, fs: int, directory: int, name: bytes, rmdir: bool) -> int:
    """Take a name away, or remove a directory."""
    kind: type[ReqUnlink | ReqRmdir] = ReqRmdir if rmdir else ReqUnlink

    def ask(grant: int, length: int) -> Awaitable[Any]:
        return ask_fs(worker, fs, kind(directory, grant, length, worker.transid))

    return int((await _with_name(worker, fs, name, ask)).type)


async def req_rename(
    worker: Worker, fs: int, old_directory: int, old: bytes, new_directory: int, new: bytes
) -> int:
    """Move a name."""
    grants = worker.vfs.grants
    await trap(Store(worker.path_buffer, old + b"\0"))
    grant_old = grants.direct(fs, worker.path_buffer, len(old) + 1, CPF_READ)

    def ask(grant: int, length: int) -> Awaitable[Any]:
        request = ReqRename(
            dir_old=old_directory, dir_new=new_directory, len_old=len(old) + 1, len_new=length,
            grant_old=grant_old, grant_new=grant, transid=worker.transid,
        )  # fmt: skip
        return ask_fs(worker, fs, request)

    answer = await _with_name(worker, fs, new, ask)
    grants.revoke(grant_old)
    return int(answer.type)


async def req_slink(
    worker: Worker, fs: int, directory: int, name: bytes, target: tuple[int, int, int], who: Fproc
) -> int:
    """Make a symbolic link to the path at `target` in a user's memory."""

    def with_target(grant_target: int) -> Awaitable[Any]:
        def ask(grant: int, length: int) -> Awaitable[Any]:
            request = ReqSlink(
                inode=directory, path_len=length, mem_size=target[2], grant_path=grant,
                grant_target=grant_target, uid=who.uid, gid=who.gid, transid=worker.transid,
            )  # fmt: skip
            return ask_fs(worker, fs, request)

        return _with_name(worker, fs, name, ask)

    return int((await _with_user(worker, fs, target, CPF_READ, with_target)).type)


async def req_rdlink(worker: Worker, fs: int, inode: int, user: tuple[int, int, int]) -> int:
    """Copy the target of a symbolic link to a user; how many bytes, or an error number."""

    def ask(grant: int) -> Awaitable[Any]:
        return ask_fs(worker, fs, ReqRdlink(inode, grant, user[2], worker.transid))

    answer = await _with_user(worker, fs, user, CPF_WRITE, ask)
    return int(answer.nbytes if answer.type == OK else answer.type)


async def req_link_target(worker: Worker, fs: int, inode: int) -> bytes:
    """The target of a symbolic link, for VFS itself."""
    grants = worker.vfs.grants
    grant = grants.direct(fs, worker.path_buffer, PATH_MAX - 1, CPF_WRITE)
    answer = await ask_fs(worker, fs, ReqRdlink(inode, grant, PATH_MAX - 1, worker.transid))
    grants.revoke(grant)
    _require(answer)
    return bytes(await trap(Load(worker.path_buffer, answer.nbytes)))


# --- inodes


def req_putnode(worker: Worker, fs: int, inode: int, count: int) -> Awaitable[Any]:
    """Drop references."""
    return ask_fs(worker, fs, ReqPutnode(inode, count, worker.transid))


async def req_newnode(worker: Worker, fs: int, who: Fproc, mode: int, device: int) -> NodeDetails:
    """Open a file without a name."""
    request = ReqNewnode(device, mode, who.uid, who.gid, worker.transid)
    answer = _require(await ask_fs(worker, fs, request))
    return _details(fs, answer, answer.device)


async def req_stat(worker: Worker, fs: int, inode: int, endpoint: int, address: int) -> int:
    """Copy a file's attributes to a user."""

    def ask(grant: int) -> Awaitable[Any]:
        return ask_fs(worker, fs, ReqStat(inode, grant, worker.transid))

    user = (endpoint, address, STAT_SIZE)
    return int((await _with_user(worker, fs, user, CPF_WRITE, ask)).type)


async def req_chmod(worker: Worker, fs: int, inode: int, mode: int) -> int:
    """Set permissions; the mode then."""
    return int(_require(await ask_fs(worker, fs, ReqChmod(inode, mode, worker.transid))).mode)


async def req_chown(worker: Worker, fs: int, inode: int, uid: int, gid: int) -> int:
    """Set the owner; the mode then."""
    answer = await ask_fs(worker, fs, ReqChown(inode, uid, gid, worker.transid))
    return int(_require(answer).mode)


async def req_utime(
    worker: Worker, fs: int, inode: int, accessed: tuple[int, int], modified: tuple[int, int]
) -> int:
    """Set times, each (seconds, nanoseconds)."""
    request = ReqUtime(inode, accessed[0], modified[0], accessed[1], modified[1], worker.transid)
    return int((await ask_fs(worker, fs, request)).type)


# --- contents


async def req_read_write(
    worker: Worker, fs: int, inode: int, position: int, user: tuple[int, int, int], write: bool
) -> tuple[int, int]:
    """Copy between a file and a user's memory: the new position, and how many bytes."""
    if position > INT_MAX:
        _demand_64_bits(worker, fs)
    kind: type[ReqRead | ReqWrite] = ReqWrite if write else ReqRead

    def ask(grant: int) -> Awaitable[Any]:
        return ask_fs(worker, fs, kind(inode, position, grant, user[2], worker.transid))

    access = CPF_READ if write else CPF_WRITE
    answer = _require(await _with_user(worker, fs, user, access, ask))
    return answer.seek_pos, answer.nbytes


async def req_getdents(
    worker: Worker, fs: int, inode: int, position: int, user: tuple[int, int, int]
) -> tuple[int, int]:
    """Copy entries of a directory to a user: the new position, and how many bytes."""
    if position > INT_MAX:
        _demand_64_bits(worker, fs)

    def ask(grant: int) -> Awaitable[Any]:
        return ask_fs(worker, fs, ReqGetdents(inode, position, grant, user[2], worker.transid))

    answer = _require(await _with_user(worker, fs, user, CPF_WRITE, ask))
    return answer.seek_pos, answer.nbytes


async def req_ftrunc(worker: Worker, fs: int, inode: int, start: int, end: int) -> int:
    """Cut a file, or make a hole in it."""
    if max(start, end) > INT_MAX:
        _demand_64_bits(worker, fs)
    return int((await ask_fs(worker, fs, ReqFtrunc(inode, start, end, worker.transid))).type)


def _demand_64_bits(worker: Worker, fs: int) -> None:
    """Raises Refused if `fs` cannot have files that reach beyond INT_MAX."""
    mount = worker.vfs.mounts.find(fs)
    if mount is None or not mount.fs_flags & RES_64BIT:
        raise Refused(EINVAL)


# --- file systems


async def req_readsuper(
    worker: Worker, fs: int, label: str, device: int, read_only: bool, is_root: bool
) -> tuple[NodeDetails, int]:
    """Mount: the root directory, and what the file system can do."""
    flags = (REQ_RDONLY if read_only else 0) | (REQ_ISROOT if is_root else 0)

    def ask(grant: int, length: int) -> Awaitable[Any]:
        return ask_fs(worker, fs, ReqReadsuper(device, flags, length, grant, worker.transid))

    answer = _require(await _with_name(worker, fs, label.encode(), ask))
    return _details(fs, answer), answer.flags


async def req_statvfs(worker: Worker, fs: int) -> bytes:
    """The figures of a file system, as it gave them."""
    grants = worker.vfs.grants
    buffer = worker.vfs.buffers.take(STATVFS_SIZE)
    grant = grants.direct(fs, buffer, STATVFS_SIZE, CPF_WRITE)
    answer = await ask_fs(worker, fs, ReqStatvfs(grant, worker.transid))
    grants.revoke(grant)
    data = bytes(await trap(Load(buffer, STATVFS_SIZE)))
    worker.vfs.buffers.give_back(buffer, STATVFS_SIZE)
    _require(answer)
    return data


def req_sync(worker: Worker, fs: int) -> Awaitable[Any]:
    """Write everything back."""
    return ask_fs(worker, fs, ReqSync(worker.transid))
