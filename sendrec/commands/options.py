"""The options that several commands share, checked before anything runs."""

from __future__ import annotations

import click

from scenarios.run import Overrides
from servers.config import BadConfig, MachineConfig


def overrides(policy: str | None, seed: int | None, quirks: str | None) -> Overrides:
    """The options as `run` takes them.  Raises click.BadParameter for a wrong one."""
    given = Overrides(policy, seed, quirks)
    try:
        MachineConfig(**given.given())
    except BadConfig as error:
        raise click.BadParameter(error.reason, param_hint=f"--{error.key}") from error
    return given
