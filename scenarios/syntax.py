"""What a scenario says, as a tree: each node is a frozen record with its place in the text.

Three families.  Expressions have a value; patterns match a value (and may bind names); statements
are the lines of a file, in order.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from scenarios.source import Place

# ---- Expressions


@attrs.frozen
class Number:
    """A number; sizes are in bytes and times in virtual nanoseconds already."""

    value: int
    at: Place = attrs.field(eq=False)


@attrs.frozen
class String:
    """A string of bytes."""

    value: bytes
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Name:
    """A name: a constant of MINIX (capitals), a process, or a name bound by an earlier line."""

    name: str
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Unary:
    """`-x`, or `not x`."""

    operator: str
    operand: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Binary:
    """`left operator right`; `|` joins flags, comparisons and `and`/`or` give truth values."""

    operator: str
    left: Expression
    right: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Within:
    """`value in low..high`, both ends included."""

    value: Expression
    low: Expression
    high: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Apply:
    """`function(arguments)`: a question about the machine."""

    function: str
    arguments: tuple[Argument, ...]
    at: Place = attrs.field(eq=False)


Expression: TypeAlias = Number | String | Name | Unary | Binary | Within | Apply


@attrs.frozen
class Field:
    """`name: value` of a literal."""

    name: str
    value: Argument
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Structure:
    """`NAME {field: value, …}`: a message; without its name, a structure.

    `message` is the words of the name: ("VM_MMAP",) or ("VM_MMAP", "reply").
    """

    message: tuple[str, ...]
    fields: tuple[Field, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen
class ListOf:
    """`[value, …]`."""

    items: tuple[Argument, ...]
    at: Place = attrs.field(eq=False)


# ---- Patterns


@attrs.frozen
class Anything:
    """`_`: matches whatever comes."""

    at: Place = attrs.field(eq=False)


@attrs.frozen
class Equals:
    """Compares; a name that is not bound yet is bound instead."""

    value: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Range:
    """`low..high`, both ends included."""

    low: Expression
    high: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Failure:
    """`-1 [ENOMEM]`: the call fails with that error."""

    error: str
    at: Place = attrs.field(eq=False)


@attrs.frozen
class FieldPattern:
    """`name: pattern` of a shape."""

    name: str
    pattern: Pattern
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Shape:
    """`{field: pattern, …}`; fields that it does not name are ignored.

    With `message`, what it matches must be a message of that name, as in a `Structure`.
    """

    message: tuple[str, ...]
    fields: tuple[FieldPattern, ...]
    at: Place = attrs.field(eq=False)


Pattern: TypeAlias = Anything | Equals | Range | Failure | Shape


@attrs.frozen
class MessagePattern:
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


@attrs.frozen
class Call:
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


@attrs.frozen
class Resumed:
    """`NAME: <... call resumed> = PATTERN`: an unfinished call has returned by now."""

    process: Name
    call: str
    pattern: Pattern | None
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Check:
    """`check EXPRESSION`."""

    expression: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Expect:
    """`expect`: the messages in order; `expect only`: exactly those; `expect no`: none such."""

    mode: Literal["some", "only", "no"]
    patterns: tuple[MessagePattern, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Setting:
    """`key=value`, not yet understood; `value_at` is where the value stands."""

    key: str
    value: str
    at: Place = attrs.field(eq=False)
    value_at: Place = attrs.field(eq=False)


@attrs.frozen
class Machine:
    """`machine key=value …`: how the machine is made."""

    settings: tuple[Setting, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen
class File:
    """`file PATH "content" key=value …`: a file that exists before the run."""

    path: str
    content: String | None
    settings: tuple[Setting, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Process:
    """`process NAME key=value …`: a further process, made before the run."""

    name: str
    settings: tuple[Setting, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Server:
    """`server NAME module:function`: a server of the user's own."""

    name: str
    program: str
    settings: tuple[Setting, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Inject:
    """`inject …`: a fault.

    `what` is "error" or "delay" (of the `nth` reply of `target`), "allocation" (the `nth` from now
    fails) or "kill" (of `target`).
    """

    what: str
    nth: Expression | None
    target: Name | None
    value: Expression | None
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Run:
    """`run`, or `run until EXPRESSION`."""

    until: Expression | None
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Advance:
    """`advance TIME`: let virtual time pass."""

    duration: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Let:
    """`let NAME = EXPRESSION`."""

    name: str
    value: Expression
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Include:
    """`include "FILE"`, with what the file says."""

    path: str
    body: tuple[Statement, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Repeat:
    """`repeat N` and the lines below it."""

    count: Expression
    body: tuple[Statement, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen
class Together:
    """`together`: the calls below it are made at once; the policy orders them."""

    body: tuple[Statement, ...]
    at: Place = attrs.field(eq=False)


@attrs.frozen
class WithQuirk:
    """`with quirk NAME` and the lines below it, for a machine that has the quirk.

    `without quirk NAME` (not `present`) is for one that does not have it.
    """

    quirk: str
    present: bool
    body: tuple[Statement, ...]
    at: Place = attrs.field(eq=False)
    quirk_at: Place = attrs.field(eq=False)


@attrs.frozen
class ExpectPanic:
    """`expect panic NAME`: the line before it has brought the machine down, by that quirk.

    `quirk` is empty where any panic will do.
    """

    quirk: str
    at: Place = attrs.field(eq=False)


Statement: TypeAlias = (
    Call | Resumed | Check | Expect | Machine | File | Process | Server | Inject | Run | Advance
    | Let | Include | Repeat | Together | WithQuirk | ExpectPanic
)  # fmt: skip


@attrs.frozen
class Scenario:
    """A whole file."""

    name: str
    statements: tuple[Statement, ...]
