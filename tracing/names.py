"""What processes are called in a trace."""

from __future__ import annotations

import attrs

from ipc.endpoint import INIT, WELL_KNOWN, endpoint_name
from kernel.probes import Event, ProcessCreated

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

    def learn(self, event: Event) -> None:
        """Remember what a process is called, if `event` says so."""
        if isinstance(event, ProcessCreated):
            self._seen[event.process] = event.name

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
        return seen if self._is_only(seen, endpoint) else f"{seen}({endpoint})"

    def _is_only(self, name: str, endpoint: int) -> bool:
        taken = {*self.given.values(), *FIXED.values()}
        return name not in taken and all(
            other == endpoint or called != name for other, called in self._seen.items()
        )
