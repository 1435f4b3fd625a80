"""What the recorder of VM recordings wrote down of VM's state."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from kernel.memory.space import PTE_FRAME, PTE_PRESENT, PTE_WRITE
from servers.vm.blocks import NO_FRAME
from servers.vm.memory import Memory
from servers.vm.memtypes.file import FilePart
from servers.vm.memtypes.shared import Source
from servers.vm.process import INUSE, VmProcess
from servers.vm.region import Region

Json = dict[str, Any]
_PAGE: Final = 4096


class VmState:
    """The state of VM as last seen, so that only what changed is told."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._processes: dict[int, Json] = {}
        self._rest: Json = {}

    def mem(self) -> Json:
        """How many pages are free, and how many cached."""
        memory = self._memory
        return {"free_pages": memory.allocator.free_count, "cached_pages": len(memory.cache)}

    def changes(self) -> Json:
        """What a line says of the state."""
        answer: Json = {"procs": self._changed_processes(), "mem": self.mem()}
        rest = {"cache": self._cache(), "vfs": self._vfs(), "fdrefs": self._files()}
        for name, value in rest.items():
            if self._rest.get(name) != value:
                answer[name] = value
        self._rest = rest
        return answer

    def _changed_processes(self) -> Json:
        now = {
            slot: self._process(process)
            for slot, process in sorted(self._memory.processes.items())
            if process.flags & INUSE
        }
        changed: Json = {str(slot): None for slot in self._processes if slot not in now}
        for slot, value in now.items():
            if self._processes.get(slot) != value:
                changed[str(slot)] = value
        self._processes = now
        return changed

    def _process(self, process: VmProcess) -> Json:
        covered: set[int] = set()
        regions = [self._region(process, region, covered) for region in process.regions]
        return {
            "ep": process.endpoint,
            "flags": process.flags,
            "total": process.total,
            "total_max": process.total_max,
            "minflt": process.minor_faults,
            "majflt": process.major_faults,
            "region_top": process.region_top,
            "acl": process.acl,
            "regions": regions,
            "stray_pt": [vaddr for vaddr in _mapped(process) if vaddr not in covered],
        }

    def _region(self, process: VmProcess, region: Region, covered: set[int]) -> Json:
        (used,) = region.numbers().nonzero()
        pages = []
        for page in used.tolist():
            pages.append(self._page(process, region, page))
            covered.add(region.vaddr + page * _PAGE)
        return {
            "vaddr": region.vaddr,
            "len": region.length,
            "flags": region.flags,
            "type": region.kind.name,
            "id": region.id,
            "remaps": region.remaps,
            "param": self._param(region),
            "pages": pages,
        }

    def _page(self, process: VmProcess, region: Region, page: int) -> list[Any]:
        blocks = self._memory.blocks
        block = region.table()[page]
        phys = blocks.phys[block]
        return [
            page,
            -1 if phys == NO_FRAME else phys,
            blocks.refs[block],
            region.kind_of(page).name,
            blocks.cached[block],
            _rights(process.space.lookup(region.vaddr + page * _PAGE), phys),
        ]

    def _param(self, region: Region) -> Json:
        param = region.param
        kind = region.kind.name
        if kind == "directphys":
            return {"phys": 0 if param is None else param}
        if kind == "shared":
            source = param if isinstance(param, Source) else Source(0, 0, 0)
            return {"ep": source.endpoint, "vaddr": source.vaddr, "id": source.id}
        if isinstance(param, FilePart):
            ref = param.ref
            return {
                "inited": 1,
                "fd": ref.fd,
                "fdref_refcount": ref.count,
                "dev": ref.device,
                "ino": ref.inode,
                "offset": param.offset,
                "clearend": param.clearend,
            }
        return {}

    def _cache(self) -> list[list[int]]:
        blocks = self._memory.blocks
        return [
            [
                page.device,
                page.offset,
                page.inode,
                page.inode_offset,
                page.flags,
                blocks.phys[page.block],
                blocks.refs[page.block],
            ]
            for page in self._memory.cache.by_use
        ]

    def _vfs(self) -> Json:
        queue = self._memory.vfs
        return {
            "active": None if queue.active is None else queue.active.asked.reqid,
            "queued": [request.asked.reqid for request in queue.waiting],
        }

    def _files(self) -> list[list[int]]:
        return [
            [ref.fd, ref.device, ref.inode, ref.count]
            for ref in reversed(self._memory.files.by_age)
        ]


def _mapped(process: VmProcess) -> list[int]:
    """The addresses of all pages in the page table."""
    found: list[int] = []
    for base, entries in process.space.present():
        found += (base + np.flatnonzero(entries & PTE_PRESENT) * _PAGE).tolist()
    return found


def _rights(entry: int, phys: int) -> str:
    if not entry & PTE_PRESENT:
        return "-"
    rights = "w" if entry & PTE_WRITE else "r"
    frame = entry & PTE_FRAME
    return rights if frame == phys else f"{rights}:{frame}"
