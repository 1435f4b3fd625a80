"""Every field of every message lies where MINIX's compiler puts it."""

from __future__ import annotations

import struct

import attrs
import pytest

from ipc.layout import layout
from ipc.message import (
    PAYLOAD_SIZE,
    Message,
    Reply,
    i8,
    i16,
    i32,
    i32s,
    i64,
    message,
    raw,
    sigset,
    u8,
    u16,
    u32,
    u64,
)
from tests.ipc.facts import FACTS, all_classes, minix_member
from tests.ipc.structures import STRUCTURES

CLASSES = all_classes()
FIELDS = [(cls, field.name) for cls in CLASSES for field in layout(cls).members]

# MINIX keeps these addresses and sizes in members that are signed.
UNSIGNED_HERE = {
    ("VmPagefault", "addr"),
    ("VmProcctl", "len"),
    ("VmProcctl", "m1"),
    ("VmRsMemctl", "len"),
    ("VmRsMemctlReply", "len"),
    ("VmRsSetPriv", "buf"),
    ("VmAdddma", "start"),
    ("VmAdddma", "size"),
    ("VmDeldma", "start"),
    ("VmDeldma", "size"),
    ("VmGetdma", "procp"),
    ("VmGetdma", "basep"),
    ("VmGetdma", "sizep"),
    ("VfsVmcall", "length"),
    ("VfsPmExec", "ps_str"),
    ("VfsPmExecReply", "newps_str"),
    ("SysSafememset", "offset"),
    ("SysSafememset", "bytes"),
    ("SysVmctl", "value"),
    ("SysVmctlReply", "value"),
    ("SysVmctlMemreqReply", "addr"),
    ("SysVmctlMemreqReply", "length"),
    ("SysVmctlMemreqReply", "addr2"),
    ("SysVmctlPhysmapReply", "map_phys_addr"),
    ("SysVmctlPhysmapReply", "map_phys_len"),
}

# … and this endpoint in one that is a pointer.
SIGNED_HERE = {("SysVmctlMemreqReply", "requestor")}

# MINIX has two names for it, SVMCTL_PTROOT_V and SVMCTL_MAP_VIR_ADDR.
OTHER_NAMES = {("SysVmctl", "vir_addr"): "map_vir_addr"}

# Members of a structure that this use of it leaves alone; `data` is padding.
LEFT_OUT = {
    "PmKill": {"act", "oact", "ret"},
    "PmSigaction": {"pid"},
    "PmSigsuspend": {"how", "ctx"},
    "PmSigprocmask": {"ctx"},
    "PmSigreturn": {"how"},
    "PmGetpriority": {"prio"},
    "VfsRead": {"cum_io"},
    "VfsWrite": {"cum_io"},
    "VfsPipe2": {"_unused"},
    "VfsGetdents": {"cum_io"},
    "VfsFtruncate": {"name", "len"},
    "VfsFchown": {"name", "len"},
    "VfsFstatvfs1": {"name", "len"},
    "VfsChown": {"fd"},
    "VfsTruncate": {"fd"},
    "VfsStatvfs1": {"fd"},
    "CdevClose": {"user", "access"},
    "CdevRead": {"request"},
    "CdevWrite": {"request"},
    "CdevIoctl": {"pos", "count"},
    "BdevOpen": {"pos", "count", "grant", "flags", "user", "request"},
    "BdevClose": {"pos", "access", "count", "grant", "flags", "user", "request"},
    "BdevRead": {"access", "user", "request"},
    "BdevWrite": {"access", "user", "request"},
    "BdevGather": {"access", "user", "request"},
    "BdevScatter": {"access", "user", "request"},
    "BdevIoctl": {"pos", "access", "count", "flags"},
    "SysKill": {"map", "sigctx"},
    "SysEndksig": {"map", "sig", "sigctx"},
    "SysSigsend": {"map", "sig"},
    "SysSigreturn": {"map", "sig"},
    "RsLookup": {"len", "addr", "subtype"},
    "ReqPeek": {"grant"},
    "ReqBpeek": {"grant"},
    "VmMapcachepage": {"block"},
    "VmClearcache": {"dev_offset", "ino_offset", "ino", "block", "flags_ptr", "pages", "flags"},
    "SchedulingInherit": {"quantum"},
}


def _member(cls: type[Message], field: str) -> tuple[int, int, bool | None, int]:
    found = next(member for member in layout(cls).members if member.name == field)
    if found.form == "sigset" or found.form.endswith("s"):
        return found.at, found.size, None, 1
    return found.at, found.size, found.form[-1].islower(), int(found.form[:-1] or 1)


