"""Rewrites the results in a scenario to what really comes.

Rules.  Only results of calls are rewritten: what follows their `=`, where it is wrong, and nothing
else in the file.  A scenario that fails for another reason is left at the line where it does.
"""

from __future__ import annotations

import attrs

from scenarios.run import Outcome, Overrides, run
from scenarios.source import Place, Source


@attrs.frozen
class Updated:
    """A scenario with its results rewritten: its text, how many, and how it ends now."""

    text: str
    changes: int
    outcome: Outcome


def update(source: Source, overrides: Overrides | None = None) -> Updated:
    """Run the scenario in `source` and correct a result, until all are right or none can be."""
    changes = 0
    while True:
        outcome = run(source, overrides)
        failure = outcome.failure
        if failure is None or not failure.correct or failure.at.source is not source:
            return Updated(source.text, changes, outcome)
        source = attrs.evolve(source, text=replaced(failure.at, failure.correct))
        changes += 1


def replaced(place: Place, text: str) -> str:
    """The text of the source that `place` is in, with `text` in that place."""
    lines = list(place.source.lines)
    line = lines[place.line - 1]
    start = place.column - 1
    lines[place.line - 1] = line[:start] + text + line[start + place.width :]
    return "".join(lines)
