"""The defects of the real VM server, by name.

Each is a small variant where the decision is made, found by its name.  Without a quirk bad input
gets an error, nothing is lost, and nobody panics.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kernel.quirks import Quirk, Quirks

_TABLE: Final = (
    # Bad arguments that bring VM down.
    Quirk(
        "mmap-len-wrap",
        "mmap.c mmap_region",
        "A length in the last page below 4 GiB is rounded up to 0, and an assertion about the"
        " length of a region brings VM down; of a file, where the offset may not be that of a page,"
        " it becomes a short one.  Without the quirk: ENOMEM.",
    ),
    Quirk(
        "map-phys-len-wrap",
        "mmap.c do_map_phys",
        "The same for physical memory; and a range may end beyond the last physical address."
        "  Without the quirk: EINVAL.",
    ),
    Quirk(
        "unaligned-mmap",
        "mmap.c mmap_region, region.c map_page_region",
        "An address that is not the start of a page is taken as it is; the first fault in the"
        " region, or unmapping it, brings VM down.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "remap-unaligned",
        "mmap.c do_remap",
        "The same for the address at which memory is to be shared.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "region-top-eq-minv",
        "region.c region_find_slot",
        "After a one-page mapping at address 0 the range to search for room is empty, which an"
        " assertion does not allow.  Without the quirk all room is searched.",
    ),
    Quirk(
        "slot-wrap",
        "region.c region_find_slot_range",
        "The room below a region in the first page is computed with 32 bits that wrap, so that"
        " when nothing else fits, a region is made on top of others.  Without the quirk: ENOMEM.",
    ),
    Quirk(
        "type-0xbXX",
        "main.c main",
        "A message number whose lower half is 0xB00..0xBFF looks like a transaction of VFS; an"
        " assertion before the answer brings VM down.  Without the quirk: ENOSYS.",
    ),
    Quirk(
        "transid-not-suspend",
        "main.c main, exit.c do_procctl",
        "A request of VFS in a transaction that is answered at once (a dead process, CLEAR, a bad"
        " parameter) meets the same assertion.  Without the quirk VFS gets the answer.",
    ),
    Quirk(
        "unknown-caller",
        "main.c main",
        "A message from a process that VM does not know brings it down.  Without the quirk: ESRCH.",
    ),
    Quirk(
        "unmap-phys-bad-ep",
        "mmap.c do_munmap",
        "Unmapping for a process that does not exist brings VM down.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "vfs-mmap-bad-ep",
        "mmap.c do_vfs_mmap",
        "Mapping an executable into a process that does not exist brings VM down.  Without the"
        " quirk: EINVAL.",
    ),
    Quirk(
        "vfs-mmap-nodev",
        "mem_file.c mappedfile_setfile",
        "Mapping a file of no device brings VM down.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "clearend-too-big",
        "mem_file.c cow_block",
        "A file whose last page is to be cleared by a page or more brings VM down when that page"
        " is touched.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "setcache-nodev",
        "cache.c addcache",
        "Caching a page of no device brings VM down.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "setcache-unaligned",
        "region.c physblock_get",
        "Caching a page that is not where a page of a region starts brings VM down.  Without the"
        " quirk: EFAULT.",
    ),
    Quirk(
        "file-prealloc",
        "region.c map_page_region",
        "Mapping a file with MAP_PREALLOC touches its pages before the region has a file."
        "  Without the quirk the flag is ignored.",
    ),
    Quirk(
        "vfs-reply-nothing-active",
        "vfs.c do_vfs_reply",
        "An answer of VFS that nobody waits for brings VM down.  Without the quirk it is dropped.",
    ),
    Quirk(
        "vfs-reply-no-error",
        "pagefaults.c handle_memory_continue",
        "What VFS answers is what whoever waits for a page is told, although it may be no error:"
        " VMSUSPEND brings the kernel down.  Without the quirk: EFAULT.",
    ),
    Quirk(
        "asynsend-full",
        "lib/libsys/asynsend.c asynsend3",
        "When there are 512 answers that nobody takes, one more brings VM down.  Without the"
        " quirk it is dropped.",
    ),
    Quirk(
        "heap-prealloc-null",
        "rs.c rs_memctl_heap_prealloc",
        "Preallocating the heap of a process that has nothing below VM_MMAPBASE, as good as any,"
        " follows a null pointer.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "rs-prepare-assert",
        "rs.c do_rs_prepare",
        "The same when a live update is prepared.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "heap-prealloc-wrap",
        "rs.c rs_memctl_heap_prealloc",
        "A length with which the end of the heap is beyond 4 GiB wraps: nothing grows, and RS hears"
        " that all of it did.  Without the quirk: ENOMEM.",
    ),
    Quirk(
        "rs-update-empty",
        "utility.c swap_proc_dyn_data",
        "Updating a service without any memory brings VM down, unless it is a rollback or its"
        " mappings are not to be copied.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "vm-exits",
        "exit.c do_willexit, do_exit, do_procctl",
        "VM frees its own memory if PM (or VFS) says so, and then cannot count its instances any"
        " more.  Without the quirk: EPERM.",
    ),
    # Who may do what.
    Quirk(
        "unmap-phys-any-proc",
        "mmap.c do_munmap",
        "VM_UNMAP_PHYS and VM_SHM_UNMAP unmap any region of any process, for anyone.  Without the"
        " quirk the one only device memory, and that of others only for TTY, MEM and RS; the other"
        " of others only shared memory: EPERM, EINVAL.",
    ),
    Quirk(
        "unmap-overrun",
        "mmap.c do_munmap",
        "VM_UNMAP_PHYS and VM_SHM_UNMAP of an address inside a region unmap as much as the region"
        " is long from there on, and so parts of what lies behind.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "fake-pagefault",
        "main.c main",
        "A page fault message that does not come from the kernel is handled all the same; that"
        " there is no fault to clear then brings the kernel down.  Without the quirk: EPERM.",
    ),
    Quirk(
        "unchecked-callers",
        "main.c main",
        "Calls that only PM, VFS or RS has reason to make are open to all whom their access"
        " control list permits, which for users is everything.  Without the quirk: EPERM.",
    ),
    Quirk(
        "brk-above-user-end",
        "region.c map_region_extend_upto_v",
        "brk above the end of user addresses extends the topmost region into the kernel's part."
        "  Without the quirk: ENOMEM.",
    ),
    # Memory lost, or common where it should not be.
    Quirk(
        "anon-read-leak",
        "mem_anon.c anon_pagefault",
        "A frame is taken before it is known whether one is needed, and never given back: every"
        " check of a page that is there loses one.  Without the quirk none is taken.",
    ),
    Quirk(
        "align64k-leak",
        "alloc.c alloc_mem",
        "Of the 16 frames more that are taken for the alignment only those before the aligned one"
        " are given back.  Without the quirk all are.",
    ),
    Quirk(
        "prealloc-enomem-stale-pte",
        "region.c map_page_region",
        "MAP_PREALLOC that runs out of memory frees the frames but leaves them mapped, writable."
        "  Without the quirk nothing stays mapped.",
    ),
    Quirk(
        "cow-enomem-stale-pte",
        "region.c map_pf",
        "When there is no memory to copy a page that is to be written, the page is dropped from"
        " its region, but stays mapped.  Without the quirk it stays as it was.",
    ),
    Quirk(
        "contig-partial-unmap",
        "region.c map_unmap_region",
        "Unmapping the start of a contiguous, shared or device region is refused after the pages"
        " were freed; they stay mapped.  Without the quirk it is refused first.",
    ),
    Quirk(
        "fixed-unmaps-first",
        "mmap.c mmap_region",
        "MAP_FIXED unmaps what is there before it is known whether the new mapping can be made."
        "  Without the quirk what is there stays if it cannot.",
    ),
    Quirk(
        "failed-mmap-keeps-fd",
        "mmap.c mmap_file",
        "When there is no room to map a file, the descriptor that VFS has given VM is never"
        " closed.  Without the quirk it is.",
    ),
    Quirk(
        "lowshrink-overread",
        "region.c map_unmap_region",
        "Unmapping the start of a region reads behind the end of its array of pages, which for a"
        " large region crashes VM.  Without the quirk it does not.",
    ),
    Quirk(
        "refcount-wrap",
        "region.h phys_block, pb.c pb_link",
        "References to a page are counted with eight bits: 255 mappings of a cached page wrap to"
        " 0, which an assertion meets.  Without the quirk the count has no end.",
    ),
    Quirk(
        "remaps-fork-cow",
        "mem_anon.c anon_writable",
        "A region that others share stays writable after a fork, so that its owner writes into"
        " its child's pages; and pages that a fork left common are shared.  Without the quirk the"
        " child gets copies.",
    ),
    Quirk(
        "copy-def-memtype",
        "region.c map_copy_region",
        "Pages copied by a fork become the kind of memory that their region is, whatever they"
        " were.  Without the quirk they stay what they are.",
    ),
    Quirk(
        "contig-fork",
        "region.c map_copy_region",
        "A fork makes contiguous memory copy-on-write although it cannot be; the next write"
        " brings VM down.  Without the quirk the fork is refused: ENOMEM.",
    ),
    # Sharing.
    Quirk(
        "shared-split",
        "region.c split_region",
        "Unmapping part of a region that others share makes new regions which they do not find:"
        " they get SIGSEGV, and when one of them forks VM goes down.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "shared-source-shrunk",
        "mem_shared.c shared_pagefault",
        "A fault on a shared page that its source has cut off brings VM down.  Without the quirk"
        " SIGSEGV.",
    ),
    Quirk(
        "shared-enomem",
        "mem_shared.c shared_pagefault",
        "If there is no memory for the source's page, the page that waits for it is freed twice,"
        " which an assertion meets.  Without the quirk SIGSEGV.",
    ),
    Quirk(
        "shared-source-gone",
        "mem_shared.c shared_pagefault",
        "A check of a shared page that is there fails once its source is gone, and takes the page"
        " out of its region; it stays mapped although its frame is free.  Without the quirk the"
        " check succeeds.",
    ),
    Quirk(
        "remap-not-anon",
        "mem_shared.c shared_setsource",
        "Sharing a region that is not anonymous brings VM down.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "remap-ep0-id0",
        "mem_shared.c shared_setsource",
        "A source in process 0 (PM), at address 0 or with the number 0 is ignored: the call"
        " succeeds, every access is a SIGSEGV.  Without the quirk it is shared like any other.",
    ),
    Quirk(
        "getref-shared",
        "mem_shared.c shared_refcount",
        "The count of who shares a mapping is always 1 when a sharer is asked about.  Without the"
        " quirk it is that of the source.",
    ),
    # Faults on memory that is there.
    Quirk(
        "cache-read",
        "mem_cache.c cache_pagefault",
        "A check of a cached page that a file system has mapped brings VM down.  Without the"
        " quirk it succeeds.",
    ),
    Quirk(
        "directphys-read",
        "mem_directphys.c phys_pagefault",
        "The same for device memory.  Without the quirk it succeeds.",
    ),
    Quirk(
        "contig-read",
        "mem_anon_contig.c anon_contig_pagefault",
        "The same for contiguous memory.  Without the quirk it succeeds.",
    ),
    Quirk(
        "handlemem-len-wrap",
        "pagefaults.c handle_memory_start, handle_memory_step",
        "A range whose length is rounded up to 0 is taken for accessible; one that wraps runs"
        " over the end of its region and brings VM down.  Without the quirk: EFAULT.",
    ),
    Quirk(
        "pin-readonly",
        "region.c map_pin_memory",
        "Memory is pinned for writing even where it is read-only, which an assertion meets."
        "  Without the quirk it is pinned for reading.",
    ),
    Quirk(
        "pin-enomem",
        "region.c map_pin_memory",
        "Memory that cannot be pinned brings VM down.  Without the quirk RS gets the error.",
    ),
    # Processes that die, and forks that fail.
    Quirk(
        "reply-to-dead",
        "main.c main",
        "A caller that has died before its answer brings VM down.  Without the quirk it gets none.",
    ),
    Quirk(
        "file-mmap-killed",
        "mmap.c mmap_file_cont",
        "A process that dies while VFS looks for the file that it wants to map: when VFS fails,"
        " VM follows a null pointer.  Without the quirk nothing happens.",
    ),
    Quirk(
        "file-mmap-killed-ok",
        "mmap.c mmap_file",
        "The same when VFS has found the file.  Without the quirk its descriptor is closed.",
    ),
    Quirk(
        "file-mmap-third-party",
        "mmap.c mmap_file_cont",
        "The answer to RS or VFS, who map a file into another process, goes to that process,"
        " which does not wait for it.  Without the quirk it goes to the caller.",
    ),
    Quirk(
        "exit-vm-dead-pf",
        "pagefaults.c pf_cont",
        "A process that the kernel has cleared but of whose end PM has not told VM yet: when its"
        " page arrives the fault cannot be cleared, which brings VM down.  Without the quirk it is"
        " left.",
    ),
    Quirk(
        "requestor-died",
        "pagefaults.c handle_memory_final",
        "The same for whoever's kernel call waited for memory.  Without the quirk nobody is told.",
    ),
    Quirk(
        "memreq-bad-ep",
        "pagefaults.c do_memory",
        "A kernel call that waits for memory of a process that VM does not know brings VM down."
        "  Without the quirk it fails with EFAULT.",
    ),
    Quirk(
        "target-died-slot-reused",
        "pagefaults.c handle_memory_continue",
        "If the process whose memory is wanted dies while VFS fetches a page, and another one"
        " gets its slot, the request goes on in that one.  Without the quirk it fails with EFAULT.",
    ),
    Quirk(
        "fork-pending-page",
        "region.c map_writept",
        "A process of which a page is still being fetched, or could not be, cannot fork: VM goes"
        " down.  Without the quirk the child fetches the page itself.",
    ),
    Quirk(
        "fork-enomem",
        "fork.c do_fork",
        "If there is no memory to copy the page of the message after a fork, VM goes down."
        "  Without the quirk the page is copied when it is written.",
    ),
    Quirk(
        "fork-busy-slot",
        "fork.c do_fork",
        "A fork into a slot that is in use overwrites what VM knows of the process there, and"
        " then brings VM down because the kernel refuses.  Without the quirk: EINVAL.",
    ),
    Quirk(
        "fork-empty",
        "region.c map_proc_copy_range",
        "The fork of a process without any memory brings VM down.  Without the quirk the child"
        " has none either.",
    ),
    Quirk(
        "update-overlap",
        "utility.c transfer_mmap_regions",
        "A live update gives the new version copies of regions where it has others already; what"
        " is copied is lost, or lies on top.  Without the quirk those are left out.",
    ),
    Quirk(
        "update-loses-sharers",
        "utility.c swap_proc_slot",
        "Who shares memory of a service looks for it in the new version after a live update."
        "  Without the quirk in the old one, which has it.",
    ),
    # Counting, order, and files.
    Quirk(
        "fork-total-doubled",
        "fork.c do_fork",
        "A child starts with its parent's memory and fault counts, and its pages are counted on"
        " top.  Without the quirk it starts with 0.",
    ),
    Quirk(
        "major-and-minor",
        "pagefaults.c handle_pagefault",
        "A fault on a file counts as a major one and, when the page is there, as a minor one."
        "  Without the quirk only as a major one.",
    ),
    Quirk(
        "vfs-lifo",
        "vfs.c vfs_request",
        "The request to VFS that was made last goes first, so that old ones can starve.  Without"
        " the quirk the oldest goes first.",
    ),
    Quirk(
        "fdref-wrong-process",
        "fdref.c fdref_dedup_or_new",
        "A process that maps a file which another has mapped uses that one's descriptor.  Without"
        " the quirk descriptors are common to mappings of one process, and to its forks.",
    ),
    Quirk(
        "setcache-drops-old",
        "mem_cache.c do_setcache",
        "A cached page is dropped before it is known whether the new one can take its place."
        "  Without the quirk it stays if the call fails.",
    ),
    Quirk(
        "stale-inode",
        "cache.c find_cached_page_bydev",
        "A cached page that is set again without a file is still found for its old one.  Without"
        " the quirk it belongs to none.",
    ),
    Quirk(
        "cut-keeps-clearend",
        "region.c map_unmap_region",
        "When the last pages of a mapped executable are unmapped, the end of the page that is last"
        " then is cleared as that of the file's was to be: data are lost.  Without the quirk they"
        " are not.",
    ),
)

VM_QUIRKS: Final[Mapping[str, Quirk]] = {quirk.name: quirk for quirk in _TABLE}


def names_of(quirks: Quirks) -> frozenset[str]:
    """The names of those of VM's quirks that are among `quirks`."""
    return frozenset(name for name in VM_QUIRKS if name in quirks)
