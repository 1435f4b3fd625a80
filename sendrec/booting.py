"""Booting a machine in a trio program."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from kernel.bridge import Bridge
from sendrec.machine import Machine
from servers.boot import boot as boot_system
from servers.config import BadConfig, MachineConfig


@asynccontextmanager
async def boot(config: MachineConfig | None = None, **options: Any) -> AsyncIterator[Machine]:
    """A machine that has booted, and runs until the context is left.

        async with sendrec.boot(memory="16M", seed=1) as machine:
            buf = await machine.init.mmap(length=8 * sendrec.KiB)

    Takes the options of `MachineConfig`, or one made of them.  Raises BadConfig.  What is raised
    inside comes out as it is; a machine that fails while nobody waits for it raises here.
    """
    if config is not None and not isinstance(config, MachineConfig):
        raise BadConfig("config", f"{config!r:.100} is no MachineConfig")
    if config is not None and options:
        config = MachineConfig.of({**_as_options(config), **options})
    system = boot_system(config or MachineConfig.of(options))
    bridge = Bridge(system.machine)
    failure: BaseException | None = None

    async def run(scope: trio.CancelScope) -> None:
        nonlocal failure
        try:
            await bridge.run()
        except Exception as error:
            failure = error
            scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, nursery.cancel_scope)
        try:
            yield Machine(system, bridge)
        except Exception as error:
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


def _as_options(config: MachineConfig) -> dict[str, Any]:
    import attrs

    return attrs.asdict(config, recurse=False)
