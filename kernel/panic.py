"""The end of a machine: a server or the kernel met something that must not be."""

from __future__ import annotations

import attrs


@attrs.define(eq=False)
class Panic(Exception):
    """A panic: why, in whom, and what it was doing.  The machine stops; the trace stays intact.

    `reason` names the invariant that failed (or the exception that a handler raised, which then
    is this one's `__cause__`); `quirk` names the defect of the real system that led here, if one
    did.
    """

    reason: str
    quirk: str | None = None
    process: str = ""
    handler: str = ""
    message: str = ""

    def during(self, process: str, handler: str, message: str) -> None:
        """Add what was going on; the innermost handler, which comes first, is what stays."""
        if not self.process:
            self.process = process
            self.handler = handler
            self.message = message

    def __str__(self) -> str:
        where = f"{self.process}, {self.handler} of {self.message}: " if self.process else ""
        blame = f" (quirk {self.quirk})" if self.quirk else ""
        return f"{where}{self.reason}{blame}"
