"""The end of the heap.  Source: MINIX ``servers/vm/break.c``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipc.message import Reply
from ipc.vm import VmBrk
from servers.lib.loop import Refused
from servers.vm.mapping import extend

if TYPE_CHECKING:
    from servers.vm.server import VmServer


def do_brk(vm: VmServer, source: int, message: VmBrk) -> Reply:
    """Let the caller's heap reach up to an address; ENOMEM if something is in the way.

    It never shrinks.
    """
    result = extend(vm.memory, vm.caller, message.addr)
    if result:
        raise Refused(result)
    return Reply()
