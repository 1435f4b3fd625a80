"""How much of the host's memory a machine takes, each measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys

IMPORTS = "import trio, numpy, attrs"

GIGABYTE = """
from servers.boot import boot
from servers.config import MachineConfig
system = boot(MachineConfig(memory="1G"))
"""

PROCESSES = """
from functools import partial
from ipc.traps import NextCommand, trap
from servers.boot import boot
from servers.config import MachineConfig
from servers.lib.libc import Libc
from servers.lib.libc.processes import Image

async def live(libc):
    await trap(NextCommand())

async def main(libc):
    for _ in range(18):
        await libc.mmap(length=4096)
    for _ in range({processes}):
        await libc.fork(live)
    await trap(NextCommand())

config = MachineConfig(memory="256M", slots=1100)
system = boot(config, Image(main, Libc()))
"""

REPORT = """
import gc
from kernel.limits import resident_memory
gc.collect()
print(resident_memory())
"""

MANY = 1_000
FEW = 10


def _resident(program: str) -> int:
    """Bytes that the host has given to a Python that has run `program`."""
    run = subprocess.run(
        [sys.executable, "-c", f"{IMPORTS}\n{program}\n{REPORT}"],
        check=True,
        stdout=subprocess.PIPE,
    )
    return int(run.stdout)


def untouched_gigabyte() -> float:
    """Bytes for a machine with 1 GiB that nobody touches, above those for the bare import."""
    return _resident(GIGABYTE) - _resident("")


def one_process() -> float:
    """Bytes for a process with twenty regions, among a thousand such."""
    many = _resident(PROCESSES.format(processes=MANY))
    few = _resident(PROCESSES.format(processes=FEW))
    return (many - few) / (MANY - FEW)


def mebibyte() -> float:
    """The measure of what is large."""
    return 1 << 20


def kibibyte() -> float:
    """The measure of what is small."""
    return 1 << 10
