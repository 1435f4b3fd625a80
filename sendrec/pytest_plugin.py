"""Fixtures for the tests of other projects, which pytest-trio runs.

    async def test_memory(machine):
        address = await machine.init.mmap(length=4096)
        assert await machine.init.load(address, 4) == bytes(4)

`machine` is a machine that has booted; the options of `sendrec.boot` come from the marker
`machine(memory="32M", …)`, or from a fixture `machine_options` of one's own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sendrec.machine import Machine


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "machine(**options): the options with which the `machine` fixture boots"
    )


@pytest.fixture
def machine_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The options of the machine: those of the marker `machine`, if the test has one."""
    marker = request.node.get_closest_marker("machine")
    if marker is not None and marker.args:
        given = ", ".join(map(repr, marker.args))
        raise TypeError(f"the marker machine takes options, such as memory='2M', not {given}")
    return dict(marker.kwargs) if marker is not None else {}


@pytest.fixture
async def machine(machine_options: dict[str, Any]) -> AsyncIterator[Machine]:
    """A machine that has booted, for tests that pytest-trio runs."""
    import sendrec

    async with sendrec.boot(**machine_options) as booted:
        yield booted
