"""Words that do not exist or are out of place are found before anything runs."""

from __future__ import annotations

import pytest

from scenarios.checks import check
from scenarios.parser import parse
from scenarios.source import Source
from tests.scenarios.helpers import mistake

# text, line, column, message, hint
NO_CAUSE = "expect panic stands below the line that brings the machine down"

MISTAKES = [
    ("chid: fork()", 1, 1, "unknown process chid", "fork() = NAME and process NAME make some"),
    ("init: fork() = child\nchid: fork()", 2, 1, "unknown process chid", "did you mean child?"),
    ("init: frok()", 1, 7, "unknown call frok", "did you mean fork?"),
    ("init: mmap(1)", 1, 7, "mmap takes 4 to 6 arguments, not 1",
     "mmap(addr, len, prot, flags, [fd], [offset])"),
    ("init: getpid(1)", 1, 7, "getpid takes 0 arguments, not 1", "getpid()"),
    ("init: brk(PROT_RAED)", 1, 11, "unknown constant PROT_RAED",
     "did you mean PROT_READ?"),
    ("init: brk(x)", 1, 11, "x is not bound yet",
     "a name is bound by a result (= NAME), by let, or by process"),
    ("let buff = 1\ninit: brk(buf)", 2, 11, "buf is not bound yet", "did you mean buff?"),
    ("init: fork() = CHILD", 1, 16, "unknown constant CHILD",
     "did you mean ECHILD?"),
    ("init: brk(0) = -1 [ENOMEMM]", 1, 16, "unknown error ENOMEMM", ""),
    ("init: brk(0) = -1 [OK]", 1, 16, "unknown error OK", ""),
    ("check refs(init)", 1, 7, "refs takes 2 arguments, not 1", ""),
    ("check ref(init, 1)", 1, 7, "unknown function ref", "did you mean refs?"),
    ("check count(3)", 1, 13, "count needs a message pattern here", ""),
    ("check regions(init -> VM: _)", 1, 15, "regions needs a process here", ""),
    ("init: sendrec(VM, VM_MAP {})", 1, 19, "unknown message VM_MAP",
     "did you mean VM_MMAP or VM_REMAP or VM_MUNMAP?"),
    ("init: sendrec(VM, VM_MMAP {length: 3})", 1, 28, "VM_MMAP has no field length",
     "its fields: offset, addr, len, prot, flags, fd, forwhom"),
    ("expect VM -> chlid: _", 1, 14, "chlid is not bound yet",
     "a name is bound by a result (= NAME), by let, or by process"),
    ("expect VM -> init: VM_MMAP reply {addr: 3}", 1, 35, "VM_MMAP reply has no field addr",
     "its fields: type, retaddr"),
    ("init: fork()\nprocess x", 2, 1, "process must come before the lines that run", ""),
    ("file /x\nmachine memory=8M", 2, 1, "machine must be the first line", ""),
    ("repeat 2\n    file /x", 2, 5, "file cannot stand in a block", ""),
    ("together\n    check 1", 2, 5, "only calls can be made together", ""),
    ("together\n    init: fork()\n    init: fork()", 3, 5, "init can make one call at a time", ""),
    ("process init", 1, 1, "there is a process init already", ""),
    ("process VM", 1, 1, "VM is a name of the system's", ""),
    ("process kernel", 1, 1, "kernel is a name of the system's", ""),
    ("process server", 1, 1, "server is a word of the language", ""),
    ("let XY = 3", 1, 1, "XY is in capitals, as only MINIX's constants are", ""),
    ("repeat x\n    init: fork()", 1, 8, "x is not bound yet",
     "a name is bound by a result (= NAME), by let, or by process"),
    ("run until x > 3", 1, 11, "x is not bound yet",
     "a name is bound by a result (= NAME), by let, or by process"),
    ("expect panic", 1, 1, NO_CAUSE, ""),
    ("process x\nexpect panic", 2, 1, NO_CAUSE, ""),
    ("init: fork()\nexpect panic\nexpect panic", 3, 1, NO_CAUSE, ""),
    ("init: fork()\nwith quirk cache-read\n    expect panic", 3, 5, NO_CAUSE, ""),
    ("inject kill x", 1, 13, "x is not bound yet",
     "a name is bound by a result (= NAME), by let, or by process"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number", "column", "message", "hint"), MISTAKES)
def test_a_wrong_word_is_named_with_its_place(
    text: str, number: int, column: int, message: str, hint: str
) -> None:
    error = mistake(text, checked=True)
    assert error.place is not None
    assert (error.message, error.hint) == (message, hint)
    assert (error.place.line, error.place.column) == (number, column)


def test_names_are_known_after_the_line_that_binds_them() -> None:
    check(
        parse(
            Source(
                "test.scn",
                "machine memory=8M\nprocess p\nlet n = 4K\n"
                "init: mmap(NULL, n, PROT_READ, MAP_ANON) = buf\n"
                "repeat 2\n    init: fork() = child\n    child: exit(0)\n"
                "init: wait() = {pid: child, status: s}\ncheck s == 0 and refs(init, buf) == 1\n"
                "expect kernel -> VM: VM_PAGEFAULT {source: init, addr: where}\n"
                "check where == buf\np: <... x resumed> = {a: {b: deep}}\ncheck deep\n",
            )
        )
    )
