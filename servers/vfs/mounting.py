"""Mounting the pipe file system and the root, when VFS starts.

Source: MINIX ``servers/vfs/mount.c``, ``main.c`` do_init_root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ipc.endpoint import PFS
from ipc.flags import RES_THREADED
from kernel.panic import Panic
from servers.lib.loop import Refused
from servers.vfs.lock import WRITE
from servers.vfs.mounts import Mount
from servers.vfs.nodes import new_vnode
from servers.vfs.requests import req_readsuper, req_statvfs
from servers.vfs.worker import NR_WORKERS

if TYPE_CHECKING:
    from servers.vfs.server import Vfs
    from servers.vfs.worker import Worker

NONE_DEVICE: Final = 1  # the first device number that stands for no device


@attrs.frozen
class RootFileSystem:
    """What is mounted at `/`: the file system process, its device, and the driver's label."""

    fs: int
    device: int
    driver: str
    read_only: bool = False


async def mount_pfs(worker: Worker) -> None:
    """Have PFS ready for pipes; it has no root."""
    vfs = worker.vfs
    mount = Mount(PFS, NONE_DEVICE, "pipe", "pfs")
    mount.lock.what = "PFS"
    vfs.mounts.add(mount)
    try:
        _root, mount.fs_flags = await req_readsuper(worker, PFS, "", NONE_DEVICE, False, False)
    except Refused as refusal:
        raise Panic(f"PFS cannot be mounted: {refusal.errno}") from refusal


async def mount_root(worker: Worker, root: RootFileSystem) -> None:
    """Mount the root, and put all processes there.  Source: MINIX mount_fs."""
    vfs = worker.vfs
    mount = Mount(root.fs, root.device, "/", root.driver, read_only=root.read_only)
    mount.lock.what = "the root file system"
    await mount.lock.acquire(worker, WRITE)
    service = vfs.processes.lookup(root.fs)
    if service is None:
        raise Panic(f"the file system {root.fs} is no process")
    service.is_service = True
    vfs.mounts.add(mount)
    try:
        details, mount.fs_flags = await req_readsuper(
            worker, root.fs, root.driver, root.device, root.read_only, True
        )
        await req_statvfs(worker, root.fs)
    except Refused as refusal:
        raise Panic(f"the root cannot be mounted: {refusal.errno}") from refusal
    mount.limit = NR_WORKERS if mount.fs_flags & RES_THREADED else 1
    vnode = new_vnode(worker, details)
    mount.root = vnode
    vnode.references = 1
    _enter(vfs, mount)
    mount.lock.release(worker)


def _enter(vfs: Vfs, mount: Mount) -> None:
    """Make the root of `mount` everybody's root and working directory."""
    assert mount.root is not None, "it was just read"
    for who in vfs.processes.all():
        who.root = who.directory = mount.root
        mount.root.references += 2
