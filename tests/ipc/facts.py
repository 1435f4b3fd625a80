"""What MINIX's own headers say, as its compiler worked it out; see tests/data/README.md."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Final

import attrs

from ipc.message import Message
from ipc.registry import MESSAGES, NUMBERED_ANSWERS, VMCTL_ANSWERS, reply_class
from tests.ipc.structures import STRUCTURES

DATA: Final = Path(__file__).parent.parent / "data" / "minix-facts.json.gz"


def _read() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(gzip.decompress(DATA.read_bytes()))
    assert facts["format"] == "minix-facts-for-ipc/1"
    return facts


FACTS: Final = _read()
CONSTANTS: Final[dict[str, int]] = FACTS["constants"]


@attrs.frozen
class MinixMember:
    """A member of a payload structure: offset and size in bytes; an array has a `count`."""

    at: int
    size: int
    kind: str
    count: int


def minix_member(cls: type[Message], field: str) -> MinixMember:
    """The member of MINIX's structure that `field` of `cls` stands for."""
    structure = STRUCTURES[cls.__name__]
    name = field.removesuffix("_")
    if structure.isupper():
        payload, member = FACTS["aliases"][f"{structure}{name.upper()}"]
    else:
        payload, member = f"m_{structure}", name
    return MinixMember(*FACTS["payload"][payload][member])


def all_classes() -> list[type[Message]]:
    """Every class of messages, requests and their replies, once each."""
    answers = (reply_class(cls) for cls in MESSAGES)
    special = (*NUMBERED_ANSWERS.values(), *VMCTL_ANSWERS.values())
    return list(dict.fromkeys([*MESSAGES, *answers, *special]))
