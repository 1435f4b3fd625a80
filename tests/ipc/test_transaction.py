"""Transaction ids there and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipc.transaction import (
    VFS_TRANSID,
    add_transaction,
    has_transaction,
    transaction_of,
    without_transaction,
)


@given(st.integers(-(1 << 15), (1 << 15) - 1), st.integers(0xB00, 0xBFF))
def test_there_and_back(number: int, transid: int) -> None:
    carried = add_transaction(number, transid)
    assert -(1 << 31) <= carried < 1 << 31
    assert has_transaction(carried)
    assert transaction_of(carried) == transid
    assert without_transaction(carried) == number


def test_examples() -> None:
    assert add_transaction(2579, VFS_TRANSID) == 0x0A130B01
    assert add_transaction(-5, VFS_TRANSID) == -0x4F4FF
    assert not has_transaction(2579)
    assert not has_transaction(0)
    assert not has_transaction(-5)
