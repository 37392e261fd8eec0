"""HTTP in, HTTP out, with functions on AWS's own runtime client."""

import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from serve.running import Running, Start, alive, wait_for

MEGABYTE = 1024 * 1024
INTERNAL = b'{"message":"Internal Server Error"}'


def say(gateway: Running, result: object, method: str = "POST", path: str = "/") -> tuple[int, dict[str, str], bytes]:
    """What a client gets when the function says `result`."""
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
def test_the_model_chooses_the_function(gateway: Running, method: str, path: str, key: str, app: str) -> None:
    answer = gateway.ask(method, path)
    assert answer.status == 200
    exchange = gateway.exchanges[-1]
    assert (exchange.route_key, exchange.app) == (key, app)
    event = json.loads(exchange.event)
    assert event["routeKey"] == key
    if method != "HEAD":
        assert answer.json["cwd"].endswith(app)


def test_every_answer_has_a_request_id(gateway: Running) -> None:
    ids = {gateway.get(path).headers["apigw-requestid"] for path in ("/", "/?do=raise", "/?do=crash")}
    assert len(ids) == 3


def test_a_function_sees_its_own_environment_and_nothing_of_the_caller_s(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_CALLER", "x")
    gateway.get("/mcp?do=crash")  # the next instance starts with what is set now
    env = gateway.get("/mcp").json["env"]
    assert "A_SECRET_OF_THE_CALLER" not in env
    assert env["GREETING"] == "hello"
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == "mcp"
    assert env["_HANDLER"] == "echo.handler"
    assert env["HOME"] != os.environ.get("HOME")
    assert "GREETING" not in gateway.get("/").json["env"]


def test_the_context_says_what_lambda_s_says(gateway: Running) -> None:
    context = gateway.get("/mcp?do=context").json
    assert context["arn"].endswith(":function:mcp")
    assert 0 < context["left"] <= 30_000
    assert len(context["id"]) == 36


def test_bytes_survive_both_ways(gateway: Running) -> None:
    every = bytes(range(256)) * 4
    answer = gateway.ask("POST", "/?do=bytes", every, {"content-type": "image/png"})
    assert (answer.body, answer.headers["content-type"]) == (every, "image/png")


def test_cookies_in_both_directions(gateway: Running) -> None:
    assert gateway.get("/", Cookie="a=1; b=2").json["event"]["cookies"] == ["a=1", "b=2"]
    answer = gateway.ask(
        "POST", "/?do=say", b'{"statusCode": 200, "cookies": ["a=1", "b=2"]}', {"content-type": "text/x"}
    )
    assert answer.cookies == ["a=1", "b=2"]


def test_the_challenge_arrives_under_another_name(gateway: Running) -> None:
    _, headers, _ = say(gateway, {"statusCode": 401, "headers": {"www-authenticate": "Bearer"}})
    assert headers["x-amzn-remapped-www-authenticate"] == "Bearer"
    assert "www-authenticate" not in headers


def test_head_has_the_function_s_length_and_no_body(gateway: Running) -> None:
    result = {"statusCode": 200, "headers": {"content-type": "text/html", "content-length": "1234"}}
    status, headers, body = say(gateway, result, "HEAD")
    assert (status, headers["content-length"], body) == (200, "1234", b"")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_body_has_no_length(gateway: Running, status: int) -> None:
    found, headers, body = say(gateway, {"statusCode": status})
    assert (found, "content-length" in headers, body) == (status, False, b"")


@pytest.mark.parametrize(
    ("do", "said"), [("raise", "RuntimeError: no otter here"), ("crash", "exited with status 7 while it handled")]
)
def test_a_failing_function_is_a_500_and_the_next_request_is_served(gateway: Running, do: str, said: str) -> None:
    answer = gateway.get(f"/?do={do}")
    assert (answer.status, answer.body) == (500, INTERNAL)
    assert answer.headers["content-type"] == "application/json"
    assert said in gateway.log
    assert gateway.get("/").status == 200


def test_a_traceback_is_lines(gateway: Running) -> None:
    gateway.get("/?do=raise")
    assert any(line.startswith("wiki |   File ") and "echo.py" in line for line in gateway.lines)


def test_nonsense_is_a_500_with_its_reason_in_the_log(gateway: Running) -> None:
    assert say(gateway, {"statusCode": "otter"})[::2] == (500, INTERNAL)
    assert 'statusCode is "otter"' in gateway.lines[-1]


def test_what_a_function_prints_has_its_name(gateway: Running) -> None:
    gateway.get("/mcp?do=print")
    gateway.until("mcp | an otter\n")
    gateway.until("mcp | and a beaver\n")


def test_the_log_has_a_line_a_request_without_its_query(gateway: Running) -> None:
    gateway.get("/mcp?code=secret")
    line = gateway.lines[-1]
    assert "GET    /mcp  ANY /mcp  mcp  200  " in line
    assert "secret" not in line


def test_an_instance_is_used_again(start: Start) -> None:
    gateway = start()
    assert len({gateway.get("/mcp").json["pid"] for _ in range(20)}) == 1


def test_a_killed_idle_instance_is_replaced(gateway: Running) -> None:
    pid = gateway.get("/").json["pid"]
    os.kill(pid, 9)
    gateway.until("crashed with SIGKILL while it was idle")
    assert gateway.get("/").json["pid"] != pid


@pytest.mark.parametrize(("size", "status"), [(6 * MEGABYTE - 2, 200), (6 * MEGABYTE - 1, 413)])
def test_a_result_has_6_mb(gateway: Running, size: int, status: int) -> None:
    answer = gateway.get(f"/?do=large&size={size}")  # and two quotes
    assert answer.status == status
    assert len(answer.body) == size or answer.body == b'{"message":"Request Entity Too Large"}'


def test_a_body_has_10_mb(gateway: Running) -> None:
    answer = gateway.ask("POST", "/", headers={"content-length": str(10 * MEGABYTE + 1)})
    assert (answer.status, answer.body) == (413, b'{"message":"Request Entity Too Large"}')
    assert gateway.exchanges[-1].app is None


def test_an_event_has_lambda_s_6_mb(gateway: Running) -> None:
    assert gateway.ask("POST", "/", b"x" * 6 * MEGABYTE, {"content-type": "text/plain"}).status == 413
    assert gateway.exchanges[-1].problem == "the event is larger than Lambda's 6 MB"


def test_the_quota_of_headers_to_the_byte(gateway: Running) -> None:
    def ask(size: int) -> int:
        fixed = len("GET / HTTP/1.1") + len("Hostwiki.example") + len("X")
        return gateway.get("/", Host="wiki.example", X="x" * (size - fixed)).status

    assert (ask(10_240), ask(10_241), ask(200_000)) == (200, 431, 431)


def test_200_headers_arrive(gateway: Running) -> None:
    headers = gateway.get("/", **{f"X-{number}": str(number) for number in range(200)}).json["event"]["headers"]
    assert [headers[f"x-{number}"] for number in range(200)] == [str(number) for number in range(200)]


def test_a_body_in_chunks(gateway: Running) -> None:
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


def test_a_client_that_leaves_in_its_body_harms_nobody(gateway: Running) -> None:
    parts = urlsplit(gateway.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0)) as client:
        client.sendall(b"POST /mcp HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc")
    assert gateway.get("/mcp").status == 200


