"""Whether the messages of a stretch of a run are those that `expect` lists.

Rules.  `expect` takes, for each pattern in turn, the first delivery after the last one taken that
matches; others may lie between.  `expect only` takes every delivery; kernel calls count only if
one of its patterns has the kernel as its destination.  `expect no` takes none.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from scenarios import syntax
from scenarios.messagelog import Delivery, is_kernel
from scenarios.messages import message_fields
from scenarios.patterns import Mismatch, match
from scenarios.scope import Scope
from scenarios.source import BadInput, Place
from scenarios.values import ProcessName

KERNEL_PARTY = "kernel"


@attrs.frozen
class Unmet:
    """An expectation that the deliveries do not meet: where it stands, and why in words.

    `near` is the delivery that came nearest to what was wanted, or the one that is too much.
    """

    at: Place
    reason: str
    near: Delivery | None = None


def unmet(expectation: syntax.Expect, deliveries: Sequence[Delivery], scope: Scope) -> Unmet | None:
    """None if `deliveries` are as `expectation` says; else the first difference.

    Names that the patterns bind are bound in `scope`.
    """
    match expectation.mode:
        case "no":
            return _none(expectation, deliveries, scope)
        case "only":
            return _only(expectation, deliveries, scope)
        case _:
            return _in_order(expectation, deliveries, scope)


def matches(pattern: syntax.MessagePattern, delivery: Delivery, scope: Scope) -> bool:
    """Whether `delivery` is such a message; binds names in `scope` if it is."""
    return is_alike(pattern, delivery, scope) and difference(pattern, delivery, scope) is None


def count(pattern: syntax.MessagePattern, deliveries: Sequence[Delivery], scope: Scope) -> int:
    """How many of `deliveries` are such messages; binds nothing."""
    return sum(matches(pattern, delivery, scope.copy()) for delivery in deliveries)


def is_alike(pattern: syntax.MessagePattern, delivery: Delivery, scope: Scope) -> bool:
    """Whether the parties and the name of `delivery` are those of `pattern`."""
    return (
        _is_name(pattern.kind, delivery)
        and _is_source(pattern.source, delivery, scope)
        and _is_party(pattern.destination, delivery.dest, scope)
    )


def difference(pattern: syntax.MessagePattern, delivery: Delivery, scope: Scope) -> Mismatch | None:
    """How the fields of `delivery` differ from those of `pattern`, or None."""
    if pattern.shape is None:
        return None
    result = {"result": delivery.result.type} if delivery.result is not None else {}
    fields = message_fields(delivery.message, delivery.name, source=delivery.source, **result)
    return match(pattern.shape, fields, scope)


def _is_name(kind: tuple[str, ...], delivery: Delivery) -> bool:
    if kind == ("reply",):
        return delivery.name.endswith("reply")
    return not kind or " ".join(kind) in (delivery.name, delivery.message.name)


def _is_source(party: syntax.Name | None, delivery: Delivery, scope: Scope) -> bool:
    if party is not None and party.name == KERNEL_PARTY:
        return delivery.from_kernel or is_kernel(delivery.source)
    return _is_party(party, delivery.source, scope)


def _is_party(party: syntax.Name | None, endpoint: int, scope: Scope) -> bool:
    if party is None:
        return True
    if party.name == KERNEL_PARTY:
        return is_kernel(endpoint)
    value = scope.lookup(party)
    if isinstance(value, ProcessName):
        return value.endpoint == endpoint
    if isinstance(value, int):
        return value == endpoint
    raise BadInput(f"{party.name} is not a process", party.at)


def _in_order(
    expectation: syntax.Expect, deliveries: Sequence[Delivery], scope: Scope
) -> Unmet | None:
    position = 0
    for pattern in expectation.patterns:
        found = _first(pattern, deliveries, position, scope)
        if found is None:
            return _missing(pattern, deliveries, position, scope)
        position = found + 1
    return None


def _first(
    pattern: syntax.MessagePattern, deliveries: Sequence[Delivery], start: int, scope: Scope
) -> int | None:
    for index in range(start, len(deliveries)):
        if matches(pattern, deliveries[index], scope):
            return index
    return None


def _missing(
    pattern: syntax.MessagePattern, deliveries: Sequence[Delivery], start: int, scope: Scope
) -> Unmet:
    """Why there is none such after `start`: another field, earlier than wanted, or not at all."""
    for delivery in deliveries[start:]:
        if is_alike(pattern, delivery, scope):
            mismatch = difference(pattern, delivery, scope.copy())
            assert mismatch is not None, "the delivery matches"
            reason = f"expected {mismatch.expected}, got {mismatch.got}"
            return Unmet(mismatch.at, reason, delivery)
    for delivery in deliveries[:start]:
        if matches(pattern, delivery, scope.copy()):
            return Unmet(pattern.at, "it was delivered, but before the message above", delivery)
    return Unmet(pattern.at, "no such message was delivered")


def _only(expectation: syntax.Expect, deliveries: Sequence[Delivery], scope: Scope) -> Unmet | None:
    with_kernel_calls = any(
        pattern.destination is not None and pattern.destination.name == KERNEL_PARTY
        for pattern in expectation.patterns
    )
    counted = [each for each in deliveries if with_kernel_calls or not each.is_kernel_call]
    for pattern, delivery in zip(expectation.patterns, counted, strict=False):
        if not matches(pattern, delivery, scope):
            return _other(pattern, delivery, scope)
    wanted = len(expectation.patterns)
    if len(counted) > wanted:
        last = expectation.patterns[-1].at
        return Unmet(last, "after this one, another message was delivered", counted[wanted])
    if len(counted) < wanted:
        return Unmet(expectation.patterns[len(counted)].at, "no further message was delivered")
    return None


def _other(pattern: syntax.MessagePattern, delivery: Delivery, scope: Scope) -> Unmet:
    if is_alike(pattern, delivery, scope):
        return _missing(pattern, [delivery], 0, scope)
    return Unmet(pattern.at, "another message was delivered here", delivery)


def _none(expectation: syntax.Expect, deliveries: Sequence[Delivery], scope: Scope) -> Unmet | None:
    for delivery in deliveries:
        for pattern in expectation.patterns:
            if matches(pattern, delivery, scope.copy()):
                return Unmet(pattern.at, "such a message was delivered", delivery)
    return None
