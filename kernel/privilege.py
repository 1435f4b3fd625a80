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
    from kernel.clock import Due
    from kernel.filters import Filter
    from kernel.grants import GrantTable

NR_SYS_PROCS: Final = 64
NR_STATIC_PRIV_IDS: Final = 17  # those of the boot image; the others are for services that come
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
    bit: int = attrs.field(init=False)  # the id's place in a map
    slot: int = NONE
    flags: int = 0

    trap_mask: int = 0  # bit n: may use trap n
    ipc_to: int = 0  # bit n: may send to the owner of structure n
    kernel_calls: int = 0  # bit n: may make kernel call KERNEL_CALL + n
    signal_manager: int = NONE
    backup_signal_manager: int = NONE
    init_flags: int = 0

    # What waits for the owner.
    notify_pending: int = 0
    async_pending: int = 0
    interrupts_pending: int = 0
    signals_pending: int = 0

    # The owner's asynchronous send table, while any of its entries is undelivered.
    async_table: list[AsyncEntry] | None = None
    async_size: int = 0
    async_endpoint: int = NONE

    filters: list[Filter] = attrs.field(factory=list)
    # The alarm that is set, if one is.  Nobody waits for those of a `background` service: the
    # machine is quiet although one is due.
    alarm: Due | None = None
    background: bool = False

    # What its owner lets others do with memory, and whose table that is.
    grants: GrantTable | None = None
    grant_endpoint: int = NONE

    # What it may touch: interrupt lines, and physical memory as (first, last) addresses.
    checks_interrupts: bool = False
    interrupt_lines: list[int] = attrs.field(factory=list)
    memory_ranges: list[tuple[int, int]] = attrs.field(factory=list)
    wants_diagnostics: bool = False

    def __attrs_post_init__(self) -> None:
        self.bit = 1 << self.id

    def forget_messages(self, endpoint: int) -> None:
        """Nothing waits for, or from, the new owner `endpoint`.  MINIX: system/do_privctl.c."""
        self.notify_pending = 0
        self.async_pending = 0
        self.interrupts_pending = 0
        self.signals_pending = 0
        self.async_table = None
        self.async_size = 0
        self.async_endpoint = endpoint
        self.filters = []
