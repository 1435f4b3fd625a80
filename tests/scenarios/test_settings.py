"""What the lines `machine`, `file` and `process` may say of what they make."""

from __future__ import annotations

import pytest

from kernel.costs import Costs
from kernel.limits import Limits
from scenarios import syntax
from scenarios.settings import file_content, machine_config, process_settings
from scenarios.source import BadInput
from servers.config import MachineConfig
from tests.scenarios.helpers import line


def _machine(text: str) -> MachineConfig:
    statement = line(f"machine {text}")
    assert isinstance(statement, syntax.Machine)
    return machine_config(statement.settings)


def _file(text: str) -> bytes:
    statement = line(f"file /f {text}")
    assert isinstance(statement, syntax.File)
    return file_content(statement).content


def test_a_machine_line_sets_what_it_names() -> None:
    made = _machine("memory=8M seed=7 policy=random quirks=stale-queue-link costs=free steps=10")
    assert made == MachineConfig(
        memory=8 << 20, seed=7, policy="random", quirks=made.quirks,
        costs=Costs.parse("free"), limits=Limits(steps=10),
    )  # fmt: skip
    assert "stale-queue-link" in made.quirks
    assert "cancel-drops-table" not in made.quirks


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("memory=3", 16, "3 is not a multiple of 4K between 1M and 3G"),
        ("memory=64K", 16, "65536 is not a multiple of 4K between 1M and 3G"),
        ("memory=8Q", 16, "unknown unit Q"),
        ("memory=", 16, "not a number: "),
        ("memory=8M memory=8M", 19, "memory is given twice"),
        ("polcy=fifo", 9, "machine has no setting polcy"),
        ("policy=fif", 16, "unknown policy 'fif'; there are fifo, priority, random, replay"),
        ("policy=replay:1,x", 16, "choice 2 of the schedule is 'x', not INDEX or INDEXxTIMES"),
        ("seed=x", 14, "not a number: x"),
        ("memory=0xZZ", 16, "a number in base 16 needs digits, 0-9 and A-F, after 0x"),
        ("seed=0x_1", 14, "a number in base 16 needs digits, 0-9 and A-F, after 0x"),
        ("seed=0_1", 14, "not a number: 0_1"),
        ("memory=\u0663M", 16, "not a number: \u0663M"),
        ("memory=\u0660\u0663", 16, "not a number: \u0660\u0663"),
        ('memory="\\xff"', 16, "not a number: \\xff"),
        ("sanity=maybe", 16, "'maybe' is none of never, quiet, each"),
        ("steps=0", 15, "steps must be more than 0"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(text: str, column: int, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        _machine(text)
    assert caught.value.message == message
    assert caught.value.place is not None
    assert caught.value.place.column == column


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("", b""), ('"a\\n"', b"a\n"), ('content="a b"', b"a b"), ("size=3", b"\0\0\0"),
        ('size=7 fill="abc"', b"abcabca"), ('"xy" size=5 fill="-"', b"xy---"),
        ('"xyz" size=2', b"xy"),
        ('content=plain', b"plain"), ('"\\xff"', b"\xff"), ('"é"', "é".encode()),
    ],
)  # fmt: skip
def test_what_is_in_a_file(text: str, content: bytes) -> None:
    assert _file(text) == content


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size=1G", "a file is at most 256M long"),
        ('fill=""', "fill must not be empty"),
        ("mode=3", "file has no setting mode"),
        ("size=0x1G", "a number in base 16 needs digits, 0-9 and A-F, after 0x"),
        ('"1" content="333"', "content is given twice"),
    ],
)
def test_a_wrong_file_is_an_error(text: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        _file(text)
    assert caught.value.message == message


def test_a_process_may_be_a_system_process() -> None:
    statement = line("process p kind=system")
    assert isinstance(statement, syntax.Process)
    assert process_settings(statement).system
    with pytest.raises(BadInput, match="kind is one of user, system"):
        process_settings(line("process p kind=god"))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="a program is written module:function"):
        process_settings(line("process p program=x"))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="a number in base 16 needs digits"):
        process_settings(line("process p endpoint=0xQ"))  # type: ignore[arg-type]
