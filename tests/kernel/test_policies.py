"""Schedule policies, their text form, and that a recorded run can be made again."""

from __future__ import annotations

from collections import Counter

import pytest

from ipc.endpoint import ANY
from ipc.message import Reply
from ipc.traps import Compute, Program, Receive, Send, trap
from kernel.machine import Configuration, Machine
from kernel.policies import PolicyError, make_policy
from kernel.policies.priority import Priority
from kernel.policies.replay import Schedule, ScheduleDiffers, format_schedule, parse_schedule

NAMES = "abcd"


def race(policy: str, seed: int = 0, rounds: int = 5) -> tuple[str, Machine]:
    """Four processes that all write their names, and who wrote when."""
    written: list[str] = []
    machine = Machine(Configuration(policy=policy, seed=seed))

    def program(name: str) -> object:
        async def main() -> None:
            for _ in range(rounds):
                written.append(name)
                await trap(Compute(1000))
            await trap(Receive())

        return main

    for slot, name in enumerate(NAMES, 20):
        machine.spawn(slot, name, program(name), system=True)  # type: ignore[arg-type]
    machine.run_quiet_nowait()
    machine.check()
    return "".join(written), machine


def test_fifo_lets_each_run_until_it_waits() -> None:
    written, machine = race("fifo")
    assert written == "aaaaabbbbbcccccddddd"
    assert set(machine.dispatcher.choices) == {0}


def test_random_depends_on_nothing_but_the_seed() -> None:
    runs = [race("random", seed)[0] for seed in (1, 1, 2, 3)]
    assert runs[0] == runs[1]
    assert len(set(runs)) == 3
    assert all(Counter(run) == Counter(NAMES * 5) for run in runs)
    assert race("random:1", seed=9)[0] == runs[0]


@pytest.mark.parametrize("policy", ["fifo", "priority", "random:7", "random:8"])
def test_a_recorded_schedule_gives_the_same_run(policy: str) -> None:
    written, machine = race(policy)
    schedule = Schedule(tuple(machine.dispatcher.choices), machine.dispatcher.policy.quanta)
    again, other = race(f"replay:{format_schedule(schedule)}")
    assert again == written
    assert other.dispatcher.choices == machine.dispatcher.choices
    assert other.clock.now == machine.clock.now


def test_priority_prefers_better_queues_and_keeps_order_within_one() -> None:
    order: list[str] = []
    machine = Machine(Configuration(policy="priority"))

    def program(name: str) -> object:
        async def main() -> None:
            for _ in range(2):
                order.append(name)
                await trap(Compute(1))
            await trap(Receive())

        return main

    for slot, (name, priority) in enumerate([("a", 9), ("b", 3), ("c", 3), ("d", 1)], 20):
        process = machine.spawn(slot, name, program(name), system=True, held=0x2)  # type: ignore[arg-type]
        process.priority = priority
        machine.ready.unblock(process, 0x2)
    machine.run_nowait()
    assert "".join(order) == "ddbbccaa"


def test_priority_preempts_who_may_be_preempted() -> None:
    for preemptible, expected in ((True, "wakes better goes on"), (False, "wakes goes on better")):
        said: list[str] = []
        machine = Machine(Configuration(policy="priority"))

        async def better(said: list[str] = said) -> None:
            await trap(Receive())
            said.append("better")
            await trap(Receive())

        async def worse(said: list[str] = said) -> None:
            said.append("wakes")
            await trap(Send(20, Reply(0)))
            said.append("goes on")
            await trap(Receive())

        machine.spawn(20, "better", better, system=True).priority = 7
        machine.run_nowait()
        process = machine.spawn(21, "worse", worse, system=True, held=0x2)
        process.priority = 8
        if not preemptible:
            process.privilege.flags &= ~0x2
        machine.ready.unblock(process, 0x2)
        machine.run_nowait()
        assert " ".join(said) == expected


