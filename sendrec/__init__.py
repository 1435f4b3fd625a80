"""sendrec: a MINIX 3 machine, simulated message by message.

    async with sendrec.boot(memory="16M") as machine:
        buf = await machine.init.mmap(length=8 * sendrec.KiB)
        await machine.init.store(buf, b"hello")
        child = await machine.init.fork()
        assert await child.load(buf, 5) == b"hello"

Names are fetched when they are first used, so that importing this costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ipc.errors import error_name
    from kernel.driven import ProcessEnded
    from kernel.hang import Hang
    from kernel.injection import (
        AllocationFault,
        Armed,
        Crash,
        Fault,
        NeverStruck,
        NoServer,
        ReplyFault,
        When,
    )
    from kernel.limits import LimitReached, Limits
    from kernel.machine import MachineStopped
    from kernel.panic import Panic
    from kernel.probes import Event, MessageDelivered, MessageSent
    from sendrec.booting import boot
    from sendrec.exploring import explore
    from sendrec.machine import Machine, Mapping
    from sendrec.process import InProgress, Process
    from servers.config import BadConfig, MachineConfig
    from servers.lib.libc import CallFailed, Libc, Program, Stat, Waited
    from servers.lib.loop import Refused, Server, Ticket, wait

KiB: Final = 1 << 10
MiB: Final = 1 << 20
GiB: Final = 1 << 30

_HOMES: Final = {
    "AllocationFault": "kernel.injection",
    "Armed": "kernel.injection",
    "BadConfig": "servers.config",
    "CallFailed": "servers.lib.libc",
    "Crash": "kernel.injection",
    "Event": "kernel.probes",
    "Fault": "kernel.injection",
    "Hang": "kernel.hang",
    "InProgress": "sendrec.process",
    "Libc": "servers.lib.libc",
    "LimitReached": "kernel.limits",
    "Limits": "kernel.limits",
    "Machine": "sendrec.machine",
    "MachineConfig": "servers.config",
    "MachineStopped": "kernel.machine",
    "Mapping": "sendrec.machine",
    "MessageDelivered": "kernel.probes",
    "MessageSent": "kernel.probes",
    "NeverStruck": "kernel.injection",
    "NoServer": "kernel.injection",
    "Panic": "kernel.panic",
    "Process": "sendrec.process",
    "ProcessEnded": "kernel.driven",
    "Program": "servers.lib.libc",
    "Refused": "servers.lib.loop",
    "ReplyFault": "kernel.injection",
    "Server": "servers.lib.loop",
    "Stat": "servers.lib.libc",
    "Ticket": "servers.lib.loop",
    "Waited": "servers.lib.libc",
    "When": "kernel.injection",
    "boot": "sendrec.booting",
    "error_name": "ipc.errors",
    "explore": "sendrec.exploring",
    "wait": "servers.lib.loop",
}

__all__ = [
    "AllocationFault", "Armed", "BadConfig", "CallFailed", "Crash", "Event", "Fault", "GiB",
    "Hang", "InProgress", "KiB", "Libc", "LimitReached", "Limits", "Machine", "MachineConfig",
    "MachineStopped", "Mapping", "MessageDelivered", "MessageSent", "MiB", "NeverStruck",
    "NoServer", "Panic", "Process", "ProcessEnded", "Program", "Refused", "ReplyFault", "Server",
    "Stat", "Ticket", "Waited", "When", "boot", "error_name", "explore",
    "wait",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
