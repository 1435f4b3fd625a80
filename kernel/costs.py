"""What things cost in virtual time.

The numbers are round figures of a small i386 machine at about 1 GHz.  They decide nothing but
time; a test that wants other proportions says so with `Costs.parse`.
"""

from __future__ import annotations

from typing import Final

import attrs


class CostError(ValueError):
    """A cost table that cannot be read; the text says why."""


@attrs.frozen
class Costs:
    """Virtual nanoseconds for each kind of work.

    `trap` is paid for entering and leaving the kernel, `delivery` for each message handed over,
    `kernel_call` for a kernel call beyond the trap, `fault` for a page fault beyond the trap,
    `page_copy` for each page or part of one that the kernel copies or clears, and `access` for a
    load or a store that finds its page.
    """

    trap: int = 300
    delivery: int = 200
    kernel_call: int = 400
    fault: int = 900
    page_copy: int = 600
    access: int = 20

    @classmethod
    def parse(cls, text: str) -> Costs:
        """Costs from `trap=100,fault=2us,…` or a model's name.  Raises CostError."""
        if text in MODELS:
            return MODELS[text]
        kinds = {field.name for field in attrs.fields(cls)}
        given: dict[str, int] = {}
        for part in text.split(","):
            kind, equals, amount = (word.strip() for word in part.partition("="))
            if not equals or kind not in kinds:
                known = ", ".join([*sorted(kinds), *MODELS])
                raise CostError(f"unknown cost {part.strip()!r}; there are {known}")
            given[kind] = parse_duration(amount)
        return cls(**given)


MODELS: Final[dict[str, Costs]] = {
    "default": Costs(),
    # Time moves only for alarms, devices and `Compute`.
    "free": Costs(trap=0, delivery=0, kernel_call=0, fault=0, page_copy=0, access=0),
}

_UNITS: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


def parse_duration(text: str) -> int:
    """Virtual nanoseconds from `250`, `250ns`, `2us`, `1.5ms` or `3s`.  Raises CostError."""
    for unit in ("ns", "us", "ms", "s"):
        if text.endswith(unit):
            number, scale = text[: -len(unit)], _UNITS[unit]
            break
    else:
        number, scale = text, 1
    try:
        duration = round(float(number) * scale) if "." in number else int(number) * scale
    except (ValueError, OverflowError):
        raise CostError(f"{text!r} is not a duration such as 250, 2us or 1.5ms") from None
    if duration < 0:
        raise CostError(f"a duration cannot be negative: {text!r}")
    return duration
