"""Where scenarios are: files of the user's, and those that come with the program."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from scenarios.scope import suggestion
from scenarios.source import BadInput, Source, read_source

HERE: Final = Path(__file__).parent
SHELVES: Final = ("library", "quirks")
SUFFIX: Final = ".scn"


def shipped() -> list[str]:
    """The names of the scenarios that come with the program, as `library/copy-on-write`."""
    return [
        f"{shelf}/{path.stem}"
        for shelf in SHELVES
        for path in sorted((HERE / shelf).glob(f"*{SUFFIX}"))
    ]


def find(name: str) -> Source:
    """The scenario in the file `name`, or the shipped one called so.  Raises BadInput."""
    path = Path(name)
    if not name:
        raise BadInput("'' is no name of a file or scenario")
    if not exists(path):
        wanted = name.removesuffix(SUFFIX).removeprefix("scenarios/")
        known = shipped()
        if wanted in known:
            return read_source(HERE / f"{wanted}{SUFFIX}", name)
        if not path.suffix:
            raise BadInput(f"{name}: no such file or scenario", None, suggestion(wanted, known))
    return read_source(path, name)


def exists(path: Path) -> bool:
    """Whether there is such a file."""
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or none at all
        return False


def summary(name: str) -> str:
    """What a shipped scenario teaches: the first line of its comment."""
    first = find(name).text.partition("\n")[0]
    return first.lstrip("# ").rstrip()
