"""The answer that refuses a request: what its sender gets instead of what it asked for.

Most answers carry their result as their number; a few have a number of their own, and a field for
the result.  Some of what PM tells VFS cannot be refused: its answer says only that it is done.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from ipc.bdev import BdevReply
from ipc.cdev import CdevReply, CdevSel1Reply, CdevSel2Reply
from ipc.common import CommonMibReply, ProcEvent, SigsSignalReceived
from ipc.message import Message, Reply
from ipc.notification import Notification
from ipc.pm_vfs import VfsPmCoreReply, VfsPmExecReply
from ipc.registry import MESSAGES, reply_class
from ipc.sched import SchedulingNoQuantum
from ipc.vm import VmPagefault, VmVfsReply

# How answers with a number of their own say that it went wrong, from the request and the error.
NUMBERED: Final[dict[type[Message], Callable[[Any, int], Message]]] = {
    BdevReply: lambda request, errno: BdevReply(status=errno, id=request.id),
    CdevReply: lambda request, errno: CdevReply(status=errno, id=request.id),
    CdevSel1Reply: lambda request, errno: CdevSel1Reply(status=errno, minor=request.minor),
    CommonMibReply: lambda request, errno: CommonMibReply(req_id=request.req_id, status=errno),
    VfsPmCoreReply: lambda request, errno: VfsPmCoreReply(endpt=request.endpt, status=errno),
    VfsPmExecReply: lambda request, errno: VfsPmExecReply(endpt=request.endpt, status=errno),
    VmVfsReply: lambda request, errno: VmVfsReply(
        endpoint=request.endpoint, result=errno, reqid=request.reqid
    ),
}


# What is told and not asked; PROC_EVENT is answered, but not with a result.
TOLD: Final = frozenset({
    CdevSel2Reply, Notification, ProcEvent, SchedulingNoQuantum, SigsSignalReceived, VmPagefault,
})  # fmt: skip


def can_be_refused(request: type[Message]) -> bool:
    """Whether messages of this class are requests whose answer can be an error."""
    if request in TOLD or request in answer_classes():
        return False
    answer = reply_class(request)
    return issubclass(answer, Reply) or answer in NUMBERED


def refusal(request: Message, errno: int) -> Message:
    """The answer to `request`, whose class `can_be_refused`, that says `errno` (negative)."""
    answer = reply_class(request)
    if answer in NUMBERED:
        return NUMBERED[answer](request, errno)
    transid = getattr(request, "transid", 0)
    if transid:
        return answer(type=errno, transid=transid)  # type: ignore[call-arg]
    return answer(type=errno)  # type: ignore[call-arg]


def is_answer(message: Message) -> bool:
    """Whether `message` is one that answers requests."""
    return isinstance(message, Reply) or type(message) in answer_classes()


def answers_apart(request: Message) -> bool:
    """Whether the answer to `request` is a message of its own, for which nobody waits in SENDREC.

    So servers ask one another: under a transaction number, or with an answer that names its kind.
    """
    return bool(getattr(request, "transid", 0)) or reply_class(request) in _BETWEEN_SERVERS


_BETWEEN_SERVERS: Final = frozenset({BdevReply, VfsPmCoreReply, VfsPmExecReply, VmVfsReply})


@functools.cache
def answer_classes() -> frozenset[type[Message]]:
    """All classes of answers."""
    return frozenset(map(reply_class, MESSAGES))
