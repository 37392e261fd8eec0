"""The instances of one Lambda function: started on demand, reused, replaced, and ended."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from routegen.serve.aws_behaviour import MAX_LAMBDA_PAYLOAD_BYTES
from routegen.serve.lambda_function import LambdaFunction
from routegen.serve.lambda_instance import InvocationOutcome, LambdaInstance, LambdaInvocation
from routegen.serve.serve_settings import ServeSettings
from routegen.serve.watchdog import ProcessWatchdog


@dataclass(frozen=True)
class PoolContext:
    """Objects that all pools of one gateway share.

    Attributes:
        settings: have the time-out and the limit of instances.
        runtime_api: `host:port` of the Lambda Runtime API.
        instances: each running instance, by its secret.
        home: a directory; each function's HOME is below it.
        watchdog: kills the processes when the gateway cannot.
        on_output: called with (function, line) for each line that a function prints.
        on_note: called with (function, text) when a process ends or cannot start.
    """

    settings: ServeSettings
    runtime_api: str
    instances: dict[str, LambdaInstance]
    home: Path
    watchdog: ProcessWatchdog
    on_output: Callable[[str, str], None]
    on_note: Callable[[str, str], None]


class InstancePool:
    """The instances of one function, and the queue of invocations that wait for an instance.

    Idle instances pull the oldest invocation from the queue. So an instance that was started for one invocation can be
    given another, and the first one can be handled by an instance that became idle earlier.
    """

    def __init__(self, function: LambdaFunction, context: PoolContext) -> None:
        """Create an empty pool; the first invocation starts the first instance."""
        self.function = function
        self._context = context
        self._settings = context.settings
        self._queue: deque[LambdaInvocation] = deque()
        self._idle_instances: list[LambdaInstance] = []
        self._instances: set[LambdaInstance] = set()
        self._started_count = 0
        self._closed = False
        # More starts at the same time would slow each other down.
        self._max_parallel_starts = max(1, os.cpu_count() or 1)

    def invoke(
        self, request_id: str, trace_id: str, event: bytes, on_outcome: Callable[[InvocationOutcome], None]
    ) -> None:
        """Have the function handle an event; the time-out includes the start of an instance."""
        if len(event) > MAX_LAMBDA_PAYLOAD_BYTES:
            on_outcome(InvocationOutcome("event-too-large"))
            return
        deadline = int((time.time() + self._settings.timeout) * 1000)
        invocation = LambdaInvocation(request_id, event, trace_id, deadline, on_outcome)
        invocation.timer = asyncio.get_running_loop().call_later(self._settings.timeout, self._expire, invocation)
        self._queue.append(invocation)
        self._dispatch()

    def restart(self) -> None:
        """Use new instances from now on; the old ones finish their current invocations."""
        self._idle_instances.clear()
        for instance in self._instances:
            instance.retired = True
            if instance.state != "busy":
                instance.kill("retired")

    async def close(self) -> None:
        """End every process and every invocation; return when the processes have ended."""
        self._closed = True
        for instance in list(self._instances):
            instance.kill("the gateway is stopping")
        current = [instance.invocation for instance in self._instances if instance.invocation]
        for invocation in [*self._queue, *current]:
            invocation.finish("stopped")
        self._queue.clear()
        for instance in list(self._instances):
            await instance.exited.wait()

    def _add_idle(self, instance: LambdaInstance) -> None:
        if instance.retired or instance.kill_reason or self._closed:
            instance.kill(instance.kill_reason or "retired")
            instance.assign(None)
        else:
            self._idle_instances.append(instance)
            self._dispatch()

    def _dispatch(self) -> None:
        if self._closed:
            while self._queue:
                self._queue.popleft().finish("stopped")
            return
        while self._queue and self._idle_instances:
            # The instance that was used last: its memory is in the caches.
            self._idle_instances.pop().assign(self._queue.popleft())
        if not self._queue:
            return
        states = [instance.state for instance in self._instances]
        starting = states.count("starting")
        needed = len(self._queue) - starting - states.count("returning")
        allowed = min(self._max_parallel_starts - starting, self._settings.max_instances - len(self._instances))
        for _ in range(min(needed, allowed)):
            self._start_instance()

    def _start_instance(self) -> None:
        self._started_count += 1
        instance = LambdaInstance(self.function, self._started_count, self._add_idle)
        name = self.function.name
        home = self._context.home / name
        try:
            home.mkdir(parents=True, exist_ok=True)
            instance.start(
                self._context.runtime_api,
                home,
                lambda line: self._context.on_output(name, line),
                self._instance_exited,
            )
        except OSError as error:
            self._note(f"the system cannot start a process: {error.strerror or error}")
            self._queue.popleft().finish("error")
            return
        self._context.watchdog.add(instance.pid)
        self._context.instances[instance.secret] = instance
        self._instances.add(instance)
        asyncio.get_running_loop().call_later(self._settings.timeout, self._expire_start, instance)

    def _note(self, text: str) -> None:
        self._context.on_note(self.function.name, text)

    def _expire_start(self, instance: LambdaInstance) -> None:
        if instance in self._instances and instance.state == "starting":
            self._note(f"still importing after {self._settings.timeout:g} s, so it was killed")
            instance.kill("timeout")

    def _expire(self, invocation: LambdaInvocation) -> None:
        """End an invocation whose time-out is over, and kill its instance."""
        if invocation in self._queue:
            self._queue.remove(invocation)
        instance = invocation.instance
        if instance is not None:
            instance.kill("timeout")
            self._note(f"still running after {self._settings.timeout:g} s, so it was killed")
        elif len(self._instances) == self._settings.max_instances:
            self._note(
                f"all {len(self._instances)} instances were busy for {self._settings.timeout:g} s; "
                "raise --max-instances"
            )
        invocation.finish("timeout")

    def _instance_exited(self, instance: LambdaInstance) -> None:
        self._instances.discard(instance)
        if instance in self._idle_instances:
            self._idle_instances.remove(instance)
        self._context.instances.pop(instance.secret, None)
        self._context.watchdog.remove(instance.pid)
        instance.assign(None)
        if instance.kill_reason is None:
            self._report_exit(instance)
        if instance.invocation is not None:
            instance.invocation.finish("error")
        self._dispatch()

    def _report_exit(self, instance: LambdaInstance) -> None:
        """Report a process that ended without having been killed by the gateway."""
        if instance.invocation is not None:
            situation = "while it handled a request"
        else:
            situation = "while it was imported" if instance.state == "starting" else "while it was idle"
        self._note(f"{instance.describe_exit()} {situation}")
        if instance.state == "starting" and self._queue:
            self._queue.popleft().finish("error")
