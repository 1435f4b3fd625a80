"""The command `sendrec`, as a user calls it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from sendrec.cli import main
from sendrec.version import VERSION

ROOT = Path(__file__).parents[2]
RECORDING = str(ROOT / "tests" / "data" / "recordings" / "ipc" / "sendnb.jsonl.gz")


@attrs.frozen
class Done:
    """What a call of the command gave."""

    returncode: int
    stdout: str
    stderr: str


Sendrec = Callable[..., Done]


@pytest.fixture
def sendrec(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sendrec:
    """Calls the command in this process: `sendrec("run", "file.scn")`."""

    def call(*arguments: str, cwd: Path | None = None) -> Done:
        monkeypatch.setattr(sys, "argv", ["sendrec", *arguments])
        monkeypatch.chdir(cwd or ROOT)
        monkeypatch.setattr(sys, "path", list(sys.path))
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capfd.readouterr()
        return Done(int(exit_.value.code or 0), printed.out, printed.err)

    return call


def _file(folder: Path, text: str, name: str = "t.scn") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_one_line_a_file_and_a_summary(sendrec: Sendrec, tmp_path: Path) -> None:
    good = _file(tmp_path, "init: getpid() = 1\n", "good.scn")
    wrong = _file(tmp_path, "init: getpid() = 2\n", "wrong.scn")
    bad = _file(tmp_path, "init getpid()\n", "bad.scn")
    done = sendrec("run", good, wrong, bad, good)
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"ok        {good}  (2 messages, ")
    assert lines[1].startswith(f"FAILED    {wrong}  (2 messages, ")
    assert lines[2] == f"{wrong}:1:18: getpid gave another result"
    assert lines[-3] == f"BAD INPUT {bad}"
    assert lines[-1] == "4 scenarios: 2 ok, 1 failed, 1 bad input"
    assert done.stderr.splitlines()[0] == f"{bad}:1:6: unexpected 'getpid'; expected ':'"
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        (["init: getpid()"], 0),
        (["init: getpid() = 2"], 1),
        (["init: getpid(3)"], 2),
        (["init: getpid(3)", "init: getpid() = 2", "init: getpid()"], 2),
    ],
)
def test_the_exit_status_is_the_worst(
    sendrec: Sendrec, tmp_path: Path, texts: list[str], status: int
) -> None:
    files = [_file(tmp_path, text, f"{number}.scn") for number, text in enumerate(texts)]
    assert sendrec("run", *files).returncode == status


SHIPPED = str(ROOT / "scenarios" / "library" / "heap.scn")

MISTAKES = {
    "no command": ["ru"],
    "no files": ["run"],
    "no such option": ["run", "--polcy", "fifo", "library/heap"],
    "no such policy": ["run", "--policy", "fif", "library/heap"],
    "no such quirk": ["run", "--quirks", "nope", "library/heap"],
    "no number": ["run", "--seed", "x", "library/heap"],
    "a negative seed": ["run", "--seed", "-1", "library/heap"],
    "a schedule that is none": ["run", "--policy", "replay:x", "library/heap"],
    "a schedule of another run": ["run", "--policy", "replay:9x9", "library/heap"],
    "no such file": ["run", "nowhere.scn"],
    "no such scenario": ["run", "library/nothing"],
    "a directory": ["run", "."],
    "a binary file": ["run", sys.executable],
    "an empty name": ["run", ""],
    "a name that is too long": ["run", "x" * 5000],
    "a log where the scenario is": ["run", "--log", "in.scn", "in.scn"],
    "two outputs in one file": ["run", "--log", "out", "--diagram", "./out", "in.scn"],
    "a log where the scenario is, by a hard link": ["run", "--log", "hard.scn", "in.scn"],
    "a log where what it includes is": ["run", "--log", "in.scn", "outer.scn"],
    "a picture where a shipped scenario is": ["run", "--diagram", SHIPPED, "library/heap"],
    "an update of a pipe": ["run", "--update", "pipe"],
    "a log where nothing can be": ["run", "--log", "no/where", "in.scn"],
    "another campaign's file": ["campaign", "--resume", "in.scn"],
    "a campaign in a file without a name": ["campaign", "--resume", ""],
    "a recording without a name": ["conform", ""],
    "no world": ["campaign", "--world", "moon"],
    "no such file to check": ["check-determinism", "nowhere.scn"],
    "once is not several times": ["check-determinism", "--times", "1", "library/heap"],
    "no such file to measure": ["memory", "nowhere.scn"],
    "no such recording": ["conform", "nowhere.jsonl.gz"],
}


@pytest.mark.parametrize("arguments", MISTAKES.values(), ids=MISTAKES)
def test_a_users_mistake_is_one_error_and_never_a_traceback(
    sendrec: Sendrec, arguments: list[str], tmp_path: Path
) -> None:
    scenario = tmp_path / "in.scn"
    scenario.write_text("init: getpid()\n")
    (tmp_path / "hard.scn").hardlink_to(scenario)
    (tmp_path / "outer.scn").write_text('repeat 1\n    include "in.scn"\n')
    os.mkfifo(tmp_path / "pipe")
    shipped = Path(SHIPPED).read_text()
    done = sendrec(*arguments, cwd=tmp_path)
    assert scenario.read_text() == "init: getpid()\n"
    assert Path(SHIPPED).read_text() == shipped
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.strip()


def test_wrong_options_are_named(sendrec: Sendrec, tmp_path: Path) -> None:
    assert (
        "unknown policy 'fif'; there are fifo, priority, random, replay"
        in sendrec("run", "--policy", "fif", "library/heap").stderr
    )
    assert "--polcy" in sendrec("run", "--polcy", "x", "library/heap").stderr


def test_a_file_in_another_encoding_is_bad_input(sendrec: Sendrec, tmp_path: Path) -> None:
    (tmp_path / "latin.scn").write_bytes(b"# caf\xe9\n")
    done = sendrec("run", "latin.scn", cwd=tmp_path)
    assert done.stderr.strip() == "latin.scn:1:6: not a text file: byte 0xe9 is not UTF-8"


def test_a_trace_shows_messages_under_the_calls_that_cause_them(
    sendrec: Sendrec, tmp_path: Path
) -> None:
    done = sendrec("run", "--trace", _file(tmp_path, "init: getpid()\n"))
    # The time, to the nanosecond, ends with the first three digits after the point.
    calls = [re.sub(r"^ *\d+\.\d{3}", "", line) for line in done.stdout.splitlines()]
    assert calls[0].strip() == "init: getpid()"
    assert calls[1].strip().startswith("init -> PM: PM_GETPID")
    assert len(calls[1]) - len(calls[1].lstrip()) > len(calls[0]) - len(calls[0].lstrip())
    assert done.returncode == 0


def test_a_failure_says_why_a_program_ended(sendrec: Sendrec, tmp_path: Path) -> None:
    (tmp_path / "mistaken.py").write_text("async def main(libc):\n    raise ValueError('oops')\n")
    scenario = _file(
        tmp_path, "process p program=mistaken:main\ninit: wait() = {status: 0, signal: 0}\n"
    )
    done = sendrec("run", scenario)
    assert done.returncode == 1
    heading, said = done.stdout.partition("  what the kernel and the servers have printed:\n")[1:]
    assert heading
    assert said.splitlines()[0].endswith("ValueError: oops; SIGABRT")


def test_the_trace_is_whole_when_the_machine_panics(sendrec: Sendrec, tmp_path: Path) -> None:
    scenario = _file(
        tmp_path,
        "machine quirks=map-phys-len-wrap\nprocess mem endpoint=MEM\n"
        "mem: sendrec(VM, VM_MAP_PHYS {ep: SELF, phaddr: 0, len: 0xFFFFFFFF})\n",
    )
    done = sendrec("run", "--trace", scenario)
    assert done.returncode == 1
    assert "mem -> VM: VM_MAP_PHYS" in done.stdout
    assert "PANIC" in done.stdout
    assert "(quirk map-phys-len-wrap)" in done.stdout
    assert "have printed" not in done.stdout, "a panic is the reason already"
    assert done.stderr == ""


def test_a_failure_under_a_random_policy_says_how_to_make_it_again(
    sendrec: Sendrec, tmp_path: Path
) -> None:
    scenario = _file(tmp_path, "init: fork() = kid\ncheck 1 == 2\n", "a name.scn")
    done = sendrec(
        "run", "--policy", "random", "--seed", "3", "--quirks", "mmap-len-wrap", scenario
    )
    again = next(line for line in done.stdout.splitlines() if "to see all messages" in line)
    arguments = shlex.split(again.partition("sendrec ")[2])
    assert arguments[0] == "run"
    assert arguments[-4:] == ["--seed", "3", "--quirks", "mmap-len-wrap"]
    replayed = sendrec(*arguments)
    assert replayed.returncode == 1
    assert f"{scenario}:2:7: this is not true" in replayed.stdout


def test_the_policy_of_the_command_line_counts(sendrec: Sendrec, tmp_path: Path) -> None:
    scenario = _file(tmp_path, "machine policy=random seed=1\ninit: fork() = a\n")
    one, other = (
        sendrec("run", "--trace", "--policy", policy, scenario).stdout
        for policy in ("fifo", "random")
    )
    assert one != other


def test_check_determinism_finds_the_library_the_same(sendrec: Sendrec) -> None:
    done = sendrec("check-determinism", "library/together", "--policy", "random", "--seed", "7")
    assert done.stdout.startswith("same      library/together  (4 runs, ")
    assert done.returncode == 0


def test_check_determinism_names_the_first_difference(sendrec: Sendrec, tmp_path: Path) -> None:
    (tmp_path / "chance.py").write_text(
        "async def main(libc):\n"
        "    for word in {'a', 'b', 'c', 'd', 'e', 'f'}:\n"
        "        await libc.open('/' + word) if False else await libc.compute(ord(word))\n"
        "    return ord(next(iter({'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'})))\n"
    )
    scenario = _file(tmp_path, "process p program=chance:main\ninit: wait()\n")
    done = sendrec("check-determinism", "--times", "6", scenario)
    assert done.returncode == 1, done.stdout
    assert done.stdout.startswith(f"DIFFERS   {scenario}: hash seed 0 and ")
    assert "  line " in done.stdout


def test_check_determinism_reports_a_scenario_that_cannot_run(
    sendrec: Sendrec, tmp_path: Path
) -> None:
    done = sendrec("check-determinism", _file(tmp_path, "init getpid()"))
    assert done.returncode == 2
    assert "1:6: unexpected 'getpid'" in done.stderr


@pytest.mark.parametrize(
    ("body", "status"), [("os._exit(0)", 0), ("os._exit(1)", 1), ("os.abort()", -signal.SIGABRT)]
)
def test_check_determinism_does_not_call_crashes_the_same(
    sendrec: Sendrec, tmp_path: Path, body: str, status: int
) -> None:
    (tmp_path / "fatal.py").write_text(
        f"import os, sys\nasync def main(libc):\n    print('oh', file=sys.stderr, flush=True)\n"
        f"    {body}\n"
    )
    scenario = _file(tmp_path, "process p program=fatal:main\ninit: wait()\n")
    done = sendrec("check-determinism", scenario)
    assert done.returncode == 1
    assert done.stdout == (
        f"CRASHED   {scenario}: hash seed 0: it ended with status {status}, without an outcome\n"
    )
    assert done.stderr.startswith("oh\n")


def test_check_determinism_compares_no_warnings(sendrec: Sendrec, tmp_path: Path) -> None:
    (tmp_path / "chatty.py").write_text(
        "import os, sys\nasync def main(libc):\n    print(os.getpid(), file=sys.stderr)\n"
    )
    scenario = _file(tmp_path, "process p program=chatty:main\ninit: wait()\n")
    done = sendrec("check-determinism", "--times", "2", scenario)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"same      {scenario}  (2 runs, ")


def test_memory_says_who_uses_how_much(sendrec: Sendrec) -> None:
    done = sendrec("memory", "library/copy-on-write")
    assert done.returncode == 0
    assert "init" in done.stdout
    assert "resident" in done.stdout
    assert "memory of the machine" in done.stdout


def test_maps_come_as_minix_prints_them_and_as_a_table(sendrec: Sendrec, tmp_path: Path) -> None:
    scenario = _file(
        tmp_path,
        'init: mmap(NULL, 8K, PROT_READ, MAP_PRIVATE|MAP_ANON, -1, 0) = b\ninit: store(b, "x")\n',
    )
    done = sendrec("run", "--maps", scenario)
    assert "memory of init" in done.stdout
    assert "map_printmap: map_name: anonymous memory" in done.stdout


def test_update_rewrites_the_results_in_the_file(sendrec: Sendrec, tmp_path: Path) -> None:
    scenario = _file(tmp_path, "init: getpid() = 7\n")
    done = sendrec("run", "--update", scenario)
    assert done.returncode == 0
    assert done.stdout.startswith(f"updated   {scenario}  (1 result)\nok ")
    assert Path(scenario).read_text() == "init: getpid() = 1\n"
    assert sendrec("run", "--update", scenario).stdout.startswith("ok ")


def test_update_keeps_a_byte_order_mark(sendrec: Sendrec, tmp_path: Path) -> None:
    scenario = tmp_path / "t.scn"
    scenario.write_bytes(b"\xef\xbb\xbfinit: getpid() = 7\r\n")
    assert sendrec("run", "--update", str(scenario)).returncode == 0
    assert scenario.read_bytes() == b"\xef\xbb\xbfinit: getpid() = 1\r\n"


def test_a_log_is_left_alone_where_nothing_ran(sendrec: Sendrec, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("of an earlier run")
    assert sendrec("run", "--log", str(log), "nowhere.scn").returncode == 2
    assert log.read_text() == "of an earlier run"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
@pytest.mark.parametrize(
    "arguments",
    [["run", "--trace", "library/heap"], ["library"], ["--help"], ["conform", RECORDING]],
    ids=" ".join,
)
def test_a_full_disk_is_one_error(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sendrec", *arguments],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.stderr == "Error: cannot write the output: No space left on device\n"
    assert done.returncode == 2


def _limited() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
@pytest.mark.parametrize("option", ["--log", "--diagram"])
def test_what_is_written_is_written_whole_or_not_at_all(tmp_path: Path, option: str) -> None:
    target = tmp_path / "kept"
    target.write_text("of an earlier run")
    done = subprocess.run(
        [sys.executable, "-m", "sendrec", "run", option, str(target), "library/heap"],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, preexec_fn=_limited,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout.startswith("ok        library/heap")
    assert done.stderr.endswith(f"Error: Invalid value for {option}: {target}: File too large\n")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["of an earlier run"]


@pytest.mark.parametrize("kind", ["a pipe", "a file"])
def test_a_log_may_go_where_the_rest_does(tmp_path: Path, kind: str) -> None:
    with (tmp_path / "out").open("w+") as file:
        done = subprocess.run(
            [sys.executable, "-m", "sendrec", "run", "--log", "/dev/stdout", "library/heap"],
            env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True, check=True,
            stdout=file if kind == "a file" else subprocess.PIPE,
        )  # fmt: skip
        printed = (tmp_path / "out").read_text() if kind == "a file" else done.stdout
    lines = printed.splitlines()
    assert lines[0].startswith("ok        library/heap")
    assert lines[-1].startswith('{"seq": ')


def test_no_log_is_written_over_the_users_program(sendrec: Sendrec, tmp_path: Path) -> None:
    program = "async def main(libc):\n    return 0\n"
    module = Path(_file(tmp_path, program, "precious.py"))
    scenario = _file(tmp_path, "process p program=precious:main\ninit: wait()\n")
    assert sendrec("run", "--log", str(module), scenario).returncode == 2
    assert module.read_text() == program


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
@pytest.mark.parametrize("arguments", [["run", "nowhere.scn"], ["run", "--nothing"]], ids=" ".join)
@pytest.mark.parametrize("closed", [True, False])
def test_the_status_is_right_where_errors_cannot_be_told(
    arguments: list[str], closed: bool
) -> None:
    where = "2>&-" if closed else "2>/dev/full"
    done = subprocess.run(
        ["sh", "-c", f'"$@" {where}', "sh", sys.executable, "-m", "sendrec", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 2


def test_recordings_are_compared_where_nobody_listens() -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", sys.executable, "-m", "sendrec", "conform", RECORDING],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_version(sendrec: Sendrec) -> None:
    assert sendrec("--version").stdout == f"sendrec {VERSION}\n"
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text()


def test_the_library_is_listed(sendrec: Sendrec) -> None:
    lines = sendrec("library").stdout.splitlines()
    assert any(line.startswith("library/copy-on-write ") for line in lines)


def test_python_can_run_it_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sendrec", "run", "library/heap"],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("ok        library/heap")


def test_help_names_the_commands(sendrec: Sendrec) -> None:
    shown = sendrec("--help").stdout
    for command in ("run", "conform", "check-determinism", "memory", "library"):
        assert command in shown


def test_an_interruption_ends_the_run_at_once(tmp_path: Path) -> None:
    scenario = _file(tmp_path, "init: fork() = kid\nrepeat 1000000\n    kid: getpid()\n")
    # Tests that run in the background are deaf to SIGINT, and so would be what they start.
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", f"{listen}; from sendrec.cli import main; main()",
         "run", "--trace", scenario],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        try:
            assert running.stdout is not None
            while "PM_GETPID" not in running.stdout.readline():
                pass
            running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130
    assert errors.split() == ["interrupted"]


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    scenario = _file(tmp_path, "repeat 2000\n    init: getpid()\n")
    running = subprocess.Popen(
        [sys.executable, "-m", "sendrec", "run", "--trace", scenario],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.readline()
    running.stdout.close()
    assert running.stderr.read() == ""
    running.stderr.close()
    assert running.wait(timeout=60) == 1


def test_a_small_scenario_needs_none_of_the_heavy_modules() -> None:
    script = (
        "import sys; sys.argv = ['sendrec', 'run', 'library/copy-on-write']\n"
        "from sendrec.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print([name for name in ('rich', 'structlog', 'hypothesis', 'trio', 'asyncio')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
