"""The policies by the names that a command line or a scenario gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kernel.policies.base import Policy, PolicyError
from kernel.policies.fifo import Fifo
from kernel.policies.priority import Priority
from kernel.policies.random import Random
from kernel.policies.replay import Replay, parse_schedule

# Each takes what follows the colon in `NAME:ARGUMENT`, and the machine's seed.
POLICIES: Final[dict[str, Callable[[str, int], Policy]]] = {
    "fifo": lambda argument, seed: Fifo(),
    "priority": lambda argument, seed: Priority(),
    "random": lambda argument, seed: Random(_seed(argument, seed)),
    "replay": lambda argument, seed: Replay(parse_schedule(argument)),
}

_WITH_ARGUMENT: Final = frozenset({"random", "replay"})


def _seed(argument: str, seed: int) -> int:
    if not argument:
        return seed
    try:
        return int(argument)
    except ValueError:
        raise PolicyError(f"the seed of a random schedule is a number, not {argument!r}") from None


def make_policy(text: str, seed: int = 0) -> Policy:
    """A policy from `fifo`, `priority`, `random`, `random:SEED` or `replay:CHOICES`.

    Raises PolicyError.
    """
    name, colon, argument = text.partition(":")
    make = POLICIES.get(name)
    if make is None:
        raise PolicyError(f"unknown policy {name!r}; there are {', '.join(POLICIES)}")
    if colon and name not in _WITH_ARGUMENT:
        raise PolicyError(f"policy {name} takes no argument, but has {argument[:20]!r}")
    if name == "replay" and not colon:
        raise PolicyError("policy replay needs a schedule: replay:CHOICES")
    return make(argument, seed)
