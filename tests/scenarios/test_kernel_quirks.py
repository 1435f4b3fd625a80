"""A scenario shows each quirk of message passing, and the same operations without it."""

from __future__ import annotations

import pytest

from kernel.quirks import KERNEL_QUIRKS
from scenarios.catalog import find
from scenarios.run import Overrides, run


@pytest.mark.parametrize("name", KERNEL_QUIRKS)
@pytest.mark.parametrize("quirks", [None, "none"], ids=["with", "without"])
def test_scenario(name: str, quirks: str | None) -> None:
    outcome = run(find(f"quirks/{name}"), Overrides(quirks=quirks))
    assert outcome.status == "ok", outcome.reason
    assert outcome.stage is not None
    assert (name in outcome.stage.machine.quirks) == (quirks is None)
