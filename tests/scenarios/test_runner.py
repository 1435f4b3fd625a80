"""Running scenarios: what each kind of line does, and what is said when it does not come true."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.failures import LAST_MESSAGES
from scenarios.run import Outcome, Overrides, run
from scenarios.source import Source


def outcome_of(text: str, **overrides: str) -> Outcome:
    return run(Source("t.scn", text), Overrides(**overrides))  # type: ignore[arg-type]


MMAP = "init: mmap(NULL, 8K, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANON, -1, 0) = buf\n"

TRUE = {
    "a result binds a name, which is compared later": MMAP + "init: munmap(buf, 8K) = 0",
    "a failure that is expected": "init: open(\"/none\", O_RDONLY) = ENOENT",
    "a failure as trace prints it": "init: close(77) = -1 [EBADF]",
    "a forked process has its name at once": "init: fork() = kid\nkid: getpid() = kid",
    "a process is its pid and its endpoint": (
        "init: fork() = kid\nkid: getppid() = init\ninit: kill(kid, SIGKILL)\n"
        "expect kernel -> PM: _\nexpect _ -> VM: VM_WILLEXIT {endpoint: kid}\n"
        "init: waitpid(kid) = {pid: kid, signal: SIGKILL}"
    ).replace("expect kernel -> PM: _\n", ""),
    "an unfinished call, resumed": (
        "init: fork() = kid\ninit: wait() <unfinished ...>\nkid: exit(4)\n"
        "init: <... wait resumed> = {pid: kid, status: 4}"
    ),
    "time passes while a call waits for it": (
        'file /f "text"\ninit: open("/f", O_RDONLY) = fd\n' + MMAP + "let before = now()\n"
        "init: read(fd, buf, 4) = 4\ncheck now() > before\ninit: load(buf, 4) = \"text\""
    ),
    "a death by a signal": "init: fork() = kid\nkid: store(NULL, \"x\") = SIGSEGV",
    "exit does not return, and that is right": "init: fork() = kid\nkid: exit(1)",
    "repeat binds its names anew each time": (
        "let n = 0\nrepeat 3\n    init: fork() = kid\n    kid: exit(n)\n"
        "    init: wait() = {pid: kid, status: n}\n    let n = n + 1\ncheck n == 3"
    ),
    "together makes calls at once": (
        "init: fork() = a\ninit: fork() = b\ntogether\n    a: exit(1)\n    b: exit(2)\n"
        "init: waitpid(a) = {status: 1}\ninit: waitpid(b) = {status: 2}"
    ),
    "a process that is killed from outside": (
        "init: fork() = kid\ninit: wait() <unfinished ...>\ninject kill kid\n"
        "init: <... wait resumed> = {pid: kid, signal: SIGKILL}"
    ),
    "advance lets time pass": "let t = now()\nadvance 10ms\ncheck now() == t + 10ms",
    "run lets everything come to rest": (
        'file /f "text"\ninit: open("/f", O_RDONLY) = fd\n' + MMAP +
        "init: read(fd, buf, 4) <unfinished ...>\nrun\ncheck state(init) == \"idle\"\n"
        "init: <... read resumed> = 4"
    ),
    "run until stops as soon as it is true": (
        "init: fork() = kid\nkid: compute(1s) <unfinished ...>\n"
    ).replace("kid: compute(1s) <unfinished ...>\n", "") + (
        'init: wait() <unfinished ...>\nrun until state(init) == "receiving"'
    ),
    "expect looks at messages since the last expect": (
        "init: getpid()\nexpect only\n    init -> PM: PM_GETPID\n    PM -> init: PM_GETPID reply\n"
        "init: getpid()\nexpect only\n    init -> PM: PM_GETPID\n    PM -> init: _\n"
    ),
    "expects in a row look at the same messages": (
        "init: getpid()\nexpect init -> PM: _\nexpect PM -> init: _\nexpect no _ -> VM: _\n"
        "expect only\n    _ -> _: _\n    _ -> _: _"
    ),
    "what expect binds can be used": (
        MMAP + "init: store(buf, \"x\")\nexpect kernel -> VM: VM_PAGEFAULT {addr: where}\n"
        "check where == buf"
    ),
    "kernel calls are messages to the kernel": (
        "init: fork() = kid\nexpect\n    VM -> kernel: SYS_FORK {endpt: init, result: OK}"
    ),
    "messages may be made by hand": (
        "init: sendrec(VM, VM_MMAP {len: 8K, flags: MAP_ANON|MAP_PRIVATE, fd: -1, forwhom: SELF})"
        " = {type: OK, retaddr: a}\ncheck frame(init, a) == -1\ninit: store(a, \"x\")\n"
        "check frame(init, a) != -1"
    ),
    "an answer has the name of its request": (
        "init: sendrec(PM, PM_GETPID {}) = PM_GETPID reply {type: 1, parent_pid: _}"
    ),
    "system processes talk to each other": (
        "process a kind=system\nprocess b kind=system\n"
        "a: send(b, VM_BRK {addr: 4K}) <unfinished ...>\n"
        "b: receive(ANY) = VM_BRK {source: a, addr: 4K}\na: <... send resumed> = OK"
    ),
    "the machine has what its line says": (
        "machine memory=8M policy=random seed=4\ncheck free_pages() * 4K in 6M..8M"
    ),
    "a quirk's block is for a machine that has it": (
        "machine quirks=none\nwith quirk brk-above-user-end\n    check 1 == 2\n"
        "without quirk brk-above-user-end\n    check 1 == 1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", TRUE.values(), ids=TRUE)
@pytest.mark.parametrize("policy", ["fifo", "random"])
def test_what_comes_true(text: str, policy: str) -> None:
    outcome = outcome_of(text, policy=policy)
    assert outcome.reason == ""
    assert outcome.status == "ok"


# What fails: the scenario, and lines of what is said of it.
FALSE: dict[str, tuple[str, list[str]]] = {
    "another result": (
        "init: getpid() = 7",
        ["t.scn:1:18: getpid gave another result", "    init: getpid() = 7",
         "                     ^", "  expected: 7", "  got:      1"],
    ),
    "a number instead of bytes": (
        "init: load(0x8048000, 1) = 70000", ["  expected: 0x11170", '  got:      "\\x00"'],
    ),
    "a number instead of a structure": (
        "init: fork() = kid\nkid: exit(0)\ninit: wait() = 5",
        ["  expected: 5", "  got:      {pid: 10, status: 0, signal: 0}"],
    ),
    "a failure": (
        "init: close(77)",
        ["t.scn:1:1: close failed", "  got: -1 [EBADF]",
         "    init -> VFS: VFS_CLOSE {fd: 77}"],
    ),
    "no failure": (
        "init: getpid() = ESRCH", ["  expected: -1 [ESRCH]", "  got:      1"],
    ),
    "a call that blocks": (
        "init: wait()",
        ["t.scn:1:1: wait of init did not return: nothing can run and nothing is due",
         "  init waits for PM to answer PM_WAIT4",
         "  if it is to block, write <unfinished ...> after it"],
    ),
    "a call that does not block": (
        "init: getpid() <unfinished ...>",
        ["t.scn:1:1: the call did not block", "  it returned 1"],
    ),
    "a line of a process that is not done": (
        "init: wait() <unfinished ...>\ninit: getpid()",
        ["t.scn:2:1: init is still in wait, which line 1 began",
         "  write init: <... wait resumed> where it has returned"],
    ),
    "a line of a dead process": (
        "init: fork() = kid\nkid: exit(0)\nkid: getpid()", ["t.scn:3:1: kid is dead"],
    ),
    "a death": (
        "init: fork() = kid\nkid: load(NULL, 1)",
        ["t.scn:2:1: load failed", "  got: killed by SIGSEGV"],
    ),
    "a check": (
        MMAP + "check refs(init, buf) == 1 and 1 == 1",
        ["t.scn:2:7: this is not true", "  refs(init, buf) is 0"],
    ),
    "no such message": (
        "init: getpid()\nexpect\n    init -> PM: PM_GETPID\n    VM -> init: _",
        ["t.scn:4:5: no such message was delivered",
         "    PM -> init: PM_GETPID reply {type: 1, parent_pid: 1}"],
    ),
    "another field": (
        MMAP + "expect\n    init -> VM: VM_MMAP {len: 4K}",
        ["t.scn:3:31: expected len: 4K, got len: 8K"],
    ),
    "another order": (
        "init: getpid()\nexpect\n    PM -> init: _\n    init -> PM: _",
        ["t.scn:4:5: it was delivered, but before the message above"],
    ),
    "one more message": (
        "init: getpid()\nexpect only\n    init -> PM: _",
        ["t.scn:3:5: after this one, another message was delivered",
         "  the message: PM -> init: PM_GETPID reply {type: 1, parent_pid: 1}"],
    ),
    "one message less": (
        "init: getpid()\nexpect only\n    init -> PM: _\n    _ -> _: _\n    _ -> _: _",
        ["t.scn:5:5: no further message was delivered"],
    ),
    "a message that must not be": (
        "init: getpid()\nexpect no init -> PM: _",
        ["t.scn:2:11: such a message was delivered", "  the message: init -> PM: PM_GETPID {}"],
    ),
    "what never comes": (
        "run until now() < 0", ["t.scn:1:1: this never became true"],
    ),
    "no panic": (
        "init: getpid()\nexpect panic", ["t.scn:2:1: the machine did not panic"],
    ),
    "a limit": (
        "machine steps=2000\nrepeat 100000\n    init: getpid()",
        ["t.scn:3:5: the machine reached a limit"],
    ),
    "another panic": (
        ("machine quirks=map-phys-len-wrap\nprocess mem endpoint=MEM\n"
        "mem: sendrec(VM, VM_MAP_PHYS {ep: SELF, phaddr: 0, len: 0xFFFFFFFF})"),
        ["t.scn:3:1: the machine panicked"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "lines"), FALSE.values(), ids=FALSE)
def test_what_does_not_come_true_is_told(text: str, lines: list[str]) -> None:
    outcome = outcome_of(text)
    assert outcome.status == "failed", outcome.reason
    told = outcome.reason.splitlines()
    for line in lines:
        assert line in told, outcome.reason


BAD: dict[str, tuple[str, str]] = {
    "a name that is no process": (
        "let n = 1\nn: getpid()", "t.scn:2:1: n is not a process, it is 1",
    ),
    "a resumed call that was none": (
        "init: <... wait resumed>", "t.scn:1:1: init has no unfinished wait",
    ),
    "a value of another kind": (
        "init: kill(\"x\", SIGTERM)", "t.scn:1:12: pid must be a number, not \"x\"",
    ),
    "a handler that is none": (
        "init: signal(SIGTERM, 7)",
        "t.scn:1:23: action must be SIG_DFL, SIG_IGN or SIG_CATCH, not 7",
    ),
    "a message that does not fit": (
        "init: sendrec(VM, VM_BRK {addr: -1})", "t.scn:1:33: addr cannot hold -1",
    ),
    "a field given twice": (
        "init: sendrec(VM, VM_BRK {addr: 1, addr: 2})", "t.scn:1:36: addr is given twice",
    ),
    "a field of a structure given twice": (
        "process p kind=system\np: senda([{dst: p, dst: p, msg: raw {}}])",
        "t.scn:2:20: dst is given twice",
    ),
    "flags that are text": (
        'process p kind=system\np: senda([{dst: p, msg: raw {}, flags: "a"}])',
        't.scn:2:10: flags must be a number of 32 bits, not "a"',
    ),
    "flags that are a structure": (
        "process p kind=system\np: senda([{dst: p, msg: raw {}, flags: {a: 1}}])",
        "t.scn:2:10: flags must be a number of 32 bits, not {a: 1}",
    ),
    "flags that are a message": (
        "process p kind=system\np: senda([{dst: p, msg: raw {}, flags: raw {}}])",
        "t.scn:2:10: flags must be a number of 32 bits, not a message raw",
    ),
    "flags that are too long": (
        "process p kind=system\np: senda([{dst: p, msg: raw {}, flags: 0x100000000}])",
        "t.scn:2:10: flags must be a number of 32 bits, not 0x100000000",
    ),
    "an endpoint that is too long": (
        "process p kind=system\np: senda([{dst: 4G, msg: raw {}}])",
        "t.scn:2:10: dst must be a number of 32 bits, not 0x100000000",
    ),
    "an entry that is none": (
        "process p kind=system\np: senda([{dst: p, msg: raw {}, x: 1}])",
        ("t.scn:2:10: table must be a list, [{dst: ..., msg: NAME {...}}, ...],"
        " not {dst: p, msg: a message raw, x: 1}"),
    ),
    "a file that is there twice": (
        'file /a "1"\nfile /b "1"\nfile /a "2"', "t.scn:3:1: files: '/a' is there twice",
    ),
    "a file below a file": (
        'file /a "1"\nfile /a/b "2"', "t.scn:2:1: files: '/a/b' leads through a file that is no",
    ),
    "a server with the name of another": (
        'file /f "a"\nprocess a\nserver vm nowhere:Main',
        "t.scn:3:1: servers: there is a server vm already",
    ),
    "a setting of a server": (
        "server s nowhere:Main bogus=1", "t.scn:1:23: server has no setting bogus",
    ),
    "two servers in one place": (
        "process a endpoint=VFS\nprocess b endpoint=VFS",
        "t.scn:2:1: driven: two processes have the same endpoint",
    ),
    "a delay in no base": (
        "inject reply VFS delay=0xZ", "t.scn:1:24: a number in base 16 needs digits",
    ),
    "no message": ("init: sendrec(VM, 3)",
                   "t.scn:1:19: message must be a message, NAME {field: value, ...}, not 3"),
    "time that goes back": ("advance 0 - 1", "t.scn:1:9: time does not go back"),
    "no times": ("repeat 0 - 1\n    init: getpid()", "t.scn:1:8: repeat takes 0..1000000"),
    "a kill of the dead": (
        "init: fork() = kid\nkid: exit(0)\ninject kill kid", "t.scn:3:13: kid is dead",
    ),
    "a program that is not there": (
        "process p program=nowhere:main",
        "t.scn:1:1: there is no program nowhere:main: No module named 'nowhere'",
    ),
    "a server that is not there": (
        "server s nowhere:Main",
        "t.scn:1:1: servers: s is not at nowhere:Main: No module named 'nowhere'",
    ),
    "a schedule of another run": (
        "machine policy=replay:9x5\ninit: fork()",
        "choice 1 of the schedule is 9, but only 8 processes are ready",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_what_makes_no_sense_is_bad_input(text: str, message: str) -> None:
    outcome = outcome_of(text)
    assert outcome.status == "bad", outcome.reason
    assert outcome.reason.splitlines()[0].startswith(message)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("server s broken_module:Main", "servers: s at broken_module:Main"),
        ("process p program=broken_module:main", "broken_module:main"),
    ],
)
def test_a_module_that_cannot_be_imported_is_bad_input(
    tmp_path: Path, line: str, message: str
) -> None:
    (tmp_path / "broken_module.py").write_text("def (:\n")
    outcome = run(Source("t.scn", line, tmp_path / "t.scn"))
    assert outcome.status == "bad"
    assert outcome.reason.splitlines()[0] == (
        f"t.scn:1:1: {message}: SyntaxError: invalid syntax (broken_module.py, line 1)"
    )


def test_the_line_of_the_server_that_is_wrong_is_shown(tmp_path: Path) -> None:
    (tmp_path / "two_servers.py").write_text(
        "import sendrec\n"
        "class Good(sendrec.Server):\n"
        "    CALLS = {}\n"
        "class Bare(sendrec.Server):\n"
        "    CALLS = {}\n"
        "    def __init__(self): pass\n"
    )
    text = "server good two_servers:Good\nserver bare two_servers:Bare\n"
    outcome = run(Source("t.scn", text, tmp_path / "t.scn"))
    assert outcome.status == "bad"
    assert outcome.reason.startswith("t.scn:2:1: servers: the __init__ of bare")


def test_a_module_that_exits_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "exiting_module.py").write_text("raise SystemExit(3)\n")
    line = "process p program=exiting_module:main"
    outcome = run(Source("t.scn", line, tmp_path / "t.scn"))
    assert outcome.status == "bad"
    assert outcome.reason.startswith("t.scn:1:1: exiting_module:main: SystemExit: 3")


def test_a_machine_may_be_described_in_a_file_that_is_included_first(tmp_path: Path) -> None:
    (tmp_path / "machine.scn").write_text("machine memory=2M\n")
    text = 'include "machine.scn"\ncheck free_pages() < 512\n'
    outcome = run(Source("t.scn", text, tmp_path / "t.scn"))
    assert outcome.status == "ok", outcome.reason
    assert outcome.stage is not None
    assert outcome.stage.system.config.memory == 2 << 20


@pytest.mark.parametrize(("depth", "status"), [(32, "ok"), (33, "bad")])
def test_blocks_nest_so_deep_and_no_deeper(tmp_path: Path, depth: int, status: str) -> None:
    """Those of included files count."""
    inner = "".join("  " * level + "repeat 1\n" for level in range(depth - 20))
    (tmp_path / "inner.scn").write_text(inner + "  " * (depth - 20) + "init: getpid()\n")
    outer = "".join("  " * level + "repeat 1\n" for level in range(20))
    text = outer + "  " * 20 + 'include "inner.scn"\n'
    outcome = run(Source("t.scn", text, tmp_path / "t.scn"))
    assert outcome.status == status, outcome.reason
    assert ("blocks nest at most 32 deep" in outcome.reason) == (status == "bad")


def test_a_failure_shows_the_messages_before_it() -> None:
    told = outcome_of("init: fork() = kid\ncheck 1 == 2").reason.splitlines()
    first = told.index("  the last messages before it:")
    assert told[-1] == "    PM -> init: PM_FORK reply {type: 10}"
    assert len(told) == first + 1 + LAST_MESSAGES
    assert "    SCHED -> PM: SCHEDULING_INHERIT reply {type: OK, scheduler: SCHED}" in told[first:]


def test_a_run_can_be_made_again_from_its_schedule() -> None:
    text = "init: fork() = a\ninit: fork() = b\ntogether\n    a: getpid()\n    b: getpid()\n"
    traces: list[list[str]] = [[], []]
    first = run(Source("t", text), Overrides("random", 5), traces[0].append)
    assert first.schedule
    second = run(Source("t", text), Overrides(f"replay:{first.schedule}"), traces[1].append)
    assert second.schedule == first.schedule
    assert traces[0] == traces[1]
    assert len(traces[0]) > 20


def test_a_program_of_the_users_runs_by_itself(tmp_path: Path) -> None:
    (tmp_path / "greeting.py").write_text(
        "async def main(libc):\n    await libc.compute(1000)\n    return 9\n"
    )
    path = tmp_path / "t.scn"
    path.write_text("process p program=greeting:main\ninit: wait() = {pid: p, status: 9}\n")
    outcome = run(Source("t.scn", path.read_text(), path))
    assert outcome.status == "ok", outcome.reason


def test_a_server_of_the_users_takes_part(tmp_path: Path) -> None:
    (tmp_path / "echo_server.py").write_text(
        "from ipc.message import RawMessage, Reply\n"
        "from servers.lib.loop import Server\n"
        "async def answer(server, source, message):\n"
        "    if message.payload == b'die':\n"
        "        raise ValueError('as asked')\n"
        "    return Reply(-message.type)\n"
        "class Echo(Server):\n"
        "    CALLS = {0x7001: answer}\n"
        "    name = 'echo'\n"
    )
    path = tmp_path / "t.scn"
    path.write_text(
        "server echo echo_server:Echo\n"
        "init: sendrec(echo, raw {type: 0x7001}) = {type: 0 - 0x7001}\n"
        "expect echo -> init: reply\n"
        'init: sendrec(echo, raw {type: 0x7001, payload: "die"})\n'
    )
    outcome = run(Source("t.scn", path.read_text(), path))
    assert outcome.status == "failed"
    told = outcome.reason
    assert "t.scn:4:1: the machine panicked" in told
    assert "as asked" in told
    assert "echo" in told
