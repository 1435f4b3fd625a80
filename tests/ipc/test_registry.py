"""The tables of all messages: complete, without doubles, numbered as in MINIX's headers."""

from __future__ import annotations

import re

import pytest

from ipc import fs
from ipc.bdev import BdevRead, BdevReply
from ipc.fs import ReqReadReply
from ipc.kernelcalls import (
    SysFork,
    SysForkReply,
    SysVmctl,
    SysVmctlMemreqReply,
    SysVmctlPhysmapReply,
    SysVmctlReply,
)
from ipc.message import Message, Reply
from ipc.pm import PmExit
from ipc.pm_vfs import VfsPmCoreReply, VfsPmDumpcore, VfsPmFork, VfsPmForkReply
from ipc.registry import BY_NAME, BY_NUMBER, MESSAGES, message_class, reply_class
from ipc.vfs import VfsVmcall
from ipc.vm import VmMmap, VmMmapReply, VmVfsReply
from tests.ipc.facts import CONSTANTS

# In the ranges of call numbers, but no calls.
NO_CALLS = re.compile(
    r".*_(BASE|PROC_NR|MASK_SIZE|MAXTYPENUM|NFREELIST)$|VFS_TRANS.*|VFS_PM_R._BASE"
    r"|SYS_(PRIV|STATE|UPD)_.*|SYS_PROC"
)
RANGES = {
    "PM_": range(1, 48),
    "VFS_": range(256, 320),
    "CDEV_": range(1024, 1280),
    "BDEV_": range(1280, 1536),
    "SYS_": range(1536, 1594),
    "VFS_PM_": range(2304, 2560),
    "REQ_": range(2561, 2594),
    "VM_": range(3072, 3328),
    "SCHEDULING_": range(3841, 3846),
}


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def test_no_number_or_name_is_used_twice() -> None:
    assert len(BY_NUMBER) == len(BY_NAME) == len(MESSAGES)


@pytest.mark.parametrize("cls", MESSAGES)
def test_a_class_has_the_number_and_name_of_the_header(cls: type[Message]) -> None:
    assert CONSTANTS[cls.name] == cls.type
    assert cls.__name__ in {_camel(cls.name), "Notification"}
    assert cls.__doc__
    assert cls.__doc__.endswith(".")


@pytest.mark.parametrize(("prefix", "numbers"), RANGES.items())
def test_every_call_in_the_headers_has_a_class(prefix: str, numbers: range) -> None:
    calls = {
        name
        for name, number in CONSTANTS.items()
        if name.startswith(prefix) and number in numbers and not NO_CALLS.match(name)
    }
    assert len(calls) >= 5
    assert calls <= set(BY_NAME)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (VmMmap, VmMmapReply),
        (VmMmap(addr=1), VmMmapReply),
        (PmExit, Reply),
        (SysFork, SysForkReply),
        (BdevRead, BdevReply),
        (VfsVmcall, VmVfsReply),
        (VfsPmFork, VfsPmForkReply),
        (VfsPmDumpcore(), VfsPmCoreReply),
        (SysVmctl, SysVmctlReply),
        (SysVmctl(param=13), SysVmctlReply),
        (SysVmctl(param=14), SysVmctlMemreqReply),
        (SysVmctl(param=27), SysVmctlPhysmapReply),
    ],
)
def test_a_reply_is_laid_out_as_the_request_says(
    request_: Message | type[Message], answer: type[Message]
) -> None:
    assert reply_class(request_) is answer


def test_message_class_is_by_name() -> None:
    assert message_class("VM_MMAP") is VmMmap
    with pytest.raises(KeyError):
        message_class("VM_MMAP_REPLY")


def test_every_request_to_a_file_system_has_a_reply_with_a_transaction() -> None:
    for cls in fs.MESSAGES:
        assert reply_class(cls)(-5, transid=0xB01).transid == 0xB01  # type: ignore[call-arg, attr-defined]
    assert ReqReadReply(transid=0xB01).type == 0
