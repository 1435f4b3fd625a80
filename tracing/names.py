"""What processes are called in a trace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import attrs

from ipc.endpoint import INIT, WELL_KNOWN, endpoint_name
from kernel.probes import Event, ProcessCreated
from kernel.process import Process

# init is a user process, and called as it calls itself.
FIXED = {**WELL_KNOWN, INIT: "init"}


@attrs.define(eq=False)
class Names:
    """Endpoints and the names by which people know them.

    Names that a scenario gave (`given`) come first; then servers and kernel tasks by MINIX's names,
    then what the kernel calls a process, with its endpoint where several are called so.
    """

    given: dict[int, str] = attrs.field(factory=dict)
    _seen: dict[int, str] = attrs.field(factory=dict)
    _called: dict[str, set[int]] = attrs.field(factory=dict)

    @classmethod
    def of(cls, processes: Iterable[Process]) -> Self:
        """The names of those processes that are there before anything is traced."""
        names = cls()
        for process in processes:
            names._remember(process.endpoint, process.name)
        return names

    def learn(self, event: Event) -> None:
        """Remember what a process is called, if `event` says so."""
        if isinstance(event, ProcessCreated):
            self._remember(event.process, event.name)

    def _remember(self, endpoint: int, name: str) -> None:
        self._seen[endpoint] = name
        self._called.setdefault(name, set()).add(endpoint)

    def __call__(self, endpoint: int) -> str:
        """The name of `endpoint`; its number, if nothing better is known."""
        name = self.given.get(endpoint)
        if name is not None:
            return name
        if endpoint in FIXED:
            return FIXED[endpoint]
        seen = self._seen.get(endpoint)
        if seen is None:
            return endpoint_name(endpoint)
        only = len(self._called[seen]) == 1
        return seen if only and not self._is_given(seen) else f"{seen}({endpoint})"

    def _is_given(self, name: str) -> bool:
        return name in self.given.values() or name in FIXED.values()
