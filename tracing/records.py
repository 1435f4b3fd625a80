"""A record of what happened in a machine: its events, in their order.

A recorder keeps events as they are and costs little while it listens; everything that people look
at is made from its events afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

import attrs

from kernel.probes import Event, MessageDelivered, Probes

E = TypeVar("E", bound=Event)


@attrs.define(eq=False)
class Recorder:
    """Keeps every event of a machine from `start` (or entering `with`) until `stop`."""

    probes: Probes
    events: list[Event] = attrs.field(factory=list)
    _unlisten: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to listen; harmless if it does already."""
        if self._unlisten is None:
            self._unlisten = self.probes.listen(self.events.append)

    def stop(self) -> None:
        """Stop to listen; the events stay."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.stop()

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def of(self, kind: type[E], matches: Callable[[E], bool] | None = None) -> list[E]:
        """The events of one kind, in order; only those for which `matches` is true, if given."""
        found = [event for event in self.events if isinstance(event, kind)]
        return found if matches is None else [event for event in found if matches(event)]

    def delivered(self, name: str, source: int | None = None, dest: int | None = None) -> int:
        """How many messages called `name` (MINIX's, as "VM_MMAP") were delivered.

        `source` and `dest` are endpoints; None is any.
        """
        return sum(
            event.message.name == name
            and (source is None or event.source == source)
            and (dest is None or event.dest == dest)
            for event in self.of(MessageDelivered)
        )
