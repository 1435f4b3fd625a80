"""Machines with a user program that measures itself."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from ipc.traps import NextCommand, trap
from servers.boot import boot
from servers.config import MachineConfig
from servers.lib.libc import Libc
from servers.lib.libc.processes import Image

# A program that returns what it measured.
Measuring: TypeAlias = Callable[[Libc], Coroutine[Any, Any, float]]


def run_program(program: Measuring, **options: Any) -> float:
    """Boot a machine whose INIT is `program`; what that returned.

    The time for the boot is not in it unless the program's clock started before.
    """
    measured: list[float] = []

    async def main(libc: Libc) -> int:
        measured.append(await program(libc))
        await trap(NextCommand())
        return 0

    boot(MachineConfig(**options), Image(main, Libc()))
    return measured[0]
