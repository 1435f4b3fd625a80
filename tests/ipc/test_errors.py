"""Error names, and the exception that carries one."""

from __future__ import annotations

import pytest

from ipc.errors import EAGAIN, ENOMEM, EWOULDBLOCK, NUMBERS, IpcError, error_name


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0, "OK"),
        (-12, "ENOMEM"),
        (-35, "EAGAIN"),
        (-202, "EDEADSRCDST"),
        (-302, "ELEAVEMOUNT"),
        (-998, "SUSPEND"),
        (3, "3"),
        (-9999, "-9999"),
    ],
)
def test_names(code: int, name: str) -> None:
    assert error_name(code) == name
    if not name.lstrip("-").isdigit():
        assert NUMBERS[name] == code


def test_two_names_of_one_number() -> None:
    assert NUMBERS["EWOULDBLOCK"] == EWOULDBLOCK == EAGAIN


def test_the_exception_has_the_code_and_reads_as_its_name() -> None:
    error = IpcError(ENOMEM)
    assert error.code == -12
    assert str(error) == "ENOMEM"
