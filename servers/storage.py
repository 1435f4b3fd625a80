"""The servers of files of a new machine: VFS, PFS, MFS, and the disk with the root file system."""

from __future__ import annotations

from functools import partial
from typing import Any

from ipc.endpoint import MFS
from kernel.machine import Machine
from servers.config import BadConfig, MachineConfig
from servers.disk.controller import Controller
from servers.disk.driver import Disk
from servers.disk.medium import Medium
from servers.image import DISK, DISK_LABEL, DISK_LINE, DISK_PORTS, ROOT_DEVICE
from servers.mfs.mkfs import File, Volume, file_of, make_volume
from servers.mfs.server import Mfs
from servers.pfs.server import Pfs
from servers.vfs.mounting import RootFileSystem
from servers.vfs.server import Vfs

NANOSECONDS = 1_000_000_000


def make_file_servers(config: MachineConfig, machine: Machine) -> dict[str, Any]:
    """The servers by name.  Raises BadConfig if the files of `config` make no file system."""
    clock = machine.clock

    def seconds() -> int:
        return clock.boot_time + clock.now // NANOSECONDS

    return {
        "vfs": Vfs(root=RootFileSystem(MFS, ROOT_DEVICE, DISK_LABEL), quirks=config.quirks),
        "pfs": Pfs(),
        "mfs": Mfs(drivers={DISK_LABEL: DISK}, seconds=seconds),
        "disk": Disk(_make_controller(machine, _make_volume(config))),
    }


def _make_volume(config: MachineConfig) -> Volume:
    try:
        return make_volume({path: _file(contents) for path, contents in config.files.items()})
    except ValueError as error:
        raise BadConfig("files", str(error)) from None


def _file(contents: Any) -> File:
    if isinstance(contents, str):
        return file_of(contents.encode())
    return file_of(contents) if isinstance(contents, bytes) else contents


def _make_controller(machine: Machine, volume: Volume) -> Controller:
    interrupt = partial(machine.interrupts.raise_line, DISK_LINE)
    medium = Medium(volume.size, volume.block)
    controller = Controller(medium, DISK_PORTS, machine.clock, interrupt)
    machine.interrupts.ports[DISK_PORTS] = controller
    return controller
