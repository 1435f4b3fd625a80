"""What a campaign needs of the machine that it works on, and how such a machine can fail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol, Self, TypeAlias

import attrs

from kernel.panic import Panic
from kernel.quirks import Quirks
from servers.vm.sanity import Violation

Json: TypeAlias = dict[str, Any]
Operations: TypeAlias = list[Json]

PANIC: Final = "panic"
VIOLATION: Final = "violation"


class World(Protocol):
    """A machine that operations are done on; two with the same seed and quirks are alike.

    An operation is plain data, so that a list of them can be done again, also in part.
    """

    def draw(self) -> Json:
        """A random operation that fits what the machine is doing now."""
        ...

    def do(self, operation: Json) -> None:
        """Do an operation.  Raises Panic if the machine goes down."""
        ...

    def answer(self, operation: Json) -> Any:
        """Do an operation; all that it did, to be compared.  A panic is an answer too."""
        ...

    def check(self) -> None:
        """Check every invariant.  Raises Violation."""
        ...


class WorldMaker(Protocol):
    """Makes worlds of one kind; `names` are the quirks that show in it."""

    names: tuple[str, ...]

    def __call__(self, seed: int, quirks: Quirks) -> World:
        """A world that is just beginning."""
        ...


@attrs.frozen
class Failure:
    """How a run ended: at which operation (from 0), a panic or a violation, and by which quirk."""

    kind: str
    index: int
    text: str
    quirk: str | None = None

    def like(self, other: Failure | None) -> bool:
        """Whether `other` is the same failure, at whatever operation."""
        if other is None or self.kind != other.kind:
            return False
        if self.quirk or other.quirk:
            return self.quirk == other.quirk
        return _gist(self.text) == _gist(other.text)


def failure_of(panic: Panic, index: int) -> Failure:
    """The failure that `panic`, raised by operation `index`, is."""
    kind = VIOLATION if isinstance(panic, Violation) else PANIC
    text = panic.invariant if isinstance(panic, Violation) else panic.reason
    detail = f"{text}: {panic.objects}" if isinstance(panic, Violation) else str(panic)
    return Failure(kind, index, detail, panic.quirk)


def _gist(text: str) -> str:
    """What a failure is about, without its numbers."""
    return text.partition(":")[0]


class Watched(Quirks):
    """Quirks that remember in `asked` which of them were asked for."""

    asked: dict[object, None]

    def __new__(cls, names: Iterable[str]) -> Self:
        """Quirks of which none was asked for yet."""
        made = super().__new__(cls, names)
        made.asked = {}
        return made

    def __contains__(self, name: object) -> bool:
        self.asked[name] = None
        return super().__contains__(name)
