"""Nice values and queues."""

from __future__ import annotations

import pytest

from ipc.errors import EINVAL
from servers.pm.schedule import nice_to_priority


@pytest.mark.parametrize(
    ("nice", "queue"),
    [(-20, 0), (-18, 0), (-17, 1), (-1, 7), (0, 7), (1, 8), (19, 15), (20, 15), (21, EINVAL),
     (-21, EINVAL)],
)  # fmt: skip
def test_nice_to_priority(nice: int, queue: int) -> None:
    assert nice_to_priority(nice) == queue
