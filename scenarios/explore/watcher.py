"""Makes one schedule, and watches what the steps touch.

A watcher is the policy of a machine that has booted: the head of the ready list, but for the
deviations that it is to make.
"""

from __future__ import annotations

from typing import Any, Final

from ipc.endpoint import ANY
from ipc.traps import KernelCall, Load, Notify, Receive, Send, SendA, SendNb, SendRec, Store
from kernel.flags import RTS_RECEIVING, RTS_SENDING
from kernel.hang import partner_of
from kernel.machine import Machine
from kernel.memory.frames import PAGE_SHIFT, PAGE_SIZE
from kernel.policies.replay import Schedule, ScheduleDiffers, format_schedule
from kernel.probes import (
    Event,
    MemoryChanged,
    MessageDelivered,
    MessageSent,
    ProcessCreated,
    ProcessDied,
    ProcessReplaced,
    SignalRaised,
)
from kernel.process import Process
from kernel.runqueue import RunQueue
from kernel.traptable import Enter
from scenarios.explore.steps import (
    BOX,
    CALL,
    FRAME,
    LINE,
    MEMORY,
    PROCESS,
    Deviations,
    Step,
    as_mapping,
)

# The fields of a kernel call that name processes, and those by which it reaches memory.
_NAMING: Final = (
    "endpt", "endpoint", "src_endpt", "dst_endpt", "who", "from_to", "dst", "vec_endpt", "process",
)  # fmt: skip
_REACHING: Final = (
    "src_addr", "dst_addr", "address", "addr", "base", "vec_addr", "sigctx", "ctx_ptr", "val_ptr",
    "vaddr", "gid", "buf", "ptr", "phys_start",
)  # fmt: skip


