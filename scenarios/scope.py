"""The names of a running scenario, and what they stand for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Final

import attrs

from scenarios import syntax
from scenarios.constants import constant, constant_names
from scenarios.source import BadInput, Place
from scenarios.values import ProcessName, Value

NEARNESS: Final = 0.75  # of words, as difflib measures it

# Answers a question about the machine: function, arguments, place.
Oracle = Callable[[syntax.Apply, "Scope"], Value]


@attrs.define(eq=False)
class Scope:
    """Names bound so far.

    `ask` answers the functions of expressions; `names` is shared with no other scope, so that a
    pattern can bind in a copy and be taken back if it does not match in the end.
    """

    names: dict[str, Value] = attrs.field(factory=dict)
    ask: Oracle | None = None

    def copy(self) -> Scope:
        """A scope with the same names, whose later bindings do not show in this one."""
        return Scope(dict(self.names), self.ask)

    def lookup(self, name: syntax.Name) -> Value:
        """What `name` stands for.  Raises BadInput."""
        found = self.find(name.name)
        if found is None:
            raise unknown_name(name.name, name.at, self.names)
        return found

    def find(self, name: str) -> Value:
        """What `name` stands for, or None."""
        if name in self.names:
            return self.names[name]
        return constant(name)

    def processes(self) -> Iterable[ProcessName]:
        """The processes that have names, in the order in which they got them."""
        return [value for value in self.names.values() if isinstance(value, ProcessName)]


def is_constant_name(name: str) -> bool:
    """Whether `name` can only be a constant: MINIX writes them in capitals."""
    return name.upper() == name and len(name) > 1


def unknown_name(name: str, at: Place, bound: Iterable[str]) -> BadInput:
    """The error for a name that nothing bound and MINIX does not define."""
    if is_constant_name(name):
        return BadInput(f"unknown constant {name}", at, suggestion(name, constant_names()))
    hint = suggestion(name, bound) or "a name is bound by a result (= NAME), by let, or by process"
    return BadInput(f"{name} is not bound yet", at, hint)


def suggestion(word: str, known: Iterable[str]) -> str:
    """A hint that names what `word` may have been meant to be; empty if nothing is near."""
    near = difflib.get_close_matches(word, list(known), 3, NEARNESS)
    return f"did you mean {' or '.join(near)}?" if near else ""
