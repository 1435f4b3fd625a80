"""Signals: their numbers and names, and sets of them.

A set is a number of 128 bits, signal n being bit n - 1.  Signals up to SIGPWR are any program's;
the last five are the kernel's own messages to services, which arrive as notifications.

Source: MINIX ``sys/signal.h``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

SIGHUP: Final = 1
SIGINT: Final = 2
SIGQUIT: Final = 3
SIGILL: Final = 4
SIGTRAP: Final = 5
SIGABRT: Final = 6
SIGIOT: Final = SIGABRT
SIGEMT: Final = 7
SIGFPE: Final = 8
SIGKILL: Final = 9
SIGBUS: Final = 10
SIGSEGV: Final = 11
SIGSYS: Final = 12
SIGPIPE: Final = 13
SIGALRM: Final = 14
SIGTERM: Final = 15
SIGURG: Final = 16
SIGSTOP: Final = 17
SIGTSTP: Final = 18
SIGCONT: Final = 19
SIGCHLD: Final = 20
SIGTTIN: Final = 21
SIGTTOU: Final = 22
SIGIO: Final = 23
SIGXCPU: Final = 24
SIGXFSZ: Final = 25
SIGVTALRM: Final = 26
SIGPROF: Final = 27
SIGWINCH: Final = 28
SIGINFO: Final = 29
SIGUSR1: Final = 30
SIGUSR2: Final = 31
SIGPWR: Final = 32

SIGSNDELAY: Final = 70
SIGKMEM: Final = 71
SIGKMESS: Final = 72
SIGKSIGSM: Final = 73
SIGKSIG: Final = 74

NSIG: Final = 64
SIGS_FIRST: Final = SIGHUP
SIGS_LAST: Final = SIGSNDELAY
SIGK_FIRST: Final = SIGKMEM
SIGK_LAST: Final = SIGKSIG

NAMES: Final = {
    SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
    SIGABRT: "SIGABRT", SIGEMT: "SIGEMT", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGBUS: "SIGBUS",
    SIGSEGV: "SIGSEGV", SIGSYS: "SIGSYS", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM",
    SIGTERM: "SIGTERM", SIGURG: "SIGURG", SIGSTOP: "SIGSTOP", SIGTSTP: "SIGTSTP",
    SIGCONT: "SIGCONT", SIGCHLD: "SIGCHLD", SIGTTIN: "SIGTTIN", SIGTTOU: "SIGTTOU", SIGIO: "SIGIO",
    SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ", SIGVTALRM: "SIGVTALRM", SIGPROF: "SIGPROF",
    SIGWINCH: "SIGWINCH", SIGINFO: "SIGINFO", SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2",
    SIGPWR: "SIGPWR", SIGSNDELAY: "SIGSNDELAY", SIGKMEM: "SIGKMEM", SIGKMESS: "SIGKMESS",
    SIGKSIGSM: "SIGKSIGSM", SIGKSIG: "SIGKSIG",
}  # fmt: skip

NUMBERS: Final = {name: number for number, name in NAMES.items()} | {"SIGIOT": SIGIOT}


def signal_name(number: int) -> str:
    """`number` as people read it: ``SIGSEGV`` for 11, else the number itself."""
    return NAMES.get(number) or str(number)


def signal_bit(number: int) -> int:
    """The set that has just that signal in it."""
    return 1 << (number - 1)


def signal_set(numbers: Iterable[int]) -> int:
    """The set that has those signals in it."""
    bits = 0
    for number in numbers:
        bits |= signal_bit(number)
    return bits


def signals_in(bits: int) -> Iterator[int]:
    """The signals in a set, lowest number first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length()
        bits ^= lowest
