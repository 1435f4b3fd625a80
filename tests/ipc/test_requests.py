"""Requests as their receiver reads them, whatever the sender put into them."""

from __future__ import annotations

import pytest

from ipc.message import Message, RawMessage, Reply
from ipc.notification import Notification
from ipc.requests import Unreadable, as_request
from ipc.vfs import VfsOpen
from ipc.vm import VmMmap, VmPagefault, VmSetcachepage


@pytest.mark.parametrize(
    "message", [VmMmap(-1, 0xFFFFFFFF, 1, 2, 3, -4, 5), RawMessage(99_999, b"x"), Notification()]
)
def test_what_fits_stays_as_it_is(message: Message) -> None:
    assert as_request(message) is message
    assert as_request(message) is message


@pytest.mark.parametrize(
    ("message", "read"),
    [
        (VmMmap(addr=-1), VmMmap(addr=0xFFFFFFFF)),
        (VmMmap(addr=1 << 32, fd=0xFFFFFFFF), VmMmap(addr=0, fd=-1)),
        (VmMmap(offset=1 << 63), VmMmap(offset=-(1 << 63))),
        (VmSetcachepage(pages=256, flags=-1), VmSetcachepage(pages=0, flags=255)),
        (Notification(sigset=(1 << 128) + 1), Notification(sigset=1)),
        (RawMessage(3327, bytes(8) + b"\1"), VmPagefault(1)),
        (Reply(3327), VmPagefault()),
    ],
)
def test_the_rest_is_read_as_its_bytes_would_be(message: Message, read: Message) -> None:
    assert as_request(message) == read
    assert type(as_request(message)) is type(read)


@pytest.mark.parametrize(
    "message",
    [
        VmMmap(addr="x"),  # type: ignore[arg-type]
        VmMmap(addr=1.5),  # type: ignore[arg-type]
        VmMmap(addr=-1, fd=None),  # type: ignore[arg-type]
        RawMessage(3327, bytes(57)),
        Reply(3327.0),  # type: ignore[arg-type]
    ],
)
def test_what_no_bytes_can_carry_is_refused(message: Message) -> None:
    with pytest.raises(Unreadable):
        as_request(message)


def test_text_is_read_as_it_is() -> None:
    message = VfsOpen(0x1000, 6, 0, 0, b"/a/b")
    assert as_request(message) is message
