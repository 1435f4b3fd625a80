"""Which occurrences of something a fault strikes, in the notation of strace's ``when=``."""

from __future__ import annotations

import re
from typing import Final

import attrs

_FORM: Final = re.compile(r"([0-9]+)(?:\.\.([0-9]+))?(\+([0-9]*))?")


@attrs.frozen
class When:
    """Occurrences `first`, `first + step`, … up to `last` (None: for ever), counted from 1."""

    first: int = 1
    last: int | None = None
    step: int = 1

    def __attrs_post_init__(self) -> None:
        if self.first < 1 or self.step < 1:
            raise ValueError("occurrences are counted from 1")
        if self.last is not None and self.last < self.first:
            raise ValueError(f"{self.first}..{self.last} is empty")

    @classmethod
    def parse(cls, text: str) -> When:
        """`N`: the Nth; `N+`: from it on; `N+S`: every Sth from it on; `N..M`; `N..M+S`.

        Raises ValueError, which says in words what is wrong.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError("when is N, N+, N+STEP or N..M")
        first, last, repeated, step = match.groups()
        if last is None and repeated is None:
            return cls(int(first), int(first))
        return cls(int(first), int(last) if last else None, int(step) if step else 1)

    @classmethod
    def of(cls, value: When | int | str) -> When:
        """`value` as it is, as the number of one occurrence, or as `parse` reads it."""
        if isinstance(value, When):
            return value
        return cls(value, value) if isinstance(value, int) else cls.parse(value)

    def __contains__(self, number: int) -> bool:
        """Whether occurrence `number` is one of them."""
        if number < self.first or (self.last is not None and number > self.last):
            return False
        return (number - self.first) % self.step == 0

    def is_over(self, number: int) -> bool:
        """Whether none comes after occurrence `number`."""
        if self.last is None:
            return False
        return number >= self.last - (self.last - self.first) % self.step

    def __str__(self) -> str:
        if self.first == self.last:
            return str(self.first)
        end = "" if self.last is None else f"..{self.last}"
        if self.step > 1:
            return f"{self.first}{end}+{self.step}"
        return f"{self.first}{end or '+'}"


EVERY: Final = When()
