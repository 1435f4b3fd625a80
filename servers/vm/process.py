"""A process as VM knows it.  Source: MINIX ``servers/vm/vmproc.h``."""

from __future__ import annotations

from typing import Final

import attrs

from ipc.endpoint import NONE
from kernel.memory.space import AddressSpace
from servers.vm.regiontree import RegionTree

INUSE: Final = 0x001  # the slot holds a process
EXITING: Final = 0x002  # PM is cleaning it up
VM_INSTANCE: Final = 0x010  # it is VM, or a new version of VM

NO_ACL: Final = -1

WORD: Final = 0xFFFFFFFF
PAGE: Final = 4096


@attrs.define(eq=False)
class VmProcess:
    """One slot of VM's process table.

    `total` is how much memory is in its regions now, `total_max` the most there was, in bytes;
    `region_top` is the end of the region placed last, near which the next one is looked for.
    """

    slot: int
    endpoint: int = NONE
    flags: int = 0
    space: AddressSpace = attrs.field(factory=AddressSpace)
    regions: RegionTree = attrs.field(factory=RegionTree)
    region_top: int = 0
    acl: int = NO_ACL
    total: int = 0
    total_max: int = 0
    minor_faults: int = 0
    major_faults: int = 0

    def gain(self, pages: int) -> None:
        """Count `pages` more pages in its regions."""
        total = self.total = (self.total + pages * PAGE) & WORD
        if total > self.total_max:
            self.total_max = total

    def lose(self, pages: int) -> None:
        """Count `pages` pages less in its regions."""
        self.total = (self.total - pages * PAGE) & WORD

    def reset_usage(self) -> None:
        """Forget how much memory it had and how often it faulted."""
        self.total = self.total_max = 0
        self.minor_faults = self.major_faults = 0

    def is_exiting(self) -> bool:
        """Whether PM has announced its end."""
        return bool(self.flags & EXITING)
