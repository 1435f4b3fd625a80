"""An address space: the page tables of one process.

A page table entry is a frame's address with flags in its low bits, 0 where nothing is mapped.
A page table (1024 entries, 4 MiB of addresses) exists once something is mapped in it.  The same
memory is seen in two ways: entry by entry as a Python array, which is what a load or a page fault
wants, and as a numpy array, which is what fork and unmap of a gigabyte want.

Source: MINIX ``servers/vm/pagetable.c``, i386.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ipc.endpoint import NONE
from kernel.memory.frames import PAGE_MASK, PAGE_SHIFT

Entries: TypeAlias = NDArray[np.uint32]

PTE_PRESENT: Final = 1
PTE_WRITE: Final = 2
PTE_USER: Final = 4
PTE_FLAGS: Final = PAGE_MASK
PTE_FRAME: Final = 0xFFFFF000

TABLE_SHIFT: Final = 22
TABLE_ENTRIES: Final = 1024
TABLE_INDEX: Final = TABLE_ENTRIES - 1
_EMPTY_TABLE: Final = bytes(4 * TABLE_ENTRIES)
_NOTHING: Final = bytes(TABLE_ENTRIES)  # as the entries of a page table

USER_READ: Final = PTE_PRESENT | PTE_USER
USER_WRITE: Final = PTE_PRESENT | PTE_USER | PTE_WRITE


class Tables(dict[int, "array[int]"]):
    """Page tables by number; in one that does not exist, nothing is mapped.

    Who writes to a table asks for it with `get`: the one for all that do not exist is constant.
    """

    __slots__ = ()

    def __missing__(self, number: int) -> bytes:
        return _NOTHING


class AddressSpace:
    """Page tables, and what they say of virtual addresses (bytes, below 4 GiB).

    `endpoint` is the process that the space is bound to, for whoever watches.
    """

    __slots__ = ("endpoint", "tables")

    def __init__(self) -> None:
        self.endpoint = NONE
        self.tables = Tables()

    def lookup(self, vaddr: int) -> int:
        """The page table entry for `vaddr`; 0 if nothing is mapped there."""
        return self.tables[vaddr >> TABLE_SHIFT][vaddr >> PAGE_SHIFT & TABLE_INDEX]

    def frame(self, vaddr: int, need: int) -> int:
        """The number of the frame behind `vaddr`, or -1 if its entry lacks a flag in `need`."""
        entry = self.tables[vaddr >> TABLE_SHIFT][vaddr >> PAGE_SHIFT & TABLE_INDEX]
        return entry >> PAGE_SHIFT if entry & need == need else -1

    def translate(self, vaddr: int, write: bool = False) -> int:
        """The physical address behind `vaddr`, or -1 if a user may not read (or `write`) there."""
        entry = self.tables[vaddr >> TABLE_SHIFT][vaddr >> PAGE_SHIFT & TABLE_INDEX]
        need = USER_WRITE if write else USER_READ
        if entry & need != need:
            return -1
        return entry & PTE_FRAME | vaddr & PAGE_MASK

    def set(self, vaddr: int, entry: int) -> None:
        """Make `entry` the page table entry for the page at `vaddr`."""
        table = self.tables.get(vaddr >> TABLE_SHIFT)
        if table is None:
            if not entry:
                return
            table = self.tables[vaddr >> TABLE_SHIFT] = array("I", _EMPTY_TABLE)
        table[vaddr >> PAGE_SHIFT & TABLE_INDEX] = entry

    def write(self, vaddr: int, entries: Entries) -> None:
        """Make `entries` the page table entries from `vaddr` on, one a page; 0 leaves one alone."""
        done = 0
        whole = bool(entries.all())
        for number, first, count in _tables_of(vaddr, len(entries)):
            part = entries[done : done + count]
            done += count
            table = self.tables.get(number)
            if table is None:
                if not (whole or part.any()):
                    continue
                table = self.tables[number] = array("I", _EMPTY_TABLE)
            view = np.frombuffer(table, dtype=np.uint32)[first : first + count]
            if whole:
                view[:] = part
            else:
                np.copyto(view, part, where=part != 0)

    def read(self, vaddr: int, pages: int) -> Entries:
        """The page table entries for the `pages` pages from `vaddr` on."""
        entries = np.zeros(pages, dtype=np.uint32)
        done = 0
        for number, first, count in _tables_of(vaddr, pages):
            table = self.tables.get(number)
            if table is not None:
                view = np.frombuffer(table, dtype=np.uint32)
                entries[done : done + count] = view[first : first + count]
            done += count
        return entries

    def clear(self, vaddr: int, pages: int) -> None:
        """Unmap the `pages` pages from `vaddr` on."""
        if pages == 1:
            self.set(vaddr, 0)
            return
        for number, first, count in self._existing(vaddr, pages):
            if count == TABLE_ENTRIES:
                self.tables.pop(number, None)
            else:
                np.frombuffer(self.tables[number], dtype=np.uint32)[first : first + count] = 0

    def _existing(self, vaddr: int, pages: int) -> list[tuple[int, int, int]]:
        """Those page tables behind a range that exist, as `_tables_of` has them."""
        if pages < TABLE_ENTRIES:
            return [each for each in _tables_of(vaddr, pages) if each[0] in self.tables]
        low = vaddr >> PAGE_SHIFT
        high = low + pages
        found = []
        for number in sorted(self.tables):
            start = number * TABLE_ENTRIES
            first, last = max(low, start), min(high, start + TABLE_ENTRIES)
            if first < last:
                found.append((number, first - start, last - first))
        return found

    def present(self) -> Iterator[tuple[int, Entries]]:
        """`(address, entries)` of each page table that exists, in order of address."""
        for number in sorted(self.tables):
            yield number << TABLE_SHIFT, np.frombuffer(self.tables[number], dtype=np.uint32)

    def clear_all(self) -> None:
        """Unmap everything."""
        self.tables.clear()


def _tables_of(vaddr: int, pages: int) -> Iterator[tuple[int, int, int]]:
    """The page tables behind a range: `(table number, first entry, number of entries)`."""
    page = vaddr >> PAGE_SHIFT
    end = page + pages
    while page < end:
        first = page & TABLE_INDEX
        count = min(end - page, TABLE_ENTRIES - first)
        yield page >> TABLE_SHIFT - PAGE_SHIFT, first, count
        page += count
