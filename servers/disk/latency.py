"""How long a disk takes, in virtual time."""

from __future__ import annotations

import attrs


@attrs.frozen
class Latency:
    """The cost of a transfer (virtual ns): `seek` if the head must move, and `per_block` of 4 KiB.

    All zero is a disk that answers at once, without waiting for the clock.
    """

    seek: int = 4_000_000
    per_block: int = 40_000

    def of(self, distance: int, length: int) -> int:
        """What moving `length` bytes costs if they lie `distance` bytes from the last ones."""
        return (self.seek if distance else 0) + -(-length // 4096) * self.per_block


NO_LATENCY = Latency(0, 0)
