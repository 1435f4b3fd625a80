"""Replays `vm-golden/1`: the real VM server, one message a line.

The program under test is the VM server's main coroutine, with all quirks.  The replay plays the
kernel and the rest of the world around it: it answers the server's traps as the recorder did, and
writes down those that the recorder wrote down.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

import attrs
from numpy.typing import NDArray

from ipc.endpoint import NONE, SELF, SYSTEM, make_endpoint, slot_of
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
from ipc.notification import Notification
from ipc.rs import RsInit
from ipc.signals import SIGKMEM, signal_set
from ipc.traps import (
    AMF_DONE,
    AMF_VALID,
    FROM_KERNEL,
    NOTIFY_CALL,
    SENDREC_CALL,
    KernelCall,
    Load,
    Receive,
    Send,
    SendA,
    Store,
    Trap,
)
from ipc.vfs import VfsVmcall
from ipc.vm import VmProcctlReply
from kernel.memory import AddressSpace, Frames, Mmu
from kernel.panic import Panic
from kernel.quirks import ALL_QUIRKS, Quirks
from scenarios.conform.recording import Malformed, field, optional
from scenarios.conform.vm_config import boot_config
from scenarios.conform.vm_input import REPLY_FIELDS, message_of
from scenarios.conform.vm_state import VmState
from servers.vm.server import start_vm

Json = dict[str, Any]

_VMCTL_NAMES: Final = {
    VMCTL_CLEAR_PAGEFAULT: "CLEAR_PAGEFAULT",
    VMCTL_MEMREQ_REPLY: "MEMREQ_REPLY",
    VMCTL_CLEARMAPCACHE: "CLEARMAPCACHE",
    VMCTL_FLUSHTLB: "FLUSHTLB",
}
_ENDS: Final = ("panic", "crash", "hang")
_VMPTYPE_CHECK: Final = 1

# The members of the structures that VM_INFO copies out.
_STATS: Final = ("pagesize", "total", "free", "largest", "cached")
_USAGE: Final = (
    "total", "common", "shared", "virtual", "mvirtual", "maxrss", "minflt", "majflt",
)  # fmt: skip


def start(header: Json) -> VmReplay:
    """VM on the machine that the header describes.  Raises Malformed."""
    return VmReplay(field(header, "boot", dict))


class VmReplay:
    """VM, its kernel, and what VM did in the operation at hand."""

    def __init__(self, boot: Json, quirks: Quirks = ALL_QUIRKS) -> None:
        self._events: list[Json] = []
        self._operation: Json = {}
        self._stopped = False
        config = boot_config(boot)
        self._alive = {process.slot: process.endpoint for process in config.processes}
        self._generations: dict[int, int] = {}
        self._requests: list[Json] = []
        self._scratch = b""
        mmu = RecordingMmu(Frames(config.chunks), self._bind, events=self._events)
        self.vm = start_vm(mmu, config, quirks)
        self._state = VmState(self.vm.memory)
        self._program = self.vm.main()
        self._run(None)

    # A line.

    def answer(self, line: Json) -> Json:
        """Do the operation of a line and say what it did."""
        operation: Json = line.get("in", {"op": "boot"})
        if self._stopped:
            raise Malformed("the recording goes on after VM has stopped")
        self._operation = operation
        try:
            self._operate(operation)
        except Panic as panic:
            self._stopped = True
            self._events.append({"ev": "panic", "msg": str(panic)})
            state: Json = {"procs": {}, "mem": self._state.mem()}
        else:
            state = self._state.changes()
        events = like_recorded(self._events, line.get("out", []))
        self._events.clear()
        return {"out": events, **state}

    def perform(self, operation: Json) -> None:
        """Do an operation without looking at what it changes.  Raises Panic."""
        self._operation = operation
        self._operate(operation)
        self._events.clear()

    def _operate(self, operation: Json) -> None:
        name = field(operation, "op", str)
        do = OPERATIONS.get(name)
        if do is not None:
            do(self, operation)
            return
        source = optional(operation, "src", int, 0)
        status = SENDREC_CALL
        if name == "pagefault" and not operation.get("faked"):
            status |= FROM_KERNEL
        self._run((source, message_of(operation), status))

    def nothing(self, operation: Json) -> None:
        """The boot, and operations that only show the state."""

    def kernel_clear(self, operation: Json) -> None:
        """A process dies in the kernel; VM is not told."""
        self._alive.pop(slot_of(field(operation, "ep", int)), None)

    def notify(self, operation: Json) -> None:
        """A process notifies VM."""
        self._run((optional(operation, "src", int, 0), Notification(), NOTIFY_CALL))

    def exit(self, operation: Json) -> None:
        """A process exits; if VM agrees it is dead in the kernel as well."""
        self._run((optional(operation, "src", int, 0), message_of(operation), SENDREC_CALL))
        if self._events and self._events[-1].get("type") == OK:
            self.kernel_clear({"ep": operation["endpoint"]})

    def kernel_memory(self, operation: Json) -> None:
        """Kernel calls wait for memory, and VM is signalled."""
        self._requests = list(field(operation, "reqs", list))
        message = Notification(sigset=signal_set([SIGKMEM]))
        self._run((SYSTEM, message, NOTIFY_CALL))

    # The server's traps.

    def _run(self, result: Any) -> None:
        """Let the server run, with the result of its last trap, until it waits for a message."""
        trap = self._program.send(result)
        while not isinstance(trap, Receive):
            trap = self._program.send(self._answer(trap))

    def _answer(self, trap: Trap) -> Any:
        do = TRAPS.get(type(trap))
        if do is None:
            raise AssertionError(f"VM made a trap that the recorder does not know: {trap}")
        return do(self, trap)

    def send(self, trap: Send) -> Any:
        """SEND: an answer."""
        message = trap.message
        event: Json = {"ev": "reply", "to": trap.dest, "type": message.type}
        if message.type == OK or self._operation.get("op") == "vfs_reply":
            event |= self._reply_fields(message)
        self._events.append(event)
        return None if self._lives(trap.dest) else IpcError(EDEADSRCDST)

    def _reply_fields(self, message: Message) -> Json:
        operation = self._operation
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
            self._events.append({"ev": "rs_init"})
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
        self._events.append(event)

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

    def _lives(self, endpoint: int) -> bool:
        return self._alive.get(slot_of(endpoint)) == endpoint

    def _bind(self, endpoint: int, space: AddressSpace) -> int:
        self._events.append({"ev": "set_addrspace", "ep": endpoint})
        return OK if self._lives(endpoint) else EINVAL

    def sys_kill(self, request: SysKill) -> Message:
        """A signal."""
        self._events.append({"ev": "sys_kill", "ep": request.endpt, "sig": request.sig})
        return Reply(OK if self._lives(request.endpt) else EINVAL)

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
        self._events.append(event)
        return Reply(OK if request.who == SELF or self._lives(request.who) else EINVAL)

    def _next_request(self) -> Message:
        if not self._requests:
            return Reply(OK)
        request = self._requests.pop(0)
        names = ("who", "mem", "len", "wrflag", "requestor")
        values = {name: optional(request, name, int, 0) for name in names}
        self._events.append({"ev": "memreq", **values})
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
        if not self._lives(request.endpt) or request.slot in self._alive:
            result = EINVAL
        result = optional(self._operation, "sysfork_result", int, result)
        child, address = NONE, 0
        if result == OK:
            generation = self._generations[request.slot] = (
                self._generations.get(request.slot, 0) + 1
            )
            child = make_endpoint(generation, request.slot)
            self._alive[request.slot] = child
            address = optional(self._operation, "msgaddr", int, 0)
        event = {
            "ev": "sys_fork",
            "parent": request.endpt,
            "slot": request.slot,
            "flags": request.flags,
            "result": result,
            "child": child,
            "msgaddr": address,
        }
        self._events.append(event)
        return SysForkReply(type=result, endpt=child, msgaddr=address)

    def sys_privctl(self, request: SysPrivctl) -> Message:
        """May a process map physical memory?"""
        result = optional(self._operation, "privquery", int, EPERM)
        event = {
            "ev": "privquery_mem",
            "ep": request.endpt,
            "phys": request.phys_start,
            "len": request.phys_len,
            "result": result,
        }
        self._events.append(event)
        return Reply(result)

    def sys_update(self, request: SysUpdate) -> Message:
        """Exchange two processes."""
        result = optional(self._operation, "update_result", int, OK)
        event = {
            "ev": "sys_update",
            "src": request.src_endpt,
            "dst": request.dst_endpt,
            "flags": request.flags,
            "result": result,
        }
        self._events.append(event)
        return Reply(result)

    def sys_vircopy(self, request: SysVircopy) -> Message:
        """A copy from or to VM's own memory."""
        result = optional(self._operation, "copy_result", int, OK)
        event: Json = {"len": request.nr_bytes, "result": result}
        if request.dst_endpt == SELF:
            event |= {"ev": "copyin", "ep": request.src_endpt, "addr": request.src_addr}
            calls = optional(self._operation, "calls", list, [])
            self._scratch = sum(1 << call for call in set(calls)).to_bytes(8, "little")
        else:
            event |= {"ev": "copyout", "ep": request.dst_endpt, "addr": request.dst_addr}
            event["data"] = _copied(self._operation, self._scratch)
        self._events.append(event)
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

    def clear_frames(self, addresses: NDArray[Any]) -> None:
        """Many frames are cleared, each by a kernel call."""
        for phys in addresses.tolist():
            self.events.append({"ev": "memset", "phys": phys, "byte": 0, "len": 4096})
        super().clear_frames(addresses)


