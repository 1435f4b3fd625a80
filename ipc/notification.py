"""The kernel's notification, the message that carries no request.

Source: MINIX ``minix/ipc.h``, ``kernel/proc.c``.
"""

from __future__ import annotations

from ipc.message import Message, message, sigset, u64


@message
class Notification(Message, number=4096, call="NOTIFY_MESSAGE"):
    """Something happened at the sender: `interrupts` of HARDWARE or `sigset` of SYSTEM."""

    timestamp: int = u64(0)
    interrupts: int = u64(8, "hex")
    sigset: int = sigset(16)


MESSAGES = (Notification,)
