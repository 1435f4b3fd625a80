"""Who tells whom in which order, against what the real VFS was recorded to do.

The tables are the recordings' (MINIX's VFS and PM), without grant numbers, ids and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ipc.flags import MAP_PRIVATE, O_CREAT, O_RDWR, PROT_READ
from kernel.process import Process
from servers.lib.libc import Libc
from servers.mfs.mkfs import directory
from tests.servers.site import Action, Site, site

FILES = {"/etc/passwd": "x" * 1234, "/tmp": directory(0o1777), "/bin/prog": "y" * 200_000}
SHOWN = {"inode", "dir_ino", "flags", "path_len", "count", "seek_pos", "nbytes", "mode", "req",
         "trc_start", "trc_end", "param", "result", "size_pages", "fd", "length"}  # fmt: skip


def only(line: str) -> str:
    """A line with the fields that the tables show."""
    fields = re.findall(r"(\w+)=([^,)]*)", line)
    head = re.split(r"[( ]*\(", line)[0]
    shown = " ".join(f"{name}={value}" for name, value in fields if name in SHOWN)
    return f"{head} {shown}".rstrip()


def conversation(place: Site, action: Action, who: Process | None = None) -> list[str]:
    """What VFS and the others say to each other during a command, VM's cache calls left out."""
    place.heard()
    place.do(action, who)
    lines = place.heard("VFS", "MFS", "INIT", "PFS", "PM", "VM")
    return [only(line) for line in lines if not line.startswith(("MFS -> VM", "VM -> MFS"))]


async def open_passwd(libc: Libc) -> int:
    return await libc.open("/etc/passwd")


def opened() -> Site:
    place = site(files=FILES)
    place.do(open_passwd)
    place.do(lambda libc: libc.store(libc.on_stack(4096), bytes(4096)))
    return place


def booted() -> Site:
    place = site(files=FILES)
    place.do(lambda libc: libc.store(libc.on_stack(4096), bytes(4096)))
    return place


def mapped() -> Site:
    place = booted()
    place.do(lambda libc: libc.open("/bin/prog"))
    return place


async def read_to_stack(libc: Libc) -> int:
    return await libc.read(0, libc.on_stack(100), 100)


async def creat(libc: Libc) -> int:
    return await libc.open("/tmp/f0", O_CREAT | O_RDWR, 0o644)


async def read_to_heap(libc: Libc) -> int:
    buffer = await libc.sbrk(4096)
    return await libc.read(0, buffer, 100)


async def map_file(libc: Libc) -> int:
    return await libc.mmap(0, 8192, PROT_READ, MAP_PRIVATE, 0, 0)


async def page_in(libc: Libc) -> bytes:
    start = await libc.mmap(0, 16384, PROT_READ, MAP_PRIVATE, 0, 0)
    return await libc.load(start + 8192, 4)


async def unmap(libc: Libc) -> int:
    start = await libc.mmap(0, 8192, PROT_READ, MAP_PRIVATE, 0, 0)
    await libc.close(0)
    return await libc.munmap(start, 8192)


