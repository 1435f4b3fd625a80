"""Faults that somebody outside the machine has happen in it: what they are, and where they strike.

A fault strikes a server when it receives a request, or VM when it takes frames.  Nothing looks for
faults while none is set.
"""

from __future__ import annotations

from kernel.injection.faults import AllocationFault, Crash, Fault, ReplyFault
from kernel.injection.table import Armed, FaultTable, NeverStruck, NoServer
from kernel.injection.when import EVERY, When

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
