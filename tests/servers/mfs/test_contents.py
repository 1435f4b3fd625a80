"""What a call leaves of a file when it fails in the middle."""

from __future__ import annotations

from typing import Any

import pytest

from ipc.endpoint import MFS, VFS
from ipc.errors import EFAULT, EPERM, OK
from ipc.flags import CPF_READ, O_RDWR
from ipc.fs import ReqBwrite, ReqReadsuper, ReqSync
from servers.boot import boot
from servers.config import MachineConfig
from servers.image import ROOT_DEVICE
from servers.lib.driven import Command, Returned
from servers.lib.grants import Grants
from servers.lib.layout import TEXT_BASE
from servers.lib.libc import Libc
from servers.mfs.mkfs import file_of
from tests.servers.site import Site, site

BLOCK = 4096
CONTENT = b"".join(bytes([1 + number]) * BLOCK for number in range(20))
NOWHERE = 0x7000_0000


@pytest.fixture
def place() -> Site:
    return site(files={"/f": file_of(CONTENT, 0o644)})


def read_all(place: Site) -> bytes:
    async def action(libc: Libc) -> bytes:
        return await libc.read_bytes(await libc.open("/f"), len(CONTENT) + BLOCK)

    data = place.do(action)
    assert isinstance(data, bytes)
    return data


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize(("position", "length"), [
    (0, BLOCK), (BLOCK, BLOCK), (15 * BLOCK, 3 * BLOCK), (100, BLOCK), (0, 10), (BLOCK // 2, BLOCK),
])  # fmt: skip
def test_a_write_from_nowhere_changes_nothing(
    place: Site, position: int, length: int, cached: bool
) -> None:
    if cached:
        assert read_all(place) == CONTENT

    async def action(libc: Libc) -> None:
        fd = await libc.open("/f", O_RDWR)
        await libc.lseek(fd, position)
        await libc.write(fd, NOWHERE, length)

    assert place.fails(action) == EFAULT
    assert read_all(place) == CONTENT
    place.do(lambda libc: libc.sync())
    place.check()


def test_a_write_from_nowhere_beyond_the_end_leaves_zeros_or_nothing(place: Site) -> None:
    async def action(libc: Libc) -> None:
        fd = await libc.open("/f", O_RDWR)
        await libc.lseek(fd, len(CONTENT) + 5 * BLOCK)
        await libc.write(fd, NOWHERE, BLOCK)

    assert place.fails(action) == EFAULT
    assert read_all(place) == CONTENT
    place.check()


def test_a_write_that_ends_nowhere_keeps_what_it_did_not_reach(place: Site) -> None:
    async def action(libc: Libc) -> None:
        page = await libc.mmap(0, BLOCK, 3, 0x1002, -1, 0)
        await libc.store(page, b"new" * 1365 + b".")
        fd = await libc.open("/f", O_RDWR)
        await libc.write(fd, page, 2 * BLOCK)

    assert place.fails(action) == EFAULT
    assert read_all(place) == b"new" * 1365 + b"." + CONTENT[BLOCK:]
    place.check()


def test_a_block_of_the_device_whose_new_contents_cannot_be_had_stays() -> None:
    """A process that stands where VFS would writes to the device, with a grant that is none."""
    system = boot(MachineConfig(files={"/f": file_of(CONTENT, 0o644)}, driven={"files": VFS}))
    files = system.machine.table.lookup(VFS)
    assert files is not None
    grants = files.privilege.grants = Grants()
    outcomes: list[Any] = []
    medium = system.servers["disk"].controller.medium
    place = next(at for at in range(0, medium.size, BLOCK) if medium.read(at, 1) == b"\5")

    async def action(libc: Libc) -> tuple[int, int, int]:
        label = TEXT_BASE
        await libc.store(label, b"disk\0")
        grant = grants.direct(MFS, label, 5, CPF_READ)
        mounted = await libc.sendrec(MFS, ReqReadsuper(ROOT_DEVICE, 0, 5, grant))
        written = await libc.sendrec(MFS, ReqBwrite(ROOT_DEVICE, place, 999, BLOCK))
        synced = await libc.sendrec(MFS, ReqSync())
        return mounted.type, written.type, synced.type

    system.machine.driven.inject(files, Command(action, "a write"), outcomes.append)
    system.machine.run_quiet_nowait()
    assert outcomes == [Returned((OK, EPERM, OK))]
    assert medium.read(place, BLOCK) == b"\5" * BLOCK
