"""Messages as bytes: there and back for every class, and exact bytes where MINIX's are known."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipc.bdev import BdevRead, BdevReply
from ipc.errors import ENOMEM
from ipc.fs import ReqLookup, ReqLookupReply, ReqPutnode, ReqRead, ReqReadReply
from ipc.kernelcalls import SysGetksigReply, SysVmctl, SysVmctlMemreqReply
from ipc.layout import Member, layout
from ipc.message import MESSAGE_SIZE, PAYLOAD_SIZE, Message, RawMessage, Reply
from ipc.notification import Notification
from ipc.registry import MESSAGES, VMCTL_ANSWERS, reply_class
from ipc.transaction import VFS_TRANSID
from ipc.vfs import VfsLseekReply, VfsMapdriver, VfsOpen, VfsRead
from ipc.vm import VmMmap, VmMmapReply, VmPagefault, VmProcctl
from ipc.wire import decode, encode, wire_number
from tests.ipc.facts import FACTS, all_classes

CLASSES = all_classes()
REQUEST_OF: dict[type[Message], Message | type[Message]] = {
    **{reply_class(cls): cls for cls in MESSAGES if issubclass(reply_class(cls), Reply)},
    **{cls: SysVmctl(param=param) for param, cls in VMCTL_ANSWERS.items()},
}
INT_32 = st.integers(-(1 << 31), (1 << 31) - 1)


def _values(member: Member) -> st.SearchStrategy[Any]:
    if member.form == "sigset":
        return st.integers(0, (1 << 128) - 1)
    if member.form.endswith("s"):
        return st.binary(max_size=member.size).map(lambda data: data.rstrip(b"\0"))
    if len(member.form) > 1:
        return st.lists(INT_32, max_size=int(member.form[:-1])).map(_canonical)
    bits = 8 * member.size
    if member.form.islower():
        return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)
    return st.integers(0, (1 << bits) - 1)


def _canonical(values: list[int]) -> tuple[int, ...]:
    while values and not values[-1]:
        values.pop()
    return tuple(values)


@st.composite
def _messages(draw: st.DrawFn, cls: type[Message]) -> Message:
    form = layout(cls)
    values = {member.name: draw(_values(member)) for member in form.members}
    if form.has_transaction:
        values["transid"] = draw(st.sampled_from([0, 0xB00, VFS_TRANSID, 0xBFF]))
    if form.has_result:
        bits = 16 if values.get("transid") else 32
        low = -(1 << bits - 1)
        kinds = st.integers(low, 0) if form.has_transaction else st.integers(low, -low - 1)
        values["type"] = draw(kinds.filter(lambda code: code & 0xFF00 != 0xB00))
    return cls(**values)


@settings(max_examples=1000)
@given(st.sampled_from(CLASSES).flatmap(_messages), INT_32)
def test_there_and_back(message: Message, source: int) -> None:
    request = REQUEST_OF.get(type(message))
    assert decode(encode(message, source), request) == (source, message)


@pytest.mark.parametrize("cls", CLASSES)
def test_an_empty_message_there_and_back(cls: type[Message]) -> None:
    assert decode(encode(cls()), REQUEST_OF.get(cls)) == (0, cls())


@settings(max_examples=1000)
@given(st.sampled_from(CLASSES).flatmap(_messages))
def test_every_field_is_packed_at_its_place(message: Message) -> None:
    cls = type(message)
    payload = encode(message)[8:]
    rest = bytearray(payload)
    for member in layout(cls).members:
        value = getattr(message, member.name)
        part = payload[member.at : member.at + member.size]
        if isinstance(value, int):
            is_signed = len(member.form) == 1 and member.form.islower()
            assert int.from_bytes(part, "little", signed=is_signed) == value
        elif isinstance(value, bytes):
            assert part == value.ljust(member.size, b"\0")
        else:
            words = struct.unpack(f"<{member.size // 4}i", part)
            assert words == value + (0,) * (len(words) - len(value))
        rest[member.at : member.at + member.size] = bytes(member.size)
    assert not any(rest)


@given(st.binary(min_size=MESSAGE_SIZE, max_size=MESSAGE_SIZE))
def test_any_bytes_can_be_read_and_what_is_read_can_be_written(data: bytes) -> None:
    for request in (None, VfsRead, ReqRead, VmMmap, BdevRead):
        source, message = decode(data, request)
        again = encode(message, source)
        assert again[:8] == data[:8]
        assert decode(again, request) == (source, message)


EXACT = [
    (
        VmPagefault(0xEFBFE000, 6),
        32780,
        struct.pack("<ii8xIi40x", 32780, 3327, 0xEFBFE000, 6),
    ),
    (
        VmMmap(-1, 0x1000, 8192, 3, 0x1002, -1, 31742),
        11,
        struct.pack("<iiqIIiiii24x", 11, 3082, -1, 0x1000, 8192, 3, 0x1002, -1, 31742),
    ),
    (VmMmapReply(ENOMEM), 8, struct.pack("<ii56x", 8, -12)),
    (VmMmapReply(0, 0xF0000000), 8, struct.pack("<ii32xI20x", 8, 0, 0xF0000000)),
    (
        Notification(0x1122334455667788, 1 << 63, 1 << 70),
        -2,
        struct.pack("<iiQQQQ24x", -2, 4096, 0x1122334455667788, 1 << 63, 0, 1 << 6),
    ),
    (SysGetksigReply(0, 1 << 10, 11), -2, struct.pack("<iiQQi36x", -2, 0, 1 << 10, 0, 11)),
    (
        ReqRead(5, 4096, 3, 100, transid=VFS_TRANSID),
        1,
        struct.pack("<iHHQqiI32x", 1, 0xB01, 2579, 5, 4096, 3, 100),
    ),
    (ReqReadReply(-5, transid=VFS_TRANSID), 10, struct.pack("<iHh56x", 10, 0xB01, -5)),
    (ReqPutnode(5, 1), 1, struct.pack("<iiQI44x", 1, 2562, 5, 1)),
    (
        VmProcctl(2, 11, 0x80000000, 4096, 1, transid=0xB02),
        1,
        struct.pack("<iHH16xiiIIi20x", 1, 0xB02, 3117, 2, 11, 0x80000000, 4096, 1),
    ),
    (
        VfsOpen(0x1000, 9, 0, 0, b"/etc/motd"),
        11,
        struct.pack("<iiIIiI40s", 11, 259, 0x1000, 9, 0, 0, b"/etc/motd"),
    ),
    (
        VfsMapdriver(3, 4, 0x1000, 2, (1, 24)),
        2,
        struct.pack("<iiiIIi8i8x", 2, 301, 3, 4, 0x1000, 2, 1, 24, 0, 0, 0, 0, 0, 0),
    ),
    (RawMessage(0x7FFFFFFF, b"\1\2"), 0, struct.pack("<ii2s54x", 0, 0x7FFFFFFF, b"\1\2")),
]


@pytest.mark.parametrize(("message", "source", "data"), EXACT)
def test_exact_bytes(message: Message, source: int, data: bytes) -> None:
    assert len(data) == MESSAGE_SIZE == FACTS["message"]["sizeof"]
    assert encode(message, source) == data


def test_the_header_lies_where_minix_puts_it() -> None:
    facts = FACTS["message"]
    data = encode(RawMessage(2, b"\3"), 1)
    assert data[facts["m_source"]] == 1
    assert data[facts["m_type"]] == 2
    assert data[facts["payload_offset"]] == 3


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (VmMmap(addr=-1), r"VM_MMAP\.addr is -1; it must be a whole number in 0\.\.4294967295"),
        (VmMmap(addr=1 << 32), r"VM_MMAP\.addr is 4294967296"),
        (VmMmap(fd=1 << 31), r"VM_MMAP\.fd is 2147483648; .* in -2147483648\.\.2147483647"),
        (VmMmap(addr="x"), r"VM_MMAP\.addr is 'x'"),  # type: ignore[arg-type]
        (VmMmap(addr=1.5), r"VM_MMAP\.addr is 1\.5"),  # type: ignore[arg-type]
        (VmMmapReply(0, -1), r"VmMmapReply\.retaddr is -1"),
        (Reply(1 << 31), r"Reply\.type is 2147483648"),
        (Reply("x"), r"Reply\.type is 'x'"),  # type: ignore[arg-type]
        (RawMessage(0, "x"), r"raw\.payload is 'x'; it must be at most 56 bytes"),  # type: ignore[arg-type]
        (ReqRead(transid=0xB01 + (1 << 16)), r"REQ_READ\.transid is 68353"),
        (RawMessage(0, bytes(57)), r"raw\.payload is .* at most 56 bytes"),
        (Notification(0, 0, 1 << 128), r"NOTIFY_MESSAGE\.sigset is .* a set of signals"),
        (VfsMapdriver(domains=(0,) * 9), r"VFS_MAPDRIVER\.domains is .* at most 8 numbers"),
        (VfsMapdriver(domains=(1 << 31,)), r"VFS_MAPDRIVER\.domains is"),
        (ReqRead(transid=3), r"REQ_READ\.transid is 3; it must be 0 or 0xB00\.\.0xBFF"),
        (ReqReadReply(1 << 15, transid=0xB01), r"ReqReadReply\.type is 32768; with a transaction"),
    ],
)
def test_values_that_do_not_fit_are_refused(message: Message, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        encode(message)


def test_a_source_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"VM_MMAP\.source is 2147483648"):
        encode(VmMmap(), 1 << 31)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_only_64_bytes_are_a_message(size: int) -> None:
    with pytest.raises(ValueError, match=f"64 bytes, not {size}"):
        decode(bytes(size))


def test_an_answer_is_read_as_its_request_says() -> None:
    data = encode(RawMessage(262, b"\5"), 1)
    assert decode(data, VfsRead) == (1, Reply(262))
    assert decode(encode(VfsLseekReply(0, 5)), VfsLseekReply) == (0, Reply(0))
    assert decode(encode(BdevReply(7, 1)), BdevRead) == (0, BdevReply(7, 1))
    lookup = ReqLookupReply(-302, offset=9, symloop=1, transid=VFS_TRANSID)
    assert decode(encode(lookup), ReqLookup) == (0, lookup)
    memreq = SysVmctlMemreqReply(1, 11, 0x80000000, 4096, 12, 0, 5, 1)
    assert decode(encode(memreq), SysVmctl(param=14)) == (0, memreq)


def test_what_nobody_knows_stays_raw() -> None:
    payload = bytes(range(PAYLOAD_SIZE - 1)) + b"\1"
    assert decode(encode(RawMessage(99_999, payload))) == (0, RawMessage(99_999, payload))
    assert decode(encode(Reply(-12))) == (0, Reply(-12))
    assert decode(encode(VmMmapReply(0, 5)))[1] == RawMessage(0, bytes(32) + b"\5")


def test_the_wire_number_carries_the_transaction() -> None:
    assert wire_number(ReqRead()) == 2579
    assert wire_number(ReqRead(transid=0xB01)) == (2579 << 16) + 0xB01
    assert wire_number(ReqReadReply(-1, transid=0xB01)) == (-1 << 16) + 0xB01
