"""A server's grants: what it lets others copy from and to, with numbers to name them by.

The kernel reads the table itself whenever somebody uses a grant.

Source: MINIX ``lib/libsys/safecopies.c``.
"""

from __future__ import annotations

from typing import Final

from ipc.flags import (
    CPF_DIRECT,
    CPF_INDIRECT,
    CPF_MAGIC,
    CPF_READ,
    CPF_TRY,
    CPF_USED,
    CPF_WRITE,
    GRANT_INVALID,
)
from kernel.grants import (
    CPF_IN_USE,
    GRANT_INDEX,
    GRANT_MAX_IDX,
    GRANT_MAX_SEQ,
    GRANT_SHIFT,
    Grant,
    grant_id,
)
from kernel.panic import Panic

_NO_ACCESS: Final = ~(CPF_READ | CPF_WRITE | CPF_TRY)
_DIRECT: Final = CPF_DIRECT | CPF_IN_USE
_MAGIC: Final = CPF_MAGIC | CPF_IN_USE
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
        assert not access & _NO_ACCESS, "a grant is for reading, writing, or trying"
        index = self._free.pop() if self._free else self._add()
        grant = self[index]
        grant.who_to, grant.start, grant.length = who_to, address, length
        grant.faulted = GRANT_INVALID
        grant.flags = access | _DIRECT
        return grant.sequence << GRANT_SHIFT | index  # `grant_id`; this is done for every block

    def magic(self, who_to: int, who_from: int, address: int, length: int, access: int) -> int:
        """As `direct`, but for memory of `who_from`; only VFS and MIB can grant that.

        MINIX: cpf_grant_magic.
        """
        granted = self.direct(who_to, address, length, access)
        grant = self[granted & GRANT_INDEX]
        grant.who_from = who_from
        grant.flags = access | _MAGIC
        return granted

    def indirect(self, who_to: int, who_from: int, granted: int) -> int:
        """Pass on to `who_to` what `who_from` granted as `granted`.  MINIX: cpf_grant_indirect."""
        index = self._free.pop() if self._free else self._add()
        grant = self[index]
        grant.who_to, grant.who_from, grant.grant = who_to, who_from, granted
        grant.faulted = GRANT_INVALID
        grant.flags = CPF_INDIRECT | CPF_IN_USE
        return grant_id(index, grant.sequence)

    def revoke(self, granted: int) -> int:
        """Take a grant back: GRANT_FAULTED if a copy under CPF_TRY met missing memory, else 0.

        MINIX: cpf_revoke.
        """
        index = granted & GRANT_INDEX
        grant = self[index]
        sequence = granted >> GRANT_SHIFT
        flags = grant.flags
        assert flags & CPF_USED, "a grant is taken back once"
        assert grant.sequence == sequence, "a grant is taken back by its number"
        grant.flags = 0
        grant.sequence = (sequence + 1) % GRANT_MAX_SEQ
        self._free.append(index)
        return GRANT_FAULTED if flags & CPF_TRY and grant.faulted == granted else 0

    def in_use(self) -> int:
        """How many grants are given."""
        return len(self) - len(self._free)

    def _add(self) -> int:
        """The index of a new grant."""
        if len(self) >= GRANT_MAX_IDX:
            raise Panic("the table of grants is full")
        self.append(Grant())
        return len(self) - 1