def like_recorded(events: list[Json], recorded: list[Json]) -> list[Json]:
    """`events` with what is free as the recording has it: diagnostics, the words of a panic."""
    merged = list(events)
    for index, event in enumerate(recorded):
        if event.get("ev") == "diag":
            merged.insert(index, event)
    if merged and recorded and merged[-1]["ev"] == "panic" and recorded[-1].get("ev") in _ENDS:
        merged[-1] = recorded[-1]
    return merged


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


OPERATIONS: Final[dict[str, Callable[[VmReplay, Json], None]]] = {
    "boot": VmReplay.nothing,
    "nop": VmReplay.nothing,
    "kclear": VmReplay.kernel_clear,
    "notify": VmReplay.notify,
    "exit": VmReplay.exit,
    "kmem": VmReplay.kernel_memory,
}

TRAPS: Final[dict[type, Callable[[VmReplay, Any], Any]]] = {
    Send: VmReplay.send,
    SendA: VmReplay.senda,
    Store: VmReplay.store,
    Load: VmReplay.load,
    KernelCall: VmReplay.kernel_call,
}

KERNEL_CALLS: Final[dict[type, Callable[[VmReplay, Any], Message]]] = {
    SysKill: VmReplay.sys_kill,
    SysVmctl: VmReplay.sys_vmctl,
    SysFork: VmReplay.sys_fork,
    SysPrivctl: VmReplay.sys_privctl,
    SysUpdate: VmReplay.sys_update,
    SysVircopy: VmReplay.sys_vircopy,
}
