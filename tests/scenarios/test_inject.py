"""`inject`: faults in scenarios."""

from __future__ import annotations

import pytest

from ipc.errors import EIO
from ipc.registry import BY_NAME
from kernel.injection import When
from kernel.probes import Event, FaultInjected
from scenarios import syntax
from scenarios.inject import fault_of
from scenarios.run import Outcome, run
from scenarios.settings import fault_settings
from scenarios.source import Source
from tests.scenarios.helpers import line, mistake

FILE = 'file /f "text"\n'
MMAP = "init: mmap(NULL, 8K, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANON, -1, 0) = buf\n"
OPEN = 'init: open("/f", O_RDONLY)'


def outcome_of(text: str) -> Outcome:
    return run(Source("t.scn", text))


def injected(text: str) -> syntax.Inject:
    statement = line(text)
    assert isinstance(statement, syntax.Inject)
    return statement


TRUE = {
    "an error": f"{FILE}inject reply VFS VFS_OPEN error=EIO\n{OPEN} = EIO\n{OPEN} = EIO",
    "the nth": f"{FILE}inject reply VFS VFS_OPEN error=EIO when=2\n{OPEN}\n{OPEN} = EIO\n{OPEN}",
    "from the nth on": (
        f"{FILE}inject reply VFS error=EIO when=2+\n{OPEN}\ninit: close(0) = EIO\n{OPEN} = EIO"
    ),
    "every second": (
        "inject reply PM error=EIO when=2+2\nrepeat 2\n    init: getpid() = 1\n"
        "    init: getpid() = EIO"
    ),
    "some": (
        f"{FILE}inject reply VFS error=EIO when=2..3\n{OPEN}\n{OPEN} = EIO\n{OPEN} = EIO\n{OPEN}"
    ),
    "servers have names of their own": (
        f"{FILE}inject reply vfs VFS_OPEN error=EIO when=1\n{OPEN} = EIO"
    ),
    "nothing ends them": f"{FILE}inject reply VFS error=EIO\n{OPEN} = EIO\ninject nothing\n{OPEN}",
    "a delay": (
        "inject reply PM delay=5ms when=1\nlet t = now()\ninit: getpid() = 1\n"
        "check now() > t + 5ms and now() < t + 6ms"
    ),
    "a delay shows": (
        "init: fork() = kid\ninject reply PM delay=5ms when=1\ninit: getpid() <unfinished ...>\n"
        'check state(PM) == "delayed"\nkid: sbrk(0)\ninit: <... getpid resumed> = 1\n'
        'check state(PM) == "receiving"'
    ),
    "a delay and an error": (
        "inject reply PM error=EPERM delay=5ms\nlet t = now()\ninit: getpid() = EPERM\n"
        "check now() > t + 5ms"
    ),
    "an allocation": (
        f"{MMAP}init: fork() = kid\ninject allocation fail when=2\n"
        'kid: store(buf, "x")\nkid: store(buf + 4K, "x") = SIGSEGV'
    ),
    "all allocations": (
        "inject allocation fail\n"
        "init: mmap(NULL, 8K, PROT_READ, MAP_PRIVATE|MAP_ANON|MAP_PREALLOC, -1, 0) = ENOMEM\n"
        "inject nothing\ninit: mmap(NULL, 8K, PROT_READ, MAP_PRIVATE|MAP_ANON|MAP_PREALLOC, -1, 0)"
    ),
    "a crash at once": f'{FILE}inject crash MFS\ncheck state(MFS) == "dead"\n{OPEN} = EIO',
    "a crash over a request": (
        f'{FILE}inject crash MFS when=2\n{OPEN}\n{OPEN} = EIO\ncheck state(MFS) == "dead"'
    ),
    "a crash over a request of one kind": (
        f"{FILE}{MMAP}inject crash MFS REQ_READ\n{OPEN} = fd\ninit: read(fd, buf, 1) = EIO"
    ),
    "who asks the dead": (
        "process p kind=system\ninject crash SCHED\n"
        "p: sendrec(SCHED, SCHEDULING_STOP {}) = EDEADSRCDST"
    ),
    "the crash of VM is a panic": "inject crash VM\nexpect panic",
    "the crash of PM over a request is a panic": "inject crash PM\nexpect panic",
    "the crash of VFS over a request is a panic": f"inject crash VFS when=1\n{OPEN}\nexpect panic",
    "a server that the scenario plays": (
        "process vfs endpoint=VFS\ninject reply vfs VFS_OPEN error=EIO when=1\n"
        f"vfs: receive(init) <unfinished ...>\n{OPEN} = EIO\n{OPEN} <unfinished ...>\n"
        "vfs: <... receive resumed> = VFS_OPEN {}"
    ),
    "in a loop": (
        f"{FILE}repeat 3\n    inject reply VFS error=EIO when=1\n    {OPEN} = EIO\n    {OPEN} = fd"
    ),
    "the answer has the type of the request's": (
        "inject reply VM VM_MMAP error=ENOMEM\n"
        "init: sendrec(VM, VM_MMAP {len: 8K, flags: MAP_ANON|MAP_PRIVATE, fd: -1, forwhom: SELF})"
        " = {type: ENOMEM, retaddr: 0}\n"
        "expect only\n    init -> VM: VM_MMAP\n    VM -> init: VM_MMAP reply {type: ENOMEM}"
    ),
}


