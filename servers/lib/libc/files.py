"""The C library: files.

Source: MINIX ``lib/libc/sys/{open,close,read,write,lseek,stat,access,fcntl,dup,mkdir,unlink,…}.c``.
"""

from __future__ import annotations

from typing import Final

from ipc.endpoint import VFS
from ipc.errors import EBADF
from ipc.flags import F_DUPFD, F_GETFL, O_CREAT, O_RDONLY, SEEK_SET
from ipc.vfs import (
    VfsAccess,
    VfsChdir,
    VfsChmod,
    VfsClose,
    VfsCreat,
    VfsFcntl,
    VfsFstat,
    VfsFsync,
    VfsFtruncate,
    VfsLseek,
    VfsLstat,
    VfsMkdir,
    VfsOpen,
    VfsPipe2,
    VfsRead,
    VfsRmdir,
    VfsStat,
    VfsSync,
    VfsUnlink,
    VfsWrite,
)
from servers.lib.libc.base import Library, as_bytes
from servers.lib.libc.errors import CallFailed
from servers.lib.libc.results import STAT, Stat

OPEN_MAX: Final = 255
DEFAULT_MODE: Final = 0o666


class Files(Library):
    """Calls to VFS.  All raise CallFailed."""

    __slots__ = ()

    async def open(self, name: str, flags: int = O_RDONLY, mode: int = DEFAULT_MODE) -> int:
        """Open a file, making it with O_CREAT; the file descriptor."""
        if flags & O_CREAT:
            address, length = await self.text(name)
            request = VfsCreat(name_=address, len=length, flags=flags, mode=mode)
            return int((await self.syscall(VFS, request)).type)
        address, length, text = await self.path(name)
        reply = await self.syscall(VFS, VfsOpen(address, length, flags, 0, text))
        return int(reply.type)

    async def creat(self, name: str, mode: int = DEFAULT_MODE) -> int:
        """Make a file, or empty it, and open it for writing; the file descriptor."""
        from ipc.flags import O_TRUNC, O_WRONLY

        return await self.open(name, O_WRONLY | O_CREAT | O_TRUNC, mode)

    async def close(self, fd: int) -> int:
        """Close a file."""
        return int((await self.syscall(VFS, VfsClose(fd))).type)

    async def read(self, fd: int, buffer: int, length: int) -> int:
        """Read up to `length` bytes to the address `buffer`; how many, 0 at the end."""
        return int((await self.syscall(VFS, VfsRead(fd, buffer, length))).type)

    async def write(self, fd: int, buffer: int | str | bytes, length: int = -1) -> int:
        """Write `length` bytes at the address `buffer`; how many were written.

        Data instead of an address is put on the stack first.
        """
        if not isinstance(buffer, int):
            data = as_bytes(buffer)
            length = len(data) if length < 0 else length
            buffer = self.on_stack(len(data))
            await self.store(buffer, data)
        return int((await self.syscall(VFS, VfsWrite(fd, buffer, length))).type)

    async def read_bytes(self, fd: int, length: int) -> bytes:
        """Read up to `length` bytes by way of the stack, and load them."""
        buffer = self.on_stack(length)
        count = await self.read(fd, buffer, length)
        return await self.load(buffer, count) if count else b""

    async def lseek(self, fd: int, offset: int, whence: int = SEEK_SET) -> int:
        """Move in a file; the new position (bytes)."""
        return int((await self.syscall(VFS, VfsLseek(offset, fd, whence))).offset)

    async def stat(self, name: str, buffer: int = 0) -> Stat:
        """What is known of a file; `buffer` is where the structure goes (0: to the stack)."""
        address, length = await self.text(name)
        where = buffer or self.on_stack(STAT.size, above=address)
        await self.syscall(VFS, VfsStat(length, address, where))
        return Stat.unpack(await self.load(where, STAT.size))

    async def lstat(self, name: str, buffer: int = 0) -> Stat:
        """As `stat`, but of a symbolic link itself."""
        address, length = await self.text(name)
        where = buffer or self.on_stack(STAT.size, above=address)
        await self.syscall(VFS, VfsLstat(length, address, where))
        return Stat.unpack(await self.load(where, STAT.size))

    async def fstat(self, fd: int, buffer: int = 0) -> Stat:
        """What is known of an open file; `buffer` as for `stat`."""
        where = buffer or self.on_stack(STAT.size)
        await self.syscall(VFS, VfsFstat(fd, where))
        return Stat.unpack(await self.load(where, STAT.size))

    async def access(self, name: str, mode: int = 0) -> int:
        """Whether a file may be accessed as `mode` says."""
        address, length, text = await self.path(name)
        request = VfsAccess(address, length, 0, mode, text)
        return int((await self.syscall(VFS, request)).type)

    async def mkdir(self, name: str, mode: int = 0o777) -> int:
        """Make a directory."""
        address, length, text = await self.path(name)
        request = VfsMkdir(address, length, 0, mode, text)
        return int((await self.syscall(VFS, request)).type)

    async def rmdir(self, name: str) -> int:
        """Remove an empty directory."""
        address, length, text = await self.path(name)
        return int((await self.syscall(VFS, VfsRmdir(address, length, 0, 0, text))).type)

    async def unlink(self, name: str) -> int:
        """Remove a name of a file."""
        address, length, text = await self.path(name)
        return int((await self.syscall(VFS, VfsUnlink(address, length, 0, 0, text))).type)

    async def chdir(self, name: str) -> int:
        """Change the working directory."""
        address, length, text = await self.path(name)
        return int((await self.syscall(VFS, VfsChdir(address, length, 0, 0, text))).type)

    async def chmod(self, name: str, mode: int) -> int:
        """Change who may access a file."""
        address, length, text = await self.path(name)
        return int((await self.syscall(VFS, VfsChmod(address, length, 0, mode, text))).type)

    async def fcntl(self, fd: int, cmd: int, argument: int = 0) -> int:
        """Do `cmd` (F_*) to an open file."""
        return int((await self.syscall(VFS, VfsFcntl(fd, cmd, argument))).type)

    async def dup(self, fd: int) -> int:
        """Another descriptor of an open file, the lowest that is free."""
        return await self.fcntl(fd, F_DUPFD, 0)

    async def dup2(self, fd: int, other: int) -> int:
        """Make `other` a descriptor of the open file `fd`, closing what it was."""
        if not 0 <= other <= OPEN_MAX:
            raise CallFailed("VFS_FCNTL", EBADF)
        await self.fcntl(fd, F_GETFL)
        if fd == other:
            return other
        try:
            await self.close(other)
        except CallFailed as failure:
            if failure.errno != EBADF:
                raise
        return await self.fcntl(fd, F_DUPFD, other)

    async def ftruncate(self, fd: int, length: int) -> int:
        """Make an open file `length` bytes long."""
        return int((await self.syscall(VFS, VfsFtruncate(length, fd))).type)

    async def fsync(self, fd: int) -> int:
        """Have what was written to a file written to its device."""
        return int((await self.syscall(VFS, VfsFsync(fd))).type)

    async def sync(self) -> int:
        """Have everything written to the devices."""
        return int((await self.syscall(VFS, VfsSync())).type)

    async def pipe(self) -> tuple[int, int]:
        """Make a pipe: the descriptor to read from, and the one to write to."""
        reply = await self.syscall(VFS, VfsPipe2())
        return reply.fd0, reply.fd1
