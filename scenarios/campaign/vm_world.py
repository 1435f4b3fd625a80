"""VM alone, with stand-ins for the kernel and for everybody who talks to it: fast and thorough."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import attrs

from kernel.quirks import Quirks
from scenarios.campaign.vm_operations import Operations, boot
from scenarios.campaign.world import Json
from scenarios.conform.vm import VmReplay
from servers.vm.quirks import VM_QUIRKS
from servers.vm.sanity import check

# How much memory there is besides the first megabyte (frames), and how many operations in a
# hundred are nonsense: a run has one of each.
MEMORIES: Final = (48, 96, 192, 192, 600)
NONSENSE: Final = (0, 5, 10, 10, 30)


@attrs.define(eq=False)
class VmWorld:
    """VM, played to by everybody else."""

    replay: VmReplay
    operations: Operations

    def draw(self) -> Json:
        """A random message to VM, or an event."""
        return self.operations.next()

    def do(self, operation: Json) -> None:
        """Give VM the message."""
        self.replay.perform(operation)

    def answer(self, operation: Json) -> Any:
        """What VM did, and what it knows now; None if it went down."""
        answer = self.replay.answer({"in": operation})
        if any(event["ev"] == "panic" for event in answer["out"]):
            return None
        return answer

    def check(self) -> None:
        """Check every invariant of VM."""
        check(self.replay.vm.memory)


class VmWorlds:
    """Makes worlds in which there is only VM."""

    names = tuple(VM_QUIRKS)

    def __call__(self, seed: int, quirks: Quirks) -> VmWorld:
        """A world with as much memory, and as much nonsense, as `seed` says."""
        random = Random(seed)
        frames, nonsense = random.choice(MEMORIES), random.choice(NONSENSE)
        replay = VmReplay(boot(frames), quirks)
        return VmWorld(replay, Operations(replay, random, nonsense))
