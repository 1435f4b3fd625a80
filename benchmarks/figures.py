"""All figures that are measured, with what is asked of them."""

from __future__ import annotations

from functools import partial

from benchmarks.exchange import recorded_round_trip, round_trip
from benchmarks.figure import Figure
from benchmarks.peers import simpy_round_trip, trio_round_trip

FIGURES = (
    Figure("SENDREC round trip", 0.25, "T", round_trip, trio_round_trip),
    Figure("SENDREC round trip, to SimPy", 0.6, "SimPy", round_trip, simpy_round_trip),
    Figure(
        "SENDREC round trip, every event recorded", 0.5, "T", recorded_round_trip, trio_round_trip
    ),
    Figure(
        "SENDREC round trip with 10,000 processes, to 10",
        1.2,
        "10 processes",
        partial(round_trip, 10_000),
        partial(round_trip, 10),
        rounds=5,
    ),
)
