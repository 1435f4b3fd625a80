"""Grants: what a process lets another do with memory.

A grant names who may copy (read, write) from or to which memory: the granter's own (direct),
another process's (magic, only VFS and MIB may), or what a grant to the granter covers (indirect).

A server keeps its grants in a `GrantTable` that the kernel reads, as it reads a SENDA table.
Differs: a process that has none may instead announce a table of `cp_grant_t` in its memory with
SYS_SETGRANT, which is the only way in MINIX.

Source: MINIX ``minix/safecopies.h``; ``kernel/system/do_safecopy.c`` verify_grant.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, Protocol

import attrs

from ipc.endpoint import ANY, MIB, NONE, VFS
from ipc.errors import EINVAL, ELOOP, ENOTREADY, EPERM
from ipc.flags import (
    CPF_DIRECT,
    CPF_INDIRECT,
    CPF_MAGIC,
    CPF_TRY,
    CPF_USED,
    CPF_VALID,
    GRANT_INVALID,
)
from kernel.copying import Place

if TYPE_CHECKING:
    from attrs import frozen

    from kernel.machine import Machine
    from kernel.process import Process
else:
    # Nobody changes what is frozen here, but to have attrs enforce it would double what it costs.
    from attrs import define as frozen

CPF_IN_USE: Final = CPF_USED | CPF_VALID

GRANT_SHIFT: Final = 20
GRANT_MAX_IDX: Final = 1 << GRANT_SHIFT
GRANT_INDEX: Final = GRANT_MAX_IDX - 1  # the part of a number that tells the index
GRANT_MAX_SEQ: Final = 1 << (31 - GRANT_SHIFT)

MAXIMUM_INDIRECT_DEPTH: Final = 5
_DEPTHS: Final = range(MAXIMUM_INDIRECT_DEPTH + 1)
_MEMORY_TOP: Final = 0xFFFFFFFF
_LAYOUT: Final = struct.Struct("<IiiIIIi")  # cp_grant_t, i386
_FAULTED_OFFSET: Final = 24


def grant_id(index: int, sequence: int) -> int:
    """The number by which a grant is named.  MINIX: GRANT_ID."""
    return sequence << GRANT_SHIFT | index


def grant_index(grant: int) -> int:
    """Where in the table a grant is."""
    return grant & GRANT_INDEX


@attrs.define(eq=False)
class Grant:
    """One entry of a grant table.

    `start` and `length` (bytes) are a direct or magic grant's memory; `who_from` is whose memory a
    magic grant, or whose `grant` an indirect one, covers.  The kernel sets `faulted` to the
    grant's number when a copy through a grant with CPF_TRY meets memory that is not there.
    """

    flags: int = 0
    sequence: int = 0
    who_to: int = NONE
    who_from: int = NONE
    start: int = 0
    length: int = 0
    grant: int = GRANT_INVALID
    faulted: int = GRANT_INVALID


class GrantTable(Protocol):
    """A server's table of grants, as the kernel reads it: by index."""

    def __getitem__(self, index: int, /) -> Grant: ...

    def __len__(self) -> int: ...


@attrs.frozen
class MemoryTable:
    """A table of grants in the memory of its owner, at `address`, with `entries` entries."""

    machine: Machine
    owner: Process
    address: int
    entries: int

    def __len__(self) -> int:
        return self.entries

    def __getitem__(self, index: int) -> Grant:
        copier = self.machine.copier
        place = copier.place(self.owner.endpoint, self.address + index * _LAYOUT.size)
        data = copier.read(None, place, _LAYOUT.size)
        if isinstance(data, int):
            return Grant()
        flags, sequence, first, second, third, fourth, _ = _LAYOUT.unpack(data)
        if flags & CPF_INDIRECT:
            return Grant(flags, sequence, first, _signed(second), grant=_signed(third))
        if flags & CPF_MAGIC:
            return Grant(flags, sequence, _signed(second), first, third, fourth)
        return Grant(flags, sequence, first, NONE, second, third)

    def mark(self, index: int, grant: int) -> None:
        """Write a soft fault's marker into an entry; one that cannot be written is its owner's."""
        place = self.machine.copier.place(
            self.owner.endpoint, self.address + index * _LAYOUT.size + _FAULTED_OFFSET
        )
        self.machine.copier.write(None, place, struct.pack("<i", grant))


def _signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


@frozen
class Granted(Place):
    """A grant that holds: the place where the copy starts, in the memory of `endpoint`.

    `process` is None if that process is no more, or if it is physical memory (NONE).

    `soft` tells that the copy is only to try; `table` and `id` then name the grant to mark if
    memory is missing.
    """

    endpoint: int
    soft: bool = False
    table: GrantTable | None = None
    id: int = GRANT_INVALID

    def soft_fault(self) -> None:
        """Mark that a copy through the grant met memory that is not there."""
        if isinstance(self.table, MemoryTable):
            self.table.mark(grant_index(self.id), self.id)
        elif self.table is not None:
            self.table[grant_index(self.id)].faulted = self.id


def verify_grant(
    machine: Machine,
    granter: int,
    grantee: int,
    grant: int,
    length: int,
    access: int,
    offset: int,
) -> Granted | int:
    """Whether `grantee` may copy `length` bytes at `offset` of a grant, with `access` (CPF_*).

    Returns what it covers, or EINVAL, EPERM, ELOOP or ENOTREADY.
    """
    endpoints = machine.table.endpoints
    for _ in _DEPTHS:
        process = endpoints.get(granter)
        if process is None or grant <= GRANT_INVALID:
            return EINVAL
        privilege = process.privilege
        table = privilege.grants
        if table is None:
            return EPERM
        if privilege.grant_endpoint != granter and privilege.grant_endpoint != NONE:
            # A table taken over in a live update is not final yet.
            if not access:
                return Granted(process, 0, granter)
            if grantee != privilege.grant_endpoint:
                return ENOTREADY
        index = grant & GRANT_INDEX
        if index >= len(table):
            return EPERM
        entry = table[index]
        flags = entry.flags
        if flags & CPF_IN_USE != CPF_IN_USE or entry.sequence != grant >> GRANT_SHIFT:
            return EPERM
        if not flags & CPF_INDIRECT:
            if not _allows(entry, granter, grantee, length, access, offset):
                return EPERM
            owner = granter if flags & CPF_DIRECT else entry.who_from
            address = (entry.start + offset) & _MEMORY_TOP
            soft = flags & CPF_TRY != 0
            return Granted(endpoints.get(owner), address, owner, soft, table, grant)
        if not _matches(entry.who_to, grantee):
            return EPERM
        grantee, granter, grant = granter, entry.who_from, entry.grant
    return ELOOP


def _allows(
    entry: Grant, granter: int, grantee: int, length: int, access: int, offset: int
) -> bool:
    """Whether a direct or magic grant of `granter` allows `grantee` the copy."""
    flags = entry.flags
    if flags & access != access:
        return False
    if entry.who_to != grantee and not _matches(entry.who_to, grantee):
        return False
    if flags & CPF_DIRECT:
        if _MEMORY_TOP - entry.length + 1 < entry.start:
            return False
    elif not flags & CPF_MAGIC or granter not in (VFS, MIB):
        return False
    return length >= 0 and offset >= 0 and offset + length <= entry.length


def _matches(allowed: int, grantee: int) -> bool:
    return allowed == grantee or ANY in (allowed, grantee)
