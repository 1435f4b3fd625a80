"""Who may make which call: access control lists.

Each service has a list of its own once RS has given it one; user processes share one, which they
inherit.  A process without a list may make every call.

Source: MINIX ``servers/vm/acl.c``.
"""

from __future__ import annotations

from typing import Final

import attrs

from ipc.endpoint import VM
from servers.vm.process import NO_ACL, VmProcess

RQ_BASE: Final = 3072
NR_CALLS: Final = 49

USER_ACL: Final = 0
FIRST_SYSTEM_ACL: Final = 1
NR_ACLS: Final = 64


@attrs.define(eq=False)
class Acls:
    """All lists: masks in which bit n stands for call RQ_BASE + n, and which are in use."""

    masks: list[int] = attrs.field(factory=lambda: [0] * NR_ACLS)
    used: list[bool] = attrs.field(factory=lambda: [False] * NR_ACLS)

    def allow(self, process: VmProcess, call: int) -> bool:
        """Whether `process` may make call number `call` (from RQ_BASE).  MINIX: acl_check."""
        if process.acl == NO_ACL or process.endpoint == VM:
            return True
        return bool(self.masks[process.acl] >> call & 1)

    def set(self, process: VmProcess, mask: int | None, system: bool) -> None:
        """Give `process` a list: that of users, or one of its own if it is a service (`system`).

        Without a mask the list stays what it was.  MINIX: acl_set.
        """
        self.clear(process)
        number = USER_ACL
        if system:
            if all(self.used[FIRST_SYSTEM_ACL:]):
                return
            number = self.used.index(False, FIRST_SYSTEM_ACL)
        self.used[number] = True
        process.acl = number
        if mask is not None:
            self.masks[number] = mask

    def fork(self, child: VmProcess) -> None:
        """A child inherits its parent's list if that is the users'.  MINIX: acl_fork."""
        if child.acl != USER_ACL:
            child.acl = NO_ACL

    def clear(self, process: VmProcess) -> None:
        """Take its list away from `process`.  MINIX: acl_clear."""
        if process.acl > USER_ACL:
            self.used[process.acl] = False
        process.acl = NO_ACL