def test_quanta_share_the_processor_among_equals() -> None:
    written: list[str] = []
    machine = Machine(Configuration(policy="priority"))

    def program(name: str) -> object:
        async def main() -> None:
            for _ in range(4):
                written.append(name)
                await trap(Compute(150_000_000))
            await trap(Receive())

        return main

    for slot, name in enumerate("ab", 20):
        machine.spawn(slot, name, program(name), system=True)  # type: ignore[arg-type]
    machine.run_nowait()
    # The quantum is 200 ms: after the second step it is used up.
    assert "".join(written) == "aabbaabb"


@pytest.mark.parametrize(
    ("choices", "quanta", "text"),
    [
        ((), False, ""),
        ((), True, "q"),
        ((0, 0, 0), False, "0x3"),
        ((0, 0, 1, 0), False, "0x2,1,0"),
        ((12, 12, 3), True, "q12x2,3"),
    ],
)
def test_schedules_as_text(choices: tuple[int, ...], quanta: bool, text: str) -> None:
    schedule = Schedule(choices, quanta)
    assert format_schedule(schedule) == text
    assert parse_schedule(text) == schedule


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        ("lottery", "unknown policy 'lottery'; there are fifo, priority, random, replay"),
        ("fifo:3", "takes no argument"),
        ("random:x", "is a number, not 'x'"),
        ("replay", "needs a schedule"),
        ("replay:1,,2", "choice 2 of the schedule is ''"),
        ("replay:1,-1", "choice 2 of the schedule is '-1'"),
        ("replay:0x", "choice 1 of the schedule is '0x'"),
        ("replay:²", "choice 1"),
        ("replay:0x999999999", "more than"),
    ],
)
def test_a_bad_policy_is_one_clear_error(policy: str, complaint: str) -> None:
    with pytest.raises(PolicyError, match=complaint.replace("(", r"\(")):
        make_policy(policy)


def test_a_schedule_of_another_run_is_an_error_and_not_a_wrong_run() -> None:
    with pytest.raises(ScheduleDiffers, match="choice 2 of the schedule is 9"):
        race("replay:0,9")


def test_a_step_for_which_nobody_could_be_chosen_is_not_counted() -> None:
    machine = Machine(Configuration(policy="replay:0,9"))

    async def program() -> None:
        await trap(Compute(1000))

    for slot in (20, 21):
        machine.spawn(slot, f"p{slot}", program, system=True)
    with pytest.raises(ScheduleDiffers):
        machine.run_quiet_nowait()
    assert machine.dispatcher.steps == len(machine.dispatcher.choices) == 1


@pytest.mark.parametrize("policy", ["priority", "random:1"])
def test_the_policy_may_change_while_the_machine_runs(policy: str) -> None:
    machine = Machine(Configuration())
    order: list[int] = []

    def program(slot: int) -> Program:
        async def main() -> None:
            for _ in range(3):
                order.append(slot)
                await trap(Compute(1000))
            await trap(Receive())

        return main

    for slot in (20, 21, 22):
        machine.spawn(slot, f"p{slot}", program(slot), system=True)
    machine.clock.schedule(1500, lambda: machine.dispatcher.change_policy(make_policy(policy)))
    machine.run_quiet_nowait()
    machine.check()
    assert Counter(order) == {20: 3, 21: 3, 22: 3}


def test_a_policy_that_decides_no_more_is_told_nothing_more() -> None:
    machine = Machine(Configuration(policy="priority"))
    for slot in (20, 21):
        machine.spawn(slot, f"p{slot}", idle, system=True)
    before = machine.dispatcher.policy
    assert isinstance(before, Priority)
    levels = before.levels[:]
    machine.dispatcher.change_policy(make_policy("fifo"))
    machine.run_quiet_nowait()
    machine.check()
    assert before.levels == levels


async def idle() -> None:
    await trap(Receive())


def test_any_is_what_servers_wait_for() -> None:
    _, machine = race("fifo", rounds=1)
    assert all(machine.table.at(slot).get_from == ANY for slot in range(20, 24))
