"""`sendrec memory` and `sendrec run --maps`: who has which memory at the end of a scenario."""

from __future__ import annotations

from collections.abc import Iterable

import click
from rich.console import Console
from rich.table import Table

from scenarios.catalog import find
from scenarios.run import EXIT_STATUS, run
from scenarios.source import BadInput
from scenarios.stage import Stage
from sendrec.commands.options import overrides
from servers.vm.maps import PageMap, RegionMap, memory_map, printed_map
from servers.vm.process import INUSE, VmProcess

PAGE_KIB = 4
WIDTH = 100  # columns, where the output is no terminal


def print_usage(
    name: str, policy: str | None = None, seed: int | None = None, quirks: str | None = None
) -> int:
    """Run a scenario and print how much memory each process and the machine use then."""
    machine = overrides(policy, seed, quirks)
    try:
        outcome = run(find(name), machine)
    except BadInput as error:
        click.echo(error, err=True)
        return EXIT_STATUS["bad"]
    if outcome.stage is None:
        click.echo(outcome.reason, err=True)
        return EXIT_STATUS[outcome.status]
    console = _console()
    console.print(_process_table(outcome.stage))
    console.print(_machine_table(outcome.stage))
    if outcome.reason:
        click.echo(outcome.reason, err=True)
    return EXIT_STATUS[outcome.status]


def print_maps(stage: Stage) -> None:
    """Print the memory map of each process: as MINIX does, and as a table."""
    console = _console()
    for process in _processes(stage):
        console.print(_map_table(stage, process))
        click.echo(printed_map(stage.memory, process))


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def _processes(stage: Stage) -> list[VmProcess]:
    """The processes that have memory of their own, by slot."""
    known = stage.memory.processes
    used = (known[slot] for slot in sorted(known) if known[slot].flags & INUSE)
    return [process for process in used if len(process.regions)]


def _process_table(stage: Stage) -> Table:
    table = Table(title="memory by process (KiB)", title_justify="left")
    table.add_column("process")
    for heading in ("regions", "mapped", "resident", "shared", "own"):
        table.add_column(heading, justify="right")
    for process in _processes(stage):
        regions = memory_map(stage.memory, process)
        pages = [page for region in regions for page in region.pages]
        shared = sum(page.references > 1 for page in pages)
        table.add_row(
            stage.names(process.endpoint),
            str(len(regions)),
            str(sum(region.length for region in regions) // 1024),
            *(str(PAGE_KIB * count) for count in (len(pages), shared, len(pages) - shared)),
        )
    return table


def _machine_table(stage: Stage) -> Table:
    memory = stage.memory
    total, free = memory.allocator.total, memory.allocator.free_count
    table = Table(title="memory of the machine (KiB)", title_justify="left")
    headings = ("total", "free", "used", "of that cached")
    for heading in headings:
        table.add_column(heading, justify="right")
    table.add_row(
        *(str(PAGE_KIB * pages) for pages in (total, free, total - free, len(memory.cache)))
    )
    return table


def _map_table(stage: Stage, process: VmProcess) -> Table:
    table = Table(title=f"memory of {stage.names(process.endpoint)}", title_justify="left")
    for heading in ("addresses", "kind", "rights"):
        table.add_column(heading)
    for heading in ("pages", "resident", "shared", "copy on write"):
        table.add_column(heading, justify="right")
    table.add_column("frames")
    for region in memory_map(stage.memory, process):
        table.add_row(*_map_row(region))
    return table


def _map_row(region: RegionMap) -> Iterable[str]:
    pages = region.pages
    yield f"{region.address:08x}-{region.address + region.length:08x}"
    yield region.kind
    yield ("rw" if region.writable else "r") + (" shared" if region.shared else "")
    yield str(region.length // 4096)
    yield str(len(pages))
    yield str(sum(page.references > 1 for page in pages))
    yield str(sum(page.copied_on_write for page in pages))
    yield ", ".join(_runs(pages))


def _runs(pages: Iterable[PageMap]) -> Iterable[str]:
    """The frames of `pages`, those in a row as a range."""
    first = last = -1
    for frame in (page.frame >> 12 for page in pages if not page.pending):
        if first >= 0 and frame == last + 1:
            last = frame
            continue
        if first >= 0:
            yield _run(first, last)
        first = last = frame
    if first >= 0:
        yield _run(first, last)


def _run(first: int, last: int) -> str:
    return f"{first:x}" if first == last else f"{first:x}-{last:x}"
