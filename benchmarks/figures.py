"""All figures that are measured, with what is asked of them."""

from __future__ import annotations

from functools import partial

from benchmarks import exchange, memory, peers, size, starting
from benchmarks.figure import Figure, Measure


def _to_t(name: str, target: float, subject: Measure, rounds: int = 5) -> Figure:
    return Figure(name, target, "T", subject, peers.trio_round_trip, rounds)


def _size(name: str, target: float, unit: str, subject: Measure, peer: Measure) -> Figure:
    # Each measurement starts processes of its own.
    return Figure(name, target, unit, subject, peer, rounds=3, processes=1, unit="bytes")


FIGURES = (
    _to_t("SENDREC round trip", 0.25, exchange.round_trip),
    Figure(
        "SENDREC round trip, to SimPy", 0.6, "SimPy",
        exchange.round_trip, peers.simpy_round_trip,
    ),
    _to_t("SENDREC round trip, every event recorded", 0.5, exchange.recorded_round_trip),
    Figure(
        "SENDREC round trip, 10,000 processes to 10", 1.2, "of 10",
        partial(exchange.round_trip, 10_000), partial(exchange.round_trip, 10),
    ),
    _to_t("anonymous page fault, all the way", 1.0, memory.anonymous_fault),
    _to_t("page fault, file page in the cache", 1.2, partial(memory.file_fault, True)),
    _to_t("page fault, file page from the file system", 8.0, memory.file_fault_ahead),
    _to_t("page fault, file page read from disk", 8.0, partial(memory.file_fault, False)),
    _to_t("mmap and munmap of a page, 10 regions", 2.0, partial(memory.map_and_unmap, 10)),
    Figure(
        "mmap and munmap of a page, 10,000 regions to 10", 1.3, "of 10",
        partial(memory.map_and_unmap, 10_000), partial(memory.map_and_unmap, 10),
    ),
    _to_t("fork and exit, each of 4,096 pages", 1 / 100, partial(memory.fork_and_exit, 4_096, 10)),
    _to_t(
        "fork and exit, each of 262,144 pages", 1 / 300,
        partial(memory.fork_and_exit, 262_144, 1), 3,
    ),
    _to_t("munmap, each of 262,144 pages", 1 / 300, partial(memory.unmap_resident, 262_144), 3),
    _to_t(
        "write protection for a fork, each of 262,144 pages", 1 / 300,
        partial(memory.protect_resident, 262_144), 3,
    ),
    _to_t("MAP_PREALLOC, each of 65,536 pages", 1 / 50, partial(memory.preallocate, 65_536)),
    Figure(
        "`sendrec run` of a small scenario", 2.0, "imports",
        starting.run_command, starting.bare_import, rounds=9, processes=1,
    ),
    _to_t("boot of a machine", 150.0, starting.boot_machine),
    _size("host memory for 1 GiB untouched", 60.0, "MiB", size.untouched_gigabyte, size.mebibyte),
    _size("host memory for a process of 20 regions", 40.0, "KiB", size.one_process, size.kibibyte),
)  # fmt: skip
