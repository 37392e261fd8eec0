"""One instance of a function: a process of AWS's runtime client, which handles one request at a time."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from routegen.serve.lambda_function import Function, environment

OutcomeKind = Literal["result", "error", "timeout", "too-large", "event-too-large", "stopped"]


@dataclass(frozen=True)
class Outcome:
    """How an invocation has ended.

    Attributes:
        kind: `result` with a payload; `error` where the function raised, crashed or didn't start; `timeout`;
            `too-large` and `event-too-large` for what is past Lambda's limit; `stopped` where the gateway is ending.
        payload: the function's JSON.
        cold: whether it was its instance's first.
    """

    kind: OutcomeKind
    payload: bytes = b""
    cold: bool = False


@dataclass(eq=False)
class Job:
    """One event on its way through a function.

    Attributes:
        id: the request's, for the function's context.
        event: JSON.
        trace_id: X-Ray's.
        deadline_ms: when its time is up, in milliseconds since 1970.
        done: its outcome.
        instance: who works on it.
    """

    id: str
    event: bytes
    trace_id: str
    deadline_ms: int
    done: asyncio.Future[Outcome]
    instance: "Instance | None" = None

    def end(self, kind: OutcomeKind, payload: bytes = b"") -> None:
        """Say how it ended; only the first one counts."""
        if not self.done.done():
            cold = self.instance is not None and self.instance.served == 0
            self.done.set_result(Outcome(kind, payload, cold))


@dataclass(eq=False)
class Instance:
    """A process, and what is known of it.

    Attributes:
        function: what it runs.
        number: which instance of the function, from 1.
        port: where it asks for invocations.
        state: `starting` until it asks for its first event; `returning` between its answer and its next question.
        served: how many invocations it has finished.
        retired: whether it ends after the invocation in flight, because its source has changed.
        killed: why the gateway has killed it; None where it hasn't.
        job: what it works on.
    """

    function: Function
    number: int
    port: int
    state: Literal["starting", "idle", "busy", "returning"] = "starting"
    served: int = 0
    retired: bool = False
    killed: str | None = None
    job: Job | None = None
    process: subprocess.Popen[bytes] | None = None
    waiting: asyncio.Future[Job | None] | None = None
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    status: int | None = None

    def start(self, home: Path, output: Callable[[str], None], on_exit: Callable[["Instance"], None]) -> None:
        """Start the process, in a session of its own.

        Args:
            home: the function's to write.
            output: gets each line that it prints.
            on_exit: called in the loop when the process has ended, once.

        Raises:
            OSError: the system starts no process more.
        """
        loop = asyncio.get_running_loop()
        self.process = process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", self.function.handler],
            cwd=self.function.directory,
            env=environment(self.function, f"127.0.0.1:{self.port}", home, self.number),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        pipe = process.stdout
        drained = asyncio.Event()
        reading = loop.create_task(loop.connect_read_pipe(lambda: _Lines(output, drained), pipe))

        async def ended(status: int) -> None:
            self.kill(self.killed)  # whatever it has started
            transport, _ = await reading
            # A process that left the group may hold the pipe open for ever.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(drained.wait(), 0.5)
            transport.close()
            self.status = status
            on_exit(self)
            self.exited.set()

        def wait() -> None:
            status = process.wait()
            with contextlib.suppress(RuntimeError):  # the loop has ended before the process
                asyncio.run_coroutine_threadsafe(ended(status), loop)

        threading.Thread(target=wait, name=f"{self.function.name} {self.number}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Of the process, and of its group; 0 before the start."""
        return self.process.pid if self.process else 0

    def kill(self, why: str | None) -> None:
        """End the process and what it has started, at once."""
        self.killed = why
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    async def wait(self) -> Job | None:
        """Be idle until there is a job; None where it has to end."""
        self.state = "idle"
        self.waiting = asyncio.get_running_loop().create_future()
        return await self.waiting

    def give(self, job: Job | None) -> None:
        """Hand an idle instance a job, or let it go with None."""
        if job is not None:
            self.state, self.job, job.instance = "busy", job, self
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(job)

    def finish(self, request_id: str, kind: OutcomeKind, payload: bytes) -> bool:
        """Take the outcome of the job that it works on; False where it works on no such job."""
        if self.job is None or self.job.id != request_id:
            return False
        self.job.end(kind, payload)
        self.job = None
        self.served += 1
        self.state = "returning"
        return True

    def how_it_ended(self) -> str:
        """In words, for the log."""
        if self.status is None or self.status >= 0:
            return f"exited with status {self.status}"
        with contextlib.suppress(ValueError):
            return f"crashed with {signal.Signals(-self.status).name}"
        return f"crashed with signal {-self.status}"


class _Lines(asyncio.Protocol):
    """A process's output, line by line.

    AWS's runtime client separates the lines of a traceback with carriage returns and indents them with no-break
    spaces, which CloudWatch shows as one entry; a terminal needs them as lines.
    """

    def __init__(self, output: Callable[[str], None], drained: asyncio.Event) -> None:
        self._output = output
        self._drained = drained
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._say(line)
        if len(self._rest) > 65536:
            self._say(self._rest)
            self._rest = b""

    def connection_lost(self, _error: Exception | None) -> None:
        if self._rest:
            self._say(self._rest)
            self._rest = b""
        self._drained.set()

    def _say(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").replace("\u00a0", " ").rstrip()
        if text:
            self._output(text)