@pytest.mark.parametrize("cls", CLASSES)
def test_fields_lie_where_minix_puts_them(cls: type[Message]) -> None:
    for member in layout(cls).members:
        key = (cls.__name__, member.name)
        theirs = minix_member(cls, OTHER_NAMES.get(key, member.name))
        at, size, is_signed, count = _member(cls, member.name)
        assert (at, size) == (theirs.at, theirs.size), key
        if is_signed is None:
            assert theirs.kind == "struct" or theirs.count == size, key
            continue
        wanted = (theirs.kind == "signed" and key not in UNSIGNED_HERE) or key in SIGNED_HERE
        assert (is_signed, count) == (wanted, theirs.count), key


def test_exceptions_are_exceptions() -> None:
    for cls, field in FIELDS:
        theirs = minix_member(cls, OTHER_NAMES.get((cls.__name__, field), field))
        if (cls.__name__, field) in UNSIGNED_HERE:
            assert theirs.kind == "signed"
        if (cls.__name__, field) in SIGNED_HERE:
            assert theirs.kind == "pointer"
    assert {(cls.__name__, field) for cls, field in FIELDS} >= UNSIGNED_HERE | SIGNED_HERE


def test_every_class_with_fields_has_a_structure() -> None:
    for cls in CLASSES:
        assert bool(layout(cls).members) == (cls.__name__ in STRUCTURES)


def _names(cls: type[Message]) -> set[str]:
    return {member.name.removesuffix("_") for member in layout(cls).members}


@pytest.mark.parametrize("cls", [c for c in CLASSES if not issubclass(c, Reply)])
def test_no_member_of_a_request_is_forgotten(cls: type[Message]) -> None:
    structure = STRUCTURES.get(cls.__name__, "")
    if not structure or structure.isupper():
        return
    ours = _names(cls)
    for answer in CLASSES:
        if (
            answer.__name__ == f"{cls.__name__}Reply"
            and STRUCTURES.get(answer.__name__) == structure
        ):
            ours |= _names(answer)
    theirs = set(FACTS["payload"][f"m_{structure}"]) - {"data"}
    assert theirs - ours == LEFT_OUT.get(cls.__name__, set())


def test_fields_come_in_order_and_fit() -> None:
    for cls in CLASSES:
        members = layout(cls).members
        ends = [0, *(member.at + member.size for member in members)]
        assert all(end <= member.at for end, member in zip(ends, members, strict=False))
        assert ends[-1] <= PAYLOAD_SIZE == FACTS["message"]["payload_size"]


def test_attrs_knows_the_fields() -> None:
    for cls in CLASSES:
        names = [field.name for field in attrs.fields(cls)]  # type: ignore[arg-type]
        own = [member.name for member in layout(cls).members]
        result = ["type"] if issubclass(cls, Reply) else []
        transid = ["transid"] if layout(cls).has_transaction else []
        assert names == [*result, *own, *transid]


def test_a_layout_whose_fields_overlap_is_refused() -> None:
    @message
    class Overlapping(Message, number=1, call="OVERLAPPING"):
        one: int = u32(0)
        two: int = i32(2)

    with pytest.raises(AssertionError, match=r"Overlapping\.two overlaps"):
        layout(Overlapping)


def test_a_layout_that_is_too_long_is_refused() -> None:
    @message
    class Long(Message, number=1, call="LONG"):
        one: int = u32(54)

    with pytest.raises(AssertionError, match="longer than a message"):
        layout(Long)


@message
class Every(Message, number=1, call="EVERY"):
    """One field of every kind."""

    byte: int = i8(0)
    octet: int = u8(1)
    short: int = i16(2)
    half: int = u16(4)
    word: int = i32(8)
    unsigned: int = u32(12)
    long: int = i64(16)
    huge: int = u64(24)
    text: bytes = raw(32, 4)
    words: tuple[int, ...] = i32s(36, 1)
    signals: int = sigset(40)


@pytest.mark.parametrize(
    ("name", "value"),
    [("text", 3), ("text", True), ("text", 10**11), ("text", "ab"),
     ("words", b"a"), ("words", 3)],
)  # fmt: skip
def test_numbers_are_no_text_and_text_is_no_numbers(name: str, value: object) -> None:
    member = next(each for each in layout(Every).members if each.name == name)
    with pytest.raises(ValueError, match="it must be"):
        member.pack(value)


def test_every_kind_of_field_is_packed_little_end_first() -> None:
    full = Every(-2, 254, -2, 0xFFFE, -2, 1, -2, 1, b"ab", (3,), 4)
    data = struct.pack("<bBhH2xiIqQ4si16s", -2, 254, -2, 0xFFFE, -2, 1, -2, 1, b"ab", 3, b"\4")
    assert b"".join(
        member.pack(getattr(full, member.name)) for member in layout(Every).members
    ) == (data[:6] + data[8:])
    for member in layout(Every).members:
        assert member.unpack(data) == getattr(full, member.name)
