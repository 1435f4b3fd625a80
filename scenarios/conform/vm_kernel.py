"""The kernel, and all else around VM, as the recorder of VM recordings played it.

It answers the traps of the VM server's program, and writes down as events those that the recorder
wrote down.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

import attrs
from numpy.typing import NDArray

from ipc.endpoint import NONE, SELF, make_endpoint, slot_of
from ipc.errors import EDEADSRCDST, EINVAL, EPERM, OK, IpcError
from ipc.flags import (
    VMCTL_CLEAR_PAGEFAULT,
    VMCTL_CLEARMAPCACHE,
    VMCTL_FLUSHTLB,
    VMCTL_MEMREQ_GET,
    VMCTL_MEMREQ_REPLY,
)
from ipc.kernelcalls import (
    SysFork,
    SysForkReply,
    SysKill,
    SysPrivctl,
    SysUpdate,
    SysVircopy,
    SysVmctl,
    SysVmctlMemreqReply,
)
from ipc.message import Message, Reply, signed
from ipc.rs import RsInit
from ipc.traps import AMF_DONE, AMF_VALID, KernelCall, Load, Send, SendA, Store, Trap
from ipc.vfs import VfsVmcall
from ipc.vm import VmProcctlReply
from kernel.memory import AddressSpace, Mmu
from scenarios.conform.recording import optional
from scenarios.conform.vm_config import call_mask
from scenarios.conform.vm_input import REPLY_FIELDS

Json = dict[str, Any]

_VMCTL_NAMES: Final = {
    VMCTL_CLEAR_PAGEFAULT: "CLEAR_PAGEFAULT",
    VMCTL_MEMREQ_REPLY: "MEMREQ_REPLY",
    VMCTL_CLEARMAPCACHE: "CLEARMAPCACHE",
    VMCTL_FLUSHTLB: "FLUSHTLB",
}
_VMPTYPE_CHECK: Final = 1

# The members of the structures that VM_INFO copies out.
_STATS: Final = ("pagesize", "total", "free", "largest", "cached")
_USAGE: Final = (
    "total", "common", "shared", "virtual", "mvirtual", "maxrss", "minflt", "majflt",
)  # fmt: skip


@attrs.define(eq=False)
class RecordedKernel:
    """What the kernel knows: which endpoint lives in which slot, and who waits for memory.

    `operation` is the one at hand, which says what some kernel calls answer; `events` is what VM
    did in it.
    """

    alive: dict[int, int]
    events: list[Json] = attrs.field(factory=list)
    operation: Json = attrs.field(factory=dict)
    requests: list[Json] = attrs.field(factory=list)
    _generations: dict[int, int] = attrs.field(factory=dict)
    _scratch: bytes = b""

    def answer(self, trap: Trap) -> Any:
        """The result of a trap of VM's, which is written down if the recorder did so."""
        do = TRAPS.get(type(trap))
        if do is None:
            raise AssertionError(f"VM made a trap that the recorder does not know: {trap}")
        return do(self, trap)

    def send(self, trap: Send) -> Any:
        """SEND: an answer."""
        message = trap.message
        event: Json = {"ev": "reply", "to": trap.dest, "type": message.type}
        if message.type == OK or self.operation.get("op") == "vfs_reply":
            event |= self._reply_fields(message)
        self.events.append(event)
        return None if self.lives(trap.dest) else IpcError(EDEADSRCDST)

    def _reply_fields(self, message: Message) -> Json:
        operation = self.operation
        name = type(message).__name__
        if name == "VmInfoReply" and operation.get("what") != 3:
            return {}
        fields = REPLY_FIELDS.get(name)
        return {} if fields is None else dict(fields(message))

    def senda(self, trap: SendA) -> None:
        """SENDA: requests to VFS, and answers to it."""
        for entry in trap.table:
            if entry.flags & AMF_DONE:
                continue
            self._offered(entry.dest, entry.flags & ~AMF_VALID, entry.message)
            entry.flags |= AMF_DONE

    def _offered(self, dest: int, flags: int, message: Message) -> None:
        if isinstance(message, RsInit):
            self.events.append({"ev": "rs_init"})
            return
        event: Json = {"ev": "asynsend", "to": dest, "flags": flags, "type": message.type}
        if isinstance(message, VfsVmcall):
            event |= {
                name: getattr(message, name)
                for name in ("req", "fd", "reqid", "endpoint", "offset", "length")
            }
        elif isinstance(message, VmProcctlReply):
            event["result"] = message.type
            if message.transid:
                event["type"] = signed(message.type << 16 | message.transid)
                event["transid"] = message.transid
        self.events.append(event)

    def store(self, trap: Store) -> None:
        """A store to VM's own memory: what it is about to copy out."""
        self._scratch = trap.data

    def load(self, trap: Load) -> bytes:
        """A load from VM's own memory: what it has copied in."""
        return self._scratch.ljust(trap.length, b"\0")

    def kernel_call(self, trap: KernelCall) -> Message:
        """A kernel call."""
        return KERNEL_CALLS[type(trap.request)](self, trap.request)

    # The kernel.

    def lives(self, endpoint: int) -> bool:
        """Whether the kernel has a process with that endpoint."""
        return self.alive.get(slot_of(endpoint)) == endpoint

    def bind(self, endpoint: int, space: AddressSpace) -> int:
        """The kernel's part of giving a process an address space."""
        self.events.append({"ev": "set_addrspace", "ep": endpoint})
        return OK if self.lives(endpoint) else EINVAL

    def sys_kill(self, request: SysKill) -> Message:
        """A signal."""
        self.events.append({"ev": "sys_kill", "ep": request.endpt, "sig": request.sig})
        return Reply(OK if self.lives(request.endpt) else EINVAL)

    def sys_vmctl(self, request: SysVmctl) -> Message:
        """What only VM does."""
        if request.param == VMCTL_MEMREQ_GET:
            return self._next_request()
        event = {
            "ev": "sys_vmctl",
            "ep": request.who,
            "what": _VMCTL_NAMES[request.param],
            "val": signed(request.value),
        }
        self.events.append(event)
        return Reply(OK if request.who == SELF or self.lives(request.who) else EINVAL)

    def _next_request(self) -> Message:
        if not self.requests:
            return Reply(OK)
        request = self.requests.pop(0)
        names = ("who", "mem", "len", "wrflag", "requestor")
        values = {name: optional(request, name, int, 0) for name in names}
        self.events.append({"ev": "memreq", **values})
        return SysVmctlMemreqReply(
            type=_VMPTYPE_CHECK,
            target=values["who"],
            addr=values["mem"],
            length=values["len"],
            flag=values["wrflag"],
            requestor=values["requestor"],
        )

    def sys_fork(self, request: SysFork) -> Message:
        """A new process in the kernel."""
        result = OK
        if not self.lives(request.endpt) or request.slot in self.alive:
            result = EINVAL
        result = optional(self.operation, "sysfork_result", int, result)
        child, address = NONE, 0
        if result == OK:
            generation = self._generations[request.slot] = (
                self._generations.get(request.slot, 0) + 1
            )
            child = make_endpoint(generation, request.slot)
            self.alive[request.slot] = child
            address = optional(self.operation, "msgaddr", int, 0)
        event = {
            "ev": "sys_fork",
            "parent": request.endpt,
            "slot": request.slot,
            "flags": request.flags,
            "result": result,
            "child": child,
            "msgaddr": address,
        }
        self.events.append(event)
        return SysForkReply(type=result, endpt=child, msgaddr=address)

    def sys_privctl(self, request: SysPrivctl) -> Message:
        """May a process map physical memory?"""
        result = optional(self.operation, "privquery", int, EPERM)
        event = {
            "ev": "privquery_mem",
            "ep": request.endpt,
            "phys": request.phys_start,
            "len": request.phys_len,
            "result": result,
        }
        self.events.append(event)
        return Reply(result)

    def sys_update(self, request: SysUpdate) -> Message:
        """Exchange two processes."""
        result = optional(self.operation, "update_result", int, OK)
        event = {
            "ev": "sys_update",
            "src": request.src_endpt,
            "dst": request.dst_endpt,
            "flags": request.flags,
            "result": result,
        }
        self.events.append(event)
        return Reply(result)

    def sys_vircopy(self, request: SysVircopy) -> Message:
        """A copy from or to VM's own memory."""
        result = optional(self.operation, "copy_result", int, OK)
        event: Json = {"len": request.nr_bytes, "result": result}
        if request.dst_endpt == SELF:
            event |= {"ev": "copyin", "ep": request.src_endpt, "addr": request.src_addr}
            self._scratch = call_mask(self.operation).to_bytes(8, "little")
        else:
            event |= {"ev": "copyout", "ep": request.dst_endpt, "addr": request.dst_addr}
            event["data"] = _copied(self.operation, self._scratch)
        self.events.append(event)
        return Reply(result)


