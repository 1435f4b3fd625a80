"""The start of VM: it takes over the machine's memory and the processes that are there.

Source: MINIX ``servers/vm/main.c`` init_vm, exec_bootproc, map_service.
"""

from __future__ import annotations

from ipc.endpoint import VM
from ipc.errors import OK
from kernel.panic import Panic
from servers.vm.acl import Acls
from servers.vm.alloc import memory_chunks
from servers.vm.config import BootProcess
from servers.vm.mapping import map_region
from servers.vm.memory import Memory
from servers.vm.memtypes import ANON
from servers.vm.process import INUSE, VM_INSTANCE
from servers.vm.region import ANON as ANON_FLAG
from servers.vm.region import UNINITIALIZED, WRITABLE


def boot(memory: Memory, acls: Acls) -> None:
    """Set everything up as the configuration says."""
    config = memory.config
    memory.allocator.add_memory(memory_chunks(config.chunks))
    itself = memory.slot(VM)
    itself.flags = INUSE | VM_INSTANCE
    memory.enter(itself, VM)
    own = config.kernel_bytes + 4095 & ~4095
    memory.allocator.total += (config.kernel_dynamic_bytes + own) // 4096
    for process in config.processes:
        if process.endpoint != VM:
            adopt(memory, process)
    for acl in config.acl:
        known = memory.process(acl.endpoint)
        if known is not None:
            acls.set(known, acl.calls, acl.system)


def adopt(memory: Memory, boot_process: BootProcess) -> None:
    """Take over one process, and make its memory."""
    process = memory.slot(boot_process.slot)
    process.flags = INUSE
    memory.enter(process, boot_process.endpoint)
    process.space = memory.mmu.new()
    if boot_process.bound and memory.mmu.bind(process.endpoint, process.space) != OK:
        raise Panic(f"boot process {process.endpoint} is not there")
    for region in boot_process.regions:
        made = map_region(
            memory, process, region.vaddr, 0, region.length,
            ANON_FLAG | WRITABLE | UNINITIALIZED, ANON, region.preallocated,
        )  # fmt: skip
        if made is None:
            raise Panic(f"no memory for boot process {process.endpoint}")
