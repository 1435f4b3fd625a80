"""What processes are called: what the scenario says, then MINIX's name, then the kernel's."""

from __future__ import annotations

import pytest

from ipc.endpoint import INIT, NONE, VM
from kernel.probes import ProcessCreated
from tracing.names import Names

CHILD, OTHER = 32780, 32781


@pytest.mark.parametrize(
    ("given", "seen", "endpoint", "name"),
    [
        ({}, {}, VM, "VM"),
        ({}, {VM: "vm"}, VM, "VM"),
        ({}, {}, INIT, "init"),
        ({}, {}, CHILD, "32780"),
        ({}, {CHILD: "sh"}, CHILD, "sh"),
        ({}, {CHILD: "init"}, CHILD, "init(32780)"),
        ({}, {CHILD: "sh", OTHER: "sh"}, OTHER, "sh(32781)"),
        ({CHILD: "child"}, {CHILD: "init"}, CHILD, "child"),
        ({CHILD: "sh"}, {OTHER: "sh"}, OTHER, "sh(32781)"),
    ],
)
def test_a_process_is_called(
    given: dict[int, str], seen: dict[int, str], endpoint: int, name: str
) -> None:
    names = Names(given)
    for number, (process, called) in enumerate(seen.items()):
        names.learn(ProcessCreated(number, 0, 0, process, NONE, called))
    assert names(endpoint) == name


def test_no_two_processes_are_called_the_same() -> None:
    names = Names({CHILD: "child"})
    names.learn(ProcessCreated(1, 0, 0, OTHER, NONE, "child"))
    names.learn(ProcessCreated(2, 0, 0, INIT, NONE, "init"))
    assert len({names(CHILD), names(OTHER), names(INIT)}) == 3
