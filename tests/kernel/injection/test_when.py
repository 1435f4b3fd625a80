"""Which occurrences a fault strikes."""

from __future__ import annotations

import pytest

from kernel.injection import EVERY, When

FORMS = [
    ("1", [1]),
    ("3", [3]),
    ("3+", [3, 4, 5, 6, 7, 8, 9, 10]),
    ("2+3", [2, 5, 8]),
    ("4..6", [4, 5, 6]),
    ("2..9+3", [2, 5, 8]),
]


@pytest.mark.parametrize(("text", "struck"), FORMS)
def test_the_notation_of_strace(text: str, struck: list[int]) -> None:
    when = When.parse(text)
    assert [number for number in range(11) if number in when] == struck
    assert str(when) == text


@pytest.mark.parametrize(("text", "struck"), FORMS)
def test_it_is_over_after_the_last_one(text: str, struck: list[int]) -> None:
    when = When.parse(text)
    for number in range(20):
        later = [each for each in range(number + 1, 40) if each in when]
        assert when.is_over(number) == (not later)


def test_every_one_is_struck_unless_something_else_is_said() -> None:
    assert all(number in EVERY for number in range(1, 100))
    assert 0 not in EVERY
    assert not EVERY.is_over(1_000_000)
    assert When.of(3) == When.of("3") == When(3, 3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "when is N, N+, N+STEP or N..M"),
        ("-1", "when is N, N+, N+STEP or N..M"),
        ("two", "when is N, N+, N+STEP or N..M"),
        ("1..", "when is N, N+, N+STEP or N..M"),
        ("0", "occurrences are counted from 1"),
        ("2+0", "occurrences are counted from 1"),
        ("5..4", "5..4 is empty"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("+", r"\+")):
        When.parse(text)
