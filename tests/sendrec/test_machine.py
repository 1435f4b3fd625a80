"""A machine in a trio program: what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

import sendrec


@pytest.mark.parametrize(
    ("duration", "error", "message"),
    [
        (1.5, TypeError, "a whole number of nanoseconds, not 1.5"),
        ("1ms", TypeError, "not '1ms'"),
        (True, TypeError, "not True"),
        (-5, ValueError, "time does not go back: -5"),
    ],
)
async def test_time_passes_in_whole_nanoseconds_and_forward(
    duration: Any, error: type[Exception], message: str
) -> None:
    async with sendrec.boot() as machine:
        before = machine.now
        with pytest.raises(error, match=message):
            await machine.advance(duration)
        assert machine.now == before
        await machine.advance(5)
        assert machine.now == before + 5
