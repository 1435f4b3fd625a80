"""The operations of VM recordings, as the messages that VM gets.

A field that an operation leaves out is 0 unless a default is given here.  Any operation may name
the number of its message itself (`type`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from ipc.endpoint import SELF
from ipc.message import Message, RawMessage, signed
from ipc.rs import RsInit
from ipc.vm import (
    VmBrk,
    VmClearcache,
    VmExit,
    VmForgetcachepage,
    VmFork,
    VmGetphys,
    VmGetref,
    VmGetrusage,
    VmInfo,
    VmMapcachepage,
    VmMapPhys,
    VmMmap,
    VmMunmap,
    VmPagefault,
    VmProcctl,
    VmRemap,
    VmRemapRo,
    VmRsMemctl,
    VmRsPrepare,
    VmRsSetPriv,
    VmRsUpdate,
    VmSetcachepage,
    VmShmUnmap,
    VmUnmapPhys,
    VmVfsMmap,
    VmVfsReply,
    VmWillexit,
)
from ipc.wire import decode, encode
from scenarios.conform.recording import Malformed, checked, field, optional

MOST_WORDS: Final = 14  # of a message's payload


@attrs.frozen
class Form:
    """How an operation becomes a message: its class, and `message field: operation field`.

    A field that is called the same in both is not listed; `defaults` are those that are not 0.
    """

    kind: type[Message]
    names: dict[str, str] = attrs.field(factory=dict)
    defaults: dict[str, int] = attrs.field(factory=dict)


FORMS: Final[dict[str, Form]] = {
    "mmap": Form(VmMmap, defaults={"fd": -1}),
    "munmap": Form(VmMunmap),
    "map_phys": Form(VmMapPhys, defaults={"ep": SELF}),
    "unmap_phys": Form(VmUnmapPhys, defaults={"ep": SELF}),
    "brk": Form(VmBrk),
    "fork": Form(VmFork, {"slotno": "slot"}),
    "willexit": Form(VmWillexit),
    "exit": Form(VmExit),
    "procctl": Form(VmProcctl),
    "vfs_reply": Form(VmVfsReply),
    "vfs_mmap": Form(VmVfsMmap),
    "remap": Form(VmRemap),
    "remap_ro": Form(VmRemapRo),
    "getphys": Form(VmGetphys),
    "getref": Form(VmGetref),
    "shm_unmap": Form(VmShmUnmap, defaults={"forwhom": SELF}),
    "info": Form(VmInfo, defaults={"ep": SELF}),
    "mapcache": Form(VmMapcachepage),
    "setcache": Form(VmSetcachepage),
    "forgetcache": Form(VmForgetcachepage),
    "clearcache": Form(VmClearcache),
    "getrusage": Form(VmGetrusage),
    "rs_set_priv": Form(VmRsSetPriv),
    "rs_prepare": Form(VmRsPrepare, {"src": "src_e", "dst": "dst_e"}),
    "rs_update": Form(VmRsUpdate, {"src": "src_e", "dst": "dst_e"}),
    "rs_memctl": Form(VmRsMemctl, {"endpt": "ep"}),
    "pagefault": Form(VmPagefault),
    "rs_init": Form(RsInit),
}


def message_of(operation: dict[str, Any]) -> Message:
    """The message that an operation is.  Raises Malformed."""
    name = field(operation, "op", str)
    if name == "raw":
        return _raw(operation)
    if name == "remap" and operation.get("ro"):
        name = "remap_ro"
    form = FORMS.get(name)
    if form is None:
        raise Malformed(f"unknown operation {name[:40]!r}")
    values = {}
    for each in attrs.fields(form.kind):  # type: ignore[arg-type]
        source = form.names.get(each.name, each.name)
        values[each.name] = optional(operation, source, int, form.defaults.get(each.name, 0))
    message = form.kind(**values)
    if "type" in operation:
        return RawMessage(signed(field(operation, "type", int)), encode(message)[8:])
    return message


def _raw(operation: dict[str, Any]) -> Message:
    """A message of any number, with its payload as words."""
    words = [checked(word, "u32", int) for word in optional(operation, "u32", list, [])]
    if len(words) > MOST_WORDS:
        raise Malformed(f"u32 has {len(words)} words, more than {MOST_WORDS}")
    payload = b"".join((word & 0xFFFFFFFF).to_bytes(4, "little") for word in words)
    number = signed(optional(operation, "type", int, 0))
    return decode(encode(RawMessage(number, payload.ljust(56, b"\0"))))[1]


REPLY_FIELDS: Final[dict[str, Callable[[Any], dict[str, int]]]] = {
    "VmMmapReply": lambda reply: {"retaddr": reply.retaddr},
    "VmMapPhysReply": lambda reply: {"reply": reply.reply},
    "VmRemapReply": lambda reply: {"ret_addr": reply.ret_addr},
    "VmRemapRoReply": lambda reply: {"ret_addr": reply.ret_addr},
    "VmGetphysReply": lambda reply: {"ret_addr": reply.ret_addr},
    "VmGetrefReply": lambda reply: {"retc": reply.retc},
    "VmForkReply": lambda reply: {"child": reply.child_endpoint},
    "VmInfoReply": lambda reply: {"count": reply.count, "next": reply.next},
    "VmMapcachepageReply": lambda reply: {"addr": reply.addr},
    "VmRsMemctlReply": lambda reply: {"addr": reply.addr, "len": reply.len},
}
