"""The fixture and the marker, as another project's tests use them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

TESTS = """\
import pytest

@pytest.mark.machine(memory="2M")
async def test_options(machine):
    assert machine.system.config.memory == 2 << 20

@pytest.mark.machine("2M")
async def test_positional(machine):
    pass
"""


def test_a_marker_takes_options_only(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntrio_mode = true\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "1 passed, 1 error" in done.stdout, done.stdout
    assert "the marker machine takes options, such as memory='2M', not '2M'" in done.stdout
