"""How long it takes until something runs: a command, and a machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter

from servers.boot import boot
from servers.config import MachineConfig

SCENARIO = Path(__file__).with_name("small.scn")
COMMAND = "import sys; from sendrec.cli import main; sys.exit(main())"
BARE = "import trio, numpy, attrs"


def _seconds(*arguments: str) -> float:
    started = perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started


def run_command() -> float:
    """Seconds for the whole command `sendrec run` of a small scenario."""
    return _seconds("-c", COMMAND, "run", str(SCENARIO))


def bare_import() -> float:
    """Seconds for a Python that imports what any such program would."""
    return _seconds("-c", BARE)


def boot_machine(times: int = 10) -> float:
    """Seconds to boot a machine with its servers, in a process that runs already."""
    started = perf_counter()
    for _ in range(times):
        boot(MachineConfig())
    return (perf_counter() - started) / times
