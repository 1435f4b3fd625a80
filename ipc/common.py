"""Calls that any service may get.

Source: MINIX ``minix/com.h``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, message, u32


@message
class SigsSignalReceived(Message, number=3584, call="SIGS_SIGNAL_RECEIVED"):
    """A signal for a service, which gets a message instead of a handler call: PM."""

    num: int = i32(0, "signal")


@message
class CommonReqGcovData(Message, number=3585, call="COMMON_REQ_GCOV_DATA"):
    """Copy your test coverage data to the caller: VFS, for gcov_flush."""

    grant: int = i32(0)
    size: int = u32(4, "size")


@message
class CommonReqFiCtl(Message, number=3586, call="COMMON_REQ_FI_CTL"):
    """Set or ask the injection of faults in yourself: RS."""

    gid: int = i32(0)
    size: int = u32(4, "size")
    subtype: int = i32(8)


@message
class CommonReqFiCtlReply(Reply):
    """How the fault injection went."""

    status: int = i32(0)


@message
class ProcEvent(Message, number=3587, call="PROC_EVENT"):
    """A process got a signal or exits; the event goes on when all subscribers answered: PM."""

    endpt: int = i32(0, "endpoint")
    event: int = u32(4, "procevent")


@message
class CommonMibInfo(Message, number=3588, call="COMMON_MIB_INFO"):
    """Describe the root of the subtree that you offer: MIB."""

    req_id: int = u32(0)
    root_id: int = u32(4)
    name_grant: int = i32(8)
    name_size: int = u32(12)
    desc_grant: int = i32(16)
    desc_size: int = u32(20)


@message
class CommonMibCall(Message, number=3589, call="COMMON_MIB_CALL"):
    """Read or write a node of the subtree that you offer: MIB."""

    req_id: int = u32(0)
    root_id: int = u32(4)
    name_grant: int = i32(8)
    name_len: int = u32(12, "size")
    oldp_grant: int = i32(16)
    oldp_len: int = u32(20)
    newp_grant: int = i32(24)
    newp_len: int = u32(28)
    user_endpt: int = i32(32, "endpoint")
    flags: int = u32(36)
    root_ver: int = u32(40)
    tree_ver: int = u32(44)


@message
class ProcEventReply(Message, number=3712, call="PROC_EVENT_REPLY"):
    """A subscriber has dealt with a process event: any service, to PM."""

    endpt: int = i32(0, "endpoint")
    event: int = u32(4, "procevent")


@message
class CommonMibReply(Message, number=3713, call="COMMON_MIB_REPLY"):
    """The result of a COMMON_MIB call: the service, to MIB."""

    req_id: int = u32(0)
    status: int = i32(4)


MESSAGES = (
    SigsSignalReceived, CommonReqGcovData, CommonReqFiCtl, ProcEvent, CommonMibInfo, CommonMibCall,
    ProcEventReply, CommonMibReply,
)  # fmt: skip