@pytest.mark.parametrize("name", TRUE)
def test_true(name: str) -> None:
    outcome = outcome_of(TRUE[name])
    assert outcome.status == "ok", outcome.reason


NEVER = {
    "no such request": (
        "inject reply VFS error=EIO\ninit: getpid()",
        ["t.scn:1:1: this fault never struck", "VFS received no requests since the fault was set"],
    ),
    "not so many": (
        f"{FILE}inject reply VFS VFS_OPEN error=EIO when=2\n{OPEN}",
        ["t.scn:2:1: this fault never struck", "VFS received 1 VFS_OPEN since the fault was set"],
    ),
    "allocations": (
        "inject allocation fail when=9\ninit: sbrk(0)",
        ["t.scn:1:1: this fault never struck", "VM made no allocations since the fault was set"],
    ),
    "ended before": (
        f"{FILE}inject reply VFS error=EIO\ninject nothing\n{OPEN}",
        ["t.scn:2:1: this fault never struck", "VFS received no requests"],
    ),
    "one of two": (
        f"{FILE}inject reply VFS error=EIO\ninject crash disk BDEV_WRITE\n{OPEN} = EIO",
        ["t.scn:3:1: this fault never struck", "disk received no BDEV_WRITE"],
    ),
}


@pytest.mark.parametrize("name", NEVER)
def test_a_fault_that_never_strikes_fails_the_scenario(name: str) -> None:
    text, said = NEVER[name]
    outcome = outcome_of(text)
    assert outcome.status == "failed"
    for words in said:
        assert words in outcome.reason


def test_a_line_that_fails_is_told_before_a_fault_that_never_struck() -> None:
    outcome = outcome_of("inject reply VFS error=EIO\ninit: getpid() = 2")
    assert outcome.reason.startswith("t.scn:2:18: getpid gave another result")


MISTAKES = [
    ("inject reply init error=EIO", 14, "init is no server", ""),
    ("inject crash init", 14, "init is no server", ""),
    ("inject reply VSF error=EIO", 14, "there is no server VSF",
     "there are PM, SCHED, VFS, VM, PFS, MFS, disk"),
    ("inject reply dsik error=EIO", 14, "there is no server dsik", "did you mean disk?"),
    ("inject reply SIGKILL error=EIO", 14, "there is no server SIGKILL",
     "there are PM, SCHED, VFS, VM, PFS, MFS, disk"),
    ("inject reply RS error=EIO", 14, "there is no server RS", ""),
    ("inject reply VFS VFS_OPNE error=EIO", 18, "unknown message VFS_OPNE",
     "did you mean VFS_OPEN?"),
    ("inject reply VFS error=ENOMEN", 24, "unknown error ENOMEN",
     "did you mean ENOMEM or ENOENT?"),
    ("inject reply VFS error=5", 24, "unknown error 5", "errors have names, such as EIO"),
    ("inject reply VFS error=OK", 24, "unknown error OK", "errors have names, such as EIO"),
    ("inject reply VFS delay=-5ms", 24, "delay must be more than 0", ""),
    ("inject reply VFS delay=0", 24, "delay must be more than 0", ""),
    ("inject reply VFS delay=5min", 24, "unknown unit min",
     "sizes take K, M or G; times ns, us, ms or s"),
    ("inject reply VFS error=EIO when=-2", 33, "when is N, N+, N+STEP or N..M", ""),
    ("inject reply VFS error=EIO when=0", 33, "occurrences are counted from 1", ""),
    ("inject reply VFS error=EIO when=3..1", 33, "3..1 is empty", ""),
    ("inject reply VFS error=EIO error=EIO", 28, "error is given twice", ""),
    ("inject reply VFS errno=EIO", 18, "inject reply has no setting errno", "did you mean error?"),
    ("inject reply VFS when=2", 1, "inject reply needs error= or delay=", ""),
    ("inject reply VFS VFS_PM_FORK error=EIO", 18,
     "VFS_PM_FORK has no reply that could be an error", ""),
    ("inject reply VM VM_VFS_REPLY delay=1ms", 17, "VM_VFS_REPLY is not a request", ""),
    ("inject crash VFS NOTIFY_MESSAGE", 18, "NOTIFY_MESSAGE is not a request", ""),
    ("inject crash VFS error=EIO", 18, "inject crash has no setting error",
     "inject crash takes when"),
    ("inject allocation fail delay=1ms", 24, "inject allocation has no setting delay",
     "inject allocation takes when"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "message", "hint"), MISTAKES)