class Watcher:
    """The policy of one run.

    `widths` says for each choice how many processes were ready, and `steps` what was done, if
    `careful`.
    """

    quanta = False
    takes_head = False

    def __init__(self, machine: Machine, deviations: Deviations, *, careful: bool = True) -> None:
        self.widths: list[int] = []
        self.steps: list[Step] = []
        self._deviations = as_mapping(deviations)
        self._machine = machine
        self._boot = len(machine.dispatcher.choices)
        self._careful = careful
        self._open: Step | None = None
        self._asked: int | None = None  # who was there to take the request of this step
        self._epoch = 0
        machine.dispatcher.change_policy(self)
        if careful:
            machine.dispatcher.wrap_traps(self._wrapped)
            machine.probes.listen(self._happened)

    def attach(self, ready: RunQueue) -> None:
        """Hear of everybody who becomes ready or no longer is."""
        if self._careful:
            ready.tell(self._entered, self._left)

    def choose(self, queue: list[Process], ran: Process | None) -> int:
        """The head, or what is to be done instead.  Raises ScheduleDiffers."""
        position = len(self.widths)
        self.widths.append(len(queue))
        index = self._deviations.get(position, 0)
        if index >= len(queue):
            raise ScheduleDiffers(f"choice {position} is {index}, but {len(queue)} are ready")
        if self._careful:
            ready = tuple(process.endpoint for process in queue)
            self._begin(Step(ready[index], self._epoch, ready, position, index))
        return index

    @property
    def deviations(self) -> Deviations:
        """The deviations that were made."""
        made = sorted(self._deviations.items())
        return tuple(each for each in made if each[0] < len(self.widths))

    @property
    def schedule(self) -> str:
        """All choices up to the last deviation, as `replay:` takes them."""
        choices = list(self._machine.dispatcher.choices)
        while choices and not choices[-1]:
            choices.pop()
        return format_schedule(Schedule(choices))

    # What a step touches.

    def _begin(self, step: Step) -> None:
        self.steps.append(step)
        self._open = step
        assert step.process is not None, "a process makes a step"
        step.touch(PROCESS, step.process)

    def _wrapped(self, enter: Enter) -> Enter:
        def watched(process: Process, request: Any) -> int | None:
            step = self._open
            if step is None or step.process != process.endpoint:
                step = Step(process.endpoint, self._epoch)
                self._begin(step)
            self._asked = None
            self._touch(step, process, request)
            try:
                return enter(process, request)
            finally:
                self._open = self._asked = None

        return watched

    def _touch(self, step: Step, process: Process, request: Any) -> None:
        match request:
            case SendRec():
                self._touch_request(step, process, request.dest)
            case Send() | SendNb():
                step.touch_queue(request.dest)
                self._touch_chain(step, request.dest)
            case Notify():
                step.touch_queue(request.dest)
            case SendA():
                for entry in request.table:
                    step.touch_queue(entry.dest)
            case Receive():
                step.touch(BOX, process.endpoint)
                self._touch_chain(step, request.source)
            case Load():
                self._touch_memory(step, process, request.address, request.length, change=False)
            case Store():
                self._touch_memory(step, process, request.address, len(request.data), change=True)
            case KernelCall():
                self._touch_call(step, request.request)

    def _touch_request(self, step: Step, process: Process, dest: int) -> None:
        """Whether the receiver is there already makes no difference to who waits for an answer."""
        step.touch(LINE, dest)
        receiver = self._machine.table.lookup(dest)
        if receiver is None:
            step.touch(PROCESS, dest)
        elif not receives_from(receiver, process.endpoint):
            self._touch_chain(step, dest)
        else:
            self._asked = dest

    def _touch_chain(self, step: Step, endpoint: int) -> None:
        """The kernel looks whom `endpoint` waits for, and so on, before it lets anybody wait."""
        seen: list[int] = []
        process = self._machine.table.lookup(endpoint)
        while process is not None and process.rts and process.endpoint not in seen:
            step.touch(BOX, process.endpoint, change=False)
            seen.append(process.endpoint)
            process = self._machine.table.lookup(partner_of(process))

    def _touch_memory(
        self, step: Step, process: Process, address: int, length: int, *, change: bool
    ) -> None:
        step.touch(MEMORY, 0, change=False)
        space = process.space
        if space is None:
            return
        first = address - address % PAGE_SIZE
        for page in range(first, address + length, PAGE_SIZE):
            physical = space.translate(page, change)
            if physical < 0:
                return  # a page fault; the access will be made again
            step.touch(FRAME, int(physical) >> PAGE_SHIFT, change)

    def _touch_call(self, step: Step, request: Any) -> None:
        step.touch(CALL, request.type)
        if any(hasattr(request, field) for field in _REACHING):
            step.touch(MEMORY, 0)
        for field in _NAMING:
            endpoint = getattr(request, field, None)
            if isinstance(endpoint, int) and self._machine.table.lookup(endpoint) is not None:
                step.touch(PROCESS, endpoint)
                step.touch_queue(endpoint)

    # What else happens in it.

    def _entered(self, process: Process) -> None:
        """Somebody can run: because of the step at hand, a device, or the world outside."""
        step = self._open
        if step is None:
            if len(self._machine.ready.queue) == 1:
                self._epoch += 1  # until now nobody could run
            step = Step(None, self._epoch)
            self.steps.append(step)
        step.woke.append(process.endpoint)
        if process.endpoint != self._asked:
            self._changed(step, process.endpoint)

    def _left(self, process: Process) -> None:
        step = self._open
        if step is not None:
            self._changed(step, process.endpoint)
            if process.endpoint != step.process:
                step.stopped.append(process.endpoint)

    def _changed(self, step: Step, endpoint: int) -> None:
        step.touch(PROCESS, endpoint)
        step.touch(BOX, endpoint)

    def _happened(self, event: Event) -> None:
        step = self._open
        if step is None:
            return
        match event:
            case MessageSent():
                if event.from_kernel or event.source != step.process:
                    step.touch_queue(event.dest)
            case MessageDelivered():
                if event.dest == step.process:
                    step.took = event.source
            case MemoryChanged():
                if event.process != step.process:
                    step.touch(PROCESS, event.process)
                step.touch(FRAME, event.frame >> PAGE_SHIFT)
            case ProcessCreated() | ProcessDied() | ProcessReplaced():
                step.touch(PROCESS, event.process)
                step.touch_queue(event.process)
            case SignalRaised():
                step.touch(PROCESS, event.process)
                step.touch_queue(event.manager)


def receives_from(process: Process, endpoint: int) -> bool:
    """Whether `process` waits in RECEIVE for a message that may be from `endpoint`."""
    waits = process.rts & (RTS_RECEIVING | RTS_SENDING) == RTS_RECEIVING
    by_receive = isinstance(process.request, Receive)
    return waits and by_receive and process.get_from in (ANY, endpoint)
