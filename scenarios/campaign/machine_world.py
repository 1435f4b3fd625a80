"""The whole machine: users who do what users do, and send nonsense, to the real servers.

An operation is a call of one user's C library, or a message to a server that no library would
send.  Users wait in calls as long as it takes; who is waiting does nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

import attrs

from ipc.endpoint import INIT, PM, SCHED, VFS, VM
from ipc.flags import MAP_ANON, MAP_CONTIG, MAP_FIXED, MAP_PREALLOC, MAP_PRIVATE
from ipc.pm import PmReboot
from ipc.signals import SIGCHLD, SIGKILL, SIGSEGV, SIGTERM, SIGUSR1
from kernel.panic import Panic
from kernel.process import Process
from kernel.quirks import KERNEL_QUIRKS, Quirks
from scenarios.campaign.machine_actions import ACTIONS
from scenarios.campaign.world import Json
from servers.boot import System, boot
from servers.config import MachineConfig
from servers.lib.driven import Command, Outcome
from servers.lib.layout import DATA_END, STACK_TOP
from servers.vfs.quirks import VFS_QUIRKS
from servers.vm.mmap import MAP_ALIGNMENT_64KB
from servers.vm.quirks import VM_QUIRKS

PAGE: Final = 4096
MOST_USERS: Final = 8
MEMORIES: Final = (1 << 20, 2 << 20, 4 << 20, 16 << 20)  # bytes
FILES: Final = {"/empty": b"", "/short": b"short", "/long": b"0123456789abcdef" * 4096}
PATHS: Final = (*FILES, "/new", "/none/such", "/dir")
PAYLOAD: Final = 56

# The numbers that requests to a server have: the first, and how many to try from there on, some of
# which are no request's.
REQUESTS: Final = {VM: (0xC00, 60), PM: (0x000, 50), VFS: (0x100, 60), SCHED: (0xF00, 8)}


@attrs.define(eq=False)
class MachineWorld:
    """A booted machine, and the random choices of its users."""

    system: System
    random: Random
    actor: int = INIT  # the endpoint of the user whose operation is being drawn
    told: list[str] = attrs.field(factory=list)  # what came of the commands of this operation

    # Doing.

    def do(self, operation: Json) -> None:
        """Let a user do something, if it is not waiting, and let the machine run until it rests."""
        self.told.clear()
        user = self._user(operation["who"])
        machine = self.system.machine
        if not machine.driven.is_free(user):
            return
        action = ACTIONS[operation["op"]](operation)
        machine.driven.inject(user, Command(action, operation["op"]), self._tell)
        machine.run_quiet_nowait()

    def _tell(self, outcome: Outcome | Exception) -> None:
        self.told.append(getattr(outcome, "description", type(outcome).__name__))

    def answer(self, operation: Json) -> Any:
        """What came of the operation, and how the machine stands; None if it went down."""
        try:
            self.do(operation)
        except Panic:
            return None
        machine, memory = self.system.machine, self.system.vm.memory
        return {
            "told": list(self.told),
            "time": machine.clock.now,
            "free": memory.allocator.free_count,
            "processes": [
                (process.endpoint, process.rts, len(known.regions), known.total)
                for process in machine.table.all()
                if (known := memory.process(process.endpoint)) is not None
            ],
        }

    def check(self) -> None:
        """Check every invariant: VM's, the kernel's, and that VM is there for whoever asks."""
        self.system.vm.check()
        machine = self.system.machine
        try:
            machine.check()
            vm = machine.table.lookup(VM)
            assert vm is not None, "VM is alive"
            assert not vm.callers, "VM keeps nobody waiting"
        except AssertionError as error:
            raise Panic(f"kernel: {error}") from error

    # Drawing.

    def users(self) -> list[Process]:
        """Users that are alive, by ascending slot: INIT and its descendants."""
        init = self.system.init
        table = self.system.machine.table
        return [each for each in table.all() if each.privilege is init.privilege and each.slot >= 0]

    def _user(self, number: int) -> Process:
        users = self.users()
        return users[number % len(users)]

    def draw(self) -> Json:
        """Something that a random user could do next.

        INIT must stay alive: it only makes users, buries them, and kills some if they are many.
        """
        users = self.users()
        who = self.random.randrange(len(users))
        if users[who] is self.system.init:
            name = "fork" if len(users) < MOST_USERS else self.random.choice(("kill", "bury"))
        else:
            name = self.random.choice(WEIGHTED)
            if name == "fork" and len(users) >= MOST_USERS:
                name = "exit"
        self.actor = users[who].endpoint
        return {"op": name, "who": who, **DRAWN[name](self)}

    def address(self) -> int:
        """Mostly an address that the user who is to act has something at."""
        known = self.system.vm.memory.process(self.actor)
        regions = [] if known is None else list(known.regions)
        if not regions or self.random.randrange(12) == 0:
            return self.random.choice((0, DATA_END, 0x10000000, STACK_TOP, 0x20000123))
        region = self.random.choice(regions)
        page = self.random.randrange(region.pages if self.random.randrange(20) else 1 << 20)
        address = region.vaddr + min(page, self.random.choice((0, 1, 3, 1 << 20))) * PAGE
        if self.random.randrange(10) == 0:
            address += self.random.randrange(PAGE)
        return address & 0xFFFFFFFF

    def size(self) -> int:
        if self.random.randrange(25) == 0:
            return self.random.choice((0, 1, 4 << 20, 0xFFFFF001, 0xEFF00000))
        return self.random.randrange(1, 8) * PAGE

    def descriptor(self) -> int:
        return self.random.choice((0, 0, 0, 1, 1, 2, 3, -1, 300))

    def _mapping(self) -> Json:
        flags = MAP_PRIVATE | MAP_ANON
        for flag, chance in (
            (MAP_FIXED, 4),
            (MAP_PREALLOC, 6),
            (MAP_CONTIG, 15),
            (MAP_ALIGNMENT_64KB, 15),
        ):
            if self.random.randrange(chance) == 0:
                flags |= flag
        fd = -1
        if self.random.randrange(4) == 0:
            flags, fd = flags & ~MAP_ANON, self.descriptor()
        return {
            "address": self.random.choice((0, self.address())), "length": self.size(),
            "prot": self.random.choice((1, 3)), "flags": flags, "fd": fd,
            "offset": self.random.randrange(3) * PAGE,
        }  # fmt: skip

    def _range(self) -> Json:
        return {"address": self.address(), "length": self.size()}

    def _access(self) -> Json:
        return {"address": self.address(), "length": self.random.choice((1, 4, 100, 5000))}

    def _at(self) -> Json:
        return {"address": self.address()}

    def _nothing(self) -> Json:
        return {}

    def _kill(self) -> Json:
        signals = (SIGKILL, SIGTERM, SIGUSR1, SIGCHLD, SIGSEGV, 0, 99)
        pids = [self.system.pid(each) for each in self.users() if each is not self.system.init]
        return {"pid": self.random.choice((*pids, 99)), "signal": self.random.choice(signals)}

    def _signal(self) -> Json:
        return {"signal": self.random.choice((SIGUSR1, SIGTERM, SIGCHLD)),
                "action": self.random.randrange(2)}  # fmt: skip

    def _open(self) -> Json:
        return {"path": self.random.choice(PATHS), "flags": self.random.choice((0, 1, 2, 0o102))}

    def _file(self) -> Json:
        return {"fd": self.descriptor(), **self._access()}

    def _raw(self) -> Json:
        server = self.random.choice((VM, VM, VM, VM, PM, VFS, SCHED))
        first, count = REQUESTS[server]
        number = first + self.random.randrange(count)
        if self.random.randrange(8) == 0:
            number = self.random.choice((0xB42, 0, -1, 0xCFF, 0x600, 1 << 20))
        if server == PM and number == PmReboot.type:
            number = -1  # what ends the machine on purpose is no failure
        words = [self._word() for _ in range(PAYLOAD // 4)]
        payload = b"".join((word & 0xFFFFFFFF).to_bytes(4, "little") for word in words)
        return {"server": server, "type": number, "payload": payload.hex()}

    def _word(self) -> int:
        endpoints = [each.endpoint for each in self.users()]
        return self.random.choice(
            (0, 1, 2, 3, -1, PAGE, self.address(), self.random.randrange(1 << 32), 0xFFFFF001,
             0x1002, VM, PM, self.random.choice(endpoints))
        )  # fmt: skip


DRAWN: Final[dict[str, Callable[[MachineWorld], Json]]] = {
    "mmap": MachineWorld._mapping,
    "munmap": MachineWorld._range,
    "brk": MachineWorld._at,
    "load": MachineWorld._access,
    "store": MachineWorld._access,
    "fork": MachineWorld._nothing,
    "exit": MachineWorld._nothing,
    "waitpid": MachineWorld._nothing,
    "bury": MachineWorld._nothing,
    "kill": MachineWorld._kill,
    "signal": MachineWorld._signal,
    "open": MachineWorld._open,
    "close": MachineWorld._file,
    "read": MachineWorld._file,
    "write": MachineWorld._file,
    "raw": MachineWorld._raw,
}

_WEIGHTS: Final = {
    "mmap": 8, "munmap": 5, "load": 8, "store": 10, "fork": 4, "open": 4, "raw": 8, "bury": 2,
}  # fmt: skip

WEIGHTED: Final = tuple(name for name in ACTIONS for _ in range(_WEIGHTS.get(name, 2)))


class MachineWorlds:
    """Makes machines with all servers."""

    names = (*VM_QUIRKS, *VFS_QUIRKS, *KERNEL_QUIRKS)

    def __call__(self, seed: int, quirks: Quirks) -> MachineWorld:
        """A machine with as much memory as `seed` says, that has just been started."""
        random = Random(seed)
        config = MachineConfig(memory=random.choice(MEMORIES), quirks=quirks, files=FILES)
        return MachineWorld(boot(config), random)
