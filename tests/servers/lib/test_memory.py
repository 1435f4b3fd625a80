"""A server's own memory: what it stores without the kernel, and what it leaves to the kernel."""

from __future__ import annotations

import pytest

from kernel.machine import Machine
from kernel.memory.frames import PAGE_SIZE
from kernel.memory.space import USER_READ, USER_WRITE, AddressSpace
from servers.lib.memory import OwnMemory

FRAME = 0x0020_0000
ADDRESS = 0x0804_8000


@pytest.mark.parametrize(
    ("entry", "stored"),
    [(FRAME | USER_WRITE, True), (FRAME | USER_READ, False), (0, False)],
    ids=["writable", "read-only", "missing"],
)
def test_a_page_is_written_if_it_is_there_to_be_written(entry: int, stored: bool) -> None:
    made = Machine()
    process = made.spawn(20, "server", lambda: None, system=True)
    process.space = AddressSpace()
    process.space.set(ADDRESS, entry)
    memory = OwnMemory()
    memory.belongs_to(process, made.frames)
    assert memory.store(ADDRESS + 5, b"text") == stored
    assert made.frames.read(FRAME, PAGE_SIZE).strip(b"\0") == (b"text" if stored else b"")
    assert made.frames.read(FRAME + 5, 4) == (b"text" if stored else bytes(4))


def test_without_page_tables_it_is_for_the_kernel() -> None:
    made = Machine()
    memory = OwnMemory()
    assert not memory.store(ADDRESS, b"text")
    memory.belongs_to(made.spawn(20, "server", lambda: None, system=True), made.frames)
    assert not memory.store(ADDRESS, b"text")
