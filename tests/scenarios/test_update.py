"""Rewriting the results in a scenario."""

from __future__ import annotations

import pytest

from scenarios.source import Source
from scenarios.update import update

MMAP = "init: mmap(NULL, 4K, PROT_READ, MAP_PRIVATE|MAP_ANON, -1, 0) = buf\n"


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("init: getpid() = 7  # mine\n", "init: getpid() = 1  # mine\n", 1),
        ("init: getpid() = 1\n", "init: getpid() = 1\n", 0),
        ("init: close(7) = 0\n", "init: close(7) = -1 [EBADF]\n", 1),
        ("init: close(7) = -1 [EPERM]\n", "init: close(7) = -1 [EBADF]\n", 1),
        ("init: getpid() = ESRCH\n", "init: getpid() = 1\n", 1),
        (MMAP + 'init: load(buf, 3) = "abc"\n',
         MMAP + 'init: load(buf, 3) = "\\x00\\x00\\x00"\n', 1),
        ("init: fork() = k\nk: exit(3)\ninit: wait() = {status: 4, pid: 9}\n",
         "init: fork() = k\nk: exit(3)\ninit: wait() = {status: 3, pid: 10}\n", 2),
        ("init: fork() = k\nk: load(NULL, 1) = \"x\"\n",
         "init: fork() = k\nk: load(NULL, 1) = SIGSEGV\n",
         1),
        ("init: getpid() = 7\r\ninit: getppid() = 1..0",
         "init: getpid() = 1\r\ninit: getppid() = 1", 2),
        ("# a\u2028b\x85c\ninit: getpid() = 7\n", "# a\u2028b\x85c\ninit: getpid() = 1\n", 1),
    ],
)  # fmt: skip
def test_results_become_what_comes(before: str, after: str, changes: int) -> None:
    updated = update(Source("t.scn", before))
    assert (updated.text, updated.changes) == (after, changes)
    assert updated.outcome.status == "ok"


def test_what_is_no_result_is_left() -> None:
    updated = update(Source("t.scn", "init: getpid() = 7\ncheck 1 == 2\n"))
    assert updated.text == "init: getpid() = 1\ncheck 1 == 2\n"
    assert updated.outcome.status == "failed"


def test_bad_input_is_left() -> None:
    updated = update(Source("t.scn", "init getpid()"))
    assert (updated.text, updated.outcome.status) == ("init getpid()", "bad")
