"""What a failing line prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from scenarios.messagelog import Delivery
from scenarios.source import Place
from tracing.names import Names
from tracing.phrases import answer_text, message_text

LAST_MESSAGES: Final = 8


@attrs.define(eq=False)
class LineFailed(Exception):
    """A line of a scenario did not come true.

    `reason` in one line; `details` are further lines (expected and got, or who waits for whom);
    `messages` are the last ones before it, in words.  `correct` is what would have to stand in the
    place `at` for the line to be true, where the line says a result; else empty.  `hangs`: nothing
    can run and nothing is due.
    """

    at: Place
    reason: str
    details: Sequence[str] = ()
    messages: Sequence[str] = ()
    hint: str = ""
    correct: str = ""
    hangs: bool = False

    def __str__(self) -> str:
        lines = [f"{self.at}: {self.reason}", self.at.excerpt()]
        lines += [f"  {detail}" for detail in self.details]
        if self.messages:
            lines.append("  the last messages before it:")
            lines += [f"    {message}" for message in self.messages]
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


def describe(delivery: Delivery, names: Names) -> str:
    """`delivery` as a message pattern would have it."""
    source = "kernel" if delivery.from_kernel else names(delivery.source)
    message = message_text(delivery.message, names)
    if delivery.result is not None:
        return f"{source} -> kernel: {message} = {answer_text(delivery.result, names)}"
    if delivery.name.endswith("reply"):
        message = f"{delivery.name} {{{_inside(answer_text(delivery.message, names))}}}"
    if delivery.from_kernel:
        name, _, fields = message.partition(" {")
        message = f"{name} {{source: {names(delivery.source)}, {fields}"
    return f"{source} -> {names(delivery.dest)}: {message}"


def _inside(answer: str) -> str:
    """The fields of an answer such as `OK {retaddr: 0x5000}`, with its result as `type`."""
    result, _, fields = answer.partition(" {")
    return f"type: {result}" + (f", {fields.removesuffix('}')}" if fields else "")


def last_messages(deliveries: Sequence[Delivery], names: Names) -> list[str]:
    """The last messages, in words."""
    messages = [each for each in deliveries if not each.is_kernel_call]
    return [describe(each, names) for each in messages[-LAST_MESSAGES:]]
