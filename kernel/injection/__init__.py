"""Faults that somebody outside the machine has happen in it: what they are, and where they strike.

A fault strikes a server when it receives a request, or VM when it takes frames.  Nothing looks for
faults while none is set, and what is here is fetched when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kernel.injection.faults import AllocationFault, Crash, Fault, ReplyFault
    from kernel.injection.table import Armed, FaultTable, NeverStruck, NoServer
    from kernel.injection.when import EVERY, When

_HOMES: Final = {
    "EVERY": "when",
    "AllocationFault": "faults",
    "Armed": "table",
    "Crash": "faults",
    "Fault": "faults",
    "FaultTable": "table",
    "NeverStruck": "table",
    "NoServer": "table",
    "ReplyFault": "faults",
    "When": "when",
}

__all__ = [
    "EVERY",
    "AllocationFault",
    "Armed",
    "Crash",
    "Fault",
    "FaultTable",
    "NeverStruck",
    "NoServer",
    "ReplyFault",
    "When",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
