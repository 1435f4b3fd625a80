"""The options of a machine: what they mean, and how bad ones are refused."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.costs import Costs
from kernel.limits import Limits
from kernel.quirks import ALL_QUIRKS, NO_QUIRKS
from servers.config import GIB, MIB, BadConfig, MachineConfig, known_quirks, parse_size

GOOD: list[tuple[str, Any, Any]] = [
    ("memory", "16M", 16 * MIB),
    ("memory", "1g", GIB),
    ("memory", " 2048K ", 2 * MIB),
    ("memory", 4 * MIB, 4 * MIB),
    ("slots", 10_000, 10_000),
    ("seed", 2**63 - 1, 2**63 - 1),
    ("policy", "priority", "priority"),
    ("policy", "random:7", "random:7"),
    ("quirks", "none", NO_QUIRKS),
    ("quirks", "all", ALL_QUIRKS),
    ("quirks", [], NO_QUIRKS),
    ("quirks", NO_QUIRKS, NO_QUIRKS),
    ("sanity", "each", "each"),
    ("costs", "free", Costs.parse("free")),
    ("costs", Costs(trap=5), Costs(trap=5)),
    ("limits", {"steps": 5, "time": "2ms"}, Limits(steps=5, time=2_000_000)),
    ("limits", Limits(steps=5), Limits(steps=5)),
    ("files", {"/a": "text", "/b": b"bytes"}, {"/a": "text", "/b": b"bytes"}),
    ("servers", {"own": "a.module:function"}, {"own": "a.module:function"}),
]

BAD: list[tuple[str, Any, str]] = [
    ("memory", "16X", "no size"),
    ("memory", "", "no size"),
    ("memory", "-1M", "no size"),
    ("memory", "1.5M", "no size"),
    ("memory", None, "no size"),
    ("memory", True, "no size"),
    ("memory", 4097, "multiple of 4K"),
    ("memory", "512K", "between 1M and 3G"),
    ("memory", "4G", "between 1M and 3G"),
    ("slots", 31, "32..30000"),
    ("slots", 30_001, "32..30000"),
    ("slots", "many", "no whole number"),
    ("slots", True, "no whole number"),
    ("seed", -1, "no whole number"),
    ("seed", 1.5, "no whole number"),
    ("policy", "lottery", "unknown policy"),
    ("policy", "fifo:3", "takes no argument"),
    ("policy", "replay", "needs a schedule"),
    ("policy", 3, "no name of a policy"),
    ("quirks", "no-such-quirk", "no-such-quirk"),
    ("quirks", ["no-such-quirk"], "no-such-quirk"),
    ("quirks", None, "None is no name of a quirk"),
    ("quirks", [5], "5 is no name of a quirk"),
    ("sanity", "sometimes", "never, quiet, each"),
    ("costs", None, "no text"),
    ("costs", {"trap": "1us"}, "no text"),
    ("limits", None, "no mapping"),
    ("limits", {"steps": "1us", "time": None}, "time cannot be None"),
    ("limits", Limits(steps="x"), "not a duration"),  # type: ignore[arg-type]
    ("limits", Limits(host_seconds=-1), "host_seconds cannot be -1"),
    ("limits", {"steps": 1.5}, "steps cannot be 1.5"),
    ("files", ["/a"], "no mapping"),
    ("servers", None, "no mapping"),
    ("driven", [], "no mapping"),
    ("costs", "trap=fast", "not a duration"),
    ("costs", "lunch=5", "unknown cost"),
    ("limits", {"patience": 5}, "no limit 'patience'"),
    ("limits", {"time": "soon"}, "not a duration"),
    ("files", {"relative": b""}, "no absolute path"),
    ("files", {5: b""}, "no absolute path"),
    ("files", {"/a": 5}, "neither text nor bytes"),
    ("servers", {"a server": len}, "no name for a server"),
    ("servers", {"own": "module"}, "not written module:function"),
    ("servers", {"own": ":function"}, "not written module:function"),
    ("servers", {"own": 5}, "cannot be called"),
]


@pytest.mark.parametrize(("key", "value", "expected"), GOOD, ids=lambda each: str(each)[:30])
def test_good(key: str, value: Any, expected: Any) -> None:
    assert getattr(MachineConfig.of({key: value}), key) == expected


@pytest.mark.parametrize(("key", "value", "reason"), BAD, ids=lambda each: str(each)[:30])
def test_bad(key: str, value: Any, reason: str) -> None:
    with pytest.raises(BadConfig) as caught:
        MachineConfig.of({key: value})
    assert caught.value.key == key
    assert str(caught.value).startswith(f"{key}: ")
    assert reason in caught.value.reason


def test_an_unknown_option_is_named_and_the_known_ones_with_it() -> None:
    with pytest.raises(BadConfig, match="memroy: there is no such option; there are memory,"):
        MachineConfig.of({"memroy": "16M"})


@pytest.mark.parametrize("name", known_quirks())
def test_every_quirk_can_be_asked_for(name: str) -> None:
    quirks = MachineConfig.of({"quirks": name}).quirks
    assert name in quirks
    assert "another" not in quirks


@pytest.mark.parametrize(("text", "size"), [("0", 0), ("12", 12), ("3k", 3072), (7, 7)])
def test_sizes(text: str | int, size: int) -> None:
    assert parse_size(text) == size
