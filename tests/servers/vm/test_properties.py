"""Whatever is asked of VM, it never panics, and all that it knows fits together.

The last test brings a VM with all quirks down by itself in many ways.
"""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.quirks import ALL_QUIRKS, NO_QUIRKS, Quirks
from scenarios.campaign.vm_operations import Operations, boot
from scenarios.conform.vm import VmReplay
from servers.vm.sanity import Violation, check


def campaign(random: Random, steps: int, frames: int, nonsense: int, quirks: Quirks) -> str | None:
    """Random operations, checked one by one; what went wrong first, if anything did."""
    machine = VmReplay(boot(frames), quirks)
    operations = Operations(machine, random, nonsense)
    for _ in range(steps):
        operation = operations.next()
        out = machine.answer({"in": operation})["out"]
        if out and out[-1]["ev"] == "panic":
            return str(out[-1]["msg"])
        check(machine.vm.memory, str(operation))
    return None


@settings(max_examples=25, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.integers(1, 40),
    st.sampled_from([24, 64, 400]),
    st.sampled_from([0, 10, 60]),
)
def test_nothing_brings_vm_down(random: Random, steps: int, frames: int, nonsense: int) -> None:
    assert campaign(random, steps, frames, nonsense, NO_QUIRKS) is None


@pytest.mark.parametrize("seed", range(6))
def test_long_runs(seed: int) -> None:
    assert campaign(Random(seed), 250, (24, 64, 400)[seed % 3], 5, NO_QUIRKS) is None


def test_defects_are_found_by_themselves() -> None:
    found = set()
    for seed in range(60):
        try:
            panic = campaign(Random(seed), 150, (24, 64, 400)[seed % 3], 5, ALL_QUIRKS)
        except Violation as violation:
            found.add(violation.invariant)
        else:
            found |= set(re.findall(r"quirk ([\w-]+)", panic or ""))
    # These are met again and again; others, about ten, are a matter of luck.
    assert found >= {"vfs-reply-nothing-active", "memory counts", "frames", "transid-not-suspend"}
