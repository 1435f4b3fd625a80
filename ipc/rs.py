"""What the reincarnation server says to the services it starts, and they ask it.

Source: MINIX ``minix/com.h``, ``libsys/sef.c``.
"""

from __future__ import annotations

from ipc.message import Message, Reply, i32, message, u32


@message
class RsLookup(Message, number=1800, call="RS_LOOKUP"):
    """Find the endpoint of the service with that label: any process, through minix_rs_lookup."""

    name_len: int = i32(4, "size")
    name_: int = u32(16, "address")


@message
class RsLookupReply(Reply):
    """The endpoint of the service."""

    endpoint: int = i32(8, "endpoint")


@message
class RsGetsysinfo(Message, number=1801, call="RS_GETSYSINFO"):
    """Copy one of RS's tables to the caller: IS."""

    what: int = i32(0)
    where: int = u32(4, "address")
    size: int = u32(8, "size")


@message
class RsInit(Message, number=1812, call="RS_INIT"):
    """Initialise yourself; RS waits for the answer before the service counts as up: RS."""

    result: int = i32(0, "result")
    type_: int = i32(4, "init")
    rproctab_gid: int = i32(8)
    old_endpoint: int = i32(12, "endpoint")
    restarts: int = i32(16)
    flags: int = i32(20)
    buff_addr: int = u32(24, "address")
    buff_len: int = u32(28, "size")
    prepare_state: int = i32(32)


@message
class RsInitReply(Reply):
    """How the initialisation went: every service, to RS."""

    result: int = i32(0, "result")


@message
class RsLuPrepare(Message, number=1813, call="RS_LU_PREPARE"):
    """Get ready to be replaced by a new version: RS."""

    result: int = i32(0, "result")
    state: int = i32(4)
    prepare_maxtime: int = i32(8)
    flags: int = i32(12)
    state_data_gid: int = u32(16)


@message
class RsLuPrepareReply(Reply):
    """Whether the service is ready to be replaced."""

    result: int = i32(0, "result")


MESSAGES = (RsLookup, RsGetsysinfo, RsInit, RsLuPrepare)
