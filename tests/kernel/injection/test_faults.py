"""What can be said of faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ipc.errors import EIO
from ipc.vfs import VfsOpen
from kernel.injection import AllocationFault, Crash, Fault, ReplyFault, When


def test_requests_and_occurrences_may_be_given_by_name() -> None:
    assert ReplyFault("vfs", error=EIO, request="VFS_OPEN", when="2+") == ReplyFault(
        "vfs", error=EIO, request=VfsOpen, when=When(2)
    )
    assert Crash("mfs").when == When(1, 1)
    assert AllocationFault().when == When()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ReplyFault("vfs", error=EIO), "error=EIO"),
        (ReplyFault("vfs", delay=5_000_000), "delay=5ms"),
        (ReplyFault("vfs", error=EIO, delay=1_500), "error=EIO delay=1500ns"),
        (Crash("vfs"), "crash"),
        (AllocationFault(), "allocation fails"),
    ],
)
def test_a_fault_in_words(fault: Fault, words: str) -> None:
    assert str(fault) == words


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: ReplyFault("vfs"), "needs an error or a delay"),
        (lambda: ReplyFault("vfs", error=5), "5 is no error"),
        (lambda: ReplyFault("vfs", delay=-1), "a delay is not negative"),
        (lambda: ReplyFault("vfs", error=EIO, request="VFS_OPNE"), "there is no message VFS_OPNE"),
        (lambda: ReplyFault("vm", error=EIO, request="VM_PAGEFAULT"), "VM_PAGEFAULT has no reply"),
        (lambda: Crash("vfs", request="NOTIFY_MESSAGE"), "NOTIFY_MESSAGE is not a request"),
        (lambda: Crash("vm", request="VM_VFS_REPLY"), "VM_VFS_REPLY is not a request"),
        (lambda: Crash("vm", when=0), "counted from 1"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], Fault], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make()
