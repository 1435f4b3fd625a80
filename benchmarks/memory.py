"""What memory management costs, all by messages."""

from __future__ import annotations

from functools import partial
from time import perf_counter

from benchmarks.machines import run_program
from ipc.endpoint import INIT
from ipc.flags import MAP_ANON, MAP_PREALLOC, MAP_PRIVATE, O_RDONLY, PROT_READ, PROT_WRITE
from ipc.traps import NextCommand, trap
from servers.boot import boot
from servers.config import MachineConfig
from servers.lib.libc import Libc
from servers.lib.libc.processes import Image
from servers.vm.forking import copy_region, write_page_tables

PAGE = 4096
ANONYMOUS = MAP_PRIVATE | MAP_ANON
READ_WRITE = PROT_READ | PROT_WRITE


async def _faults(libc: Libc, pages: int) -> float:
    base = await libc.mmap(length=pages * PAGE)
    started = perf_counter()
    for address in range(base, base + pages * PAGE, PAGE):
        await libc.store(address, b"x")
    return (perf_counter() - started) / pages


def anonymous_fault(pages: int = 600) -> float:
    """Seconds for a store to an anonymous page that is not there yet, until it is done."""
    return run_program(partial(_faults, pages=pages))


async def _exit(libc: Libc) -> int:
    return 0


async def _fork(libc: Libc, pages: int, times: int) -> float:
    await libc.mmap(length=pages * PAGE, flags=ANONYMOUS | MAP_PREALLOC)
    started = perf_counter()
    for _ in range(times):
        await libc.fork(_exit)
        await libc.wait()
    return (perf_counter() - started) / times / pages


def fork_and_exit(pages: int, times: int) -> float:
    """Seconds a page for fork, exit and wait of a process with so many resident pages."""
    memory = pages * PAGE + (16 << 20)
    return run_program(partial(_fork, pages=pages, times=times), memory=memory)


async def _map_one(libc: Libc, regions: int, times: int) -> float:
    for _ in range(regions):
        await libc.mmap(length=PAGE)
    started = perf_counter()
    for _ in range(times):
        address = await libc.mmap(length=PAGE)
        await libc.munmap(address, PAGE)
    return (perf_counter() - started) / times


def map_and_unmap(regions: int, times: int = 400) -> float:
    """Seconds for mmap and munmap of one page in a process with so many regions."""
    return run_program(partial(_map_one, regions=regions, times=times))


async def _unmap_many(libc: Libc, pages: int) -> float:
    address = await libc.mmap(length=pages * PAGE, flags=ANONYMOUS | MAP_PREALLOC)
    started = perf_counter()
    await libc.munmap(address, pages * PAGE)
    return (perf_counter() - started) / pages


def unmap_resident(pages: int) -> float:
    """Seconds a page for munmap of so many resident pages."""
    return run_program(partial(_unmap_many, pages=pages), memory=pages * PAGE + (16 << 20))


async def _hold(libc: Libc, pages: int, where: list[int]) -> int:
    where.append(await libc.mmap(length=pages * PAGE, flags=ANONYMOUS | MAP_PREALLOC))
    await trap(NextCommand())
    return 0


def protect_resident(pages: int) -> float:
    """Seconds a page to take the right to write from so many resident pages of a process.

    They have come to be shared with a copy of it, as in a fork, and VM writes its page tables anew.
    """
    where: list[int] = []
    program = partial(_hold, pages=pages, where=where)
    config = MachineConfig(memory=pages * PAGE + (16 << 20))
    memory = boot(config, Image(program, Libc())).vm.memory
    process = memory.process(INIT)
    assert process is not None, "INIT is there"
    region = next(each for each in process.regions if each.vaddr == where[0])
    shared = copy_region(memory, memory.slot(config.slots - 1), region)
    assert shared is not None, "anonymous pages can be shared"
    assert process.space.translate(region.vaddr, write=True) >= 0
    started = perf_counter()
    write_page_tables(memory, process)
    elapsed = perf_counter() - started
    assert process.space.translate(region.vaddr, write=True) < 0
    return elapsed / pages


async def _preallocate(libc: Libc, pages: int) -> float:
    started = perf_counter()
    await libc.mmap(length=pages * PAGE, flags=ANONYMOUS | MAP_PREALLOC)
    return (perf_counter() - started) / pages


def preallocate(pages: int) -> float:
    """Seconds a page for mmap with MAP_PREALLOC."""
    return run_program(partial(_preallocate, pages=pages), memory=pages * PAGE + (16 << 20))


async def _touch(libc: Libc, base: int, pages: int) -> float:
    started = perf_counter()
    for address in range(base, base + pages * PAGE, PAGE):
        await libc.load(address, 1)
    return (perf_counter() - started) / pages


async def _map_file(libc: Libc, pages: int, cached: bool) -> float:
    # The second mapping is made while no page is in memory: one made later would get those that
    # are without any fault.
    fd = await libc.open("/big", O_RDONLY)
    length = pages * PAGE
    first = await libc.mmap(length=length, prot=PROT_READ, flags=MAP_PRIVATE, fd=fd)
    second = await libc.mmap(length=length, prot=PROT_READ, flags=MAP_PRIVATE, fd=fd)
    from_disk = await _touch(libc, first, pages)
    return await _touch(libc, second, pages) if cached else from_disk


def file_fault(cached: bool, pages: int = 300) -> float:
    """Seconds for a load from a page of a mapped file: in the page cache, or only on the disk.

    Of those on the disk the first fault reads 32, each other one its own.
    """
    program = partial(_map_file, pages=pages, cached=cached)
    return run_program(program, files={"/big": b"x" * (pages * PAGE)})


async def _map_files(libc: Libc, files: int, pages: int) -> float:
    elapsed = 0.0
    for number in range(files):
        fd = await libc.open(f"/{number}", O_RDONLY)
        length = pages * PAGE
        base = await libc.mmap(length=length, prot=PROT_READ, flags=MAP_PRIVATE, fd=fd)
        await libc.load(base, 1)  # with this page the file system reads the others
        elapsed += await _touch(libc, base + PAGE, pages - 1)
    return elapsed / files


def file_fault_ahead(files: int = 10, pages: int = 31) -> float:
    """Seconds for a load from a page of a mapped file that the file system has read ahead.

    VM does not know yet that the page is this file's, and asks the file system through VFS.
    """
    program = partial(_map_files, files=files, pages=pages)
    text = b"x" * (pages * PAGE)
    return run_program(program, files={f"/{number}": text for number in range(files)})
