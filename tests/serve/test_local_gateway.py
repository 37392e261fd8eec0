"""HTTP requests to the local gateway, with functions in AWS's runtime client."""

import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from serve.running_gateway import RESERVED, RunningGateway, StartGateway, is_running, wait_for_file

MEGABYTE = 1024 * 1024
INTERNAL_ERROR = b'{"message":"Internal Server Error"}'


def send_result(
    gateway: RunningGateway, result: object, method: str = "POST", path: str = "/"
) -> tuple[int, dict[str, str], bytes]:
    """The client's response if the function returns `result`."""
    answer = gateway.ask(method, f"{path}?do=say", json.dumps(result).encode(), {"content-type": "application/json"})
    return answer.status, answer.headers, answer.body


@pytest.mark.parametrize(
    ("method", "path", "key", "app"),
    [
        ("GET", "/mcp", "ANY /mcp", "mcp"),
        ("DELETE", "/mcp?a=1", "ANY /mcp", "mcp"),
        ("GET", "/%6dcp", "ANY /mcp", "mcp"),
        ("GET", "/mcp/", "$default", "wiki"),
        ("GET", "/", "$default", "wiki"),
        ("GET", "/files/me/a/b", "GET /files/{owner}/{rest+}", "mcp"),
        ("POST", "/files/me/a/b", "$default", "wiki"),
        ("HEAD", "/files/me/a/b", "$default", "wiki"),
        ("OPTIONS", "/Home", "$default", "wiki"),
    ],
)
def test_the_selected_route_decides_which_function_answers(
    gateway: RunningGateway, method: str, path: str, key: str, app: str
) -> None:
    answer = gateway.ask(method, path)
    assert answer.status == 200
    exchange = gateway.exchanges[-1]
    assert (exchange.route_key, exchange.app) == (key, app)
    event = json.loads(exchange.event)
    assert event["routeKey"] == key
    if method != "HEAD":
        assert answer.json["cwd"].endswith(app)


def test_without_a_default_app_the_gateway_answers_404(project: Path, start: StartGateway) -> None:
    """API Gateway answers so if the API has no `$default` route."""
    manifest = project / "routes.json"
    document = json.loads(manifest.read_text())
    config = project / "pyproject.toml"
    config.write_text(config.read_text().replace('default = "wiki"\n', ""))
    del document["default"]
    manifest.write_text(json.dumps(document))
    gateway = start()
    answer = gateway.ask("POST", "/Home", b"{}")
    assert (answer.status, answer.body) == (404, b'{"message":"Not Found"}')
    assert answer.headers["content-type"] == "application/json"
    exchange = gateway.exchanges[-1]
    assert (exchange.route_key, exchange.app, exchange.request.is_complete) == (None, None, True)
    assert exchange.problem == "no route key takes it, and there is no default app"
    assert "POST   /Home  -  -  404  " in gateway.log
    assert gateway.get("/mcp").status == 200


def test_a_reserved_path_is_logged_as_reserved(project: Path, start: StartGateway) -> None:
    manifest = project / "routes.json"
    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**document, "routes": [RESERVED, *document["routes"]]}))
    gateway = start()
    gateway.get(RESERVED["path"])
    exchange = gateway.exchanges[-1]
    assert (exchange.app, exchange.reserved) == ("mcp", RESERVED["reserved"])
    assert "  reserved  cold\n" in gateway.log
    gateway.get("/mcp")
    assert gateway.exchanges[-1].reserved is None


def test_every_response_has_a_request_id(gateway: RunningGateway) -> None:
    ids = {gateway.get(path).headers["apigw-requestid"] for path in ("/", "/?do=raise", "/?do=crash")}
    assert len(ids) == 3


