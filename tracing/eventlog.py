"""A log of events for other programs: one line of JSON an event, in the order of events.

A line has the event's kind (`event`), its number (`seq`), virtual time in ns (`time`) and cause,
and then its own fields by name; endpoints stay numbers.  A message is an object with its MINIX
`name`, its `type`, and its fields; bytes are text, one character a byte.  The same run gives the
same lines: nothing of the host, such as its clock, is in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

import attrs
import structlog

from ipc.message import Message
from kernel.probes import Event


class EventLog:
    """Writes each event that it is called with to `out`; a listener for `Probes.listen`."""

    def __init__(self, out: TextIO) -> None:
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(out),
            processors=[structlog.processors.JSONRenderer()],
            wrapper_class=structlog.BoundLogger,
        )

    def __call__(self, event: Event) -> None:
        """Write one event."""
        self._logger.info(type(event).__name__, **_fields(event))


def write_log(events: Iterable[Event], out: TextIO) -> None:
    """Write the events, which were recorded before, to `out`."""
    log = EventLog(out)
    for event in events:
        log(event)


def _fields(record: Any) -> dict[str, Any]:
    fields = attrs.fields(type(record))
    return {field.name: _plain(getattr(record, field.name)) for field in fields}


def _plain(value: Any) -> Any:
    """`value` as JSON has it."""
    if value is None or isinstance(value, int | str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, Message):
        return {"name": value.name, "type": value.type} | _fields(value)
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return type(value).__name__
