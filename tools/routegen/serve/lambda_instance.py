"""One instance of a Lambda function: a process of AWS's runtime client, which handles one request at a time."""

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from routegen.serve.lambda_function import LambdaFunction, lambda_environment

# The compiled part of AWS's runtime client reads the address, with the secret, when it is imported. The part in Python
# understands only `host:port`; it uses the address only for an error of the import.
_RUNTIME_CLIENT = """\
import os, sys
sys.path[0] = os.getcwd()
from awslambdaric.__main__ import main
os.environ["AWS_LAMBDA_RUNTIME_API"] = sys.argv.pop()
main(sys.argv)
"""

OutcomeKind = Literal["result", "error", "timeout", "too-large", "event-too-large", "stopped"]


@dataclass(frozen=True)
class InvocationOutcome:
    """How an invocation ended.

    Attributes:
        kind: `result` has a payload; `error`: the function raised, crashed or did not start; `timeout`; `too-large` and
            `event-too-large`: the result or the event is above Lambda's limit; `stopped`: the gateway is stopping.
        payload: the function's result, as JSON.
        cold: whether it was the first invocation of its instance.
    """

    kind: OutcomeKind
    payload: bytes = b""
    cold: bool = False


@dataclass(eq=False)
class LambdaInvocation:
    """One event that a function has to handle.

    Attributes:
        id: the request id in the function's context.
        event: the event, as JSON.
        trace_id: the X-Ray trace id.
        deadline_ms: when the time-out is over, in milliseconds since 1970.
        on_outcome: called once, when the invocation has ended; None after that.
        instance: the instance that handles it; None while it waits for one.
        timer: ends the invocation when its time-out is over.
    """

    id: str
    event: bytes
    trace_id: str
    deadline_ms: int
    on_outcome: Callable[[InvocationOutcome], None] | None
    instance: "LambdaInstance | None" = None
    timer: asyncio.TimerHandle | None = None

    def finish(self, kind: OutcomeKind, payload: bytes = b"") -> None:
        """End the invocation; later calls have no effect."""
        on_outcome, self.on_outcome = self.on_outcome, None
        if self.timer:
            self.timer.cancel()
        if on_outcome:
            cold = self.instance is not None and self.instance.finished_count == 0
            on_outcome(InvocationOutcome(kind, payload, cold))


OnInvocation = Callable[[LambdaInvocation | None], None]
"""Gets the next invocation of an instance; None if the instance has to end."""


@dataclass(eq=False)
class LambdaInstance:
    """A process of the runtime client, and its state.

    Attributes:
        function: the function that it runs.
        number: number of this instance of the function, from 1.
        on_idle: called when it waits for an invocation.
        secret: identifies its runtime client to the Lambda Runtime API.
        state: `starting` until it asks for its first event; `returning` between its result and its next question.
        finished_count: number of invocations that it has finished.
        retired: whether it ends after its current invocation, because its source has changed.
        kill_reason: why the gateway killed it; None if the gateway did not.
        invocation: the invocation that it handles.
        process: the process; None before the start.
        on_invocation: what the idle instance waits for.
        exited: set when the process has ended.
        exit_status: the process's status; None before its end.
    """

    function: LambdaFunction
    number: int
    on_idle: Callable[["LambdaInstance"], None]
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    state: Literal["starting", "idle", "busy", "returning"] = "starting"
    finished_count: int = 0
    retired: bool = False
    kill_reason: str | None = None
    invocation: LambdaInvocation | None = None
    process: subprocess.Popen[bytes] | None = None
    on_invocation: OnInvocation | None = None
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    exit_status: int | None = None

    def start(
        self,
        runtime_api: str,
        home: Path,
        on_output: Callable[[str], None],
        on_exit: Callable[["LambdaInstance"], None],
    ) -> None:
        """Start the process in a new session; it asks the Runtime API at `host:port`, and can write to `home`.

        Each line that it prints goes to `on_output`. `on_exit` is called in the event loop when it has ended.

        Raises:
            OSError: the system cannot start another process.
        """
        loop = asyncio.get_running_loop()
        self.process = process = subprocess.Popen(
            [sys.executable, "-c", _RUNTIME_CLIENT, self.function.handler, runtime_api],
            cwd=self.function.directory,
            env=lambda_environment(self.function, f"{runtime_api}/{self.secret}", home, self.number),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        output = _OutputLines(on_output)
        reader = loop.create_task(loop.connect_read_pipe(lambda: output, process.stdout))

        async def clean_up(exit_status: int) -> None:
            self.kill(self.kill_reason)  # its child processes, which are in the same group
            transport, _ = await reader
            # A process that left the group can keep the pipe open for ever.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(output.drained.wait(), 0.5)
            transport.close()
            self.exit_status = exit_status
            on_exit(self)
            self.exited.set()

        def wait_for_exit() -> None:
            exit_status = process.wait()
            with contextlib.suppress(RuntimeError):  # the loop ended before the process
                asyncio.run_coroutine_threadsafe(clean_up(exit_status), loop)

        threading.Thread(target=wait_for_exit, name=f"{self.function.name} {self.number}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The id of the process and of its group; 0 before the start."""
        return self.process.pid if self.process else 0

    def kill(self, reason: str | None) -> None:
        """Kill the process and its child processes."""
        self.kill_reason = reason
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def wait_for_invocation(self, on_invocation: OnInvocation) -> None:
        """Be idle until there is an invocation."""
        self.state, self.on_invocation = "idle", on_invocation
        self.on_idle(self)

    def assign(self, invocation: LambdaInvocation | None) -> None:
        """Give an instance an invocation, or None to end it."""
        if invocation is not None:
            self.state, self.invocation, invocation.instance = "busy", invocation, self
        on_invocation, self.on_invocation = self.on_invocation, None
        if on_invocation:
            on_invocation(invocation)

    def finish_invocation(self, request_id: str, kind: OutcomeKind, payload: bytes) -> bool:
        """Set the outcome of the current invocation; False if its request id is a different one."""
        invocation = self.invocation
        if invocation is None or invocation.id != request_id:
            return False
        self.state, self.invocation = "returning", None
        invocation.finish(kind, payload)
        self.finished_count += 1
        return True

    def describe_exit(self) -> str:
        """How the process ended, in words for the log."""
        if self.exit_status is None or self.exit_status >= 0:
            return f"exited with status {self.exit_status}"
        with contextlib.suppress(ValueError):
            return f"crashed with {signal.Signals(-self.exit_status).name}"
        return f"crashed with signal {-self.exit_status}"


class _OutputLines(asyncio.Protocol):
    """Splits a process's output into lines.

    AWS's runtime client separates the lines of a traceback with carriage returns and indents them with no-break
    spaces, which CloudWatch shows as one entry; a terminal needs line feeds and spaces.

    Attributes:
        drained: set when the pipe is closed.
    """

    def __init__(self, on_output: Callable[[str], None]) -> None:
        self._on_output = on_output
        self.drained = asyncio.Event()
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._emit(line)
        if len(self._rest) > 65536:
            self._emit(self._rest)
            self._rest = b""

    def connection_lost(self, _error: Exception | None) -> None:
        if self._rest:
            self._emit(self._rest)
            self._rest = b""
        self.drained.set()

    def _emit(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").replace("\u00a0", " ").rstrip()
        if text:
            self._on_output(text)