def test_an_asterisk_is_no_path(gateway: Running) -> None:
    parts = urlsplit(gateway.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0)) as client:
        client.sendall(b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")


def test_two_at_once_are_two_instances_each_with_one_request(gateway: Running, tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    with ThreadPoolExecutor() as threads:
        asked = [threads.submit(gateway.get, f"/mcp?do=hold&file={quote(str(file))}") for file in files]
        for file in files:
            wait_for(Path(f"{file}.held"))
        for file in files:
            file.touch()
        assert len({one.result().json["pid"] for one in asked}) == 2


def test_a_function_that_calls_the_gateway_gets_another_instance(gateway: Running) -> None:
    inner = quote(f"{gateway.url}/mcp", safe="")
    answer = gateway.get(f"/mcp?do=call&url={inner}").json
    assert answer["inner"] != answer["pid"]


def test_the_limit_of_instances_holds_and_nobody_is_lost(start: Start) -> None:
    gateway = start(max_instances=2)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda number: gateway.get(f"/mcp?n={number}"), range(200)))
    assert [answer.status for answer in answers] == [200] * 200
    assert [answer.json["event"]["rawQueryString"] for answer in answers] == [f"n={number}" for number in range(200)]
    assert len({answer.json["pid"] for answer in answers}) <= 2


def test_a_time_out_is_a_503_and_ends_the_instance_with_its_children(start: Start, project: Path) -> None:
    (project / "mcp" / "echo.py").write_text("raise RuntimeError")
    gateway = start(timeout=4)
    assert gateway.get("/mcp").status == 500
    one = gateway.get("/?do=child").json
    answer = gateway.get("/?do=hang")
    assert (answer.status, answer.body) == (503, b'{"message":"Service Unavailable"}')
    assert gateway.exchanges[-1].problem == "no answer within 4 s"
    assert gateway.get("/").json["pid"] != one["pid"]
    assert not alive(one["pid"])
    assert not alive(one["child"])
    assert "still importing" not in gateway.log, "what didn't start is gone, and not timed"


def test_an_import_that_hangs_is_ended(start: Start, project: Path) -> None:
    (project / "mcp" / "echo.py").write_text("import os, time\nprint(os.getpid())\ntime.sleep(600)")
    gateway = start(timeout=2)
    assert gateway.get("/mcp").status == 503
    gateway.until("mcp: still importing after 2 s, so it was ended")


def test_a_stage_prefixes_every_path(start: Start) -> None:
    gateway = start(stage="prod", renames_challenge=False)
    assert gateway.get("/mcp").body == b'{"message":"Not Found"}'
    assert gateway.get("/production/mcp").status == 404
    answer = gateway.get("/prod/mcp").json["event"]
    assert (answer["rawPath"], answer["routeKey"]) == ("/prod/mcp", "ANY /mcp")
    assert gateway.get("/prod").json["event"]["rawPath"] == "/prod"
    _, headers, _ = say(gateway, {"statusCode": 401, "headers": {"WWW-Authenticate": "Bearer"}}, path="/prod/x")
    assert headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere_to_be_found", "Unable to import module 'echo'"),
        ("raise RuntimeError('no otter')", "RuntimeError: no otter"),
        ("import sys; sys.exit('echo: OTTER is not set')", "echo: OTTER is not set"),
        ("handlers = 1", "Handler 'handler' missing on module 'echo'"),
    ],
)
def test_a_function_that_does_not_start_says_why(project: Path, start: Start, source: str, said: str) -> None:
    (project / "mcp" / "echo.py").write_text(source)
    gateway = start()
    answer = gateway.get("/mcp")
    assert (answer.status, answer.body) == (500, INTERNAL)
    assert said in gateway.log
    assert "mcp: exited with status 1 while it was imported" in gateway.log
    assert gateway.get("/mcp").status == 500, "and it is tried again"
