"""Messages as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipc.fs import ReqRead
from ipc.message import Message, RawMessage, Reply
from ipc.notification import Notification
from ipc.pm import PmExit, PmKill
from ipc.text import bytes_text, describe, field_texts, fields_text, size_text, value_text
from ipc.vfs import VfsChmod, VfsMapdriver, VfsOpen
from ipc.vm import VmForkReply, VmMmap, VmMmapReply

TEXTS = [
    (
        VmMmap(0, 0, 8192, 3, 0x1002, -1, 31742),
        (
            "VM_MMAP {offset: 0, addr: 0x0, len: 8K, prot: PROT_READ|PROT_WRITE, "
            "flags: MAP_PRIVATE|MAP_ANON, fd: -1, forwhom: SELF}"
        ),
    ),
    (VmMmapReply(-12), "reply {type: ENOMEM, retaddr: 0x0}"),
    (VmForkReply(0, 32780), "reply {type: OK, child_endpoint: 32780}"),
    (Reply(3), "reply {type: 3}"),
    (PmExit(3), "PM_EXIT {status: 3}"),
    (PmKill(5, 0), "PM_KILL {pid: 5, nr: 0}"),
    (PmKill(5, 9), "PM_KILL {pid: 5, nr: SIGKILL}"),
    (
        Notification(5, 1, 1 << 10 | 1 << 19),
        "NOTIFY_MESSAGE {timestamp: 5, interrupts: 0x1, sigset: SIGSEGV|SIGCHLD}",
    ),
    (Notification(), "NOTIFY_MESSAGE {timestamp: 0, interrupts: 0x0, sigset: 0}"),
    (
        ReqRead(1, 2, 3, 4096, transid=0xB01),
        "REQ_READ {inode: 1, seek_pos: 2, grant: 3, nbytes: 4K, transid: 2817}",
    ),
    (ReqRead(1, 2, 3, 5), "REQ_READ {inode: 1, seek_pos: 2, grant: 3, nbytes: 5}"),
    (
        VfsOpen(0x1000, 6, 2, 0o644, b"/a\"b\n"),
        'VFS_OPEN {name_: 0x1000, len: 6, flags: O_RDWR, mode: 0644, buf: "/a\\"b\\x0a"}',
    ),
    (VfsChmod(), 'VFS_CHMOD {name_: 0x0, len: 0, flags: 0, mode: 0, buf: ""}'),
    (
        VfsMapdriver(3, 4, 5, 2, (1, 24)),
        "VFS_MAPDRIVER {major: 3, labellen: 4, label: 0x5, ndomains: 2, domains: [1, 24]}",
    ),
    (RawMessage(77, b"\1\2"), 'raw {type: 77, payload: "\\x01\\x02"}'),
    (RawMessage(-12), 'raw {type: -12, payload: ""}'),
]  # fmt: skip


@pytest.mark.parametrize(("message", "text"), TEXTS)
def test_describe(message: Message, text: str) -> None:
    assert describe(message) == text


def test_endpoints_go_by_the_names_that_the_reader_knows() -> None:
    names = {32780: "child"}
    text = describe(VmForkReply(0, 32780), lambda endpoint: names[endpoint])
    assert text == "reply {type: OK, child_endpoint: child}"


def test_fields_one_by_one() -> None:
    assert list(field_texts(VmMmapReply(0, 0x5000))) == [("type", "OK"), ("retaddr", "0x5000")]
    assert fields_text(VmMmapReply(0, 0x5000)) == "{type: OK, retaddr: 0x5000}"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0"),
        (1, "1"),
        (1000, "1000"),
        (1024, "1K"),
        (6144, "6K"),
        (1 << 20, "1M"),
        (3 << 30, "3G"),
        (4097, "4097"),
        (-4096, "-4K"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


@given(st.binary())
def test_bytes_there_and_back(data: bytes) -> None:
    text = bytes_text(data)
    assert text.isascii()
    assert text.isprintable()
    assert eval(f"b{text}") == data


def test_an_unknown_way_is_refused() -> None:
    with pytest.raises(KeyError):
        value_text("colour", 1)
