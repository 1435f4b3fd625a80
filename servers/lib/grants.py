"""A server's grants: what it lets others copy from and to, with numbers to name them by.

The kernel reads the table itself whenever somebody uses a grant.

Source: MINIX ``lib/libsys/safecopies.c``.
"""

from __future__ import annotations

from typing import Final

from kernel.grants import (
    CPF_DIRECT,
    CPF_IN_USE,
    CPF_INDIRECT,
    CPF_MAGIC,
    CPF_READ,
    CPF_TRY,
    CPF_USED,
    CPF_WRITE,
    GRANT_INVALID,
    GRANT_MAX_IDX,
    GRANT_MAX_SEQ,
    Grant,
    grant_id,
    grant_index,
)
from kernel.panic import Panic

_ACCESS: Final = CPF_READ | CPF_WRITE | CPF_TRY
GRANT_FAULTED: Final = 1


class Grants(list[Grant]):
    """One server's table of grants, by index, as the kernel reads it.

    Whoever makes the server's process tells the kernel of it.  The place that was given back last
    is the next to be used again, under another number.
    """

    def __init__(self) -> None:
        super().__init__()
        self._free: list[int] = []

    def direct(self, who_to: int, address: int, length: int, access: int) -> int:
        """Let `who_to` copy from (CPF_READ) and to (CPF_WRITE) memory of the server's own.

        The result names the grant.  With CPF_TRY a copy that meets missing memory fails at once.
        MINIX: cpf_grant_direct.
        """
        index, grant = self._take()
        grant.who_to, grant.start, grant.length = who_to, address, length
        return _activate(index, grant, CPF_DIRECT | _checked(access))

    def magic(self, who_to: int, who_from: int, address: int, length: int, access: int) -> int:
        """As `direct`, but for memory of `who_from`; only VFS may.  MINIX: cpf_grant_magic."""
        index, grant = self._take()
        grant.who_to, grant.who_from = who_to, who_from
        grant.start, grant.length = address, length
        return _activate(index, grant, CPF_MAGIC | _checked(access))

    def indirect(self, who_to: int, who_from: int, granted: int) -> int:
        """Pass on to `who_to` what `who_from` granted as `granted`.  MINIX: cpf_grant_indirect."""
        index, grant = self._take()
        grant.who_to, grant.who_from, grant.grant = who_to, who_from, granted
        return _activate(index, grant, CPF_INDIRECT)

    def revoke(self, granted: int) -> int:
        """Take a grant back: GRANT_FAULTED if a copy under CPF_TRY met missing memory, else 0.

        MINIX: cpf_revoke.
        """
        index = grant_index(granted)
        grant = self[index]
        assert grant.flags & CPF_USED, "a grant is taken back once"
        assert granted == grant_id(index, grant.sequence), "a grant is taken back by its number"
        faulted = grant.flags & CPF_TRY and grant.faulted == granted
        grant.flags = 0
        grant.sequence = (grant.sequence + 1) % GRANT_MAX_SEQ
        self._free.append(index)
        return GRANT_FAULTED if faulted else 0

    def in_use(self) -> int:
        """How many grants are given."""
        return len(self) - len(self._free)

    def _take(self) -> tuple[int, Grant]:
        if not self._free:
            if len(self) >= GRANT_MAX_IDX:
                raise Panic("the table of grants is full")
            self.append(Grant())
            return len(self) - 1, self[-1]
        index = self._free.pop()
        return index, self[index]


def _activate(index: int, grant: Grant, flags: int) -> int:
    grant.faulted = GRANT_INVALID
    grant.flags = flags | CPF_IN_USE
    return grant_id(index, grant.sequence)


def _checked(access: int) -> int:
    assert not access & ~_ACCESS, "a grant is for reading, writing, or trying"
    return access
