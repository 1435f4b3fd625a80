"""Grants: who may copy what, and copies through them."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest

from ipc.endpoint import ANY, NONE, SELF, VFS
from ipc.errors import EDOM, EFAULT, EINVAL, ELOOP, ENOTREADY, EPERM, OK
from ipc.flags import (
    CPF_DIRECT,
    CPF_INDIRECT,
    CPF_MAGIC,
    CPF_READ,
    CPF_TRY,
    CPF_USED,
    CPF_VALID,
    CPF_WRITE,
)
from ipc.kernelcalls import (
    SysSafecopyfrom,
    SysSafecopyto,
    SysSafememset,
    SysSetgrant,
    SysUmap,
    SysVsafecopy,
    SysVumap,
)
from ipc.traps import Load, Receive, Store, trap
from kernel.calls.copies import do_safecopy
from kernel.copying import private_memory
from kernel.grants import GRANT_SHIFT, Grant, Granted, grant_id, grant_index, verify_grant
from kernel.machine import Machine
from tests.kernel.machines import LIMIT, Small, call

LIVE = CPF_USED | CPF_VALID
BOTH = CPF_READ | CPF_WRITE
GRANTER, GRANTEE, THIRD = 21, 22, 23


async def idle() -> None:
    await trap(Receive())


def with_grants(tables: dict[int, list[Grant]]) -> Machine:
    machine = Machine()
    for slot in (VFS, GRANTER, GRANTEE, THIRD):
        process = machine.spawn(slot, f"p{slot}", idle, system=True)
        if slot in tables:
            process.privilege.grants = tables[slot]
    return machine


def direct(flags: int = LIVE | CPF_DIRECT | BOTH, **fields: int) -> Grant:
    values = {"who_to": GRANTEE, "start": 0x1000, "length": 100, **fields}
    return Grant(flags, **values)


@pytest.mark.parametrize(
    ("grant", "outcome"),
    [
        (direct(), (GRANTER, 0x1010)),
        (direct(who_to=ANY), (GRANTER, 0x1010)),
        (direct(who_to=THIRD), EPERM),
        (direct(sequence=1), EPERM),
        (direct(length=0x10), EPERM),
        (direct(start=0xFFFFFFF0, length=0x20), EPERM),
        (direct(CPF_USED | CPF_DIRECT | BOTH), EPERM),
        (direct(LIVE | CPF_DIRECT | CPF_WRITE), EPERM),
        (direct(LIVE | BOTH), EPERM),
        (direct(LIVE | CPF_MAGIC | BOTH, who_from=THIRD), EPERM),  # only VFS may
    ],
)
def test_what_a_grant_allows(grant: Grant, outcome: Any) -> None:
    machine = with_grants({GRANTER: [grant]})
    found = verify_grant(machine, GRANTER, GRANTEE, 0, 8, CPF_READ, 0x10)
    if isinstance(found, Granted):
        assert (found.endpoint, found.address) == outcome
    else:
        assert found == outcome


@pytest.mark.parametrize(
    ("granter", "number", "outcome"),
    [(99, 0, EINVAL), (GRANTER, -1, EINVAL), (GRANTER, 1, EPERM), (THIRD, 0, EPERM)],
)
def test_what_is_no_grant(granter: int, number: int, outcome: int) -> None:
    machine = with_grants({GRANTER: [direct()]})
    assert verify_grant(machine, granter, GRANTEE, number, 8, CPF_READ, 0) == outcome


@pytest.mark.parametrize("kind", [CPF_DIRECT, CPF_MAGIC, CPF_INDIRECT, CPF_DIRECT | CPF_TRY])
@pytest.mark.parametrize("use", [LIVE, CPF_USED, CPF_VALID])
@pytest.mark.parametrize("allowed", [BOTH, CPF_READ, CPF_WRITE, 0])
def test_a_safe_copy_is_what_its_grant_allows(kind: int, use: int, allowed: int) -> None:
    grant = direct(kind | use | allowed)
    machine = with_grants({GRANTER: [grant]})
    granter, grantee = machine.table.at(GRANTER), machine.table.at(GRANTEE)
    granter.privilege.grant_endpoint = GRANTER
    theirs, mine = private_memory(granter), private_memory(grantee)
    copied = 0
    cases = itertools.product(
        (GRANTEE, THIRD, ANY), (0, 1), (0x1000, 0, 0xFFFFFFF0), (16, 17, 0),  # the grant
        (0, 1, 1 << GRANT_SHIFT, -1), (0, 8, 16, -1), (0, 8, 9, -1),
        (SysSafecopyfrom, SysSafecopyto),
    )  # fmt: skip
    for who_to, sequence, start, size, number, length, offset, copy in cases:
        grant.who_to, grant.sequence, grant.start, grant.length = who_to, sequence, start, size
        theirs.contents.clear()
        mine.contents.clear()
        origin = theirs if copy is SysSafecopyfrom else mine
        at, to = (start + offset) & 0xFFFFFFFF, 0x5000
        if origin is mine:
            at, to = to, at
        origin.fill(at, 0x77, min(max(length, 0), (1 << 32) - at))
        code = do_safecopy(machine, grantee, copy(GRANTER, number, offset, 0x5000, length))
        access = CPF_READ if origin is theirs else CPF_WRITE
        verified = verify_grant(machine, GRANTER, GRANTEE, number, length, access, offset)
        if isinstance(verified, int):
            assert code == verified
        else:
            assert code == (OK if length else EDOM)
            copied += length
            target = mine if origin is theirs else theirs
            assert target.read(to, length) == b"\x77" * length
    assert bool(copied) == (kind & CPF_DIRECT != 0 and use == LIVE and allowed != 0)


def test_a_magic_grant_of_vfs_covers_another_process() -> None:
    magic = Grant(LIVE | CPF_MAGIC | CPF_READ | CPF_TRY, 0, GRANTEE, THIRD, 0x2000, 16)
    machine = with_grants({VFS: [magic]})
    found = verify_grant(machine, VFS, GRANTEE, 0, 16, CPF_READ, 0)
    assert isinstance(found, Granted)
    assert (found.endpoint, found.address, found.soft) == (THIRD, 0x2000, True)


def test_an_indirect_grant_leads_back_to_the_first() -> None:
    indirect = Grant(LIVE | CPF_INDIRECT, 0, THIRD, GRANTER, grant=0)
    machine = with_grants({GRANTER: [direct()], GRANTEE: [indirect]})
    found = verify_grant(machine, GRANTEE, THIRD, 0, 8, CPF_READ, 0)
    assert isinstance(found, Granted)
    assert found.endpoint == GRANTER
    assert verify_grant(machine, GRANTEE, GRANTER, 0, 8, CPF_READ, 0) == EPERM


def test_a_circle_of_indirect_grants_ends() -> None:
    circle = Grant(LIVE | CPF_INDIRECT, 0, GRANTER, GRANTER, grant=0)
    machine = with_grants({GRANTER: [circle]})
    assert verify_grant(machine, GRANTER, GRANTER, 0, 8, CPF_READ, 0) == ELOOP


def test_a_table_that_is_not_final_is_not_ready() -> None:
    machine = with_grants({GRANTER: [direct()]})
    machine.table.at(GRANTER).privilege.grant_endpoint = THIRD
    assert verify_grant(machine, GRANTER, GRANTEE, 0, 8, CPF_READ, 0) == ENOTREADY
    assert isinstance(verify_grant(machine, GRANTER, GRANTEE, 0, 8, 0, 0), Granted)


@pytest.mark.parametrize(("index", "sequence"), [(0, 0), (5, 1), ((1 << 20) - 1, 2047)])
def test_grant_numbers(index: int, sequence: int) -> None:
    number = grant_id(index, sequence)
    assert (grant_index(number), number >> GRANT_SHIFT) == (index, sequence)


def serve(granted: Grant, request: Any, before: bytes = b"theirs", mine: bytes = b"our own") -> Any:
    """The code of a copying call, and what the memory of both sides then holds."""
    small = Small()
    target = small.machine.spawn(GRANTER, "target", idle, system=True)
    small.machine.mmu.bind(target.endpoint, small.machine.mmu.new())
    target.privilege.grants = [granted]
    if before:
        small.vm.map(target, 0x1000)
        small.machine.frames.write(target.space.translate(0x1000), before)

    async def server() -> tuple[int, bytes]:
        await trap(Store(0x7000, mine))
        code = (await call(request)).type
        return code, bytes(await trap(Load(0x7000, 7)))

    code, after = small.result(server)
    phys = target.space.translate(0x1000)
    return code, after, small.machine.frames.read(phys, 6) if phys >= 0 else None, granted


PROBE = 20  # the endpoint of the process that `Small.result` runs


@pytest.mark.parametrize(
    ("request_", "before", "expected"),
    [
        (SysSafecopyfrom(GRANTER, 0, 0, 0x7000, 6), b"theirs", (OK, b"theirsn", b"theirs")),
        (SysSafecopyto(GRANTER, 0, 0, 0x7000, 3), b"theirs", (OK, b"our own", b"ourirs")),
        (SysSafecopyto(GRANTER, 0, 0, 0x7000, 3), b"", (OK, b"our own", b"our\0\0\0")),
        (SysSafecopyto(GRANTER, 0, 98, 0x7000, 3), b"theirs", (EPERM, b"our own", b"theirs")),
        (SysSafecopyto(NONE, 0, 0, 0x7000, 3), b"theirs", (EFAULT, b"our own", b"theirs")),
        (SysSafememset(GRANTER, ord("z"), 0, 1, 2), b"theirs", (OK, b"our own", b"tzzirs")),
        (SysSafememset(99, ord("z"), 0, 1, 2), b"theirs", (EINVAL, b"our own", b"theirs")),
        (SysSafememset(NONE, ord("z"), 0, 1, 2), b"theirs", (EFAULT, b"our own", b"theirs")),
        (SysVsafecopy(0x7100, 0), b"theirs", (EINVAL, b"our own", b"theirs")),
        (SysVsafecopy(0x7100, 65), b"theirs", (EINVAL, b"our own", b"theirs")),
    ],
)
def test_safe_copies(request_: Any, before: bytes, expected: tuple[int, bytes, bytes]) -> None:
    assert serve(direct(who_to=PROBE), request_, before)[:3] == expected


@pytest.mark.parametrize("start", [0x3000, LIMIT])
def test_a_copy_that_only_tries_marks_the_grant(start: int) -> None:
    granted = direct(LIVE | CPF_DIRECT | BOTH | CPF_TRY, who_to=PROBE, start=start)
    code, _, _, grant = serve(granted, SysSafecopyto(GRANTER, 0, 0, 0x7000, 3), b"")
    assert code == EFAULT
    assert grant.faulted == 0


def test_a_vector_of_copies_goes_both_ways() -> None:
    small = Small()
    target = small.machine.spawn(GRANTER, "target", idle, system=True)
    small.machine.mmu.bind(target.endpoint, small.machine.mmu.new())
    target.privilege.grants = [direct(who_to=PROBE)]

    async def server() -> tuple[int, int, bytes]:
        await trap(Store(0x7000, b"round trip"))
        element = struct.Struct("<iiiIII")
        vector = element.pack(SELF, GRANTER, 0, 0, 0x7000, 10)
        vector += element.pack(GRANTER, SELF, 0, 6, 0x7010, 4)
        await trap(Store(0x7100, vector))
        first = (await call(SysVsafecopy(0x7100, 2))).type
        await trap(Store(0x7100, element.pack(GRANTER, GRANTER, 0, 6, 0x7010, 4)))
        second = (await call(SysVsafecopy(0x7100, 1))).type
        return first, second, bytes(await trap(Load(0x7010, 4)))

    assert small.result(server) == (OK, EINVAL, b"trip")


def test_a_table_in_memory_is_read_and_marked() -> None:
    small = Small()
    layout = struct.Struct("<IiiIIIi")

    async def granter() -> None:
        entries = layout.pack(LIVE | CPF_DIRECT | BOTH | CPF_TRY, 3, PROBE, 0x9000, 8, 0, -1)
        await trap(Store(0x2000, entries))
        assert (await call(SysSetgrant(0x2000, 1))).type == OK
        await trap(Store(0x9000, b"in memory"))

    process = small.server("granter", granter, GRANTER)
    number = grant_id(0, 3)
    small.run()

    async def server() -> tuple[int, bytes]:
        code = (await call(SysSafecopyfrom(GRANTER, number, 0, 0x7000, 8))).type
        return code, bytes(await trap(Load(0x7000, 8)))

    assert small.result(server) == (OK, b"in memor")
    assert process.privilege.grants is not None
    found = verify_grant(small.machine, GRANTER, PROBE, number, 8, CPF_READ, 0)
    assert isinstance(found, Granted)
    found.soft_fault()
    assert process.private is not None
    assert process.private.read(0x2000 + 24, 4) == struct.pack("<i", number)
    assert verify_grant(small.machine, GRANTER, PROBE, 0, 8, CPF_READ, 0) == EPERM


def test_a_table_of_less_than_no_entries_has_none() -> None:
    small = Small()

    async def granter() -> None:
        assert (await call(SysSetgrant(0x2000, -1))).type == OK

    small.server("granter", granter, GRANTER)
    small.run()

    async def server() -> int:
        return int((await call(SysSafecopyfrom(GRANTER, 0, 0, 0x7000, 8))).type)

    assert small.result(server) == EPERM


def test_nobodys_memory_is_no_buffer() -> None:
    small = Small()
    magic = Grant(LIVE | CPF_MAGIC | BOTH, who_to=PROBE, who_from=NONE, length=0x1000)
    small.machine.spawn(VFS, "vfs", idle, system=True).privilege.grants = [magic]

    async def server() -> int:
        await trap(Store(0x7000, struct.pack("<II", 0, 0x1000)))
        return int((await call(SysVumap(VFS, 0x7000, 1, 0x7100, 4, 1, 0))).type)

    assert small.result(server) == EINVAL


def test_physical_addresses_of_grants_and_own_memory() -> None:
    small = Small()
    target = small.machine.spawn(GRANTER, "target", idle, system=True)
    small.machine.mmu.bind(target.endpoint, small.machine.mmu.new())
    target.privilege.grants = [direct(who_to=PROBE, length=0x3000)]
    for address in (0x1000, 0x2000):
        small.vm.map(target, address)
    small.vm.next_frame += 5
    small.vm.map(target, 0x3000)

    async def server() -> list[int]:
        codes = []
        for segment, address, length in (
            (0x1003, 0, 0x2000), (0x1003, 0, 0x3000), (0x1001, 0x1000, 4), (0x2003, 0, 4),
            (0x1007, 0, 4),
        ):  # fmt: skip
            endpoint = GRANTER if segment & 0xFF == 3 else SELF
            answer = await call(SysUmap(endpoint, segment, address, 0, length))
            codes.append(answer.dst_addr if answer.type == OK else answer.type)
        await trap(Store(0x7000, struct.pack("<II", 0, 0x2800)))
        vumap = await call(SysVumap(GRANTER, 0x7000, 1, 0x7100, 4, 1, 0))
        codes += [vumap.type, vumap.pcount]
        codes += struct.unpack("<4I", await trap(Load(0x7100, 16)))
        codes.append((await call(SysVumap(GRANTER, 0x7000, 0, 0x7100, 4, 1, 0))).type)
        codes.append((await call(SysVumap(GRANTER, 0x7000, 1, 0x7100, 4, 9, 0))).type)
        return codes

    frame = target.space.translate(0x1000)
    last = target.space.translate(0x3000)
    assert small.result(server) == [
        frame, EFAULT, 0x1000, EINVAL, EFAULT,
        OK, 2, frame, 0x2000, last, 0x800, EINVAL, EINVAL,
    ]  # fmt: skip
