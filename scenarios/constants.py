"""The constants of MINIX that a scenario may name: flags, errors, signals, endpoints."""

from __future__ import annotations

from typing import Final

from ipc import errors, flags, signals
from ipc.endpoint import WELL_KNOWN

# What `signal` takes for a handler that does nothing but end the call that it interrupts.
SIG_CATCH: Final = 2

_ENDPOINTS: Final = {name: endpoint for endpoint, name in WELL_KNOWN.items()}
_OTHERS: Final = {"NULL": 0, "MAP_FAILED": 0xFFFFFFFF, "SIG_CATCH": SIG_CATCH}
_TABLES: Final = (flags.CONSTANTS, errors.NUMBERS, signals.NUMBERS, _ENDPOINTS, _OTHERS)


def constant(name: str) -> int | None:
    """The number that MINIX calls `name`, or None."""
    for table in _TABLES:
        if name in table:
            return table[name]
    return None


def constant_names() -> list[str]:
    """The names of all constants."""
    return [name for table in _TABLES for name in table]


def is_signal(name: str) -> bool:
    """Whether `name` is a signal, which may kill a process."""
    return name in signals.NUMBERS


def is_error(name: str) -> bool:
    """Whether `name` is an error, the outcome of a call that fails."""
    return errors.NUMBERS.get(name, 0) < 0
