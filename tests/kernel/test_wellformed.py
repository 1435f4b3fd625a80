"""What can be a message at all: numbers in their range, bytes where there is room for them."""

from __future__ import annotations

from typing import Any

import pytest

from ipc.bdev import BdevRead
from ipc.fs import ReqPeek
from ipc.message import MESSAGE_SIZE, Message, RawMessage, Reply
from ipc.notification import Notification
from ipc.vfs import VfsOpen, VfsRead
from ipc.wire import encode
from kernel.wellformed import Malformed, demand_well_formed


@pytest.mark.parametrize(
    "message",
    [
        VfsRead(),
        VfsRead(fd=-1, buf=0xFFFFFFFF, len=0xFFFFFFFF),
        VfsOpen(buf=b""),
        VfsOpen(buf=bytes(40)),
        Reply(-(1 << 31)),
        RawMessage(1, bytes(56)),
        Notification(sigset=(1 << 128) - 1),
        ReqPeek(transid=0xB01),
        BdevRead(),
    ],
)
def test_what_fits(message: Message) -> None:
    for _ in range(2):
        demand_well_formed(message)
    assert len(encode(message)) == MESSAGE_SIZE


BAD: Any = "text"


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (VfsRead(fd=1 << 31), "VFS_READ.fd is 2147483648"),
        (VfsRead(buf=-1), "VFS_READ.buf is -1"),
        (VfsRead(fd=BAD), "VFS_READ.fd is 'text'"),
        (VfsOpen(flags=1 << 31), "VFS_OPEN.flags"),
        (VfsOpen(buf=bytes(41)), "VFS_OPEN.buf .* at most 40 bytes"),
        (VfsOpen(buf=BAD), "VFS_OPEN.buf"),
        (VfsOpen(buf=[47, 97]), "does not fit"),  # type: ignore[arg-type]
        (RawMessage(1, bytes(57)), "at most 56 bytes"),
        (Reply(1 << 31), "Reply.type"),
        (Notification(sigset=1 << 128), "sigset"),
        (ReqPeek(transid=5), "transid"),
        (None, "None is no message"),
        (5, "5 is no message"),
    ],
)
def test_what_does_not(message: Any, why: str) -> None:
    for _ in range(2):
        with pytest.raises(Malformed, match=why):
            demand_well_formed(message)
