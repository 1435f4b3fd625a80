"""Whether the words of a scenario exist, before any of it runs.

Rules.  A name is known after the line that binds it; in a pattern, a name that is not known is
bound.  What a machine is made of (`machine`, `file`, `process`, `server`) stands before the first
line that makes it do something, and `machine` before everything else.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Final

import attrs

from ipc.endpoint import INIT, WELL_KNOWN
from ipc.message import Message
from scenarios import syntax
from scenarios.calls import CALLS
from scenarios.constants import constant, is_error
from scenarios.expectations import KERNEL_PARTY
from scenarios.inject import fault_of
from scenarios.messages import RAW, check_field, members_of, message_class
from scenarios.parser import LINES
from scenarios.questions import FUNCTIONS
from scenarios.scope import is_constant_name, suggestion, unknown_name
from scenarios.source import BadInput, Place
from servers.config import known_quirks
from servers.image import IMAGE

# The processes of the boot image that are not constants of MINIX: init, and the drivers.
BOOT_NAMES: Final = tuple(
    entry.name for entry in IMAGE if entry.endpoint == INIT or entry.endpoint not in WELL_KNOWN
)

IMAGE_NAMES: Final = tuple(entry.name for entry in IMAGE)
DEEPEST_BLOCK: Final = 32  # blocks in one another, those of included files counted

DECLARATIONS = (syntax.Machine, syntax.File, syntax.Process, syntax.Server)


def check(scenario: syntax.Scenario) -> None:
    """Raises BadInput for the first word of `scenario` that does not exist or is out of place."""
    _check_order(scenario.statements)
    checker = _Checker(dict.fromkeys(BOOT_NAMES))
    checker.body(scenario.statements)


def flatten(statements: Iterable[syntax.Statement]) -> Iterable[syntax.Statement]:
    """`statements` with those of included files in their places."""
    for statement in statements:
        if isinstance(statement, syntax.Include):
            yield from flatten(statement.body)
        else:
            yield statement


def _check_order(statements: tuple[syntax.Statement, ...]) -> None:
    running = False
    for number, statement in enumerate(flatten(statements)):
        if isinstance(statement, syntax.Machine) and number:
            raise BadInput("machine must be the first line", statement.at)
        if isinstance(statement, DECLARATIONS):
            if running:
                raise BadInput(
                    f"{_word(statement)} must come before the lines that run", statement.at
                )
        else:
            running = True
            _check_block(statement, depth=1)


def _check_block(statement: syntax.Statement, depth: int) -> None:
    if isinstance(statement, syntax.Repeat | syntax.Together | syntax.WithQuirk):
        if depth > DEEPEST_BLOCK:
            raise BadInput(f"blocks nest at most {DEEPEST_BLOCK} deep", statement.at)
        for inner in flatten(statement.body):
            if isinstance(inner, DECLARATIONS):
                raise BadInput(f"{_word(inner)} cannot stand in a block", inner.at)
            _check_block(inner, depth + 1)


def _word(statement: syntax.Statement) -> str:
    return type(statement).__name__.lower()


@attrs.define
class _Checker:
    """Walks a scenario; `names` are those bound so far, in their order."""

    names: dict[str, None]

    def body(self, statements: Iterable[syntax.Statement]) -> None:
        before: syntax.Statement | None = None
        for statement in flatten(statements):
            if isinstance(statement, syntax.ExpectPanic):
                _demand_a_cause(before, statement.at)
            self.statement(statement)
            before = statement

    @functools.singledispatchmethod
    def statement(self, statement: syntax.Statement) -> None:
        """Lines without names in them: nothing to check."""

    @statement.register
    def _(self, line: syntax.Call) -> None:
        self.process(line.process)
        signature = CALLS.get(line.call)
        if signature is None:
            raise BadInput(f"unknown call {line.call}", line.call_at, suggestion(line.call, CALLS))
        _check_count(line.call, len(line.arguments), signature.least, signature.most, line.call_at)
        for argument in line.arguments:
            self.argument(argument)
        if line.pattern is not None:
            self.pattern(line.pattern)

    @statement.register
    def _(self, line: syntax.Resumed) -> None:
        self.process(line.process)
        if line.pattern is not None:
            self.pattern(line.pattern)

    @statement.register
    def _(self, line: syntax.Check) -> None:
        self.argument(line.expression)

    @statement.register
    def _(self, line: syntax.Expect) -> None:
        for pattern in line.patterns:
            self.message_pattern(pattern)

    @statement.register
    def _(self, line: syntax.Process) -> None:
        self.new_process(line.name, line.at)

    @statement.register
    def _(self, line: syntax.Server) -> None:
        self.new_process(line.name, line.at)

    @statement.register
    def _(self, line: syntax.Inject) -> None:
        if line.target is not None and line.what != "kill":
            self.server(line.target)
        elif line.target is not None:
            self.name(line.target)
        fault_of(line, "")

    @statement.register
    def _(self, line: syntax.Run) -> None:
        if line.until is not None:
            self.argument(line.until)

    @statement.register
    def _(self, line: syntax.Advance) -> None:
        self.argument(line.duration)

    @statement.register
    def _(self, line: syntax.Let) -> None:
        self.argument(line.value)
        if is_constant_name(line.name):
            raise BadInput(f"{line.name} is in capitals, as only MINIX's constants are", line.at)
        self.names[line.name] = None

    @statement.register
    def _(self, line: syntax.Repeat) -> None:
        self.argument(line.count)
        self.body(line.body)

    @statement.register
    def _(self, line: syntax.WithQuirk) -> None:
        _check_quirk(line.quirk, line.quirk_at)
        self.body(line.body)

    @statement.register
    def _(self, line: syntax.ExpectPanic) -> None:
        if line.quirk:
            _check_quirk(line.quirk, line.at)

    @statement.register
    def _(self, line: syntax.Together) -> None:
        seen: set[str] = set()
        for inner in flatten(line.body):
            if not isinstance(inner, syntax.Call):
                raise BadInput("only calls can be made together", inner.at)
            if inner.process.name in seen:
                raise BadInput(f"{inner.process.name} can make one call at a time", inner.at)
            seen.add(inner.process.name)
        self.body(line.body)

    # ---- Names

    def server(self, name: syntax.Name) -> None:
        """A process that may be a server: the scenario has it, or the boot image."""
        if name.name not in (*self.names, *WELL_KNOWN.values(), *IMAGE_NAMES):
            known = [each if each in self.names else each.upper() for each in IMAGE_NAMES]
            servers = [*known, *(each for each in self.names if each not in known)]
            servers.remove("init")
            hint = suggestion(name.name, servers) or f"there are {', '.join(servers)}"
            raise BadInput(f"there is no server {name.name}", name.at, hint)

    def process(self, name: syntax.Name) -> None:
        """A process that makes a call: it must have been bound."""
        if name.name not in self.names:
            hint = suggestion(name.name, self.names) or "fork() = NAME and process NAME make some"
            raise BadInput(f"unknown process {name.name}", name.at, hint)

    def new_process(self, name: str, at: Place) -> None:
        """A declared process: a new name, which is no constant."""
        if name in self.names:
            raise BadInput(f"there is a process {name} already", at)
        if name == KERNEL_PARTY or is_constant_name(name):
            raise BadInput(f"{name} is a name of the system's", at)
        if name.upper() in LINES:
            raise BadInput(f"{name} is a word of the language", at)
        self.names[name] = None

    def name(self, name: syntax.Name) -> None:
        """A name that is used: it must be known."""
        if name.name not in self.names and constant(name.name) is None:
            raise unknown_name(name.name, name.at, self.names)

    # ---- Values

    def argument(self, argument: syntax.Argument) -> None:
        """An expression, a literal, or a message pattern."""
        match argument:
            case syntax.Name():
                self.name(argument)
            case syntax.Unary():
                self.argument(argument.operand)
            case syntax.Binary():
                self.argument(argument.left)
                self.argument(argument.right)
            case syntax.Within():
                for part in (argument.value, argument.low, argument.high):
                    self.argument(part)
            case syntax.Apply():
                self.apply(argument)
            case syntax.Structure():
                self.structure(argument)
            case syntax.ListOf():
                for item in argument.items:
                    self.argument(item)
            case syntax.MessagePattern():
                self.message_pattern(argument)

    def apply(self, apply: syntax.Apply) -> None:
        """A question about the machine."""
        function = FUNCTIONS.get(apply.function)
        if function is None:
            hint = suggestion(apply.function, FUNCTIONS) or f"there are {', '.join(FUNCTIONS)}"
            raise BadInput(f"unknown function {apply.function}", apply.at, hint)
        wanted = len(function.parameters)
        _check_count(apply.function, len(apply.arguments), wanted, wanted, apply.at)
        for kind, argument in zip(function.parameters, apply.arguments, strict=True):
            is_pattern = isinstance(argument, syntax.MessagePattern)
            if is_pattern != (kind == "messages"):
                what = "a message pattern" if kind == "messages" else f"a {kind}"
                raise BadInput(f"{apply.function} needs {what} here", argument.at)
            self.argument(argument)

    def structure(self, literal: syntax.Structure) -> None:
        """A message or a structure that a call is given."""
        members = None
        if literal.message:
            members = members_of(message_class(literal.message, literal.at))
        for field in literal.fields:
            if members is not None:
                check_field(field.name, members, " ".join(literal.message), field.at)
            self.argument(field.value)

    # ---- Patterns

    def pattern(self, pattern: syntax.Pattern) -> None:
        """What a result must look like; binds its names."""
        match pattern:
            case syntax.Equals(value=syntax.Name() as name):
                if name.name not in self.names and constant(name.name) is None:
                    if is_constant_name(name.name):
                        raise unknown_name(name.name, name.at, self.names)
                    self.names[name.name] = None
            case syntax.Equals():
                self.argument(pattern.value)
            case syntax.Range():
                self.argument(pattern.low)
                self.argument(pattern.high)
            case syntax.Failure():
                if not is_error(pattern.error):
                    raise BadInput(f"unknown error {pattern.error}", pattern.at)
            case syntax.Shape():
                self.shape(pattern)

    def shape(self, shape: syntax.Shape) -> None:
        """A structure or a message."""
        cls = message_class(shape.message, shape.at) if shape.message else None
        for field in shape.fields:
            if cls is not None:
                _check_pattern_field(field, cls, " ".join(shape.message))
            self.pattern(field.pattern)

    def message_pattern(self, pattern: syntax.MessagePattern) -> None:
        """A message that is looked for among those delivered."""
        for party in (pattern.source, pattern.destination):
            if party is not None and party.name != KERNEL_PARTY:
                self.name(party)
        cls = message_class(pattern.kind, pattern.at) if pattern.kind else None
        if pattern.kind and pattern.kind[0] in {RAW, "reply"}:
            cls = None  # may be any layout
        for field in pattern.shape.fields if pattern.shape else ():
            if cls is not None:
                _check_pattern_field(field, cls, " ".join(pattern.kind))
            self.pattern(field.pattern)


def _check_pattern_field(field: syntax.FieldPattern, cls: type[Message], message: str) -> None:
    """Besides its own fields, every message has a source and a type, and kernel calls a result."""
    if field.name not in {"source", "type", "result"}:
        check_field(field.name, members_of(cls), message, field.at)


def _demand_a_cause(before: syntax.Statement | None, at: Place) -> None:
    if before is None or isinstance(before, (*DECLARATIONS, syntax.ExpectPanic)):
        raise BadInput("expect panic stands below the line that brings the machine down", at)


def _check_quirk(name: str, at: Place) -> None:
    known = known_quirks()
    if name not in known:
        raise BadInput(f"unknown quirk {name}", at, suggestion(name, known))


def _check_count(call: str, given: int, least: int, most: int, at: Place) -> None:
    if least <= given <= most:
        return
    wanted = str(most) if least == most else f"{least} to {most}"
    noun = "argument" if most == 1 else "arguments"
    raise BadInput(f"{call} takes {wanted} {noun}, not {given}", at, usage(call))


def usage(call: str) -> str:
    """How `call` is written; empty for what is not a call."""
    signature = CALLS.get(call)
    if signature is None:
        return ""
    words = [
        parameter.name if parameter.default is None else f"[{parameter.name}]"
        for parameter in signature.parameters
    ]
    return f"{call}({', '.join(words)})"
