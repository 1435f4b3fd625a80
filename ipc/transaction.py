"""Transaction ids: how VFS's threads recognise their answers.

A request that belongs to a thread carries the thread's id in the lower half of its number, and the
number proper in the upper half; the answer carries its result there.

Source: MINIX ``minix/vfsif.h`` and ``minix/com.h`` VFS_TRANSID.
"""

from __future__ import annotations

from typing import Final

from ipc.message import signed

VFS_TRANSACTION_BASE: Final = 0xB00
VFS_TRANSID: Final = VFS_TRANSACTION_BASE + 1


def add_transaction(number: int, transid: int) -> int:
    """The number that carries `number` (16 bits, signed) for the transaction."""
    return signed(number << 16 | transid & 0xFFFF)


def transaction_of(number: int) -> int:
    """The transaction id that `number` carries, if `has_transaction`."""
    return number & 0xFFFF


def without_transaction(number: int) -> int:
    """The number proper, signed, of one that carries a transaction id."""
    return number >> 16


def has_transaction(number: int) -> bool:
    """Whether `number` carries a transaction id in its lower half."""
    return number & 0xFF00 == VFS_TRANSACTION_BASE
