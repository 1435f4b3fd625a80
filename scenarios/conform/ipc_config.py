"""The names that `ipc-golden/1` uses, and the processes that its header lists."""

from __future__ import annotations

from typing import Any, Final

import attrs

from ipc.endpoint import INIT, NR_PROCS, NR_TASKS, slot_of
from ipc.traps import (
    AMF_DONE,
    AMF_NOREPLY,
    AMF_NOTIFY,
    AMF_NOTIFY_ERR,
    AMF_VALID,
    NOTIFY_CALL,
    RECEIVE_CALL,
    SEND_CALL,
    SENDA_CALL,
    SENDNB_CALL,
    SENDREC_CALL,
)
from kernel import flags
from kernel.privilege import (
    ALL_TARGETS,
    NR_STATIC_PRIV_IDS,
    NR_SYS_PROCS,
    SYS_PROC,
    USER_PRIV_ID,
    Privilege,
)
from scenarios.conform.recording import Malformed, checked, field, optional

CALLS: Final = {
    "SEND": SEND_CALL,
    "RECEIVE": RECEIVE_CALL,
    "SENDREC": SENDREC_CALL,
    "NOTIFY": NOTIFY_CALL,
    "SENDNB": SENDNB_CALL,
    "SENDA": SENDA_CALL,
}
CALL_NAMES: Final = {number: name for name, number in CALLS.items()}

AMF_NAMES: Final = {
    "AMF_VALID": AMF_VALID,
    "AMF_DONE": AMF_DONE,
    "AMF_NOTIFY": AMF_NOTIFY,
    "AMF_NOREPLY": AMF_NOREPLY,
    "AMF_NOTIFY_ERR": AMF_NOTIFY_ERR,
}

# In the order of their bits.
RTS_FLAGS: Final = {
    "SLOT_FREE": flags.RTS_SLOT_FREE,
    "PROC_STOP": flags.RTS_PROC_STOP,
    "SENDING": flags.RTS_SENDING,
    "RECEIVING": flags.RTS_RECEIVING,
    "SIGNALED": flags.RTS_SIGNALED,
    "SIG_PENDING": flags.RTS_SIG_PENDING,
    "P_STOP": flags.RTS_P_STOP,
    "NO_PRIV": flags.RTS_NO_PRIV,
    "NO_ENDPOINT": flags.RTS_NO_ENDPOINT,
    "VMINHIBIT": flags.RTS_VMINHIBIT,
    "PAGEFAULT": flags.RTS_PAGEFAULT,
    "VMREQUEST": flags.RTS_VMREQUEST,
    "VMREQTARGET": flags.RTS_VMREQTARGET,
    "PREEMPTED": flags.RTS_PREEMPTED,
    "NO_QUANTUM": flags.RTS_NO_QUANTUM,
    "BOOTINHIBIT": flags.RTS_BOOTINHIBIT,
}

MISC_FLAGS: Final = {
    "REPLY_PEND": flags.MF_REPLY_PEND,
    "SENDING_FROM_KERNEL": flags.MF_SENDING_FROM_KERNEL,
}

_LAST_STATIC_SLOT: Final = 10


@attrs.frozen
class Member:
    """A process of the header: what stays the same when its slot is used again."""

    slot: int
    endpoint: int
    name: str
    is_system: bool
    privilege_id: int
    trap_mask: int
    targets: tuple[int, ...] | None  # slots; None: all


def members_of(header: dict[str, Any]) -> list[Member]:
    """The processes that a header lists.  Raises Malformed."""
    config = field(header, "config", dict)
    members: list[Member] = []
    next_id = NR_STATIC_PRIV_IDS
    for proc in field(config, "procs", list):
        member = _member(checked(proc, "each of procs", dict), next_id)
        next_id += member.privilege_id >= NR_STATIC_PRIV_IDS
        members.append(member)
    slots = [member.slot for member in members]
    ids = [member.privilege_id for member in members if member.is_system]
    if len(slots) != len(set(slots)) or len(ids) != len(set(ids)):
        raise Malformed("two processes have the same nr or the same priv_id")
    return members


def _member(proc: dict[str, Any], next_id: int) -> Member:
    slot = field(proc, "nr", int)
    endpoint = field(proc, "endpoint", int)
    if not -NR_TASKS <= slot < NR_PROCS:
        raise Malformed(f"nr is {slot}: there is no such process slot")
    if slot_of(endpoint) != slot:
        raise Malformed(f"endpoint {endpoint} is not one of process slot {slot}")
    is_system = field(proc, "sys", bool)
    usual = next_id if slot > _LAST_STATIC_SLOT else slot + NR_TASKS
    privilege_id = optional(proc, "priv_id", int, usual if is_system else USER_PRIV_ID)
    if not 0 <= privilege_id < NR_SYS_PROCS or (privilege_id == USER_PRIV_ID) == is_system:
        raise Malformed(f"priv_id {privilege_id} does not fit process slot {slot}")
    return Member(
        slot,
        endpoint,
        field(proc, "name", str),
        is_system,
        privilege_id,
        trap_mask(proc.get("trap_mask")),
        targets(proc.get("ipc_to")),
    )


def trap_mask(value: object) -> int:
    """A trap mask from "all" or a list of calls."""
    if value == "all":
        return sum(1 << number for number in CALLS.values())
    mask = 0
    for name in checked(value, "trap_mask", list):
        if checked(name, "each of trap_mask", str) not in CALLS:
            raise Malformed(f"trap_mask has {name[:40]!r}, which is no call")
        mask |= 1 << CALLS[name]
    return mask


def targets(value: object) -> tuple[int, ...] | None:
    """The slots of an `ipc_to`, or None for all."""
    if value == "all":
        return None
    return tuple(checked(slot, "each of ipc_to", int) for slot in checked(value, "ipc_to", list))


def target_mask(privilege: Privilege, slots: tuple[int, ...] | None, ids: dict[int, int]) -> int:
    """The send mask for `slots`, whose privilege ids are in `ids`; None is all but oneself."""
    if slots is None:
        return ALL_TARGETS & ~privilege.bit
    mask = 0
    for slot in slots:
        if slot not in ids:
            raise Malformed(f"ipc_to has {slot}, which is no process of this recording")
        mask |= 1 << ids[slot]
    return mask


def set_up(privilege: Privilege, member: Member, ids: dict[int, int]) -> None:
    """Give the privilege structure of `member` what the header says."""
    privilege.flags = SYS_PROC if member.is_system else 0
    privilege.trap_mask = member.trap_mask
    privilege.ipc_to = target_mask(privilege, member.targets, ids)
    privilege.slot = member.slot if member.is_system else INIT