def test_a_function_gets_its_own_environment_and_not_the_caller_s(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_CALLER", "x")
    gateway.get("/mcp?do=crash")  # so that a new instance starts
    env = gateway.get("/mcp").json["env"]
    assert "A_SECRET_OF_THE_CALLER" not in env
    assert env["GREETING"] == "hello"
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == "mcp"
    assert env["_HANDLER"] == "echo.handler"
    assert env["HOME"] != os.environ.get("HOME")
    assert "GREETING" not in gateway.get("/").json["env"]


def test_the_context_object_has_lambda_s_fields(gateway: RunningGateway) -> None:
    context = gateway.get("/mcp?do=context").json
    assert context["arn"].endswith(":function:mcp")
    assert 0 < context["left"] <= 30_000
    assert len(context["id"]) == 36


def test_binary_bodies_are_unchanged_in_both_directions(gateway: RunningGateway) -> None:
    all_bytes = bytes(range(256)) * 4
    answer = gateway.ask("POST", "/?do=bytes", all_bytes, {"content-type": "image/png"})
    assert (answer.body, answer.headers["content-type"]) == (all_bytes, "image/png")


def test_cookies_in_both_directions(gateway: RunningGateway) -> None:
    assert gateway.get("/", Cookie="a=1; b=2").json["event"]["cookies"] == ["a=1", "b=2"]
    answer = gateway.ask(
        "POST", "/?do=say", b'{"statusCode": 200, "cookies": ["a=1", "b=2"]}', {"content-type": "text/x"}
    )
    assert answer.cookies == ["a=1", "b=2"]


def test_the_challenge_header_is_renamed(gateway: RunningGateway) -> None:
    _, headers, _ = send_result(gateway, {"statusCode": 401, "headers": {"www-authenticate": "Bearer"}})
    assert headers["x-amzn-remapped-www-authenticate"] == "Bearer"
    assert "www-authenticate" not in headers


def test_head_has_the_content_length_of_the_result_and_no_body(gateway: RunningGateway) -> None:
    result = {"statusCode": 200, "headers": {"content-type": "text/html", "content-length": "1234"}}
    status, headers, body = send_result(gateway, result, "HEAD")
    assert (status, headers["content-length"], body) == (200, "1234", b"")


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_body_has_no_content_length(gateway: RunningGateway, status: int) -> None:
    received, headers, body = send_result(gateway, {"statusCode": status})
    assert (received, "content-length" in headers, body) == (status, False, b"")


@pytest.mark.parametrize(
    ("do", "text"), [("raise", "RuntimeError: no otter here"), ("crash", "exited with status 7 while it handled")]
)
def test_a_failing_function_is_a_500_and_the_next_request_is_served(
    gateway: RunningGateway, do: str, text: str
) -> None:
    answer = gateway.get(f"/?do={do}")
    assert (answer.status, answer.body) == (500, INTERNAL_ERROR)
    assert answer.headers["content-type"] == "application/json"
    assert text in gateway.log
    assert gateway.get("/").status == 200


def test_a_traceback_is_logged_line_by_line(gateway: RunningGateway) -> None:
    gateway.get("/?do=raise")
    assert any(line.startswith("wiki |   File ") and "echo.py" in line for line in gateway.lines)


def test_an_invalid_result_is_a_500_and_the_log_has_the_reason(gateway: RunningGateway) -> None:
    assert send_result(gateway, {"statusCode": "otter"})[::2] == (500, INTERNAL_ERROR)
    assert "statusCode is a string, not a number from 200 to 599" in gateway.lines[-1]


def test_output_is_logged_with_the_function_s_name(gateway: RunningGateway) -> None:
    gateway.get("/mcp?do=print")
    gateway.wait_for_log("mcp | an otter\n")
    gateway.wait_for_log("mcp | and a beaver\n")


def test_the_log_has_one_line_for_each_request_without_its_query(gateway: RunningGateway) -> None:
    gateway.get("/mcp?code=secret")
    line = gateway.lines[-1]
    assert "GET    /mcp  ANY /mcp  mcp  200  " in line
    assert "secret" not in line


def test_the_log_has_no_token_in_a_path(gateway: RunningGateway) -> None:
    gateway.get("/-/confirm/eyJhbGciOiJub25lIn0.e30.s3cr3t")
    assert "GET    /-/confirm/[masked]  $default  wiki  200  " in gateway.lines[-1]


def test_an_idle_instance_is_used_again(start: StartGateway) -> None:
    gateway = start()
    assert len({gateway.get("/mcp").json["pid"] for _ in range(20)}) == 1


def test_a_killed_idle_instance_is_replaced(gateway: RunningGateway) -> None:
    pid = gateway.get("/").json["pid"]
    os.kill(pid, 9)
    gateway.wait_for_log("crashed with SIGKILL while it was idle")
    assert gateway.get("/").json["pid"] != pid


@pytest.mark.parametrize(("size", "status"), [(6 * MEGABYTE - 2, 200), (6 * MEGABYTE - 1, 413)])
def test_the_limit_of_a_result_is_6_mb(gateway: RunningGateway, size: int, status: int) -> None:
    answer = gateway.get(f"/?do=large&size={size}")  # JSON adds two quotes
    assert answer.status == status
    assert len(answer.body) == size or answer.body == b'{"message":"Request Entity Too Large"}'


def test_the_limit_of_a_body_is_10_mb(gateway: RunningGateway) -> None:
    answer = gateway.ask("POST", "/", headers={"content-length": str(10 * MEGABYTE + 1)})
    assert (answer.status, answer.body) == (413, b'{"message":"Request Entity Too Large"}')
    assert gateway.exchanges[-1].app is None


def test_the_limit_of_an_event_is_lambda_s_6_mb(gateway: RunningGateway) -> None:
    assert gateway.ask("POST", "/", b"x" * 6 * MEGABYTE, {"content-type": "text/plain"}).status == 413
    assert gateway.exchanges[-1].problem == "the event is larger than Lambda's limit of 6 MB"


def test_the_limit_of_headers_is_exact(gateway: RunningGateway) -> None:
    def ask(size: int) -> int:
        fixed = len("GET / HTTP/1.1") + len("Hostwiki.example") + len("X")
        return gateway.get("/", Host="wiki.example", X="x" * (size - fixed)).status

    assert (ask(10_240), ask(10_241), ask(200_000)) == (200, 431, 431)


def test_200_headers_reach_the_function(gateway: RunningGateway) -> None:
    headers = gateway.get("/", **{f"X-{number}": str(number) for number in range(200)}).json["event"]["headers"]
    assert [headers[f"x-{number}"] for number in range(200)] == [str(number) for number in range(200)]


def test_a_chunked_body(gateway: RunningGateway) -> None:
    parts = urlsplit(gateway.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0)) as client:
        client.sendall(
            b"POST /mcp HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        client.sendall(b"3\r\nabc\r\n")
        client.sendall(b"2\r\nde\r\n0\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    event = json.loads(gateway.exchanges[-1].event)
    assert (event["body"], event["headers"]["content-length"]) == ("abcde", "5")


def test_a_client_that_disconnects_within_its_body_does_no_harm(gateway: RunningGateway) -> None:
    parts = urlsplit(gateway.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0)) as client:
        client.sendall(b"POST /mcp HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc")
    assert gateway.get("/mcp").status == 200


def test_an_asterisk_is_not_a_path(gateway: RunningGateway) -> None:
    parts = urlsplit(gateway.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0)) as client:
        client.sendall(b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")


def test_two_requests_at_the_same_time_use_two_instances(gateway: RunningGateway, tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    with ThreadPoolExecutor() as threads:
        requests = [threads.submit(gateway.get, f"/mcp?do=hold&file={quote(str(file))}") for file in files]
        for file in files:
            wait_for_file(Path(f"{file}.held"))
        for file in files:
            file.touch()
        assert len({request.result().json["pid"] for request in requests}) == 2


def test_a_function_that_calls_the_gateway_calls_another_instance(gateway: RunningGateway) -> None:
    inner = quote(f"{gateway.url}/mcp", safe="")
    answer = gateway.get(f"/mcp?do=call&url={inner}").json
    assert answer["inner"] != answer["pid"]


def test_the_limit_of_instances_holds_and_every_request_is_answered(start: StartGateway) -> None:
    gateway = start(max_instances=2)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda number: gateway.get(f"/mcp?n={number}"), range(200)))
    assert [answer.status for answer in answers] == [200] * 200
    assert [answer.json["event"]["rawQueryString"] for answer in answers] == [f"n={number}" for number in range(200)]
    assert len({answer.json["pid"] for answer in answers}) <= 2


