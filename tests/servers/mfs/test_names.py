"""Names that are taken away while there is no memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ipc.errors import ENOENT, ENOMEM
from ipc.flags import O_RDWR
from kernel.injection import AllocationFault, When
from servers.lib.libc import Libc
from servers.mfs.mkfs import directory, file_of
from tests.servers.site import Site, site

# Of /big the indirect blocks are wanted, and of /d the inode lies in another block than the root's.
FILES = {
    "/big": file_of(bytes(5_000_000) + b"x", 0o644),
    **{f"/n{number}": file_of(b"n", 0o644) for number in range(80)},
    "/p/d": directory(0o755),
}
CALLS: dict[str, Callable[[Libc], Coroutine[Any, Any, Any]]] = {
    "/big": lambda libc: libc.unlink("/big"),
    "/n70": lambda libc: libc.unlink("/n70"),
    "/p/d": lambda libc: libc.rmdir("/p/d"),
}


def used(place: Site) -> tuple[int, int]:
    """Blocks and inodes that are not free, when all is written."""
    fs = place.system.servers["mfs"].fs
    place.do(lambda libc: libc.sync())
    place.check()
    assert fs.cache.in_use() == 0, "between requests no block is held"
    return fs.cache.used_blocks, len(fs._inodes)


@pytest.mark.parametrize("path", CALLS)
def test_without_memory_a_name_stays_or_it_is_gone(path: str) -> None:
    whole = site(files=FILES)
    whole.do(CALLS[path])
    results = set()
    for first in range(1, 9):
        for many in (2, 100):
            place = site(files=FILES)
            armed = place.system.machine.faults.arm(AllocationFault(when=When(first, first + many)))
            result = place.fails(CALLS[path])
            place.system.machine.faults.disarm_all()
            if armed.fired:
                results.add(result)
            there = place.fails(lambda libc: libc.stat(path))
            assert (result, there) in {(0, ENOENT), (ENOMEM, 0)}
            if result:
                place.do(CALLS[path])
            assert used(place) == used(whole)
    assert results == {0, ENOMEM}


def test_an_open_file_whose_name_is_gone_is_freed_by_sync_if_not_by_close() -> None:
    whole, place = site(files=FILES), site(files=FILES)
    for each in (whole, place):
        each.do(lambda libc: libc.open("/big", O_RDWR))
        each.do(lambda libc: libc.unlink("/big"))
    whole.do(lambda libc: libc.close(0))
    place.system.machine.faults.arm(AllocationFault())
    place.do(lambda libc: libc.close(0))
    assert place.system.servers["mfs"].fs.cache.used_blocks > used(whole)[0]
    place.system.machine.faults.disarm_all()
    assert used(place) == used(whole)
