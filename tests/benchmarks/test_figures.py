"""The benchmarks measure what they say: ratios of what ran side by side."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import exchange, memory, peers
from benchmarks.figure import Figure, Result, measure, rounds_of, summary
from benchmarks.figures import FIGURES


def counting(costs: list[float]) -> Callable[[], float]:
    remaining = iter(costs)
    return lambda: next(remaining)


def test_a_figure_is_the_median_of_the_ratios_without_the_first_round() -> None:
    subject = counting([1000.0, 1.0, 8.0, 3.0])
    peer = counting([1.0, 2.0, 2.0, 2.0])
    figure = Figure("x", 1.5, "peer", subject, peer, rounds=3)
    result = summary(figure, rounds_of(figure))
    assert (result.ratio, result.cost, result.met) == (1.5, 3.0, True)


def own_process() -> float:
    return float(os.getpid())


def one() -> float:
    return 1.0


def four() -> float:
    return 4.0


def test_the_rounds_of_a_figure_are_made_in_several_processes() -> None:
    numbers = [
        measure(Figure("x", 1.0, "one", own_process, one, rounds=1, processes=count)).ratio
        for count in (1, 2)
    ]
    assert os.getpid() not in numbers
    assert numbers[0] != numbers[1]


@pytest.mark.parametrize(("ratio", "met"), [(0.25, True), (0.2501, False)])
def test_a_figure_is_met_up_to_its_target(ratio: float, met: bool) -> None:
    assert Result("x", ratio, 0.25, "T", 1.0, "s").met is met


def test_every_figure_has_a_name_of_its_own() -> None:
    names = [figure.name for figure in FIGURES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("cost", "unit", "text"),
    [(1.5, "s", "1.5 s"), (2e-6, "s", "2.0 µs"), (3e-9, "s", "3.0 ns"), (2048, "bytes", "2.0 KiB")],
)
def test_costs_are_shown_in_a_unit_that_fits(cost: float, unit: str, text: str) -> None:
    assert command.cost_text(Result("x", 1, 1, "T", cost, unit)) == text


def test_the_command_writes_what_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figure = Figure("quick", 2.0, "peer", one, four, rounds=1, processes=1)
    monkeypatch.setattr(command, "FIGURES", (figure,))
    file = tmp_path / "figures.json"
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--json", str(file), "qui"])
    command.main()
    assert json.loads(file.read_text()) == [
        {"name": "quick", "ratio": 0.25, "target": 2.0, "met": True}
    ]
    assert "quick" in capsys.readouterr().out


@pytest.mark.parametrize(
    "measurement",
    [
        lambda: peers.trio_round_trip(3),
        lambda: exchange.round_trip(2, 3),
        lambda: exchange.recorded_round_trip(3),
        lambda: exchange.round_trip(20, 3),
        lambda: memory.anonymous_fault(3),
        lambda: memory.fork_and_exit(8, 1),
        lambda: memory.map_and_unmap(2, 3),
        lambda: memory.unmap_resident(8),
        lambda: memory.protect_resident(8),
        lambda: memory.preallocate(8),
        lambda: memory.file_fault(False, 3),
        lambda: memory.file_fault(True, 3),
        lambda: memory.file_fault_ahead(2, 3),
    ],
)
def test_a_measurement_runs_and_takes_time(measurement: Callable[[], float]) -> None:
    assert 0 < measurement() < 60
