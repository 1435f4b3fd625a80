"""Privilege structures: what a system process may do, and what waits for it.

Every system process has one of its own; all user processes share one.  The id of a structure is
the order in which pending notifications and asynchronous senders are looked at.  Maps are bit
masks in which bit n stands for the structure with id n.

What is asked of the masks with every message is kept beside them as plain truth values.

Source: MINIX ``kernel/priv.h``.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ipc.endpoint import NONE
from ipc.traps import RECEIVE_CALL, SEND_CALL, SENDA_CALL, SENDNB_CALL, SENDREC_CALL

if TYPE_CHECKING:
    from ipc.message import Message
    from ipc.traps import AsyncEntry
    from kernel.calls.table import Call
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
ALL_TRAPS: Final = (1 << SENDA_CALL + 1) - 1  # MINIX: SRV_T; SENDA is the trap with the last number
ALL_KERNEL_CALLS: Final = (1 << 64) - 1  # MINIX: SRV_KC; of the mask's 64 bits MINIX uses 58

# A mask by bits: whether bit n is set is at n.
Bits: TypeAlias = tuple[bool, ...]

_MASK_BITS: Final = 64  # of a map of privilege structures


@functools.lru_cache
def bits_of(mask: int) -> Bits:
    """The 64 bits of `mask`, the lowest first."""
    return tuple(bool(mask >> bit & 1) for bit in range(_MASK_BITS))


_NOBODY: Final = bits_of(0)


@attrs.define(eq=False)
class Privilege:
    """One privilege structure; `slot` is the process it belongs to (NONE: nobody).

    `flags`, `trap_mask`, `ipc_to` and `kernel_calls` are its masks.  `system` and `billable` are
    two of its flags; `receives` tells whether it may use RECEIVE; by the id of the other's
    structure, `reaches` tells to whom it may send, `sends_to` with SEND, `tries` with SENDNB,
    `asks` with SENDREC;
    `calls` are kernel calls that it is known to be allowed, by the class of the request.
    """

    id: int
    bit: int = attrs.field(init=False)  # the id's place in a map
    slot: int = NONE

    _flags: int = 0
    system: bool = attrs.field(default=False, init=False)
    billable: bool = attrs.field(default=False, init=False)
    _trap_mask: int = 0
    receives: bool = attrs.field(default=False, init=False)
    _ipc_to: int = 0
    reaches: Bits = attrs.field(default=_NOBODY, init=False)
    sends_to: Bits = attrs.field(default=_NOBODY, init=False)
    tries: Bits = attrs.field(default=_NOBODY, init=False)
    asks: Bits = attrs.field(default=_NOBODY, init=False)
    _kernel_calls: int = 0
    calls: dict[type[Message], Call] = attrs.field(factory=dict, init=False)

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

    @property
    def flags(self) -> int:
        """What kind of process the owner is: PREEMPTIBLE, BILLABLE, DYN_PRIV_ID, SYS_PROC, ..."""
        return self._flags

    @flags.setter
    def flags(self, flags: int) -> None:
        self._flags = flags
        self.system = bool(flags & SYS_PROC)
        self.billable = bool(flags & BILLABLE)

    @property
    def trap_mask(self) -> int:
        """Bit n: may use trap n."""
        return self._trap_mask

    @trap_mask.setter
    def trap_mask(self, mask: int) -> None:
        self._trap_mask = mask
        self._combine()

    @property
    def ipc_to(self) -> int:
        """Bit n: may send to the owner of structure n."""
        return self._ipc_to

    @ipc_to.setter
    def ipc_to(self, mask: int) -> None:
        self._ipc_to = mask
        self._combine()

    def _combine(self) -> None:
        """Tell from the two masks that message passing looks at what they allow."""
        traps = bits_of(self._trap_mask)
        self.receives = traps[RECEIVE_CALL]
        self.reaches = bits_of(self._ipc_to)
        self.sends_to = self.reaches if traps[SEND_CALL] else _NOBODY
        self.tries = self.reaches if traps[SENDNB_CALL] else _NOBODY
        self.asks = self.reaches if traps[SENDREC_CALL] else _NOBODY

    @property
    def kernel_calls(self) -> int:
        """Bit n: may make kernel call KERNEL_CALL + n."""
        return self._kernel_calls

    @kernel_calls.setter
    def kernel_calls(self, mask: int) -> None:
        self._kernel_calls = mask
        self.calls = {}

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