def test_mistakes_are_shown_with_their_place(
    text: str, column: int, message: str, hint: str
) -> None:
    outcome = outcome_of(text)
    assert outcome.status == "bad"
    said = outcome.reason.splitlines()
    assert said[0] == f"t.scn:1:{column}: {message}"
    assert said[2].index("^") == column + 3
    assert said[3:] == ([f"  {hint}"] if hint else [])


@pytest.mark.parametrize("text", [text for text, *_ in MISTAKES if " init" not in text])
def test_most_are_found_before_anything_runs(text: str) -> None:
    if " RS " not in text:
        assert mistake(text, checked=True)


def test_what_a_line_says() -> None:
    statement = injected("inject reply VFS VFS_OPEN error=EIO delay=5ms when=2..9+3")
    assert fault_settings(statement) == {
        "error": EIO, "delay": 5_000_000, "when": When(2, 9, 3),
    }  # fmt: skip
    fault = fault_of(statement, "vfs")
    assert fault is not None
    assert (fault.request, fault.when) == (BY_NAME["VFS_OPEN"], When(2, 9, 3))  # type: ignore[union-attr]
    assert fault_of(injected("inject crash VFS"), "vfs") is None
    assert fault_of(injected("inject crash VFS VFS_OPEN"), "vfs").when == When(1, 1)  # type: ignore[union-attr]


def test_the_trace_shows_every_fault_where_it_strikes() -> None:
    lines: list[str] = []
    events: list[Event] = []
    text = (
        f"{FILE}inject reply VFS VFS_OPEN error=EIO when=2\n{OPEN}\n{OPEN} = EIO\ninject kill init"
    )
    run(Source("t.scn", text), trace=lines.append, listener=events.append)
    struck = [each for each in events if isinstance(each, FaultInjected)]
    assert [each.fault for each in struck] == ["VFS_OPEN error=EIO", "kill"]
    shown = [text.strip().partition("  ")[2].strip() for text in lines if "injected" in text]
    assert shown == ["VFS: injected: VFS_OPEN error=EIO, number 2", "init: injected: kill"]
    at = next(number for number, text in enumerate(lines) if "injected" in text)
    assert "init -> VFS: VFS_OPEN" in lines[at - 1]
    assert "VFS -> init: VFS_OPEN reply = EIO" in lines[at + 1]


def test_faults_strike_at_the_same_places_each_time() -> None:
    text = (
        f"machine policy=random seed=3\n{FILE}inject reply MFS delay=2ms when=1+2\n"
        f"inject allocation fail when=3+4\n{OPEN}\ninit: fork() = a\ninit: fork() = b\n"
        'together\n    a: open("/f", O_RDONLY)\n    b: open("/f", O_RDONLY)\n'
    )
    traces: list[list[str]] = [[], []]
    for trace in traces:
        run(Source("t.scn", text), trace=trace.append)
    assert traces[0] == traces[1]
    assert sum("injected" in each for each in traces[0]) >= 2
