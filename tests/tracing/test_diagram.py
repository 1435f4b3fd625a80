"""The picture of a run: who is in it, and what is drawn between whom."""

from __future__ import annotations

from xml.etree import ElementTree

from ipc.endpoint import INIT, PM, VFS, VM
from ipc.errors import OK
from ipc.flags import VMCTL_CLEAR_PAGEFAULT
from ipc.kernelcalls import SysVmctl
from ipc.message import Reply
from ipc.traps import FROM_KERNEL, SEND_CALL, SENDREC_CALL
from ipc.vm import VmBrk, VmPagefault
from kernel.probes import CommandInjected, Event, KernelCalled, MessageDelivered
from tracing.diagram import ROW, svg

SVG = "{http://www.w3.org/2000/svg}"
EVENTS: tuple[Event, ...] = (
    CommandInjected(1, 0, 0, INIT, 'store(a < b, "x")'),
    MessageDelivered(2, 0, 0, INIT, VM, VmPagefault(0x5000, 6), SEND_CALL | FROM_KERNEL),
    KernelCalled(3, 0, 2, VM, SysVmctl(INIT, VMCTL_CLEAR_PAGEFAULT), Reply(OK)),
    MessageDelivered(4, 0, 0, INIT, PM, VmBrk(), SENDREC_CALL),
    MessageDelivered(5, 0, 4, PM, VFS, VmBrk(), SENDREC_CALL),
    MessageDelivered(6, 0, 4, VFS, PM, Reply(OK), 0),
    MessageDelivered(7, 1_000, 4, PM, INIT, Reply(OK), 0),
)


def texts(kind: str) -> list[str]:
    tree = ElementTree.fromstring(svg(EVENTS))
    return [one.text or "" for one in tree.iter(f"{SVG}text") if one.get("class") == kind]


def test_users_stand_left_of_servers_and_servers_in_their_order() -> None:
    assert texts("who") == ["init", "PM", "VM", "VFS"]


def test_every_message_is_an_arrow_with_its_name() -> None:
    tree = ElementTree.fromstring(svg(EVENTS))
    arrows = [one for one in tree.iter(f"{SVG}path") if "arrow" in (one.get("class") or "")]
    assert len(arrows) == 5
    assert texts("what") == ["VM_PAGEFAULT", "VM_BRK", "VM_BRK", "VM_BRK reply", "VM_BRK reply"]


def test_commands_are_written_beside_their_process() -> None:
    assert texts("did") == ['store(a < b, "x")']


def test_who_waits_has_a_bar_as_long_as_it_waits() -> None:
    tree = ElementTree.fromstring(svg(EVENTS))
    heights = [one.get("height") for one in tree.iter(f"{SVG}rect") if one.get("class") == "wait"]
    assert heights == [str(rows * ROW) for rows in (0, 3, 1)]


def test_nothing_makes_an_empty_picture() -> None:
    assert ElementTree.fromstring(svg(())).tag == f"{SVG}svg"
