"""The VM server: who handles which request, and what every handler can do.

One fault, all the way: `do_pagefault` (pagefault.py) finds the region and has its page mapped by
`Memory.map_page` (memory.py); the page's kind of memory (memtypes/) provides a block, from the
allocator, the page cache, or by a copy; `Memory.write_entry` puts it into the page table.

Rules.  A caller that VM does not know, or that may not make a call, is refused as if the call did
not exist.  The answer to a request is sent with SEND; requests to VFS go through one queue.

Source: MINIX ``servers/vm/main.c``.
"""

from __future__ import annotations

import types
from collections.abc import Generator, Mapping
from typing import Any, Final

import attrs

from ipc.endpoint import NONE, PM, RS, SELF, SYSTEM, VFS, VM, endpoint_name
from ipc.errors import EPERM, ESRCH, OK
from ipc.flags import VMCTL_CLEAR_PAGEFAULT, VMCTL_FLUSHTLB
from ipc.kernelcalls import SysVmctl
from ipc.message import PAYLOAD_OFFSET, Message
from ipc.notification import Notification
from ipc.registry import BY_NUMBER
from ipc.rs import RsInit
from ipc.signals import SIGKMEM, signals_in
from ipc.transaction import add_transaction, has_transaction, transaction_of
from ipc.traps import AMF_NOREPLY, FROM_KERNEL, KernelCall, trap, yields_traps
from ipc.vm import (
    VmBrk,
    VmClearcache,
    VmExit,
    VmForgetcachepage,
    VmFork,
    VmGetphys,
    VmGetref,
    VmGetrusage,
    VmInfo,
    VmMapcachepage,
    VmMapPhys,
    VmMmap,
    VmMunmap,
    VmPagefault,
    VmProcctl,
    VmRemap,
    VmRemapRo,
    VmRsMemctl,
    VmRsPrepare,
    VmRsSetPriv,
    VmRsUpdate,
    VmSetcachepage,
    VmShmUnmap,
    VmUnmapPhys,
    VmVfsMmap,
    VmVfsReply,
    VmWillexit,
)
from ipc.wire import encode, read, wire_number
from kernel.memory.mmu import Mmu
from kernel.panic import Panic
from kernel.quirks import NO_QUIRKS, Quirks
from servers.lib.asynsend import AsyncTable
from servers.lib.loop import Handler, Refused, Server, do_unknown
from servers.vm.acl import RQ_BASE, Acls
from servers.vm.boot import boot
from servers.vm.brk import do_brk
from servers.vm.cachecalls import do_clearcache, do_forgetcache, do_mapcache, do_setcache
from servers.vm.config import BootConfig
from servers.vm.exit import do_exit, do_procctl, do_willexit, stray_transaction
from servers.vm.fork import do_fork
from servers.vm.handle_memory import do_memory_requests
from servers.vm.info import do_getrusage, do_info
from servers.vm.memory import Memory
from servers.vm.mmap import do_map_phys, do_mmap, do_vfs_mmap
from servers.vm.munmap import do_munmap, do_shm_unmap, do_unmap_phys
from servers.vm.pagefault import CLEAR_MAP_CACHE, do_pagefault, do_strange_fault
from servers.vm.process import NO_ACL, VmProcess
from servers.vm.quirks import names_of
from servers.vm.remap import do_get_phys, do_get_refcount, do_remap, do_remap_ro
from servers.vm.rs import do_rs_memctl, do_rs_prepare, do_rs_set_priv, do_rs_update
from servers.vm.sanity import check
from servers.vm.vfsreply import do_vfs_reply

_MOST_CLEARING: Final = 1024


