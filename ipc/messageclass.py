"""The class of message classes: how the fields in a class's body become what its messages hold.

A message must not be changed, and one is made for nearly everything that happens, so that making
and reading must cost little.  attrs' frozen classes fill an instance's dictionary, which takes
twice as long as plain assignments do, and reading from it four times.  So each message class has
slots and refuses assignments; its messages are filled while they are of another class, alike but
for refusing nothing, and then become what they are for good.

There are some three hundred classes.  What makes a class's messages is made with the first one, and
what attrs knows of its fields when somebody first asks; an import costs next to nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

import attrs

_P = ParamSpec("_P")
_M = TypeVar("_M")


class Field(NamedTuple):
    """What stands for a field in the body of its class: see `ipc.layout`, and its default."""

    form: str
    at: int
    show: str
    empty: object = 0


class _Attributes:
    """attrs' list of the fields of a class, which is made when first asked for."""

    def __get__(self, instance: object, owner: Any) -> Any:
        these = {
            name: attrs.field(
                default=field.empty,
                metadata={"form": field.form, "at": field.at, "show": field.show},
            )
            for name, field in owner.own_fields.items()
        }
        attrs.frozen(
            owner, these=these, init=False, slots=False, eq=False, repr=False, match_args=False
        )
        return owner.__dict__["__attrs_attrs__"]


def _first(cls: Any, *values: Any, **named: Any) -> Any:
    # Only the first message of a class comes here.
    cls.__new__ = staticmethod(_constructor(cls, "__new__", "cls, "))
    return cls(*values, **named)


_ATTRIBUTES: Final = _Attributes()
_FIRST: Final = staticmethod(_first)


class MessageClass(type):
    """The class of message classes: a message has a slot for each field, and nothing else.

    `values_of(message)` are the values of a message in the order of `field_names`; `own_fields`
    are those that the class adds to its base's.
    """

    field_names: tuple[str, ...]
    values_of: Callable[[Any], tuple[Any, ...]]
    own_fields: dict[str, Field]

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> MessageClass:
        own = {key: value for key, value in namespace.items() if type(value) is Field}
        for key in own:
            del namespace[key]
        namespace["__slots__"] = tuple(own)
        namespace["own_fields"] = own
        namespace["__new__"] = _FIRST
        if bases:  # `Message` itself is no attrs class
            namespace["__attrs_attrs__"] = _ATTRIBUTES
        made = super().__new__(cls, name, bases, namespace, **options)
        made.field_names = (*getattr(made.__base__, "field_names", ()), *own)
        made.values_of = _getter(made.field_names)
        return made


del MessageClass.__annotations__  # they would hide those of the classes


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda message: tuple([getattr(message, name) for name in names])


def maker(kind: Callable[_P, _M]) -> Callable[_P, _M]:
    """What makes messages of the class `kind` at half the cost of a call of the class.

    For those that are made again and again.
    """
    return _constructor(kind, "make", "")  # type: ignore[no-any-return]


def _constructor(cls: Any, name: str, first: str) -> Any:
    """What takes `first`, and the values of the fields of `cls` in their order, for a message."""
    draft = type.__new__(
        MessageClass,
        cls.__name__,
        (cls,),
        {
            "__slots__": (),
            "__new__": object.__new__,
            "__setattr__": object.__setattr__,
            "__delattr__": object.__delattr__,
        },
    )
    fields = cls.field_names
    lines = [
        f"def {name}({first}{', '.join(f'{field}=_empty[{field!r}]' for field in fields)}):",
        "    self = _new(_draft)",
        *(f"    self.{field} = {field}" for field in fields),
        "    self.__class__ = _kind",
        "    return self",
    ]
    kinds: list[Any] = [kind for kind in reversed(cls.__mro__) if isinstance(kind, MessageClass)]
    empty = {key: field.empty for kind in kinds for key, field in kind.own_fields.items()}
    scope: dict[str, Any] = {
        "_new": object.__new__, "_draft": draft, "_kind": cls, "_empty": empty
    }  # fmt: skip
    exec("\n".join(lines), scope)  # noqa: S102 - of field names alone, as attrs does it
    made = scope[name]
    made.__qualname__ = f"{cls.__qualname__}.{name}"
    return made
