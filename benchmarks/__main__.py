"""`python -m benchmarks [NAME...]`: measure, print a table, compare with targets.

The exit status is 0 even if a target is missed: a figure is a finding, not a failure.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.figure import Result, measure
from benchmarks.figures import FIGURES

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
BYTES = ((1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes"))


def cost_text(result: Result) -> str:
    """What one operation cost, in a unit in which it is a small number."""
    scale = BYTES if result.unit == "bytes" else UNITS
    for size, name in scale:
        if abs(result.cost) >= size:
            return f"{result.cost / size:.1f} {name}"
    return f"{result.cost:.3g} {result.unit}"


def line(result: Result) -> str:
    """One row of the table."""
    verdict = "met" if result.met else "MISSED"
    ratio = f"{result.ratio:.3g} {result.peer_name}"
    target = f"at most {result.target:.3g}"
    return f"{result.name:58} {cost_text(result):>12}  {ratio:18} {target:16} {verdict}"


def row(result: Result) -> str:
    """One row of the table in README.md."""
    verdict = "yes" if result.met else "no"
    cells = (
        result.name,
        cost_text(result),
        f"{result.ratio:.3g} {result.peer_name}",
        f"{result.target:.3g}",
        verdict,
    )
    return f"| {' | '.join(cells)} |"


def _demand_writable(parser: argparse.ArgumentParser, path: Path) -> None:
    """Minutes of measuring should not end in a file that cannot be written."""
    try:
        path.open("a").close()
    except OSError as error:
        parser.error(f"{path}: cannot write it: {error.strerror}")


def main() -> None:
    """Measure what is asked for, or everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures here")
    parser.add_argument("--markdown", action="store_true", help="print rows for README.md")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only figures with this in them")
    options = parser.parse_args()
    for name in options.names:
        if not any(name in figure.name for figure in FIGURES):
            parser.error(f"no figure has {name!r} in its name")
    if options.json:
        _demand_writable(parser, options.json)
    results = []
    for figure in FIGURES:
        if not options.names or any(name in figure.name for name in options.names):
            results.append(measure(figure))
            print((row if options.markdown else line)(results[-1]), flush=True)
    if options.json:
        records = [result.as_json() for result in results]
        options.json.write_text(json.dumps(records, indent=2) + "\n")


if __name__ == "__main__":
    main()
