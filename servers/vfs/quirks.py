"""The defects of the real VFS, by name.

Each is a small variant where the decision is made, found by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kernel.quirks import Quirk

_TABLE: Final = (
    Quirk(
        "mmap-moves-offset",
        "misc.c dupvm",
        "VM's descriptor of a mapped file shares the position of the one that it was mapped from:"
        " a page that is brought in moves it, and the next read is elsewhere.  Without the quirk"
        " VM has a position of its own.",
    ),
    Quirk(
        "vm-awaits-locks",
        "misc.c do_vm_call",
        "What VM asks waits for the locks of the file, whose holder may be waiting for VM: who"
        " writes a file from a page of its own mapping that is not there yet hangs, and with it"
        " all who need a page of any file; so does who reads into such a page, if VM shares its"
        " descriptor (mmap-moves-offset).  Without the quirk VM's requests take no locks.",
    ),
)

VFS_QUIRKS: Final[Mapping[str, Quirk]] = {quirk.name: quirk for quirk in _TABLE}
