"""How a process's scheduler, the kernel or a server, gives it priority and time.

Source: MINIX ``kernel/system.c`` sched_proc; ``kernel/proc.c`` notify_scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ipc.endpoint import NONE
from ipc.errors import EINVAL, OK
from ipc.sched import SchedulingNoQuantum
from kernel.flags import MF_NICED, RTS_NO_QUANTUM
from kernel.panic import Panic
from kernel.policies.priority import NR_SCHED_QUEUES

if TYPE_CHECKING:
    from kernel.machine import Machine
    from kernel.process import Process

MILLISECOND: Final = 1_000_000
UNCHANGED: Final = -1


class Schedulers:
    """The kernel's side of scheduling by servers."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def schedule(self, process: Process, priority: int, quantum: int, niced: bool) -> int:
        """Give `process` a priority and a quantum (ms), -1 for either to leave it, and let it run.

        OK, or EINVAL.  A process that is ready goes to the end of its queue.
        """
        # MINIX allows one more queue than there are.
        if not UNCHANGED <= priority <= NR_SCHED_QUEUES:
            return EINVAL
        if quantum < 1 and quantum != UNCHANGED:
            return EINVAL
        ready = self._machine.ready
        if not process.rts:
            ready.block(process, RTS_NO_QUANTUM)
        if priority != UNCHANGED:
            process.priority = priority
        if quantum != UNCHANGED:
            process.quantum = process.quantum_size = quantum * MILLISECOND
        process.misc = process.misc | MF_NICED if niced else process.misc & ~MF_NICED
        ready.unblock(process, RTS_NO_QUANTUM)
        return OK

    def tell_no_quantum(self, process: Process) -> bool:
        """Tell the scheduler of `process` that its quantum is over; False if that is the kernel.

        The process waits (NO_QUANTUM) until it is scheduled again.
        """
        if process.scheduler in (NONE, process.endpoint):
            return False
        machine = self._machine
        machine.ready.block(process, RTS_NO_QUANTUM)
        code = machine.rendezvous.kernel_send(process, process.scheduler, SchedulingNoQuantum())
        if code < 0:
            raise Panic(f"the ended quantum of {process.name} could not be sent: {code}")
        return True
