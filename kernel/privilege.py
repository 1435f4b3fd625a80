"""Privilege structures: what a system process may do, and what waits for it.

Every system process has one of its own; all user processes share one.  The id of a structure is
the order in which pending notifications and asynchronous senders are looked at.  Maps are bit
masks in which bit n stands for the structure with id n.

Source: MINIX ``kernel/priv.h``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ipc.endpoint import NONE

if TYPE_CHECKING:
    from ipc.traps import AsyncEntry

NR_SYS_PROCS: Final = 64
USER_PRIV_ID: Final = 16  # the structure that all user processes share

PREEMPTIBLE: Final = 0x002
BILLABLE: Final = 0x004
DYN_PRIV_ID: Final = 0x008
SYS_PROC: Final = 0x010

ALL_TARGETS: Final = (1 << NR_SYS_PROCS) - 1


@attrs.define(eq=False)
class Privilege:
    """One privilege structure; `slot` is the process it belongs to (NONE: nobody)."""

    id: int
    slot: int = NONE
    flags: int = 0

    trap_mask: int = 0  # bit n: may use trap n
    ipc_to: int = 0  # bit n: may send to the owner of structure n
    kernel_calls: int = 0  # bit n: may make kernel call KERNEL_CALL + n
    signal_manager: int = NONE

    # What waits for the owner.
    notify_pending: int = 0
    async_pending: int = 0
    interrupts_pending: int = 0
    signals_pending: int = 0

    # The owner's asynchronous send table, while any of its entries is undelivered.
    async_table: list[AsyncEntry] | None = None
    async_size: int = 0
    async_endpoint: int = NONE

    filters: list[object] = attrs.field(factory=list)
    alarm_due: int | None = None  # virtual ns
    grants: object = None