@attrs.define(eq=False)
class RecordingMmu(Mmu):
    """The real handle on memory; what the recorder wrote down of it goes to `events`."""

    events: list[Json] = attrs.field(kw_only=True)

    def copy(self, source: int, dest: int, length: int) -> None:
        """A copy of physical memory."""
        self.events.append({"ev": "abscopy", "src": source, "dst": dest, "len": length})
        super().copy(source, dest, length)

    def fill(self, phys: int, byte: int, length: int) -> None:
        """Physical memory is cleared."""
        self.events.append({"ev": "memset", "phys": phys, "byte": byte, "len": length})
        super().fill(phys, byte, length)

    def clear_page(self, frame: int) -> None:
        """One frame is cleared."""
        self.events.append({"ev": "memset", "phys": frame << 12, "byte": 0, "len": 4096})
        super().clear_page(frame)

    def clear_frames(self, addresses: NDArray[Any]) -> None:
        """Many frames are cleared, each by a kernel call."""
        for phys in addresses.tolist():
            self.events.append({"ev": "memset", "phys": phys, "byte": 0, "len": 4096})
        super().clear_frames(addresses)


def _copied(operation: Json, data: bytes) -> Any:
    """The structure that VM copies out, as the recorder shows it; bytes if it is none of those."""
    if operation.get("op") not in ("getrusage", "info"):
        return data.hex()
    if operation.get("op") == "getrusage":
        return {
            "maxrss": struct.unpack_from("<I", data, 24)[0],
            "minflt": struct.unpack_from("<I", data, 40)[0],
            "majflt": struct.unpack_from("<I", data, 44)[0],
        }
    if operation.get("what") == 1:
        return dict(zip(_STATS, struct.unpack("<5I", data), strict=True))
    if operation.get("what") == 2:
        return dict(zip(_USAGE, struct.unpack("<5I3Q", data), strict=True))
    return [list(each[:3]) for each in struct.iter_unpack("<4I", data)]


TRAPS: Final[dict[type, Callable[[RecordedKernel, Any], Any]]] = {
    Send: RecordedKernel.send,
    SendA: RecordedKernel.senda,
    Store: RecordedKernel.store,
    Load: RecordedKernel.load,
    KernelCall: RecordedKernel.kernel_call,
}

KERNEL_CALLS: Final[dict[type, Callable[[RecordedKernel, Any], Message]]] = {
    SysKill: RecordedKernel.sys_kill,
    SysVmctl: RecordedKernel.sys_vmctl,
    SysFork: RecordedKernel.sys_fork,
    SysPrivctl: RecordedKernel.sys_privctl,
    SysUpdate: RecordedKernel.sys_update,
    SysVircopy: RecordedKernel.sys_vircopy,
}
