"""State machines: Hypothesis chooses what is done to a machine, and every invariant holds."""

from __future__ import annotations

from random import Random
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ipc.endpoint import VM
from kernel.flags import RTS_RECEIVING
from kernel.quirks import NO_QUIRKS
from scenarios.campaign.machine_world import DRAWN, MEMORIES, MachineWorld, MachineWorlds
from scenarios.campaign.vm_operations import MAKERS
from scenarios.campaign.vm_world import VmWorld, VmWorlds

SETTINGS = settings(
    max_examples=25,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
RANDOM = st.randoms(use_true_random=False, note_method_calls=False)


class WholeMachine(RuleBasedStateMachine):
    """Users of all servers: what they do, by Hypothesis; how, by its random numbers."""

    world: MachineWorld
    makers: ClassVar = MachineWorlds()

    @initialize(seed=st.integers(0, 4 * len(MEMORIES)))
    def start(self, seed: int) -> None:
        self.world = self.makers(seed, NO_QUIRKS)

    @rule(random=RANDOM)
    def anybody(self, random: Random) -> None:
        self.world.random = random
        self.world.do(self.world.draw())

    @rule(name=st.sampled_from(sorted(DRAWN)), who=st.integers(1, 7), random=RANDOM)
    def somebody(self, name: str, who: int, random: Random) -> None:
        users = self.world.users()
        if who >= len(users):
            name, who = "fork", 0
        self.world.random, self.world.actor = random, users[who].endpoint
        self.world.do({"op": name, "who": who, **DRAWN[name](self.world)})

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            self.world.check()
            vm = self.world.system.machine.table.lookup(VM)
            assert vm is not None
            assert vm.rts == RTS_RECEIVING, "VM waits for the next message"


class VmAlone(RuleBasedStateMachine):
    """VM and stand-ins, who also say what makes no sense."""

    world: VmWorld
    makers: ClassVar = VmWorlds()

    @initialize(seed=st.integers(0, 50))
    def start(self, seed: int) -> None:
        self.world = self.makers(seed, NO_QUIRKS)

    @rule(name=st.sampled_from(sorted(MAKERS)), random=RANDOM)
    def message(self, name: str, random: Random) -> None:
        operations = self.world.operations
        operations.random = random
        self.world.do({"op": name, **MAKERS[name](operations)})

    @rule(random=RANDOM, seed=st.integers(0, 1 << 32))
    def nonsense(self, random: Random, seed: int) -> None:
        operations = self.world.operations
        operations.random, operations.nonsense = Random(seed), 100
        self.world.do(operations.next())

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            self.world.check()


TestWholeMachine = WholeMachine.TestCase
TestWholeMachine.settings = SETTINGS
TestVmAlone = VmAlone.TestCase
TestVmAlone.settings = SETTINGS
