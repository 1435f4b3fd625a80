"""What a scenario says, as a tree: each node is a frozen record with its place in the text.

Three families.  Expressions have a value; patterns match a value (and may bind names); statements
are the lines of a file, in order.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import attrs

from scenarios.source import Place


class Node:
    """What all nodes have: they are equal if all but their places is equal, and show their fields.

    attrs would write both for each class, which takes half a millisecond each time.
    """

    __slots__ = ()

    def _parts(self) -> tuple[Any, ...]:
        fields = attrs.fields(type(self))  # type: ignore[arg-type]
        return tuple(getattr(self, each.name) for each in fields if each.eq)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((type(self), self._parts()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._parts()))})"


# ---- Expressions


@attrs.frozen(eq=False, repr=False)
class Number(Node):
    """A number; sizes are in bytes and times in virtual nanoseconds already."""

    value: int
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class String(Node):
    """A string of bytes."""

    value: bytes
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Name(Node):
    """A name: a constant of MINIX (capitals), a process, or a name bound by an earlier line."""

    name: str
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Unary(Node):
    """`-x`, or `not x`."""

    operator: str
    operand: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Binary(Node):
    """`left operator right`; `|` joins flags, comparisons and `and`/`or` give truth values."""

    operator: str
    left: Expression
    right: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Within(Node):
    """`value in low..high`, both ends included."""

    value: Expression
    low: Expression
    high: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Apply(Node):
    """`function(arguments)`: a question about the machine."""

    function: str
    arguments: tuple[Argument, ...]
    at: Place = attrs.field(eq=False)


Expression: TypeAlias = Number | String | Name | Unary | Binary | Within | Apply


@attrs.frozen(eq=False, repr=False)
class Field(Node):
    """`name: value` of a literal."""

    name: str
    value: Argument
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Structure(Node):
    """`NAME {field: value, …}`: a message; without its name, a structure.

    `message` is the words of the name: ("VM_MMAP",) or ("VM_MMAP", "reply").
    """

    message: tuple[str, ...]
    fields: tuple[Field, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class ListOf(Node):
    """`[value, …]`."""

    items: tuple[Argument, ...]
    at: Place = attrs.field(eq=False)


# ---- Patterns


@attrs.frozen(eq=False, repr=False)
class Anything(Node):
    """`_`: matches whatever comes."""

    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Equals(Node):
    """Compares; a name that is not bound yet is bound instead."""

    value: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Range(Node):
    """`low..high`, both ends included."""

    low: Expression
    high: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Failure(Node):
    """`-1 [ENOMEM]`: the call fails with that error."""

    error: str
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class FieldPattern(Node):
    """`name: pattern` of a shape."""

    name: str
    pattern: Pattern
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Shape(Node):
    """`{field: pattern, …}`; fields that it does not name are ignored.

    With `message`, what it matches must be a message of that name, as in a `Structure`.
    """

    message: tuple[str, ...]
    fields: tuple[FieldPattern, ...]
    at: Place = attrs.field(eq=False)


Pattern: TypeAlias = Anything | Equals | Range | Failure | Shape


@attrs.frozen(eq=False, repr=False)
class MessagePattern(Node):
    """`SRC -> DST: NAME {…}`.

    A party is None where the pattern says `_`; `kind` is the words after the colon, empty for `_`.
    """

    source: Name | None
    destination: Name | None
    kind: tuple[str, ...]
    shape: Shape | None
    at: Place = attrs.field(eq=False)


Argument: TypeAlias = Expression | Structure | ListOf | MessagePattern

# ---- Statements


@attrs.frozen(eq=False, repr=False)
class Call(Node):
    """`NAME: call(arguments)`, and what must come of it.

    `pattern` is None where the line gives no result: then the call must succeed.  `unfinished`: it
    must block instead.
    """

    process: Name
    call: str
    arguments: tuple[Argument, ...]
    pattern: Pattern | None
    unfinished: bool
    at: Place = attrs.field(eq=False)
    call_at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Resumed(Node):
    """`NAME: <... call resumed> = PATTERN`: an unfinished call has returned by now."""

    process: Name
    call: str
    pattern: Pattern | None
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Check(Node):
    """`check EXPRESSION`."""

    expression: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Expect(Node):
    """`expect`: the messages in order; `expect only`: exactly those; `expect no`: none such."""

    mode: Literal["some", "only", "no"]
    patterns: tuple[MessagePattern, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Setting(Node):
    """`key=value`, not yet understood; `data` is the value as bytes, `value_at` where it stands."""

    key: str
    value: str
    data: bytes
    at: Place = attrs.field(eq=False)
    value_at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Machine(Node):
    """`machine key=value …`: how the machine is made."""

    settings: tuple[Setting, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class File(Node):
    """`file PATH "content" key=value …`: a file that exists before the run."""

    path: str
    content: String | None
    settings: tuple[Setting, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Process(Node):
    """`process NAME key=value …`: a further process, made before the run."""

    name: str
    settings: tuple[Setting, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Server(Node):
    """`server NAME module:function`: a server of the user's own."""

    name: str
    program: str
    settings: tuple[Setting, ...]
    at: Place = attrs.field(eq=False)


FaultWord: TypeAlias = Literal["reply", "crash", "allocation", "kill", "nothing"]


@attrs.frozen(eq=False, repr=False)
class Inject(Node):
    """`inject …`: a fault; "nothing" ends those that were set.

    `target` is the server, or the process to be killed; `request` the name of the requests that
    count, None for all; `settings` are its `error=`, `delay=` and `when=`.
    """

    what: FaultWord
    target: Name | None
    request: Name | None
    settings: tuple[Setting, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Run(Node):
    """`run`, or `run until EXPRESSION`."""

    until: Expression | None
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Advance(Node):
    """`advance TIME`: let virtual time pass."""

    duration: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Let(Node):
    """`let NAME = EXPRESSION`."""

    name: str
    value: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Include(Node):
    """`include "FILE"`, with what the file says."""

    path: str
    body: tuple[Statement, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Repeat(Node):
    """`repeat N` and the lines below it."""

    count: Expression
    body: tuple[Statement, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class Together(Node):
    """`together`: the calls below it are made at once; the policy orders them."""

    body: tuple[Statement, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class WithQuirk(Node):
    """`with quirk NAME` and the lines below it, for a machine that has the quirk.

    `without quirk NAME` (not `present`) is for one that does not have it.
    """

    quirk: str
    present: bool
    body: tuple[Statement, ...]
    at: Place = attrs.field(eq=False)
    quirk_at: Place = attrs.field(eq=False)


@attrs.frozen(eq=False, repr=False)
class ExpectPanic(Node):
    """`expect panic NAME`: the line before it has brought the machine down, by that quirk.

    `quirk` is empty where any panic will do.
    """

    quirk: str
    at: Place = attrs.field(eq=False)


Statement: TypeAlias = (
    Call | Resumed | Check | Expect | Machine | File | Process | Server | Inject | Run | Advance
    | Let | Include | Repeat | Together | WithQuirk | ExpectPanic
)  # fmt: skip


@attrs.frozen(eq=False, repr=False)
class Scenario(Node):
    """A whole file."""

    name: str
    statements: tuple[Statement, ...]
