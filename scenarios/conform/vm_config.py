"""The header of a VM recording: the machine as VM finds it."""

from __future__ import annotations

from typing import Any, Final

from scenarios.conform.recording import Malformed, checked, field, number, optional
from servers.vm.config import (
    USER_END,
    BootAcl,
    BootConfig,
    BootProcess,
    BootRegion,
)

Json = dict[str, Any]

MOST: Final = 0xFFFFFFFF  # an address or a length, as 32 bits hold it
LAST_CALL: Final = 63  # of those that VM's access lists can name


def boot_config(boot: Json) -> BootConfig:
    """The configuration of a header's `boot`.  Raises Malformed."""
    return BootConfig(
        chunks=tuple(_chunk(each) for each in field(boot, "mem", list)),
        processes=tuple(
            _process(checked(each, "procs", dict)) for each in field(boot, "procs", list)
        ),
        acl=tuple(_acl(checked(each, "acl", dict)) for each in optional(boot, "acl", list, [])),
        user_end=optional(boot, "user_end", int, USER_END),
        user_stack=optional(boot, "user_sp", int, USER_END),
        file_maps=bool(optional(boot, "filemap", int, 1)),
        vm_bytes=optional(boot, "vm_allocated_bytes", int, 0),
        kernel_bytes=optional(boot, "kernel_allocated_bytes", int, 0),
        kernel_dynamic_bytes=optional(boot, "kernel_allocated_bytes_dynamic", int, 0),
    )


def _chunk(value: object) -> tuple[int, int]:
    pair = checked(value, "mem", list)
    if len(pair) != 2:
        raise Malformed("a memory chunk is [base, size]")
    chunk = {"base": pair[0], "size": pair[1]}
    return number(chunk, "base", 0, MOST), number(chunk, "size", 0, MOST)


def _process(value: Json) -> BootProcess:
    regions = tuple(
        BootRegion(
            number(each, "vaddr", 0, MOST),
            number(each, "len", 0, MOST),
            bool(optional(each, "prealloc", int, 0)),
        )
        for each in optional(value, "regions", list, [])
    )
    return BootProcess(field(value, "endpoint", int), field(value, "slot", int), regions)


def _acl(value: Json) -> BootAcl:
    mask = call_mask(value) if "calls" in value else None
    return BootAcl(field(value, "endpoint", int), mask, bool(optional(value, "sys", int, 0)))


def call_mask(of: Json) -> int:
    """The `calls` of a JSON object, a bit for each; 0 without.  Raises Malformed."""
    mask = 0
    for call in optional(of, "calls", list, []):
        mask |= 1 << number({"calls": call}, "calls", 0, LAST_CALL)
    return mask
