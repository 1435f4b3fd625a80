"""Message filters: which messages a process that is being updated agrees to receive.

A process has a chain of filters, each a list of elements that match messages by source, by number,
or both.  The first one's kind says what happens to a message that none matches; each filter of the
other kind may turn the verdict.

Source: MINIX ``kernel/ipc_filter.h``; ``kernel/system.c`` add_ipc_filter, allow_ipc_filtered_msg.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs

from ipc.endpoint import ANY_SYS, ANY_TSK, ANY_USR
from ipc.errors import E2BIG, EINVAL, ENOMEM, OK
from kernel.privilege import NR_SYS_PROCS

if TYPE_CHECKING:
    from kernel.process import Process
    from kernel.table import ProcessTable

# Kinds of filters.
BLACKLIST: Final = 1
WHITELIST: Final = 2

MAXIMUM_ELEMENTS: Final = 2 * NR_SYS_PROCS
POOL_SIZE: Final = 2 * NR_SYS_PROCS


@attrs.frozen
class FilterElement:
    """Matches messages from `source` with the number `type`; None matches any."""

    source: int | None = None
    type: int | None = None

    def matches(self, source: int, kind: int, number: int | None) -> bool:
        """Whether it matches a message from the endpoint `source`, which is of the `kind`."""
        if self.type is not None and self.type != number:
            return False
        return self.source is None or self.source == source or self.source == kind


@attrs.frozen
class Filter:
    """Elements of messages that are all refused (BLACKLIST) or all allowed (WHITELIST)."""

    kind: int
    elements: tuple[FilterElement, ...]


def add_filter(
    table: ProcessTable, process: Process, kind: int, elements: Sequence[FilterElement]
) -> int:
    """Put a filter at the end of the chain of `process`.

    Returns OK, EINVAL (the kind, an element that matches everything, an unknown source), E2BIG
    (no elements, or more than 128), or ENOMEM (the kernel keeps 128 filters in all).
    """
    if kind not in (BLACKLIST, WHITELIST):
        return EINVAL
    if not 0 < len(elements) <= MAXIMUM_ELEMENTS:
        return E2BIG
    if sum(len(privilege.filters) for privilege in table.privileges) >= POOL_SIZE:
        return ENOMEM
    if not all(_is_valid(table, element) for element in elements):
        return EINVAL
    process.privilege.filters.append(Filter(kind, tuple(elements)))
    return OK


def _is_valid(table: ProcessTable, element: FilterElement) -> bool:
    if element.source is None:
        return element.type is not None
    many = (ANY_USR, ANY_SYS, ANY_TSK)
    return element.source in many or table.lookup(element.source) is not None


def admits(receiver: Process, sender: Process, number: int | None) -> bool:
    """Whether the filters of `receiver` let a message from `sender` with this `number` pass.

    A message whose number cannot be read (None) passes if any filter would have to know it: the
    copy of the whole message then fails anyway.
    """
    filters = receiver.privilege.filters
    if not filters:
        return True
    if number is None and any(
        element.type is not None for each in filters for element in each.elements
    ):
        return True
    kind = _kind_of(sender)
    allow = filters[0].kind == BLACKLIST
    for each in filters:
        if allow != (each.kind == WHITELIST) and any(
            element.matches(sender.endpoint, kind, number) for element in each.elements
        ):
            allow = each.kind == WHITELIST
    return allow


def _kind_of(process: Process) -> int:
    """ANY_USR, ANY_SYS or ANY_TSK, whichever `process` is."""
    if not process.privilege.system:
        return ANY_USR
    return ANY_TSK if process.slot < 0 else ANY_SYS
