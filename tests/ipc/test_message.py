"""Messages as records: made, compared, copied, and never changed."""

from __future__ import annotations

import copy
import pickle

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipc.message import Message, RawMessage, Reply, message, signed, u32, unsigned
from ipc.messageclass import maker
from ipc.vm import VmForkReply, VmMmap, VmMmapReply, VmPagefault


def test_a_class_knows_its_number_and_name() -> None:
    assert (VmMmap.type, VmMmap.name) == (3082, "VM_MMAP")
    assert (VmMmap(addr=1).type, VmMmap(addr=1).name) == (3082, "VM_MMAP")


def test_fields_are_nothing_unless_given() -> None:
    assert VmMmap(0, 0x1000, len=4096) == VmMmap(
        offset=0, addr=0x1000, len=4096, prot=0, flags=0, fd=0, forwhom=0
    )
    assert RawMessage(7).payload == b""


def test_a_reply_begins_with_its_result() -> None:
    assert VmMmapReply(-12).type == -12
    assert VmMmapReply(0, 0x5000).retaddr == 0x5000
    assert isinstance(VmMmapReply(), Reply)


@pytest.mark.parametrize("first", ["base", "derived"])
def test_a_class_is_made_right_whether_its_base_is_made_before_or_after(first: str) -> None:
    @message
    class Base(Message):
        one: int = u32(0)

    @message
    class Derived(Base):
        two: int = u32(4)

    if first == "base":
        assert Base(1).one == 1
    made = Derived(1, 2)
    assert (made.one, made.two) == (1, 2)
    assert [field.name for field in attrs.fields(Derived)] == ["one", "two"]
    assert [field.name for field in attrs.fields(Base)] == ["one"]


def test_equality_is_of_class_and_values() -> None:
    assert VmMmap(addr=1) == VmMmap(addr=1)
    assert VmMmap(addr=1) != VmMmap(addr=2)
    assert VmMmapReply(0) != VmForkReply(0)
    assert Reply(0) != VmMmapReply(0)
    assert hash(VmMmap(addr=1)) == hash(VmMmap(addr=1))
    assert VmMmap(addr=1) != (0, 1, 0, 0, 0, 0, 0)


def test_a_message_cannot_be_changed() -> None:
    one = VmMmap(addr=1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.addr = 2  # type: ignore[misc]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del one.addr
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.other = 2  # type: ignore[attr-defined]
    assert one == VmMmap(addr=1)


def test_a_maker_makes_what_the_class_makes() -> None:
    make = maker(VmMmap)
    assert make(0, 0x1000, len=4096) == VmMmap(0, 0x1000, len=4096)
    assert type(make()) is VmMmap
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        make().addr = 2  # type: ignore[misc]


def test_a_message_is_its_fields_and_nothing_else() -> None:
    assert VmMmap.field_names == tuple(field.name for field in attrs.fields(VmMmap))
    assert VmMmapReply.values_of(VmMmapReply(-12, 0x5000)) == (-12, 0x5000)
    assert not hasattr(VmMmap(), "__dict__")


def test_copies() -> None:
    one = VmMmap(addr=1, len=2)
    assert attrs.evolve(one, addr=3) == VmMmap(addr=3, len=2)
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"VmPagefault.*'address'"):
        VmPagefault(address=1)  # type: ignore[call-arg]


def test_repr_is_how_to_make_it() -> None:
    assert repr(VmPagefault(1, 2)) == "VmPagefault(addr=1, flags=2)"
    assert eval(repr(VmMmap(addr=5)), {"VmMmap": VmMmap}) == VmMmap(addr=5)


@pytest.mark.parametrize(
    ("value", "as_unsigned", "as_signed"),
    [
        (0, 0, 0),
        (-1, 0xFFFFFFFF, -1),
        (0x80000000, 0x80000000, -0x80000000),
        (0x7FFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF),
        (1 << 32, 0, 0),
    ],
)
def test_conversions_are_those_of_c(value: int, as_unsigned: int, as_signed: int) -> None:
    assert unsigned(value) == as_unsigned
    assert signed(value) == as_signed


@given(st.integers())
def test_conversions_agree_modulo_a_word(value: int) -> None:
    assert (unsigned(value) - value) % (1 << 32) == 0
    assert (signed(value) - value) % (1 << 32) == 0
    assert unsigned(signed(value)) == unsigned(value)