@attrs.define(eq=False)
class VmServer(Server):
    """VM: its memory, its access control lists, its messages to VFS."""

    memory: Memory = attrs.field(kw_only=True)
    acls: Acls = attrs.field(factory=Acls)
    table: AsyncTable = attrs.field(factory=AsyncTable)
    clearing: dict[int, KernelCall] = attrs.field(factory=dict)  # by endpoint, to be used again

    alive: dict[int, VmProcess] = attrs.field(init=False)  # `memory.alive`
    caller: VmProcess = attrs.field(factory=lambda: VmProcess(NONE))  # who made the last request
    last: Message | None = None  # the last request itself

    name: str = "VM"

    def __attrs_post_init__(self) -> None:
        self.alive = self.memory.alive
        self.outgoing = self.memory.vfs.outgoing
        self.table.drops = "asynsend-full" not in self.memory.quirks

    async def kernel(self, request: Message) -> Message:
        """Make a kernel call; what VFS is to be asked goes first."""
        if self.outgoing:
            await self.flush()
        reply: Message = await trap(KernelCall(request))
        return reply

    def clearing_fault(self, endpoint: int) -> KernelCall:
        """The kernel call that lets a process run whose page fault has been dealt with.

        It is made here, and is in `clearing` from then on.
        """
        if len(self.clearing) >= _MOST_CLEARING:
            self.clearing.clear()
        call = self.clearing[endpoint] = KernelCall(SysVmctl(endpoint, VMCTL_CLEAR_PAGEFAULT))
        return call

    async def vmctl(self, endpoint: int, what: int, value: int = 0) -> int:
        """The kernel call that only VM makes (VMCTL_*); its result.  MINIX: sys_vmctl."""
        if self.outgoing:
            await self.flush()
        reply: Message = await trap(KernelCall(SysVmctl(endpoint, what, value)))
        return reply.type

    async def clear_map_cache(self) -> None:
        """Tell the kernel that page tables changed.  MINIX: pt_clearmapcache."""
        if self.outgoing:
            await self.flush()
        await trap(CLEAR_MAP_CACHE)

    async def flush_tlb(self) -> None:
        """Tell the kernel so, and have it forget all it knows of them.  MINIX: pt_assert."""
        await self.clear_map_cache()
        await self.vmctl(SELF, VMCTL_FLUSHTLB)

    @yields_traps
    def flush(self) -> Generator[Any, Any, None]:
        """Send VFS what the queue has for it."""
        outgoing = self.outgoing
        while outgoing:
            failure = yield self.table.offer(VFS, outgoing.pop(0))
            if failure is not None:
                raise failure

    @yields_traps
    @types.coroutine
    def ask_vfs(
        self, what: int, fd: int, endpoint: int, offset: int = 0, length: int = 0
    ) -> Generator[Any, Any, VmVfsReply]:
        """Ask VFS, and park the call until it answers."""
        ticket = self.memory.vfs.ask(what, fd, endpoint, offset, length)
        if self.outgoing:
            yield from self.flush()
        answer = yield ticket  # as `wait` does
        if type(answer) is not VmVfsReply:
            raise answer
        return answer

    def unanswered(self, dest: int, message: Message, errno: int) -> None:
        """A caller that is dead gets no answer; with the quirk, VM goes down with it."""
        if "reply-to-dead" in self.memory.quirks:
            raise Panic(f"the answer to {dest} could not be sent ({errno})", quirk="reply-to-dead")

    def check(self) -> None:
        """See that every invariant holds.  Raises servers.vm.sanity.Violation."""
        after = ""
        if self.last is not None:
            after = f"{self.last} from {endpoint_name(self.caller.endpoint)}"
        check(self.memory, after)

    def handler(self, source: int, message: Message) -> Handler | None:
        """Who handles a request: the table says, if the caller may make it at all."""
        self.last = message
        process = self.alive.get(source)
        if process is None:
            return self._stranger(source, message)
        self.caller = process
        entry = _TABLE.get(type(message))
        if entry is None:
            if type(message) is VmPagefault and self.status & FROM_KERNEL:
                return do_pagefault
            return self._other(source, message)
        handler, callers = entry
        if process.acl != NO_ACL and not self._is_listed(process, message):
            return do_unknown
        if callers is not None and source not in callers:
            quirks = self.memory.quirks
            return handler if "unchecked-callers" in quirks else do_not_permitted
        return handler

    def _is_listed(self, process: VmProcess, message: Message) -> bool:
        """Whether a process may make a call; what belongs to a transaction is no call."""
        if isinstance(message, VmProcctl) and message.transid:
            return True
        return self.acls.allow(process, message.type - RQ_BASE)

    def _stranger(self, source: int, message: Message) -> Handler:
        """Who handles a message of a process that VM does not know."""
        if "unknown-caller" in self.memory.quirks:
            raise Panic(f"a message from the unknown {source}", quirk="unknown-caller")
        self.caller = VmProcess(NONE, source)
        if type(message) is VmPagefault and self.status & FROM_KERNEL:
            return do_strange_fault
        return do_stranger

    def _other(self, source: int, message: Message) -> Handler:
        """Who handles what is no call: page faults, and the start of VM."""
        quirks = self.memory.quirks
        if isinstance(message, VmPagefault):  # which the kernel has not sent
            return do_pagefault if "fake-pagefault" in quirks else do_not_permitted
        if source == RS and isinstance(message, RsInit):
            return do_init
        if "type-0xbXX" in quirks and has_transaction(wire_number(message)):
            if source == VFS:
                return do_any_transaction
            raise stray_transaction(message)
        return do_unknown


