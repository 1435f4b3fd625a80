"""The whole C library, as a user program gets it."""

from __future__ import annotations

from kernel.process import Context
from servers.lib.libc.files import Files
from servers.lib.libc.memory import Memory
from servers.lib.libc.primitives import Primitives
from servers.lib.libc.processes import Processes, Program
from servers.lib.libc.signals import Signals

__all__ = ["Libc", "Program"]


class Libc(Memory, Files, Processes, Signals, Primitives):
    """The C library of one process.

    A user program is `async def main(libc: Libc) -> int | None`; what it returns is its exit
    status.  Calls build the messages that MINIX's library builds; one that fails raises
    `CallFailed`.  Buffers are addresses in the process's memory, which `load` and `store` reach.
    """

    __slots__ = ()

    def copied(self) -> Libc:
        """The library as a forked child has it: the same heap, and the same signal handlers."""
        child = Libc(
            context=Context(),
            break_address=self.break_address,
            stack_pointer=self.stack_pointer,
            actions=dict(self.actions),
            addresses=dict(self.addresses),
        )
        for handler, address in child.addresses.items():
            child.context.handlers[address] = child.bound(handler)
        return child

    def itself(self) -> Libc:
        """The library, for its parts."""
        return self
