"""The calls that a line `NAME: call(arguments)` can make: the C library's, and the kernel's own.

One literal table.  What a parameter or a result means is its kind (see `scenarios.values`).
"""

from __future__ import annotations

from typing import Final

import attrs


@attrs.frozen
class Parameter:
    """One parameter of a call; one with `default` may be left out."""

    name: str
    kind: str
    default: int | None = None


@attrs.frozen
class Signature:
    """How a call is written: its parameters, and what its result means.

    `fields` are the kinds of a result that is a structure.  `rest` is the kind of any number of
    further arguments.
    """

    parameters: tuple[Parameter, ...]
    result: str = "decimal"
    fields: dict[str, str] = attrs.field(factory=dict)

    @property
    def least(self) -> int:
        """How many arguments it needs."""
        return sum(parameter.default is None for parameter in self.parameters)

    @property
    def most(self) -> int:
        """How many arguments it takes."""
        return len(self.parameters)


def _signature(parameters: str, result: str = "decimal", fields: str = "") -> Signature:
    """From `name:kind name:kind=default`, and for a structure the kinds of its fields likewise."""
    parsed = []
    for word in parameters.split():
        name, _, rest = word.partition(":")
        kind, equals, default = rest.partition("=")
        parsed.append(Parameter(name, kind, int(default, 0) if equals else None))
    kinds = dict(word.split(":") for word in fields.split())
    return Signature(tuple(parsed), result, kinds)


_STAT = (
    "st_dev:hex st_ino:decimal st_mode:octal st_nlink:decimal st_uid:decimal st_gid:decimal"
    " st_size:size"
)

CALLS: Final[dict[str, Signature]] = {
    # Memory.
    "mmap": _signature(
        "addr:address len:size prot:prot flags:map fd:fd=-1 offset:size=0", "address"
    ),
    "munmap": _signature("addr:address len:size"),
    "brk": _signature("addr:address"),
    "sbrk": _signature("increment:size", "address"),
    "load": _signature("addr:address len:size", "bytes"),
    "store": _signature("addr:address data:bytes", "none"),
    # Processes.
    "fork": _signature("", "pid"),
    "exit": _signature("status:decimal=0", "none"),
    "wait": _signature("", "structure", "pid:pid status:decimal signal:signal"),
    "waitpid": _signature(
        "pid:pid options:wait=0", "structure", "pid:pid status:decimal signal:signal"
    ),
    "getpid": _signature("", "pid"),
    "getppid": _signature("", "pid"),
    "kill": _signature("pid:pid signal:signal"),
    "signal": _signature("signal:signal action:handler", "none"),
    "compute": _signature("duration:time", "none"),
    # Files.
    "open": _signature("path:path flags:open=0 mode:octal=0", "fd"),
    "close": _signature("fd:fd"),
    "read": _signature("fd:fd buf:address len:size", "decimal"),
    "write": _signature("fd:fd buf:address len:size", "decimal"),
    "lseek": _signature("fd:fd offset:offset whence:whence=0", "offset"),
    "stat": _signature("path:path", "structure", _STAT),
    "fstat": _signature("fd:fd", "structure", _STAT),
    # The kernel's primitives.
    "send": _signature("dest:endpoint message:message", "none"),
    "receive": _signature("source:endpoint", "message"),
    "sendrec": _signature("dest:endpoint message:message", "message"),
    "notify": _signature("dest:endpoint", "none"),
    "sendnb": _signature("dest:endpoint message:message", "none"),
    "senda": _signature("table:entries", "none"),
    "kernel_call": _signature("request:message", "message"),
}
