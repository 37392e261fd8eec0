"""The instances of one function: started with demand, reused, replaced, and ended in time."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from routegen.serve.lambda_function import Function
from routegen.serve.lambda_instance import Instance, Job, Outcome
from routegen.serve.serve_settings import MAX_LAMBDA, Settings


class Guard(Protocol):
    """Whoever ends a process group when the gateway can't any more."""

    def started(self, pid: int) -> None:
        """A group is there."""

    def ended(self, pid: int) -> None:
        """A group has gone."""


@dataclass(frozen=True)
class Surroundings:
    """What the pools of one gateway share.

    Attributes:
        settings: the time-out and the limit of instances.
        ports: free ports of the Lambda Runtime API; an instance has one to itself.
        at: which instance asks on which port.
        home: a directory; each function's HOME is below it.
        guard: ends what is left over.
        output: gets (function, line) for each line that a function prints.
        note: gets (function, text) for what there is to say about it.
    """

    settings: Settings
    ports: list[int]
    at: dict[int, Instance]
    home: Path
    guard: Guard
    output: Callable[[str, str], None]
    note: Callable[[str, str], None]


class Pool:
    """One function's instances and the jobs that wait for one.

    Instances take jobs, not jobs instances: whichever asks first gets the oldest, so that a job which had to start
    an instance may be served by another one before.
    """

    def __init__(self, function: Function, surroundings: Surroundings) -> None:
        """No instance starts before the first job."""
        self.function = function
        self._around = surroundings
        self._settings = surroundings.settings
        self._jobs: deque[Job] = deque()
        self._idle: list[Instance] = []
        self._instances: set[Instance] = set()
        self._count = 0
        self._closed = False
        # More at a time would only make each of them slower.
        self._starts = max(1, os.cpu_count() or 1)

    @property
    def instances(self) -> int:
        """How many processes there are."""
        return len(self._instances)

    async def invoke(self, request_id: str, trace_id: str, event: bytes) -> Outcome:
        """Have an event handled; the time-out counts from now, a start included."""
        if len(event) > MAX_LAMBDA:
            return Outcome("event-too-large")
        deadline = int((time.time() + self._settings.timeout) * 1000)
        job = Job(request_id, event, trace_id, deadline, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._dispatch()
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await job.done
        except TimeoutError:
            return self._expire(job)
        finally:
            if job in self._jobs:
                self._jobs.remove(job)

    async def next_job(self, instance: Instance) -> Job | None:
        """What an instance is to do next, as soon as there is something; None where it has to end."""
        if instance.retired or instance.killed or self._closed:
            instance.kill(instance.killed or "retired")
            return None
        self._idle.append(instance)
        asyncio.get_running_loop().call_soon(self._dispatch)
        return await instance.wait()

    def restart(self) -> None:
        """Let new instances take every job from now on; what is in flight is finished by the old ones."""
        self._idle.clear()
        for instance in self._instances:
            instance.retired = True
            if instance.state != "busy":
                instance.kill("retired")

    async def close(self) -> None:
        """End every process and answer every job; returns when the processes are gone."""
        self._closed = True
        for instance in list(self._instances):
            instance.kill("the gateway is ending")
        for job in [*self._jobs, *(one.job for one in self._instances if one.job)]:
            job.end("stopped")
        self._jobs.clear()
        for instance in list(self._instances):
            await instance.exited.wait()

    def _dispatch(self) -> None:
        if self._closed:
            while self._jobs:
                self._jobs.popleft().end("stopped")
            return
        while self._jobs and self._jobs[0].done.done():
            self._jobs.popleft()  # its time is up
        while self._jobs and self._idle:
            # The one that was used last: its memory is warm, and the others may rest.
            self._idle.pop().give(self._jobs.popleft())
        coming = [one.state for one in self._instances]
        starting = coming.count("starting")
        wanted = min(len(self._jobs) - starting - coming.count("returning"), self._starts - starting)
        for _ in range(min(wanted, self._settings.max_instances - len(self._instances))):
            self._start()
        if not self._settings.decisions.throttled_waits:
            while len(self._jobs) > sum(one.state in {"starting", "returning"} for one in self._instances):
                self._jobs.pop().end("timeout")

    def _start(self) -> None:
        self._count += 1
        port = self._around.ports.pop()
        instance = Instance(self.function, self._count, port)
        home = self._around.home / self.function.name
        name = self.function.name
        try:
            home.mkdir(parents=True, exist_ok=True)
            instance.start(home, lambda line: self._around.output(name, line), self._exited)
        except OSError as error:
            self._around.ports.append(port)
            self._note(f"a process can't be started: {error.strerror or error}")
            self._jobs.popleft().end("error")
            return
        self._around.guard.started(instance.pid)
        self._around.at[port] = instance
        self._instances.add(instance)
        asyncio.get_running_loop().call_later(self._settings.timeout, self._give_up, instance)

    def _note(self, text: str) -> None:
        self._around.note(self.function.name, text)

    def _give_up(self, instance: Instance) -> None:
        if instance in self._instances and instance.state == "starting":
            self._note(f"still importing after {self._settings.timeout:g} s, so it was ended")
            instance.kill("timeout")

    def _expire(self, job: Job) -> Outcome:
        """End the instance that works on a job whose time is up; another one takes the next."""
        cold = False
        if job.instance is not None and job.instance.job is job:
            cold = job.instance.served == 0
            job.instance.kill("timeout")
            self._note(f"still running after {self._settings.timeout:g} s, so it was ended")
        elif len(self._instances) == self._settings.max_instances:
            self._note(f"all {len(self._instances)} instances were busy for too long")
        return Outcome("timeout", cold=cold)

    def _exited(self, instance: Instance) -> None:
        self._instances.discard(instance)
        if instance in self._idle:
            self._idle.remove(instance)
        self._around.at.pop(instance.port, None)
        self._around.ports.append(instance.port)
        self._around.guard.ended(instance.pid)
        instance.give(None)
        if instance.killed is None:
            self._lost(instance)
        if instance.job is not None:
            instance.job.end("error")
        self._dispatch()

    def _lost(self, instance: Instance) -> None:
        """A process has ended that nobody has killed."""
        if instance.job is not None:
            when = "while it handled a request"
        elif instance.state == "starting":
            when = "while it was imported"
            if self._jobs:
                self._jobs.popleft().end("error")
        else:
            when = "while it was idle"
        self._note(f"{instance.how_it_ended()} {when}")
