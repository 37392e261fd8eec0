"""The Lambda Runtime API gives events only to the instance that has to handle them."""

import socket
from pathlib import Path
from typing import Any

import pytest
from routegen.serve.exchange import HttpRequest, HttpResponse
from routegen.serve.lambda_function import LambdaFunction
from routegen.serve.lambda_instance import LambdaInstance, LambdaInvocation
from routegen.serve.runtime_api import RuntimeApi
from serve.running_gateway import RunningGateway

ADDRESS = "127.0.0.1:9001"
BASE = "/2018-06-01/runtime"
NEXT = f"{BASE}/invocation/next"


class RuntimeClient:
    """The Runtime API with one instance, whose next invocation is always there."""

    def __init__(self) -> None:
        self.instance = LambdaInstance(LambdaFunction("mcp", "echo.handler", Path(), {}), 1, self._assign)
        self.api = RuntimeApi(ADDRESS, {self.instance.secret: self.instance})

    def _assign(self, instance: LambdaInstance) -> None:
        instance.assign(LambdaInvocation("id-1", b'{"secret": 1}', "Root=1", 0, print))

    def status(self, method: str, path: str, **headers: str) -> int:
        pairs = tuple({"host": ADDRESS, **headers}.items())
        request = HttpRequest(method, path.replace("SECRET", self.instance.secret), headers=pairs)
        responses: list[HttpResponse] = []
        self.api.answer(request, lambda build: responses.append(build()))
        [response] = responses
        assert (b"secret" in response.body) == (response.status == 200)
        return response.status


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (NEXT, {}),
        (f"/{'x' * 32}{NEXT}", {}),
        (f"/SECRET{NEXT}", {"host": "page.example.net"}),
        (f"/SECRET{NEXT}", {"host": "localhost:9001"}),
        (f"/SECRET{NEXT}", {"host": "127.0.0.1"}),
        (f"/SECRET{NEXT}", {"origin": "https://page.example.net"}),
        (f"/SECRET{NEXT}", {"origin": f"http://{ADDRESS}"}),
        (f"/SECRET{NEXT}", {"origin": ""}),
        (f"/secret{NEXT}?SECRET", {}),
    ],
)
@pytest.mark.reliability("requests of other programs to the Lambda Runtime API")
def test_without_the_secret_the_host_or_with_an_origin_no_event_is_given(path: str, headers: dict[str, str]) -> None:
    client = RuntimeClient()
    assert client.status("GET", path, **headers) == 403
    assert client.status("GET", f"/SECRET{NEXT}") == 200


@pytest.mark.parametrize("state", ["idle", "busy"])
@pytest.mark.reliability("requests of other programs to the Lambda Runtime API")
def test_an_instance_that_waits_or_is_busy_gets_no_second_event(state: Any) -> None:
    client = RuntimeClient()
    client.instance.state = state
    assert client.status("GET", f"/SECRET{NEXT}") == 409


def test_a_result_needs_the_id_of_the_current_invocation() -> None:
    client = RuntimeClient()
    paths = ["id-2/response", "id-1/response", "id-1/response"]
    assert client.status("GET", f"/SECRET{NEXT}") == 200
    assert [client.status("POST", f"/SECRET{BASE}/invocation/{path}") for path in paths] == [400, 202, 400]
    assert client.status("GET", f"/SECRET{NEXT}") == 200


@pytest.mark.parametrize(("method", "path"), [("POST", NEXT), ("GET", f"{BASE}/init/error"), ("GET", "/"), ("GET", "")])
def test_any_other_path_is_a_404(method: str, path: str) -> None:
    assert RuntimeClient().status(method, f"/SECRET{path}") == 404


@pytest.mark.reliability("requests of other programs to the Lambda Runtime API")
def test_another_program_gets_no_event_from_the_port(gateway: RunningGateway) -> None:
    """And the function sees the address without the secret, so its child processes do not see it either."""
    host, port = gateway.get("/mcp").json["env"]["AWS_LAMBDA_RUNTIME_API"].split(":")
    for headers in (f"Host: {host}:{port}", "Host: page.example.net\r\nOrigin: https://page.example.net"):
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(f"GET {NEXT} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 403 ")
    assert gateway.get("/mcp").status == 200
