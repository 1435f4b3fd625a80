"""How a call of the C library fails."""

from __future__ import annotations

from ipc.errors import error_name


class CallFailed(Exception):
    """A call returned -1; `errno` says why, as a negative number, and `call` which it was."""

    def __init__(self, call: str, errno: int) -> None:
        super().__init__(call, errno)
        self.call = call
        self.errno = errno

    def __str__(self) -> str:
        return f"{self.call}: {error_name(self.errno)}"


class Usage(Exception):
    """A call that no C program could have made: the library does not make it."""
