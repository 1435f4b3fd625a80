"""All kinds of messages, by number and by name, and which reply answers which request.

Source: MINIX ``minix/com.h``, ``minix/callnr.h``, ``minix/vfsif.h``.
"""

from __future__ import annotations

import sys
from typing import Final

from ipc import bdev, cdev, common, fs, kernelcalls, notification, pm, pm_vfs, rs, sched, vfs, vm
from ipc.bdev import BdevReply
from ipc.cdev import CdevReply, CdevSel1Reply
from ipc.common import CommonMibReply, ProcEventReply
from ipc.flags import VMCTL_KERN_PHYSMAP, VMCTL_MEMREQ_GET
from ipc.kernelcalls import SysVmctl, SysVmctlMemreqReply, SysVmctlPhysmapReply
from ipc.message import Message, Reply
from ipc.pm_vfs import VfsPmCoreReply
from ipc.vm import VmVfsReply

MESSAGES: Final[tuple[type[Message], ...]] = (
    *pm.MESSAGES,
    *vfs.MESSAGES,
    *cdev.MESSAGES,
    *bdev.MESSAGES,
    *kernelcalls.MESSAGES,
    *rs.MESSAGES,
    *pm_vfs.MESSAGES,
    *fs.MESSAGES,
    *vm.MESSAGES,
    *common.MESSAGES,
    *sched.MESSAGES,
    *notification.MESSAGES,
)

BY_NUMBER: Final = {cls.type: cls for cls in MESSAGES}
BY_NAME: Final = {cls.name: cls for cls in MESSAGES}

# Answers that are messages with a number of their own, under another name than `…Reply`.
NUMBERED_ANSWERS: Final[dict[str, type[Message]]] = {
    "BDEV_OPEN": BdevReply,
    "BDEV_CLOSE": BdevReply,
    "BDEV_READ": BdevReply,
    "BDEV_WRITE": BdevReply,
    "BDEV_GATHER": BdevReply,
    "BDEV_SCATTER": BdevReply,
    "BDEV_IOCTL": BdevReply,
    "CDEV_OPEN": CdevReply,
    "CDEV_CLOSE": CdevReply,
    "CDEV_READ": CdevReply,
    "CDEV_WRITE": CdevReply,
    "CDEV_IOCTL": CdevReply,
    "CDEV_CANCEL": CdevReply,
    "CDEV_SELECT": CdevSel1Reply,
    "COMMON_MIB_INFO": CommonMibReply,
    "COMMON_MIB_CALL": CommonMibReply,
    "PROC_EVENT": ProcEventReply,
    "VFS_PM_DUMPCORE": VfsPmCoreReply,
    "VFS_VMCALL": VmVfsReply,
}

# SYS_VMCTL answers as its parameter says.
VMCTL_ANSWERS: Final[dict[int, type[Message]]] = {
    VMCTL_MEMREQ_GET: SysVmctlMemreqReply,
    VMCTL_KERN_PHYSMAP: SysVmctlPhysmapReply,
}


def reply_class(request: Message | type[Message]) -> type[Message]:
    """The class of the messages that answer `request`.

    A request as such says more than its class where the answer's layout depends on a parameter.
    """
    if isinstance(request, SysVmctl) and request.param in VMCTL_ANSWERS:
        return VMCTL_ANSWERS[request.param]
    cls = request if isinstance(request, type) else type(request)
    if cls.name in NUMBERED_ANSWERS:
        return NUMBERED_ANSWERS[cls.name]
    found: type[Message] = getattr(sys.modules[cls.__module__], f"{cls.__name__}Reply", Reply)
    return found


def message_class(name: str) -> type[Message]:
    """The class of the messages that MINIX calls `name`.  Raises KeyError for an unknown name."""
    return BY_NAME[name]
