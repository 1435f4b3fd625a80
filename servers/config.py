"""What a machine is to be: the options that everybody who boots one can give.

An option is given as a value or as the text that a command line or a scenario has for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from ipc.endpoint import INIT, NR_PROCS, VM, endpoint_name
from kernel.costs import CostError, Costs, parse_duration
from kernel.limits import Limits
from kernel.policies import PolicyError, make_policy
from kernel.quirks import ALL_QUIRKS, KERNEL_QUIRKS, NO_QUIRKS, Quirks, UnknownQuirk, parse_quirks

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

PAGE_SIZE: Final = 4096
LEAST_MEMORY: Final = MIB
MOST_MEMORY: Final = 3 * GIB
LEAST_SLOTS: Final = 32
MOST_SLOTS: Final = 30_000
UNDRIVABLE: Final = (VM, INIT)  # the one gives all others their memory; the other is driven anyway
SANITY: Final = ("never", "quiet", "each")
_UNITS: Final = {"K": KIB, "M": MIB, "G": GIB}

# A server of the user's own: what makes it, or `module:function` where that is found.
ServerMaker: TypeAlias = "str | Callable[[], Any]"
FileContents: TypeAlias = "str | bytes | Any"


class BadConfig(ValueError):
    """An option that makes no machine; `key` is its name."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


