"""Booting: a machine with all its servers, and INIT, ready to be used.

    system = boot(MachineConfig(memory="16M", files={"/etc/motd": "hello"}))
    system.machine.run_quiet_nowait()

Everything here is synchronous; `sendrec` runs a booted machine in a trio program.

Source: MINIX ``kernel/main.c``, ``servers/rs/main.c``.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from ipc.endpoint import INIT, NR_TASKS, VM
from ipc.message import MESSAGE_SIZE
from ipc.traps import Program
from kernel.flags import RTS_VMINHIBIT
from kernel.machine import Configuration, Machine
from kernel.privilege import USER_PRIV_ID, Privilege
from kernel.process import Context, Process
from servers.config import BadConfig, MachineConfig
from servers.disk.driver import Disk
from servers.image import (
    DISK,
    FIRST_FREE,
    IMAGE,
    STACK,
    TEXT,
    Entry,
    may_do_everything,
    may_drive,
    may_serve,
)
from servers.lib.driven import driven_image
from servers.lib.layout import STACK_POINTER
from servers.lib.libc import Libc
from servers.lib.libc.processes import Image
from servers.lib.loop import Server
from servers.mfs.server import Mfs
from servers.pm import ProcessManager
from servers.pm.server import BootProcess
from servers.pm.table import ProcessTable
from servers.sched import Scheduler
from servers.storage import make_file_servers
from servers.vm.config import BootConfig, BootRegion
from servers.vm.config import BootProcess as VmBootProcess
from servers.vm.server import VmServer, start_vm

RAM_BASE: Final = 0x0010_0000  # below it a PC has little memory and much else


@attrs.define(eq=False)
class System:
    """A booted machine: the kernel's part of it, its servers, and INIT.

    `servers` holds all servers that run, by name, the user's own among them.  `pm` and `sched` do
    not run if a driven process has their place.
    """

    config: MachineConfig
    machine: Machine
    vm: VmServer
    pm: ProcessManager
    sched: Scheduler
    init: Process
    servers: dict[str, Any]

    def process(self, pid: int) -> Process | None:
        """The process with this pid, as the kernel knows it; None if it is no more."""
        known = self.pm.table.find(pid)
        return None if known is None else self.machine.table.lookup(known.endpoint)

    def pid(self, process: Process) -> int:
        """The pid of a process; 0 if PM does not know it."""
        known = self.pm.table.lookup(process.endpoint)
        return 0 if known is None else known.pid

    def promote(self, process: Process) -> None:
        """Let a user's process do what servers may: every trap, to everybody.

        Its children, as those of any server, do not run before somebody gives them privileges.
        Raises BadConfig if there can be no more servers.
        """
        if self.machine.table.give_privilege(process) != 0:
            raise BadConfig("servers", "there can be no more of them")
        may_serve(process.privilege)


def boot(config: MachineConfig | None = None, init: Image | None = None) -> System:
    """A machine that has started and come to rest.

    INIT runs `init`; by default it is driven from outside.  Raises BadConfig, and Panic if the
    machine does not get that far.
    """
    system = assemble(config or MachineConfig(), init or driven_image(Libc()))
    system.machine.run_quiet_nowait()
    return system


def assemble(config: MachineConfig, init: Image) -> System:
    """A machine with all its processes, none of which has run yet."""
    machine = Machine(
        Configuration(
            memory=((RAM_BASE, config.memory),),
            slots=config.slots,
            policy=config.policy,
            seed=config.seed,
            costs=config.costs,
            limits=config.limits,
            quirks=config.quirks,
        )
    )
    own = _own_servers(config)
    services = (Entry(FIRST_FREE + at, name) for at, name in enumerate(own))
    entries = (*_with_driven(IMAGE, config.driven), *services)
    builder = _Builder(config, machine, entries, init, own)
    return builder.build()


def _with_driven(image: tuple[Entry, ...], driven: Mapping[str, int]) -> tuple[Entry, ...]:
    """The image with driven processes in their places, by ascending endpoint."""
    for entry in image:
        if driven.get(entry.name, entry.endpoint) != entry.endpoint:
            raise BadConfig("driven", f"{entry.name} has the endpoint {entry.endpoint}")
    kept = (entry for entry in image if entry.endpoint not in driven.values())
    added = (Entry(endpoint, name, regions=(TEXT,)) for name, endpoint in driven.items())
    return tuple(sorted((*kept, *added), key=lambda entry: entry.endpoint))


def _own_servers(config: MachineConfig) -> dict[str, Any]:
    """The user's servers, made; their names may not be those of the image's."""
    made = {}
    taken = {entry.name for entry in IMAGE} | set(config.driven)
    for name, maker in config.servers.items():
        if name in taken:
            raise BadConfig("servers", f"there is a server {name} already")
        made[name] = _make(name, maker)
    return made


def _make(name: str, maker: str | Callable[[], Any]) -> Any:
    if isinstance(maker, str):
        maker = _find(name, maker)
    try:
        server = maker()
    except (Exception, SystemExit) as error:  # the user's code does what it likes
        reason = f"{type(error).__name__}: {error}"
        raise BadConfig("servers", f"{name} cannot be made: {reason}") from error
    if not callable(getattr(server, "main", None)):
        raise BadConfig("servers", f"{name} has no main, but is {server!r:.100}")
    if isinstance(server, Server):
        if not hasattr(server, "parked"):
            raise BadConfig("servers", f"the __init__ of {name} does not call Server's")
        if server.name == Server().name:
            server.name = name
        server.checked = True
    return server


def _find(name: str, where: str) -> Callable[[], Any]:
    module, _, function = where.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise BadConfig("servers", f"{name} is not at {where}: {error}") from error
    except (Exception, SystemExit) as error:  # the user's module does what it likes, too
        reason = f"{type(error).__name__}: {error}"
        raise BadConfig("servers", f"{name} at {where}: {reason}") from error
    if not callable(found):
        raise BadConfig("servers", f"{name}: {where} cannot be called")
    return found  # type: ignore[no-any-return]


@attrs.define(eq=False)
class _Builder:
    """Puts one machine together."""

    config: MachineConfig
    machine: Machine
    entries: tuple[Entry, ...]
    init: Image
    own: dict[str, Any]
    servers: dict[str, Any] = attrs.field(factory=dict)

    def build(self) -> System:
        machine = self.machine
        self._make_servers()
        for entry in self.entries:
            self._spawn(entry)
        init = machine.table.lookup(INIT)
        assert init is not None, "INIT is in the image"
        # VM gives processes their memory when it is made, so it is made last.
        vm = self._make_vm()
        running = {entry.name for entry in self.entries} - set(self.config.driven)
        there = {name: server for name, server in self.servers.items() if name in running}
        return System(
            self.config, machine, vm, self.servers["pm"], self.servers["sched"], init, there
        )

    def _make_servers(self) -> None:
        slots = self.config.slots
        known = tuple(BootProcess(entry.endpoint, entry.name) for entry in self.entries)
        table = ProcessTable(slots, first_child=FIRST_FREE + len(self.own))
        self.servers["pm"] = ProcessManager(clock=self.machine.clock, boot=known, table=table)
        self.servers["sched"] = Scheduler(size=slots)
        self.servers.update(make_file_servers(self.config, self.machine))
        self.servers.update(self.own)

    def _spawn(self, entry: Entry) -> None:
        server = self.servers.get(entry.name)
        privilege = self._privilege(entry)
        program: Program
        context: Context
        if entry.endpoint == INIT:
            program, context = self.init, self.init.context
        elif entry.name in self.config.driven:
            image = driven_image(Libc())
            program, context = image, image.context
        elif entry.endpoint == VM:
            program, context = self._vm_program, Context()
        else:
            assert server is not None, f"nobody has made {entry.name}"
            program, context = server.main, _context_of(server)
        process = self.machine.spawn(
            entry.endpoint,
            entry.name,
            program,
            privilege=privilege,
            context=context,
            held=RTS_VMINHIBIT if entry.regions else 0,
        )
        process.message_address = _message_address(entry)
        if isinstance(server, Disk):
            process.private = server.memory
        elif isinstance(server, Mfs):
            server.memory.belongs_to(process, self.machine.frames)
        privilege.grants = getattr(server, "grants", None)
        privilege.background = not entry.alarms_matter

    def _vm_program(self) -> Any:
        return self.servers["vm"].main()

    def _privilege(self, entry: Entry) -> Privilege:
        privileges = self.machine.table.privileges
        if entry.endpoint == INIT:
            return privileges[USER_PRIV_ID]
        if entry.endpoint + NR_TASKS >= len(privileges):
            raise BadConfig("servers", "there can be no more of them")
        privilege = privileges[entry.endpoint + NR_TASKS]
        if entry.endpoint == DISK:
            may_drive(privilege)
        elif entry.endpoint >= FIRST_FREE:
            may_serve(privilege)
        else:
            may_do_everything(privilege, entry.endpoint)
        privilege.grant_endpoint = entry.endpoint
        return privilege

    def _make_vm(self) -> VmServer:
        processes = tuple(
            VmBootProcess(
                entry.endpoint,
                entry.endpoint,
                tuple(BootRegion(address, length) for address, length in entry.regions),
                bound=bool(entry.regions),
            )
            for entry in self.entries
        )
        config = BootConfig(((RAM_BASE, self.config.memory),), processes, slots=self.config.slots)
        vm = start_vm(self.machine.mmu, config, self.config.quirks)
        process = self.machine.table.lookup(VM)
        assert process is not None, "VM is in the image"
        vm.context = process.context
        vm.sanity = self.config.sanity == "each"
        if self.config.sanity == "quiet":
            self.machine.inspectors.append(vm.check)
        self.machine.ration = functools.partial(_ration, vm)
        self.servers["vm"] = vm
        return vm


def _ration(vm: VmServer, rationing: Callable[[int], int] | None) -> None:
    from servers.vm.rationing import ration  # what few machines need

    ration(vm.memory, rationing)


def _message_address(entry: Entry) -> int:
    """Where a process is taken to keep its message: on its stack, else at the end of its data."""
    if STACK in entry.regions:
        return STACK_POINTER - MESSAGE_SIZE
    return sum(entry.regions[0]) - MESSAGE_SIZE if entry.regions else 0


def _context_of(server: Any) -> Context:
    if isinstance(server, Server):
        return server.context
    context = getattr(server, "context", None)
    return context if isinstance(context, Context) else Context()
