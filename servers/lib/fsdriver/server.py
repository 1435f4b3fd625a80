"""What a file system is: a server that VFS alone talks to, with one operation a request.

A file system derives from `FileServer` and overrides the operations that it has; the others refuse
with ENOSYS.  An operation raises Refused(errno) to fail.  Requests come one at a time.

Source: MINIX ``libfsdriver/fsdriver.c``, ``minix/fsdriver.h``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import attrs

from ipc.endpoint import VFS
from ipc.errors import EINVAL, ENOSYS, IpcError
from ipc.fs import ReqReadsuper
from ipc.message import Message, Reply
from ipc.registry import reply_class
from servers.lib.fsdriver.calls import CALLS
from servers.lib.fsdriver.data import Data
from servers.lib.fsdriver.dirents import DirentList
from servers.lib.fsdriver.node import Node, Stat, StatVfs
from servers.lib.loop import Handler, Refused, Server
from servers.lib.memory import SCRATCH

# The classes of answers, by those of requests, as far as they have been asked for.
_answers: Final[dict[type[Message], Any]] = {}


@attrs.define(eq=False)
class FileServer(Server):
    """A file system's process.

    `scratch` is the address of memory of its own for what it copies in and out; `root` is the
    number of the root directory's inode while one is mounted.
    """

    CALLS: ClassVar[Mapping[int, Handler]] = CALLS
    PARKS: ClassVar[bool] = False

    scratch: int = SCRATCH
    mounted: bool = False
    device: int = 0
    root: int = 0
    request: Message = attrs.field(factory=Reply)

    def handler(self, source: int, message: Message) -> Handler | None:
        """Only VFS is heard, and only READSUPER before anything is mounted."""
        if source != VFS:
            return None
        self.request = message
        if not self.mounted and message.type != ReqReadsuper.type:
            return do_not_mounted
        return super().handler(source, message)

    def complete(self, answer: Reply) -> Message:
        """The answer to VFS is under the number of the transaction that it gave."""
        request = type(self.request)
        kind: Any = _answers.get(request)
        if kind is None:
            kind = _answers[request] = reply_class(request)
        if kind is Reply:
            return answer
        number = getattr(self.request, "transid", 0)
        return kind(answer.type, transid=number)  # type: ignore[no-any-return]

    def unanswered(self, dest: int, message: Message, errno: int) -> None:
        """VFS waits for every answer."""
        raise IpcError(errno)

    # --- the operations

    async def mount(self, device: int, label: str, read_only: bool) -> tuple[Node, int]:
        """Use the file system on `device`, whose driver is `label`: its root and RES_* flags."""
        raise Refused(ENOSYS)

    async def unmount(self) -> None:
        """Write everything back and let go of the device."""

    async def look_up(self, directory: int, name: bytes) -> tuple[Node, bool]:
        """Open the file `name` of a directory; whether another file system is mounted there."""
        raise Refused(ENOSYS)

    async def put_node(self, inode: int, count: int) -> None:
        """End `count` uses of a file."""

    async def new_node(self, mode: int, uid: int, gid: int, device: int) -> Node:
        """Open a file without a name."""
        raise Refused(ENOSYS)

    async def read(self, inode: int, data: Data, length: int, position: int) -> int:
        """Copy from a file; how many bytes."""
        raise Refused(ENOSYS)

    async def write(self, inode: int, data: Data, length: int, position: int) -> int:
        """Copy to a file; how many bytes."""
        raise Refused(ENOSYS)

    async def peek(self, inode: int, length: int, position: int) -> int:
        """Bring part of a file into VM's cache; how many bytes."""
        raise Refused(ENOSYS)

    async def get_entries(self, inode: int, entries: DirentList, position: int) -> int:
        """Add a directory's entries from `position` on; the position behind the last that fits."""
        raise Refused(ENOSYS)

    async def truncate(self, inode: int, start: int, end: int) -> None:
        """Cut a file at `start`, or (with `end`) make a hole up to there."""
        raise Refused(ENOSYS)

    def inhibit_read_ahead(self, inode: int) -> None:
        """The next read of the file will be somewhere else."""

    async def create(self, directory: int, name: bytes, mode: int, uid: int, gid: int) -> Node:
        """Make a regular file and open it."""
        raise Refused(ENOSYS)

    async def make_directory(
        self, directory: int, name: bytes, mode: int, uid: int, gid: int
    ) -> None:
        """Make a directory."""
        raise Refused(ENOSYS)

    async def make_node(
        self, directory: int, name: bytes, mode: int, uid: int, gid: int, device: int
    ) -> None:
        """Make a special file."""
        raise Refused(ENOSYS)

    async def link(self, directory: int, name: bytes, inode: int) -> None:
        """Give a file another name."""
        raise Refused(ENOSYS)

    async def unlink(self, directory: int, name: bytes, rmdir: bool) -> None:
        """Take a name away from a file, or remove an empty directory."""
        raise Refused(ENOSYS)

    async def rename(self, old: int, old_name: bytes, new: int, new_name: bytes) -> None:
        """Move a name from one directory to another."""
        raise Refused(ENOSYS)

    async def make_link(
        self, directory: int, name: bytes, uid: int, gid: int, data: Data, length: int
    ) -> None:
        """Make a symbolic link to the path in `data`."""
        raise Refused(ENOSYS)

    async def read_link(self, inode: int, data: Data, length: int) -> int:
        """Copy the path that a symbolic link names; how many bytes."""
        raise Refused(ENOSYS)

    async def link_target(self, inode: int) -> bytes:
        """The path that a symbolic link names, for following it here."""
        raise Refused(ENOSYS)

    async def stat(self, inode: int) -> Stat:
        """A file's attributes."""
        raise Refused(ENOSYS)

    async def change_mode(self, inode: int, mode: int) -> int:
        """Set a file's permissions; its mode then."""
        raise Refused(ENOSYS)

    async def change_owner(self, inode: int, uid: int, gid: int) -> int:
        """Set a file's owner; its mode then."""
        raise Refused(ENOSYS)

    async def set_times(self, inode: int, accessed: int | None, modified: int | None) -> None:
        """Set a file's times (seconds; None: leave it; NOW: the present)."""
        raise Refused(ENOSYS)

    async def set_mount_point(self, inode: int) -> None:
        """Another file system will be mounted there."""
        raise Refused(ENOSYS)

    async def statvfs(self) -> StatVfs:
        """The file system's figures."""
        raise Refused(ENOSYS)

    async def sync(self) -> None:
        """Write everything back."""

    async def set_driver(self, device: int, label: str) -> None:
        """The driver of `device` is now the one called `label`."""

    async def flush_device(self, device: int) -> None:
        """Write back and forget all blocks of a device."""

    async def transfer_blocks(
        self, device: int, data: Data | None, length: int, position: int, write: bool
    ) -> int:
        """Copy from or to a block device, or (without `data`) bring it into VM's cache."""
        raise Refused(ENOSYS)


NOW: Final = -1


async def do_not_mounted(_server: FileServer, _source: int, _request: Message) -> Reply:
    """Refuse whatever needs a mounted file system."""
    raise Refused(EINVAL)
