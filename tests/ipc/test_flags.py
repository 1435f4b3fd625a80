"""Values by the names of their kind, and names by their value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipc.flags import CONSTANTS, KINDS, constant, flag_names
from ipc.layout import layout
from ipc.text import WAYS
from tests.ipc.facts import all_classes


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("prot", 0, "PROT_NONE"),
        ("prot", 3, "PROT_READ|PROT_WRITE"),
        ("prot", 9, "PROT_READ|8"),
        ("map", 0x1012, "MAP_PRIVATE|MAP_FIXED|MAP_ANON"),
        ("map", 0, "0"),
        ("map", 0x4001, "MAP_SHARED|0x4000"),
        ("open", 0, "O_RDONLY"),
        ("open", 0x601, "O_WRONLY|O_CREAT|O_TRUNC"),
        ("open", 3, "3"),
        ("lookup", -1, "PATH_RET_SYMLINK|PATH_GET_UCRED|0xffffffe7"),
        ("whence", 2, "SEEK_END"),
        ("whence", 7, "7"),
        ("whence", -1, "0xffffffff"),
        ("vmctl", 12, "VMCTL_CLEAR_PAGEFAULT"),
        ("ptrace", -1, "T_STOP"),
        ("pagefault", 6, "I386_VM_PFE_W|I386_VM_PFE_U"),
    ],
)
def test_names(kind: str, value: int, text: str) -> None:
    assert flag_names(kind, value) == text


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 0xFFFFFFFF))
def test_the_names_add_up_to_the_value(kind: str, value: int) -> None:
    total = 0
    for name in flag_names(kind, value).split("|"):
        total |= CONSTANTS[name] if name in CONSTANTS else int(name, 0)
    assert total & 0xFFFFFFFF == value


def test_unknown_kinds_and_names_are_refused() -> None:
    with pytest.raises(KeyError):
        flag_names("colour", 1)
    with pytest.raises(KeyError):
        constant("MAP_COLOUR")
    assert constant("MAP_ANONYMOUS") == constant("MAP_ANON") == 0x1000


def test_every_field_is_shown_in_a_way_that_there_is() -> None:
    shown = {member.show for cls in all_classes() for member in layout(cls).members}
    assert shown <= {*KINDS, *WAYS, "endpoint"}
    assert set(KINDS) <= shown
