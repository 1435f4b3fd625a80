"""Live updates: both versions of a service have what the old one had mapped, or one has it."""

from __future__ import annotations

from typing import Final

import pytest

from ipc.errors import ENOMEM, OK
from ipc.flags import MAP_CONTIG
from scenarios.campaign.vm_operations import PAGE
from scenarios.conform.vm import VmReplay
from servers.vm.sanity import check
from tests.servers.vm.kit import ANON, FIXED, PREALLOC, carry_on, last_reply, op, run

CONTIG: Final = ANON | MAP_CONTIG
OLD, NEW = 4, 5
LOW, HIGH = 0x4000000, 0x20000000  # below and above what both have from the start
UPDATE: Final = op("rs_update", 2, src_e=OLD, dst_e=NEW)


def mapped(*flags: int) -> VmReplay:
    """The old version has a page at LOW and one at HIGH, with those flags of mmap."""
    pages = zip((LOW, HIGH), flags, strict=True)
    machine, _ = run(
        [op("mmap", OLD, addr=at, len=PAGE, flags=each | FIXED | PREALLOC) for at, each in pages]
    )
    return machine


def pages(machine: VmReplay, endpoint: int) -> list[tuple[int, bool]]:
    """Behind LOW and HIGH: the physical address, and whether it may be written."""
    space = machine.vm.memory.processes[endpoint].space
    return [(space.translate(at), space.translate(at, write=True) >= 0) for at in (LOW, HIGH)]


def test_both_versions_have_what_the_old_one_mapped_until_they_write() -> None:
    machine = mapped(ANON, ANON)
    ((low, _), (high, _)) = pages(machine, OLD)
    assert last_reply(carry_on(machine, [UPDATE])) == OK
    assert pages(machine, OLD) == pages(machine, NEW) == [(low, False), (high, False)]
    check(machine.vm.memory)


@pytest.mark.parametrize("flags", [(ANON, CONTIG), (CONTIG, ANON)])
def test_what_cannot_all_be_shared_is_not_shared_at_all(flags: tuple[int, int]) -> None:
    """Contiguous memory cannot be; the page beside it stays writable for the one who has it."""
    machine = mapped(*flags)
    before = pages(machine, OLD)
    out = carry_on(machine, [UPDATE])
    assert last_reply(out) == ENOMEM
    # They are exchanged all the same, and the kernel is told of both.
    assert pages(machine, NEW) == before == [(phys, True) for phys, _ in before]
    assert pages(machine, OLD) == [(-1, False), (-1, False)]
    assert [event["ep"] for event in out if event["ev"] == "set_addrspace"] == [OLD, NEW]
    check(machine.vm.memory)
