"""References to files: which descriptor of VM's stands for which file, and for how many regions.

Rules.  A file that is mapped again is not kept open twice: the new descriptor is closed and the
old one used.  When the last region ends the descriptor is closed, by asking VFS, whose answer
nobody waits for.

Source: MINIX ``servers/vm/fdref.c``.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from servers.vm.process import VmProcess


@attrs.define(eq=False)
class FileRef:
    """A descriptor of VM's in VFS, for a file; `count` regions use it, made for `owner`."""

    fd: int
    device: int
    inode: int
    owner: int
    count: int = 0


@attrs.define(eq=False)
class FileRefs:
    """All references to files; `close(fd, process)` asks VFS to close one."""

    quirks: frozenset[str]
    close: Callable[[int, VmProcess], None]
    by_file: dict[tuple[int, int], list[FileRef]] = attrs.field(factory=dict)  # the oldest first
    by_age: dict[FileRef, None] = attrs.field(factory=dict)  # the oldest first

    def find(self, owner: VmProcess, inode: int, device: int, fd: int, may_close: bool) -> FileRef:
        """The reference to use for a file that `fd` stands for, a new one if there is none.

        With `may_close`, `fd` is closed if another descriptor can serve.
        MINIX: fdref_dedup_or_new.
        """
        for ref in reversed(self.by_file.get((device, inode), ())):
            if ref.fd == fd:
                return ref
            if may_close and (ref.owner == owner.endpoint or "fdref-wrong-process" in self.quirks):
                self.close(fd, owner)
                return ref
        ref = FileRef(fd, device, inode, owner.endpoint)
        self.by_file.setdefault((device, inode), []).append(ref)
        self.by_age[ref] = None
        return ref

    def drop(self, ref: FileRef, user: VmProcess) -> None:
        """A region of `user` does not use `ref` any more.  MINIX: fdref_deref."""
        ref.count -= 1
        if ref.count:
            return
        refs = self.by_file[ref.device, ref.inode]
        refs.remove(ref)
        if not refs:
            del self.by_file[ref.device, ref.inode]
        del self.by_age[ref]
        self.close(ref.fd, user)