CASES: list[tuple[str, Callable[[], Site], Action, list[str]]] = [
    ("open", booted, open_passwd, [
        "INIT -> VFS: VFS_OPEN flags=0 mode=0",
        "VFS -> MFS: REQ_LOOKUP dir_ino=1 flags=0 path_len=12",
        "MFS -> VFS: ReqLookup = 0",
        "VFS -> INIT: Reply = 0",
    ]),
    ("creat", booted, creat, [
        "INIT -> VFS: VFS_CREAT flags=514 mode=420",
        "VFS -> MFS: REQ_LOOKUP dir_ino=1 flags=0 path_len=5",
        "MFS -> VFS: ReqLookup = 0",
        "VFS -> MFS: REQ_LOOKUP dir_ino=4 flags=8 path_len=3",
        "MFS -> VFS: ReqLookup = -2",
        "VFS -> MFS: REQ_LOOKUP dir_ino=4 flags=0 path_len=3",
        "MFS -> VFS: ReqLookup = -2",
        "VFS -> MFS: REQ_CREATE inode=4 mode=33188 path_len=3",
        "MFS -> VFS: ReqCreate = 0",
        "VFS -> MFS: REQ_PUTNODE inode=4 count=1",
        "MFS -> VFS: ReqPutnode = 0",
        "VFS -> INIT: Reply = 0",
    ]),
    ("read", opened, read_to_stack, [
        "INIT -> VFS: VFS_READ fd=0",
        "VFS -> MFS: REQ_READ inode=3 seek_pos=0 nbytes=100",
        "MFS -> VFS: ReqRead = 0",
        "VFS -> INIT: Reply = 100",
    ]),
    ("read, with a soft fault", opened, read_to_heap, [
        "INIT -> VM: VM_BRK",
        "VM -> INIT: Reply = 0",
        "INIT -> VFS: VFS_READ fd=0",
        "VFS -> MFS: REQ_READ inode=3 seek_pos=0 nbytes=100",
        "MFS -> VFS: ReqRead = -14",
        "VFS -> VM: VM_PROCCTL param=2 flags=1",
        "VM -> VFS: VmProcctl = 0",
        "VFS -> MFS: REQ_READ inode=3 seek_pos=0 nbytes=100",
        "MFS -> VFS: ReqRead = 0",
        "VFS -> INIT: Reply = 100",
    ]),
    ("close", opened, lambda libc: libc.close(0), [
        "INIT -> VFS: VFS_CLOSE fd=0",
        "VFS -> MFS: REQ_PUTNODE inode=3 count=1",
        "MFS -> VFS: ReqPutnode = 0",
        "VFS -> INIT: Reply = 0",
    ]),
    ("mmap of a file", mapped, map_file, [
        "INIT -> VM: VM_MMAP flags=2 fd=0",
        "VM -> VFS: VFS_VMCALL req=101 fd=0 length=0",
        "VFS -> VM: VM_VFS_REPLY result=0 fd=0 size_pages=49",
        "VM -> INIT: VmMmap = 0",
    ]),
    ("page-in", mapped, page_in, [
        "INIT -> VM: VM_MMAP flags=2 fd=0",
        "VM -> VFS: VFS_VMCALL req=101 fd=0 length=0",
        "VFS -> VM: VM_VFS_REPLY result=0 fd=0 size_pages=49",
        "VM -> INIT: VmMmap = 0",
        "INIT -> VM: VM_PAGEFAULT flags=4",
        "VM -> VFS: VFS_VMCALL req=103 fd=0 length=4096",
        "VFS -> MFS: REQ_INHIBREAD inode=6",
        "MFS -> VFS: ReqInhibread = 0",
        "VFS -> MFS: REQ_PEEK inode=6 seek_pos=8192 nbytes=4096",
        "MFS -> VFS: ReqPeek = 0",
        "VFS -> VM: VM_VFS_REPLY result=0 fd=0 size_pages=0",
    ]),
    ("unmap of a closed file", mapped, unmap, [
        "INIT -> VM: VM_MMAP flags=2 fd=0",
        "VM -> VFS: VFS_VMCALL req=101 fd=0 length=0",
        "VFS -> VM: VM_VFS_REPLY result=0 fd=0 size_pages=49",
        "VM -> INIT: VmMmap = 0",
        "INIT -> VFS: VFS_CLOSE fd=0",
        "VFS -> INIT: Reply = 0",
        "INIT -> VM: VM_MUNMAP",
        "VM -> VFS: VFS_VMCALL req=102 fd=0 length=0",
        "VM -> INIT: Reply = 0",
        "VFS -> MFS: REQ_PUTNODE inode=6 count=1",
        "MFS -> VFS: ReqPutnode = 0",
        "VFS -> VM: VM_VFS_REPLY result=0 fd=0 size_pages=0",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("make", "action", "expected"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_as_recorded(make: Callable[[], Site], action: Action, expected: list[str]) -> None:
    place = make()
    got = conversation(place, action)
    place.system.machine.run_quiet_nowait()
    got += [only(line) for line in place.heard("VFS", "MFS", "VM")
            if not line.startswith(("MFS -> VM", "VM -> MFS"))]  # fmt: skip
    assert got == expected
    place.check()


def test_exit_with_a_file_and_a_pipe() -> None:
    place = opened()
    child = place.fork()
    place.do(lambda libc: libc.open("/tmp/../etc/passwd"), child)
    place.do(lambda libc: libc.pipe(), child)
    place.do(lambda libc: libc.close(0))
    place.heard()
    place.begin(lambda libc: libc.exit(3), child)
    got = [only(line) for line in place.heard("PM", "VFS", "MFS", "PFS")]
    assert got == [
        "PM -> VFS: VFS_PM_EXIT",
        "VFS -> MFS: REQ_PUTNODE inode=3 count=2",
        "MFS -> VFS: ReqPutnode = 0",
        "VFS -> PFS: REQ_FTRUNC inode=1 trc_start=0 trc_end=0",
        "PFS -> VFS: ReqFtrunc = 0",
        "VFS -> PFS: REQ_FTRUNC inode=1 trc_start=0 trc_end=0",
        "PFS -> VFS: ReqFtrunc = 0",
        "VFS -> PFS: REQ_PUTNODE inode=1 count=1",
        "PFS -> VFS: ReqPutnode = 0",
        "VFS -> PM: VFS_PM_EXIT_REPLY",
    ]
    place.check()


def test_a_pipe_that_is_empty_and_then_written_to() -> None:
    place = booted()
    place.do(lambda libc: libc.pipe())
    child = place.fork()
    start = place.do(lambda libc: libc.sbrk(4096), child)
    place.heard()

    async def read(libc: Libc) -> bytes:
        return await libc.load(start, await libc.read(0, start, 100))

    reading = place.begin(read, child)
    assert reading == []
    place.do(lambda libc: libc.write(1, b"0123456789"))
    lines = [only(line) for line in place.heard() if "VFS" in line]
    name = str(child.endpoint)
    assert lines == [
        f"{name} -> VFS: VFS_READ fd=0",
        "INIT -> VFS: VFS_WRITE fd=1",
        "VFS -> PFS: REQ_WRITE inode=1 seek_pos=0 nbytes=10",
        "PFS -> VFS: ReqWrite = 0",
        "VFS -> INIT: Reply = 10",
        "VFS -> PFS: REQ_READ inode=1 seek_pos=0 nbytes=10",
        "PFS -> VFS: ReqRead = -14",
        "VFS -> VM: VM_PROCCTL param=2 flags=1",
        "VM -> VFS: VmProcctl = 0",
        "VFS -> PFS: REQ_READ inode=1 seek_pos=0 nbytes=10",
        "PFS -> VFS: ReqRead = 0",
        f"VFS -> {name}: Reply = 10",
    ]
    assert reading[0].value == b"0123456789"
