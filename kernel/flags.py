"""Why a process may not run (RTS_*), and what else the kernel remembers of it (MF_*).

A process is runnable if and only if it has no run flag.  Source: MINIX ``kernel/proc.h``.
"""

from __future__ import annotations

from typing import Final

RTS_SLOT_FREE: Final = 0x01
RTS_PROC_STOP: Final = 0x02
RTS_SENDING: Final = 0x04
RTS_RECEIVING: Final = 0x08
RTS_SIGNALED: Final = 0x10
RTS_SIG_PENDING: Final = 0x20
RTS_P_STOP: Final = 0x40
RTS_NO_PRIV: Final = 0x80
RTS_NO_ENDPOINT: Final = 0x100
RTS_VMINHIBIT: Final = 0x200
RTS_PAGEFAULT: Final = 0x400
RTS_VMREQUEST: Final = 0x800
RTS_VMREQTARGET: Final = 0x1000
RTS_PREEMPTED: Final = 0x4000
RTS_NO_QUANTUM: Final = 0x8000
RTS_BOOTINHIBIT: Final = 0x10000
# Differs: a process driven from outside the machine waits for its next command.
RTS_COMMAND: Final = 0x20000
# Differs: an injected fault holds the process up.
RTS_DELAYED: Final = 0x40000

MF_REPLY_PEND: Final = 0x001
MF_KCALL_RESUME: Final = 0x008
MF_SIG_DELAY: Final = 0x080
MF_SENDING_FROM_KERNEL: Final = 0x2000
MF_NICED: Final = 0x100000
# Differs: a load or store that met a page fault is to be done again.
MF_ACCESS_AGAIN: Final = 0x1000000