def parse_size(text: str | int, key: str = "size") -> int:
    """Bytes from a number, or from text such as `64K`, `16M`, `1G`.  Raises BadConfig."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    if isinstance(text, str):
        word = text.strip()
        unit = _UNITS.get(word[-1:].upper(), 1)
        digits = word if unit == 1 else word[:-1]
        if digits.isascii() and digits.isdigit():
            return int(digits) * unit
    raise BadConfig(key, f"{text!r} is no size such as 64K or 16M")


def _memory(value: str | int) -> int:
    size = parse_size(value, "memory")
    if size % PAGE_SIZE or not LEAST_MEMORY <= size <= MOST_MEMORY:
        raise BadConfig("memory", f"{value} is not a multiple of 4K between 1M and 3G")
    return size


def _slots(value: Any) -> int:
    return _number("slots", value, LEAST_SLOTS, MOST_SLOTS)


def _seed(value: Any) -> int:
    return _number("seed", value, 0, (1 << 63) - 1)


def _number(key: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadConfig(key, f"{value!r} is no whole number in {low}..{high}")
    return value


def _policy(value: Any) -> str:
    if not isinstance(value, str):
        raise BadConfig("policy", f"{value!r} is no name of a policy")
    try:
        make_policy(value)
    except PolicyError as error:
        raise BadConfig("policy", str(error)) from None
    return value


def _quirks(value: Any) -> Quirks:
    if isinstance(value, Quirks):
        return value
    if isinstance(value, str):
        if value == "none":
            return NO_QUIRKS
        if value == "all":
            return ALL_QUIRKS
    else:
        names = list(value) if isinstance(value, Iterable) else [value]
        for name in names:
            if not isinstance(name, str):
                raise BadConfig("quirks", f"{name!r} is no name of a quirk")
        if not names:
            return NO_QUIRKS
        value = ",".join(names)
    try:
        return parse_quirks(value, known_quirks())
    except UnknownQuirk as error:
        raise BadConfig("quirks", str(error)) from None


def known_quirks() -> list[str]:
    """The names of all quirks of the kernel and of the servers."""
    from servers.vfs.quirks import VFS_QUIRKS
    from servers.vm.quirks import VM_QUIRKS

    return [*KERNEL_QUIRKS, *VM_QUIRKS, *VFS_QUIRKS]


def _costs(value: str | Costs) -> Costs:
    if isinstance(value, Costs):
        return value
    if not isinstance(value, str):
        raise BadConfig("costs", f"{value!r} is no text such as trap=1us")
    try:
        return Costs.parse(value)
    except CostError as error:
        raise BadConfig("costs", str(error)) from None


def _limits(value: Limits | Mapping[str, Any]) -> Limits:
    known = {field.name for field in attrs.fields(Limits)}
    if isinstance(value, Limits):
        value = {name: getattr(value, name) for name in known}
    given: dict[str, Any] = {}
    for name, limit in _mapping("limits", value).items():
        if name not in known:
            raise BadConfig("limits", f"there is no limit {name!r}; there are {sorted(known)}")
        try:
            given[name] = parse_duration(limit) if isinstance(limit, str) else limit
        except CostError as error:
            raise BadConfig("limits", str(error)) from None
        kind = int | float if name == "host_seconds" else int
        if isinstance(limit, bool) or not isinstance(given[name], kind) or not given[name] >= 0:
            raise BadConfig("limits", f"{name} cannot be {limit!r}")
    return Limits(**given)


def _mapping(key: str, value: Any) -> Mapping[Any, Any]:
    """`value`, if it is a mapping.  Raises BadConfig."""
    if not isinstance(value, Mapping):
        raise BadConfig(key, f"{value!r:.100} is no mapping from names")
    return value


def _sanity(value: str) -> str:
    if value not in SANITY:
        raise BadConfig("sanity", f"{value!r} is none of {', '.join(SANITY)}")
    return value


def _files(value: Mapping[Any, FileContents]) -> Mapping[str, FileContents]:
    for path, contents in _mapping("files", value).items():
        if not isinstance(path, str) or not path.startswith("/"):
            raise BadConfig("files", f"{path!r} is no absolute path")
        if not isinstance(contents, str | bytes) and not hasattr(contents, "mode"):
            raise BadConfig("files", f"the contents of {path} are neither text nor bytes")
    return dict(value)


def _servers(value: Mapping[Any, ServerMaker]) -> Mapping[str, ServerMaker]:
    for name, maker in _mapping("servers", value).items():
        if not isinstance(name, str) or not name.isidentifier():
            raise BadConfig("servers", f"{name!r} is no name for a server")
        if isinstance(maker, str):
            module, colon, function = maker.partition(":")
            if not (module and colon and function):
                raise BadConfig("servers", f"{maker!r} is not written module:function")
        elif not callable(maker):
            raise BadConfig("servers", f"what makes {name} cannot be called: {maker!r}")
    return dict(value)


def _driven(value: Mapping[Any, Any]) -> Mapping[str, int]:
    for name, endpoint in _mapping("driven", value).items():
        if not isinstance(name, str) or not name.isidentifier():
            raise BadConfig("driven", f"{name!r} is no name for a process")
        if endpoint in UNDRIVABLE:
            raise BadConfig("driven", f"{endpoint_name(endpoint)} cannot be replaced")
        if not isinstance(endpoint, int) or not 0 <= endpoint < INIT:
            raise BadConfig("driven", f"{endpoint!r} is no endpoint of a server, 0..{INIT - 1}")
    if len(set(value.values())) != len(value):
        raise BadConfig("driven", "two processes have the same endpoint")
    return dict(value)


@attrs.frozen
class MachineConfig:
    """The options of a machine.  Raises BadConfig, which names the option, for one that is none.

    `memory` is how much RAM it has (bytes, or text such as "16M"); `slots` how many processes
    there can be.  `policy` says who runs next, with `seed` where that is random.  `quirks`: which
    defects of the real system it has.  `sanity`: how often VM checks its books.  `costs` and
    `limits`: what things cost in virtual time, and where a run ends.  `files` are in its file
    system from the start, by absolute path.  `servers` are the user's own, by name.  `driven` are
    processes with a server's endpoint and rights that are driven from outside, by name; one that
    has the endpoint of a server of the boot image is there instead of it.
    """

    memory: int = attrs.field(default=16 * MIB, converter=_memory)
    slots: int = attrs.field(default=NR_PROCS, converter=_slots)
    seed: int = attrs.field(default=0, converter=_seed)
    policy: str = attrs.field(default="fifo", converter=_policy)
    quirks: Quirks = attrs.field(default=NO_QUIRKS, converter=_quirks)
    sanity: str = attrs.field(default="never", converter=_sanity)
    costs: Costs = attrs.field(default=Costs(), converter=_costs)
    limits: Limits = attrs.field(default=Limits(), converter=_limits)
    files: Mapping[str, FileContents] = attrs.field(factory=dict, converter=_files)
    servers: Mapping[str, ServerMaker] = attrs.field(factory=dict, converter=_servers)
    driven: Mapping[str, int] = attrs.field(factory=dict, converter=_driven)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> MachineConfig:
        """The configuration with these options.  Raises BadConfig, also for an unknown one."""
        known = [field.name for field in attrs.fields(cls)]
        for key in options:
            if key not in known:
                raise BadConfig(key, f"there is no such option; there are {', '.join(known)}")
        return cls(**options)
