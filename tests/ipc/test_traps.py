"""The one function that yields to the kernel."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from ipc.endpoint import ANY, VM
from ipc.errors import EDEADSRCDST, IpcError
from ipc.message import Reply
from ipc.traps import Notify, Receive, Send, SendRec, Trap, trap
from ipc.vm import VmBrk


async def _program() -> list[Any]:
    seen = [await trap(SendRec(VM, VmBrk(0x1000)))]
    try:
        await trap(Send(99, VmBrk()))
    except IpcError as error:
        seen.append(error.code)
    seen.append(await trap(Receive()))
    return seen


def test_a_process_yields_traps_and_gets_results_and_failures() -> None:
    process = _program()
    asked: list[Trap] = [process.send(None)]
    asked.append(process.send(Reply(0)))
    asked.append(process.send(IpcError(EDEADSRCDST)))
    with pytest.raises(StopIteration) as end:
        process.send((VM, Reply(1), 0))
    assert asked == [SendRec(VM, VmBrk(0x1000)), Send(99, VmBrk()), Receive(ANY)]
    assert end.value.value == [Reply(0), -202, (VM, Reply(1), 0)]


def test_traps_are_values() -> None:
    assert Notify(5) == Notify(5)
    assert Notify(5) != Notify(6)
    assert Send(5, Reply(0)) != Notify(5)
    assert attrs.evolve(Notify(5), dest=6) == Notify(6)
