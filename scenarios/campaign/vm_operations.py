"""Random operations on VM, sensible ones and nonsense, in the format of VM recordings.

What is drawn comes from a `random.Random` or from Hypothesis' likeness of one.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

import attrs

from ipc.endpoint import DS, INIT, MFS, PM, RS, SELF, TTY, VFS
from ipc.flags import (
    MAP_ANON,
    MAP_CONTIG,
    MAP_FIXED,
    MAP_LOWER1M,
    MAP_LOWER16M,
    MAP_PREALLOC,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_THIRDPARTY,
    MAP_UNINITIALIZED,
)
from scenarios.conform.vm import VmReplay
from servers.vm.mmap import MAP_ALIGNMENT_64KB
from servers.vm.process import INUSE, VmProcess
from servers.vm.region import Region

Json = dict[str, Any]
PAGE: Final = 4096
DEVICES: Final = (0x301, 0x302)


def boot(frames: int = 192, **options: Any) -> Json:
    """The header of a small machine: servers, a file system, drivers, and INIT."""
    text = {"vaddr": 0x8048000, "len": 4 * PAGE, "prealloc": 0}
    stack = {"vaddr": 0xEFC00000, "len": 4 << 20}
    low = {"vaddr": 0, "len": PAGE}
    procs: list[Json] = [
        {"endpoint": slot, "slot": slot, "regions": [text, *([low] if slot == 7 else [])]}
        for slot in range(11)
    ]
    procs.append({"endpoint": INIT, "slot": INIT, "regions": [text, stack]})
    mem = [[0x1000, 16 * PAGE], [0x100000, frames * PAGE]]
    return {"mem": mem, "procs": procs, **options}


@attrs.define(eq=False)
class Operations:
    """Draws operations that fit what the machine of `replay` is doing; `nonsense` is how many in
    a hundred do not.
    """

    replay: VmReplay
    random: Random
    nonsense: int = 10

    def next(self) -> Json:
        """The next operation."""
        name = self.random.choice(WEIGHTED)
        operation = {"op": name, **MAKERS[name](self)}
        numbers = [each for each, value in operation.items() if isinstance(value, int)]
        if numbers and self.chance(self.nonsense):
            operation[self.random.choice(numbers)] = self.weird()
        return operation

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def weird(self) -> int:
        """A number that fits nowhere."""
        numbers = (0, 1, -1, 0xFFF, 0x1000, 0x7FFFFFFF, 0xFFFFF000, 0xFFFFF001, 0xFFFFFFFF, 31743)
        return self.random.choice((*numbers, self.random.randrange(1 << 32)))

    # Whom and where.

    def process(self) -> VmProcess:
        alive = [each for each in self.replay.vm.memory.processes.values() if each.flags & INUSE]
        return self.random.choice(sorted(alive, key=lambda each: each.slot))

    def user(self) -> VmProcess:
        users = [
            each
            for each in self.replay.vm.memory.processes.values()
            if each.flags & INUSE and each.slot >= INIT
        ]
        return self.random.choice(users) if users else self.process()

    def region(self, process: VmProcess) -> Region | None:
        regions = list(process.regions)
        return self.random.choice(regions) if regions else None

    def address(self, process: VmProcess) -> int:
        """Mostly a page in a region of the process, or beside one."""
        region = self.region(process)
        if region is None or self.chance(10):
            return self.random.randrange(0xF0000) * PAGE
        if self.chance(40):
            return region.vaddr
        page = self.random.randrange(-1, min(region.pages, 12) + 1)
        return max(0, region.vaddr + page * PAGE)

    def length(self) -> int:
        if self.chance(3):
            return self.random.choice((0, 1, 40 * PAGE, 0xFFFFF001))
        return self.random.randrange(1, 6) * PAGE - self.random.choice((0, 0, 0, 1))

    # The operations.

    def mmap(self) -> Json:
        process = self.user() if self.chance(80) else self.process()
        flags = MAP_ANON | MAP_PRIVATE
        fd, source = -1, process.endpoint
        if self.chance(30):
            flags, fd = self.random.choice((MAP_PRIVATE, MAP_SHARED)), self.random.randrange(3, 6)
        for flag, percent in (
            (MAP_FIXED, 25), (MAP_PREALLOC, 15), (MAP_CONTIG, 4), (MAP_LOWER16M, 3),
            (MAP_LOWER1M, 3), (MAP_ALIGNMENT_64KB, 4), (MAP_UNINITIALIZED, 2),
        ):  # fmt: skip
            if self.chance(percent):
                flags |= flag
        operation: Json = {}
        if self.chance(5):
            flags |= MAP_THIRDPARTY
            source = self.random.choice((VFS, RS))
            operation["forwhom"] = process.endpoint
        address = self.address(process) if self.chance(60) else 0
        prot = self.random.choice((1, 3))
        return {
            "src": source, "addr": address, "len": self.length(), "prot": prot, "flags": flags,
            "fd": fd, "offset": self.random.randrange(4) * PAGE, **operation,
        }  # fmt: skip

    def munmap(self) -> Json:
        process = self.process()
        return {"src": process.endpoint, "addr": self.address(process), "len": self.length()}

    def pagefault(self) -> Json:
        process = self.user() if self.chance(70) else self.process()
        address = self.address(process) + self.random.randrange(PAGE)
        flags = self.random.choice((4, 5, 6, 7))
        return {"src": process.endpoint, "addr": address & 0xFFFFFFFF, "flags": flags}

    def brk(self) -> Json:
        process = self.process()
        return {"src": process.endpoint, "addr": self.address(process) + self.length()}

    def fork(self) -> Json:
        address = self.random.choice((0x8048000, 0xEFFFF000))
        slot = self.random.randrange(INIT, INIT + 8)
        return {"src": PM, "endpoint": self.user().endpoint, "slot": slot, "msgaddr": address}

    def willexit(self) -> Json:
        process = self.user()
        return {"src": PM, "endpoint": process.endpoint if process.slot > INIT else 0x7777}

    def exit(self) -> Json:
        ending = [each for each in self.replay.vm.memory.processes.values() if each.is_exiting()]
        if not ending:
            return self.willexit()
        return {"src": PM, "endpoint": self.random.choice(ending).endpoint}

    def procctl(self) -> Json:
        process = self.user()
        return {
            "src": VFS, "param": self.random.choice((1, 2, 2, 2, 2, 3)), "who": process.endpoint,
            "m1": self.address(process), "len": self.length(), "flags": self.random.randrange(2),
            "transid": self.random.choice((0, 0xB01, 0xB02)),
        }  # fmt: skip

    def vfs_reply(self) -> Json:
        active = self.replay.vm.memory.vfs.active
        answer = {
            "src": VFS, "result": self.random.choice((0, 0, 0, -2, -5)),
            "dev": self.random.choice((*DEVICES, 0)), "ino": self.random.randrange(3),
            "fd": self.random.randrange(20, 24), "size_pages": 4, "endpoint": INIT, "reqid": 1,
        }  # fmt: skip
        if active is not None:
            answer |= {"endpoint": active.asked.endpoint, "reqid": active.asked.reqid}
        return answer

    def vfs_mmap(self) -> Json:
        process = self.user()
        return {
            "src": VFS, "who": process.endpoint, "offset": self.random.randrange(4) * PAGE,
            "dev": self.random.choice(DEVICES), "ino": self.random.randrange(3),
            "vaddr": self.address(process), "len": self.length(),
            "fd": self.random.randrange(20, 24), "flags": self.random.choice((0, 0x8000)),
            "clearend": self.random.choice((0, 100, 5000)),
        }  # fmt: skip

    def remap(self) -> Json:
        owner, dest = self.process(), self.process()
        region = self.region(owner)
        address, size = (region.vaddr, region.length) if region else (PAGE, PAGE)
        return {
            "src": DS, "source": owner.endpoint, "destination": dest.endpoint, "src_addr": address,
            "size": size, "dest_addr": self.address(dest) if self.chance(50) else 0,
            "ro": self.random.randrange(2),
        }  # fmt: skip

    def map_phys(self) -> Json:
        source = self.random.choice((TTY, 3, MFS, INIT))
        return {
            "src": source, "ep": self.random.choice((SELF, source, self.user().endpoint)),
            "phaddr": self.random.randrange(1 << 20) * PAGE + 5, "len": self.length(),
            "privquery": self.random.choice((0, -1)),
        }  # fmt: skip

    def unmap_phys(self) -> Json:
        process = self.process()
        target = self.random.choice((SELF, process.endpoint, self.user().endpoint))
        return {"src": process.endpoint, "ep": target, "vaddr": self.address(process)}

    def shm_unmap(self) -> Json:
        process = self.process()
        return {"src": DS, "forwhom": process.endpoint, "addr": self.address(process)}

    def look(self) -> Json:
        process = self.process()
        return {"src": DS, "endpt": process.endpoint, "addr": self.address(process)}

    def info(self) -> Json:
        process = self.process()
        return {
            "src": process.endpoint, "what": self.random.randrange(1, 5), "count": 8,
            "ep": self.random.choice((SELF, self.user().endpoint, -1)),
            "ptr": self.address(process), "next": 0,
        }  # fmt: skip

    def cache(self) -> Json:
        process = self.random.choice((MFS, MFS, MFS, INIT))
        known = self.replay.vm.memory.process(process) or self.process()
        return {
            "src": known.endpoint, "dev": self.random.choice((*DEVICES, 0)),
            "dev_offset": self.random.randrange(6) * PAGE, "ino": self.random.randrange(3),
            "ino_offset": self.random.randrange(4) * PAGE, "block": self.address(known),
            "pages": self.random.randrange(3), "flags": self.random.choice((0, 0, 1)),
        }  # fmt: skip

    def getrusage(self) -> Json:
        return {
            "src": self.random.choice((PM, INIT)),
            "endpt": self.user().endpoint,
            "addr": 0x8048000,
        }

    def rs_set_priv(self) -> Json:
        calls = sorted({self.random.randrange(49) for _ in range(8)} | {2, 10, 17})
        sys = self.random.randrange(2)
        return {"src": RS, "nr": DS, "buf": 0x8048000, "sys": sys, "calls": calls}

    def rs_two(self) -> Json:
        pair = {"src_e": self.random.choice((4, 5, 7)), "dst_e": self.random.choice((4, 7, 9))}
        return {"src": RS, **pair, "flags": self.random.choice((0, 0x80, 0x100))}

    def rs_memctl(self) -> Json:
        process = self.random.choice((4, 7, 8, 9))
        request = self.random.randrange(6)
        return {"src": RS, "ep": process, "req": request, "addr": 0, "len": self.length()}

    def kmem(self) -> Json:
        return {"reqs": [self.memory_request() for _ in range(self.random.randrange(1, 3))]}

    def memory_request(self) -> Json:
        process = self.user()
        return {
            "who": process.endpoint, "mem": self.address(process), "len": self.length(),
            "wrflag": self.random.randrange(2), "requestor": self.user().endpoint,
        }  # fmt: skip

    def raw(self) -> Json:
        number = self.random.choice((0xB42, 3076, 3327, self.random.randrange(3072, 3125)))
        words = [self.weird() & 0xFFFFFFFF for _ in range(14)]
        source = self.random.choice((self.user().endpoint, VFS, PM, RS, DS))
        return {"src": source, "type": number, "u32": words}

    def kclear(self) -> Json:
        ending = [each for each in self.replay.vm.memory.processes.values() if each.is_exiting()]
        return {"ep": self.random.choice(ending).endpoint if ending else 0x7777}


MAKERS: Final[dict[str, Callable[[Operations], Json]]] = {
    "mmap": Operations.mmap,
    "munmap": Operations.munmap,
    "pagefault": Operations.pagefault,
    "brk": Operations.brk,
    "fork": Operations.fork,
    "willexit": Operations.willexit,
    "exit": Operations.exit,
    "procctl": Operations.procctl,
    "vfs_reply": Operations.vfs_reply,
    "vfs_mmap": Operations.vfs_mmap,
    "remap": Operations.remap,
    "map_phys": Operations.map_phys,
    "unmap_phys": Operations.unmap_phys,
    "shm_unmap": Operations.shm_unmap,
    "getphys": Operations.look,
    "getref": Operations.look,
    "info": Operations.info,
    "mapcache": Operations.cache,
    "setcache": Operations.cache,
    "forgetcache": Operations.cache,
    "clearcache": Operations.cache,
    "getrusage": Operations.getrusage,
    "rs_set_priv": Operations.rs_set_priv,
    "rs_prepare": Operations.rs_two,
    "rs_update": Operations.rs_two,
    "rs_memctl": Operations.rs_memctl,
    "kmem": Operations.kmem,
    "raw": Operations.raw,
    "kclear": Operations.kclear,
}

_WEIGHTS: Final = {
    "mmap": 20, "pagefault": 40, "munmap": 10, "fork": 6, "vfs_reply": 14, "willexit": 4, "exit": 4,
    "setcache": 8, "mapcache": 5, "procctl": 5, "kmem": 5, "brk": 4, "remap": 5,
}  # fmt: skip

WEIGHTED: Final = tuple(name for name in MAKERS for _ in range(_WEIGHTS.get(name, 1)))
