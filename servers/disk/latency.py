"""How long a disk takes, in virtual time."""

from __future__ import annotations

import attrs


@attrs.frozen
class Latency:
    """The cost of a transfer in virtual ns.

    It is `seek` if it does not begin where the last one ended, and `per_block` for each 4 KiB or
    part of them.
    All zero is a disk that answers at once, without waiting for the clock.
    """

    seek: int = 4_000_000
    per_block: int = 40_000
