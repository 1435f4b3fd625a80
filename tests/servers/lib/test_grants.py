"""Grants: their numbers, their reuse, and that the kernel honours them."""

from __future__ import annotations

import pytest

from ipc.errors import EPERM, OK
from ipc.flags import CPF_MAGIC, CPF_READ, CPF_TRY, CPF_WRITE
from ipc.traps import Load, Receive, Store, trap
from kernel.grants import GRANT_MAX_SEQ, grant_index
from kernel.machine import Machine
from servers.lib.grants import GRANT_FAULTED, Grants
from servers.lib.kernel_calls import sys_safecopyfrom, sys_safecopyto

GRANTER = 20
GRANTEE = 21


def test_the_last_place_given_back_is_used_first_under_a_new_number() -> None:
    grants = Grants()
    first, second = (grants.direct(5, 0, 8, CPF_READ) for _ in range(2))
    assert (grant_index(first), grant_index(second)) == (0, 1)
    grants.revoke(first)
    grants.revoke(second)
    assert grants.in_use() == 0
    third = grants.direct(5, 0, 8, CPF_READ)
    assert grant_index(third) == 1
    assert third != second
    assert len(grants) == 2


def test_numbers_come_round() -> None:
    grants = Grants()
    first = grants.direct(5, 0, 8, CPF_READ)
    granted = first
    for _ in range(GRANT_MAX_SEQ):
        grants.revoke(granted)
        granted = grants.direct(5, 0, 8, CPF_READ)
    assert granted == first


def test_a_grant_is_taken_back_once_and_by_its_number() -> None:
    grants = Grants()
    granted = grants.direct(5, 0, 8, CPF_READ)
    grants.revoke(granted)
    with pytest.raises(AssertionError):
        grants.revoke(granted)
    grants.direct(5, 0, 8, CPF_READ)
    with pytest.raises(AssertionError):
        grants.revoke(granted)


def test_only_reading_writing_and_trying_can_be_granted() -> None:
    with pytest.raises(AssertionError):
        Grants().direct(5, 0, 8, CPF_MAGIC)


def test_a_fault_under_try_is_told_when_the_grant_is_taken_back() -> None:
    grants = Grants()
    granted = grants.magic(5, 6, 0, 8, CPF_WRITE | CPF_TRY)
    grants[grant_index(granted)].faulted = granted
    assert grants.revoke(granted) == GRANT_FAULTED
    assert grants.revoke(grants.magic(5, 6, 0, 8, CPF_WRITE)) == 0


@pytest.mark.parametrize(
    ("access", "offset", "length", "read", "write"),
    [
        (CPF_READ, 0, 8, OK, EPERM),
        (CPF_WRITE, 0, 8, EPERM, OK),
        (CPF_READ | CPF_WRITE, 2, 6, OK, OK),
        (CPF_READ | CPF_WRITE, 2, 7, EPERM, EPERM),
    ],
)
def test_the_kernel_reads_the_table(
    access: int, offset: int, length: int, read: int, write: int
) -> None:
    grants = Grants()
    results = []

    async def granter() -> None:
        await trap(Store(0x5000, b"12345678"))
        await trap(Receive())

    async def grantee() -> None:
        granted = grants.direct(GRANTEE, 0x5000, 8, access)
        results.append(await sys_safecopyfrom(GRANTER, granted, offset, 0x9000, length))
        if read == OK:
            assert await trap(Load(0x9000, length)) == b"12345678"[offset : offset + length]
        results.append(await sys_safecopyto(GRANTER, granted, offset, 0x9000, length))
        await trap(Receive())

    machine = Machine()
    process = machine.spawn(GRANTER, "granter", granter, system=True)
    process.privilege.grants = grants
    process.privilege.grant_endpoint = GRANTER
    machine.spawn(GRANTEE, "grantee", grantee, system=True)
    machine.run_quiet_nowait()
    assert results == [read, write]
