"""Error numbers, signals, flags, endpoints, and the traps' numbers are those of the headers."""

from __future__ import annotations

from types import ModuleType

import pytest

from ipc import endpoint, errors, flags, signals, transaction, traps
from tests.ipc.facts import CONSTANTS

# Ours, not the headers'; or the headers' under another name.
OWN = {"NAMES", "NUMBERS", "WELL_KNOWN", "BY_NAME", "KINDS", "CONSTANTS", "EWOULDBLOCK", "SIGIOT"}
SERVERS = ["PM", "VFS", "RS", "MEM", "SCHED", "TTY", "DS", "MIB", "VM", "PFS", "MFS", "INIT"]
OTHER_NAMES = {
    "GENERATION_SIZE": "_ENDPOINT_GENERATION_SIZE",
    "MAX_GENERATION": "_ENDPOINT_MAX_GENERATION",
    "SEND_CALL": "SEND",
    "RECEIVE_CALL": "RECEIVE",
    "SENDREC_CALL": "SENDREC",
    "NOTIFY_CALL": "NOTIFY",
    "SENDNB_CALL": "SENDNB",
    "MINIX_KERNINFO_CALL": "MINIX_KERNINFO",
    "SENDA_CALL": "SENDA",
    "STATUS_CALL_MASK": "IPC_STATUS_CALL_MASK",
    "STATUS_FLAGS_SHIFT": "IPC_STATUS_FLAGS_SHIFT",
    **{
        name: f"{name}_PROC_NR"
        for name in [
            "PM",
            "VFS",
            "RS",
            "MEM",
            "SCHED",
            "TTY",
            "DS",
            "MIB",
            "VM",
            "PFS",
            "MFS",
            "INIT",
        ]
    },
}


@pytest.mark.parametrize("module", [endpoint, errors, flags, signals, transaction, traps])
def test_every_constant_is_that_of_the_headers(module: ModuleType) -> None:
    ours = {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and type(value) is int and name not in OWN
    }
    assert ours
    ours.pop("FROM_KERNEL", None)
    theirs = {name: CONSTANTS[OTHER_NAMES.get(name, name)] for name in ours}
    assert ours == theirs


def test_the_flag_of_the_status_word() -> None:
    assert CONSTANTS["IPC_FLG_MSG_FROM_KERNEL"] << 16 == traps.FROM_KERNEL


def test_every_error_of_the_headers_is_here() -> None:
    theirs = {name for name, code in CONSTANTS.items() if name[0] == "E" and -1000 < code < 0}
    assert theirs - {"ELAST", "EOF"} == (set(errors.NUMBERS) - {"OK", "SUSPEND"})


def test_every_signal_of_the_headers_is_here() -> None:
    assert len(signals.NAMES) == 32 + 5
    assert sorted(signals.NAMES) == [*range(1, 33), *range(70, 75)]
