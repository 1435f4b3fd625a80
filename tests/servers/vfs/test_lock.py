"""The lock with three levels: who gets it when, in tables of what workers do in turn."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest

from servers.vfs.lock import Lock, Mode
from servers.vfs.server import Vfs
from servers.vfs.worker import Worker

LETTERS = "abcdef"
MODES = {"r": Mode.READ, "s": Mode.SERIAL, "w": Mode.WRITE}


class Bench:
    """Workers a … f of a VFS that does nothing else, and one lock."""

    def __init__(self) -> None:
        self.vfs = Vfs()
        self.lock = Lock("it")
        self.waiting: dict[Worker, tuple[str, Coroutine[Any, Any, Any]]] = {}
        self.holders: list[str] = []

    def worker(self, letter: str) -> Worker:
        return self.vfs.pool.workers[LETTERS.index(letter)]

    def step(self, word: str) -> str:
        """Do `ar` (worker a asks to read), `a-` (lets go), `a+` (upgrades), `a_` (downgrades)."""
        letter, what = word[0], word[1]
        worker = self.worker(letter)
        if what == "-":
            self.holders.remove(letter)
            self.lock.release(worker)
        elif what == "_":
            self.lock.downgrade(worker)
        else:
            upgrading = what == "+"
            asking: Coroutine[Any, Any, Any] = (
                self.lock.upgrade(worker) if upgrading else self.lock.acquire(worker, MODES[what])
            )
            self.run(letter, asking)
        self.settle()
        self.lock.check()
        return "".join(sorted(self.holders))

    def run(self, letter: str, asking: Coroutine[Any, Any, Any]) -> None:
        try:
            self.waiting[asking.send(None)] = letter, asking
        except StopIteration:
            if letter not in self.holders:
                self.holders.append(letter)

    def settle(self) -> None:
        while self.vfs.runnable:
            worker, value = self.vfs.runnable.popleft()
            letter, asking = self.waiting.pop(worker)
            try:
                asking.send(value)
            except StopIteration:
                if letter not in self.holders:
                    self.holders.append(letter)


@pytest.mark.parametrize(
    ("steps", "holders"),
    [
        # Readers go together; one who serializes goes with readers; a writer goes alone.
        ("ar br", ["a", "ab"]),
        ("ar bs", ["a", "ab"]),
        ("as br", ["a", "ab"]),
        ("as bs a-", ["a", "a", "b"]),
        ("ar bw a-", ["a", "a", "b"]),
        ("aw br cs a-", ["a", "a", "a", "bc"]),
        # A writer that waits goes before readers that come later.
        ("ar bw cr a- b-", ["a", "a", "a", "b", "c"]),
        ("as bw cr a- b-", ["a", "a", "a", "b", "c"]),
        ("as br cw a- b-", ["a", "ab", "ab", "b", "c"]),
        # Upgrading waits for the readers, and keeps new ones out.
        ("as br a+ cr b- a-", ["a", "ab", "ab", "ab", "a", "c"]),
        ("as a+ br a-", ["a", "a", "a", "b"]),
        # Downgrading lets others in.
        ("aw a_ br", ["a", "a", "ab"]),
        ("as bs a_", ["a", "a", "ab"]),
        ("aw a_ a_ bs", ["a", "a", "a", "ab"]),
        # In line: first come, first served.
        ("aw bw cw a- b-", ["a", "a", "a", "b", "c"]),
        ("aw bs cs a- b-", ["a", "a", "a", "b", "c"]),
        # The owner does not get it twice, and loses it with one release.
        ("as as a-", ["a", "a", ""]),
    ],
)
def test_who_holds_the_lock(steps: str, holders: list[str]) -> None:
    bench = Bench()
    assert [bench.step(word) for word in steps.split()] == holders


def test_every_order_of_three_ends_with_a_free_lock() -> None:
    """Two readers, one who serializes and upgrades, one writer: no schedule gets stuck."""
    count = 0
    for order in ("rswr", "rsrw", "srrw", "swrr", "wrsr", "rrsw", "wsrr"):
        bench = Bench()
        for letter, mode in zip("abcd", order, strict=True):
            bench.step(letter + mode)
        upgraded = False
        while bench.holders:
            serial = bench.lock.owner
            if serial is not None and bench.lock.mode is Mode.SERIAL and not upgraded:
                upgraded = True
                letter = LETTERS[serial.index]
                bench.step(letter + "+")
                others = [each for each in bench.holders if each != letter]
                for each in others:
                    bench.step(each + "-")
            bench.step(bench.holders[0] + "-")
        assert bench.lock.mode is Mode.NONE
        assert not bench.lock.busy
        count += 1
    assert count == 7