def test_a_time_out_is_a_503_and_kills_the_instance_with_its_children(start: StartGateway, project: Path) -> None:
    (project / "mcp" / "echo.py").write_text("raise RuntimeError")
    gateway = start(timeout=2)
    assert gateway.get("/mcp").status == 500
    first = gateway.get("/?do=child").json
    answer = gateway.get("/?do=hang")
    assert (answer.status, answer.body) == (503, b'{"message":"Service Unavailable"}')
    assert gateway.exchanges[-1].problem == "no answer within 2 s"
    assert gateway.get("/").json["pid"] != first["pid"]
    assert not is_running(first["pid"])
    assert not is_running(first["child"])
    assert "still importing" not in gateway.log, "an instance that failed to start does not wait for its time-out"


def test_an_import_that_does_not_end_is_killed(start: StartGateway, project: Path) -> None:
    (project / "mcp" / "echo.py").write_text("import os, time\nprint(os.getpid())\ntime.sleep(600)")
    gateway = start(timeout=1)
    assert gateway.get("/mcp").status == 503
    gateway.wait_for_log("mcp: still importing after 1 s, so it was killed")


def test_a_named_stage_is_the_prefix_of_every_path(start: StartGateway) -> None:
    gateway = start(stage="prod", renames_challenge=False)
    assert gateway.get("/mcp").body == b'{"message":"Not Found"}'
    assert gateway.get("/production/mcp").status == 404
    answer = gateway.get("/prod/mcp").json["event"]
    assert (answer["rawPath"], answer["routeKey"]) == ("/prod/mcp", "ANY /mcp")
    assert gateway.get("/prod").json["event"]["rawPath"] == "/prod"
    _, headers, _ = send_result(gateway, {"statusCode": 401, "headers": {"WWW-Authenticate": "Bearer"}}, path="/prod/x")
    assert headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("import nowhere_to_be_found", "Unable to import module 'echo'"),
        ("raise RuntimeError('no otter')", "RuntimeError: no otter"),
        ("import sys; sys.exit('echo: OTTER is not set')", "echo: OTTER is not set"),
        ("handlers = 1", "Handler 'handler' missing on module 'echo'"),
    ],
)
def test_a_function_that_does_not_start_is_a_500_and_the_log_has_the_reason(
    project: Path, start: StartGateway, source: str, text: str
) -> None:
    (project / "mcp" / "echo.py").write_text(source)
    gateway = start()
    answer = gateway.get("/mcp")
    assert (answer.status, answer.body) == (500, INTERNAL_ERROR)
    assert text in gateway.log
    assert "mcp: exited with status 1 while it was imported" in gateway.log
    assert gateway.get("/mcp").status == 500, "the next request tries to start it again"