async def do_signals(vm: VmServer, source: int, message: Notification) -> None:
    """The kernel signals VM: SIGKMEM says that kernel calls wait for memory.

    MINIX: sef_cb_signal_handler.
    """
    for signal in signals_in(message.sigset):
        if signal == SIGKMEM:
            await do_memory_requests(vm, source, message)
        await vm.clear_map_cache()


async def do_init(vm: VmServer, source: int, message: RsInit) -> None:
    """RS has started VM; the answer must not wait for RS, which may wait for VM."""
    await vm.table.send(RS, RsInit(result=OK), AMF_NOREPLY)


async def do_any_transaction(vm: VmServer, source: int, message: Message) -> Message | None:
    """Take what VFS sends in a transaction for VM_PROCCTL, whatever it is (quirk type-0xbXX)."""
    transid = transaction_of(wire_number(message))
    number = add_transaction(VmProcctl.type, transid)
    request = read(number, encode(message)[PAYLOAD_OFFSET:])
    assert isinstance(request, VmProcctl), "it has its number"
    return await do_procctl(vm, source, request)


def do_stranger(_vm: VmServer, _source: int, _message: Message) -> Message:
    """Refuse a caller whom VM does not know."""
    raise Refused(ESRCH)


def do_not_permitted(_vm: VmServer, _source: int, _message: Message) -> Message:
    """Refuse a call that only certain servers may make."""
    raise Refused(EPERM)


# Who may make a call that only one server has reason to make.
CALLERS: Final[Mapping[int, tuple[int, ...]]] = {
    VmExit.type: (PM,),
    VmFork.type: (PM,),
    VmWillexit.type: (PM,),
    VmVfsReply.type: (VFS,),
    VmVfsMmap.type: (VFS,),
    VmRsSetPriv.type: (RS,),
    VmRsPrepare.type: (RS,),
    VmRsUpdate.type: (RS, VM),
    VmRsMemctl.type: (RS,),
}

VmServer.CALLS = {
    VmMmap.type: do_mmap,
    VmMunmap.type: do_munmap,
    VmMapPhys.type: do_map_phys,
    VmUnmapPhys.type: do_unmap_phys,
    VmExit.type: do_exit,
    VmFork.type: do_fork,
    VmBrk.type: do_brk,
    VmWillexit.type: do_willexit,
    VmProcctl.type: do_procctl,
    VmVfsReply.type: do_vfs_reply,
    VmVfsMmap.type: do_vfs_mmap,
    VmRsSetPriv.type: do_rs_set_priv,
    VmRsPrepare.type: do_rs_prepare,
    VmRsUpdate.type: do_rs_update,
    VmRsMemctl.type: do_rs_memctl,
    VmRemap.type: do_remap,
    VmRemapRo.type: do_remap_ro,
    VmGetphys.type: do_get_phys,
    VmShmUnmap.type: do_shm_unmap,
    VmGetref.type: do_get_refcount,
    VmInfo.type: do_info,
    VmMapcachepage.type: do_mapcache,
    VmSetcachepage.type: do_setcache,
    VmForgetcachepage.type: do_forgetcache,
    VmClearcache.type: do_clearcache,
    VmGetrusage.type: do_getrusage,
}
# Who handles a request, and who may make it (None: anybody).
_TABLE: Final[Mapping[type, tuple[Handler, tuple[int, ...] | None]]] = {
    BY_NUMBER[number]: (handler, CALLERS.get(number)) for number, handler in VmServer.CALLS.items()
}
VmServer.NOTIFIED = {SYSTEM: do_signals}


def start_vm(mmu: Mmu, config: BootConfig, quirks: Quirks = NO_QUIRKS) -> VmServer:
    """VM, with the processes of `config` set up; its `main` is the program of its process."""
    vm = VmServer(memory=Memory(mmu, config, names_of(quirks)))
    boot(vm.memory, vm.acls)
    return vm
