"""AWS's Lambda runtime client without a gateway: a worker process of `bench_local_gateway.py`.

It shows the limit of every gateway that uses the runtime client. Raw sockets give each instance the same event, which
is prepared before, and accept each result without a look at it. So the smallest server that the client accepts is
measured, and no HTTP request of a user.
"""

import json
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from routegen.gateway import RouteKey  # noqa: E402 - from the checkout, installed or not
from routegen.serve.exchange import HttpRequest  # noqa: E402
from routegen.serve.lambda_function import LambdaFunction, lambda_environment  # noqa: E402
from routegen.serve.proxy_event import RequestContext, make_event  # noqa: E402

from dev.benchmarks.compared_servers import PATH  # noqa: E402
from dev.benchmarks.measuring import answer_requests  # noqa: E402

ACCEPTED = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"


def event_response() -> bytes:
    """The response of the Runtime API with the event that the gateway would make for the load client's request."""
    headers = (("host", "127.0.0.1:8000"), ("user-agent", "benchmark"), ("accept", "*/*"))
    route_key, trace_id = RouteKey.parse(f"ANY {PATH}"), f"Root=1-{0:08x}-{0:024x}"
    context = RequestContext(route_key, PATH, "request", trace_id, time.time())
    event = json.dumps(make_event(HttpRequest("GET", PATH, headers=headers), context))
    fields = {
        "content-type": "application/json",
        "lambda-runtime-aws-request-id": "8a1f5d1e-6e0a-4a92-a0b7-2f3d4c5b6a79",
        "lambda-runtime-deadline-ms": str(int(time.time() + 86400) * 1000),
        "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:123456789012:function:site",
        "lambda-runtime-trace-id": trace_id,
        "content-length": str(len(event)),
    }
    head = "\r\n".join(["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in fields.items())])
    return f"{head}\r\n\r\n{event}".encode()


@dataclass
class Instance:
    """The connection of one runtime client.

    Attributes:
        connection: its socket.
        received: what it has sent of a result.
        start: when it got its event.
        is_waiting: whether it waits for an event.
    """

    connection: socket.socket
    received: bytes = b""
    start: float = 0.0
    is_waiting: bool = False

    def send(self, event: bytes) -> None:
        """Give it an event."""
        self.is_waiting = False
        self.start = time.perf_counter()
        self.connection.send(event)

    def has_finished(self) -> bool:
        """Receive, and accept a result that is complete.

        Raises:
            RuntimeError: the function failed, so its time means nothing, or its process has ended.
        """
        data = self.connection.recv(65536)
        if data.startswith(b"GET "):
            self.is_waiting = True
            return False
        self.received += data
        head, _, body = self.received.partition(b"\r\n\r\n")
        if not data or (body and b'"statusCode": 200' not in body):
            raise RuntimeError(f"unexpected result: {self.received[:500]!r}")
        if not body.endswith(b"}") or f"content-length: {len(body)}".encode() not in head:
            return False
        self.received = b""
        self.connection.send(ACCEPTED)
        return True


class RuntimeClients:
    """Several instances of the function, each in a process of its own."""

    def __init__(self, folder: Path, home: Path) -> None:
        """Start no instance yet."""
        self._function = LambdaFunction("site", "site_app.handler", folder, {})
        self._home = home
        self._event = event_response()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._instances: list[Instance] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def measure(self, count: int, instances: int = 1) -> dict[str, Any]:
        """Send `count` events to instances that work at the same time.

        Returns:
            `seconds`, the time of all events together, and `each`, the seconds from each event to its result.
        """
        while len(self._instances) < instances:
            self._start_instance()
        each: list[float] = []
        sent = 0
        with selectors.DefaultSelector() as selector:
            for instance in self._instances[:instances]:
                selector.register(instance.connection, selectors.EVENT_READ, instance)
            start = time.perf_counter()
            while len(each) < count:
                for instance in self._instances[:instances]:
                    if instance.is_waiting and sent < count:
                        instance.send(self._event)
                        sent += 1
                for key, _ in selector.select():
                    if key.data.has_finished():
                        each.append(time.perf_counter() - key.data.start)
            return {"seconds": time.perf_counter() - start, "each": each}

    def _start_instance(self) -> None:
        number = len(self._instances) + 1
        address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        command = [sys.executable, "-m", "awslambdaric", self._function.handler]
        env = lambda_environment(self._function, address, self._home, number)
        self._processes.append(subprocess.Popen(command, cwd=self._function.directory, env=env, stdout=sys.stderr))
        connection, _ = self._listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._instances.append(Instance(connection))
        self._instances[-1].has_finished()  # its first request for an event

    def stop(self) -> None:
        """End every process."""
        for process in self._processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    clients = RuntimeClients(Path(sys.argv[1]), Path(tempfile.mkdtemp()))
    try:
        answer_requests(clients.measure)
    finally:
        clients.stop()
