"""A recorder keeps what happens while it listens, and nothing else."""

from __future__ import annotations

from ipc.endpoint import INIT, NONE, VM
from ipc.message import Reply
from ipc.vm import VmBrk
from kernel.clock import Clock
from kernel.probes import Diagnosed, MessageDelivered, Probes
from tracing.records import Recorder


def test_it_listens_only_between_start_and_stop() -> None:
    probes = Probes(Clock())
    recorder = Recorder(probes)
    assert probes.emit is None
    with recorder:
        recorder.start()
        assert probes.emit is not None
        probes.tell(Diagnosed, 0, NONE, "heard")
    assert probes.emit is None
    recorder.stop()
    assert [event.text for event in recorder.of(Diagnosed)] == ["heard"]
    assert len(recorder) == 1


def test_events_are_found_by_kind_and_by_what_they_say() -> None:
    probes = Probes(Clock())
    with Recorder(probes) as recorder:
        probes.tell(Diagnosed, 0, NONE, "one")
        probes.tell(MessageDelivered, 0, INIT, VM, VmBrk(1), 0)
        probes.tell(MessageDelivered, 0, VM, INIT, Reply(0), 0)
    assert len(recorder.of(MessageDelivered)) == 2
    (found,) = recorder.of(MessageDelivered, lambda event: event.dest == INIT)
    assert found.source == VM
    assert recorder.delivered("VM_BRK") == 1
    assert recorder.delivered("VM_BRK", source=INIT, dest=VM) == 1
    assert recorder.delivered("VM_BRK", source=VM) == 0
    assert [event.seq for event in recorder] == [1, 2, 3]
