"""Answers that refuse requests."""

from __future__ import annotations

import pytest

from ipc.bdev import BdevRead, BdevReply
from ipc.errors import EIO
from ipc.fs import ReqLookup, ReqLookupReply
from ipc.message import Message, Reply
from ipc.notification import Notification
from ipc.pm import PmGetpid
from ipc.pm_vfs import VfsPmDumpcore, VfsPmExit, VfsPmExitReply
from ipc.refusals import answers_apart, can_be_refused, is_answer, refusal
from ipc.registry import MESSAGES, reply_class
from ipc.vfs import VfsOpen, VfsVmcall
from ipc.vm import VmMmap, VmMmapReply, VmPagefault, VmVfsReply

REFUSALS = [
    (VfsOpen(), Reply(EIO)),
    (VmMmap(len=4096), VmMmapReply(EIO)),
    (ReqLookup(transid=0xB01), ReqLookupReply(EIO, transid=0xB01)),
    (BdevRead(id=7), BdevReply(EIO, 7)),
    (VfsVmcall(endpoint=11, reqid=3), VmVfsReply(endpoint=11, result=EIO, reqid=3)),
]


@pytest.mark.parametrize(("request_", "answer"), REFUSALS)
def test_a_refusal_is_the_answer_with_the_error_in_it(request_: Message, answer: Message) -> None:
    assert can_be_refused(type(request_))
    assert refusal(request_, EIO) == answer
    assert is_answer(answer)
    assert not is_answer(request_)


@pytest.mark.parametrize("kind", [VmPagefault, Notification, VfsPmExit, Reply, VmVfsReply])
def test_what_has_no_answer_with_a_result_cannot_be_refused(kind: type[Message]) -> None:
    assert not can_be_refused(kind)


def test_every_request_that_can_be_refused_has_a_refusal() -> None:
    refused = [kind for kind in MESSAGES if can_be_refused(kind)]
    assert len(refused) > 200
    for kind in refused:
        assert isinstance(refusal(kind(), EIO), reply_class(kind)), kind.name


@pytest.mark.parametrize(
    ("request_", "apart"),
    [
        (ReqLookup(transid=0xB01), True),
        (VfsVmcall(), True),
        (VfsPmDumpcore(), True),
        (PmGetpid(), False),
        (VfsOpen(), False),
    ],
)
def test_servers_answer_one_another_by_messages_of_their_own(
    request_: Message, apart: bool
) -> None:
    assert answers_apart(request_) == apart
    assert is_answer(VfsPmExitReply())
