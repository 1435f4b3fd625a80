"""`sendrec library`: the scenarios that come with the program."""

from __future__ import annotations

import click

from scenarios.catalog import shipped, summary


def print_library() -> int:
    """Print the name of each shipped scenario and what it shows."""
    names = shipped()
    width = max(map(len, names), default=0)
    for name in names:
        click.echo(f"{name:<{width}}  {summary(name)}")
    return 0
