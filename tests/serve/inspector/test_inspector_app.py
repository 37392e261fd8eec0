"""The inspector's HTTP: who can use it, the stream of exchanges, the details, and a replay."""

import asyncio
import gc
import json
import weakref
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from routegen.manifest import Manifest
from routegen.manifest.explain import Explainer
from routegen.serve.exchange import Exchange, HttpRequest, HttpResponse
from routegen.serve.http_server import Respond
from routegen.serve.inspector import Inspector
from routegen.serve.inspector.exchange_store import MAX_BYTES, MAX_EXCHANGES, ExchangeStore
from routegen.serve.inspector.exchange_view import exchange_details
from routegen.serve.masker import Masker
from routegen.serve.serve_settings import ServeSettings
from serve.inspector.conftest import InspectedGateway
from serve.running_gateway import RESERVED


def read_events(inspected: InspectedGateway, number: int, **headers: str) -> list[tuple[str, str | None, Any]]:
    """Read the first events of the stream: kind, id, data."""
    events: list[tuple[str, str | None, Any]] = []
    fields: dict[str, str] = {}
    with inspected.http.stream("GET", "/events", headers=headers, timeout=30) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            name, colon, value = line.partition(": ")
            if colon:
                fields[name] = value
            elif fields:
                events.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
                fields = {}
            if len(events) == number:
                break
    return events


def test_the_stream_begins_with_stored_exchanges(inspected: InspectedGateway) -> None:
    inspected.gateway.get("/mcp")
    inspected.gateway.get("/Home?access_token=never-shown")
    run, routes, first, second = read_events(inspected, 4)
    assert (run[0], run[2]["token"]) == ("run", inspected.token)
    assert [row["key"] for row in routes[2]] == ["ANY /mcp", "GET /files/{owner}/{rest+}", "$default"]
    assert (first[0], first[1], first[2]["path"], first[2]["app"], first[2]["cold"]) == (
        "exchange",
        "1",
        "/mcp",
        "mcp",
        True,
    )
    assert (second[1], second[2]["path"], second[2]["route_key"]) == ("2", "/Home", "$default")
    assert "never-shown" not in json.dumps([first, second])


def test_a_reconnected_stream_resumes_after_the_last_event(inspected: InspectedGateway) -> None:
    for _ in range(5):
        inspected.gateway.get("/mcp")
    numbers = [id_ for _, id_, _ in read_events(inspected, 4, **{"last-event-id": "3"})]
    assert numbers == [None, None, "4", "5"]


def test_the_details_of_an_exchange(inspected: InspectedGateway) -> None:
    inspected.gateway.ask(
        "POST",
        "/mcp?a=1",
        b'{"otter": 1, "id": 1}',
        {"content-type": "application/json", "authorization": "Bearer x.y.z"},
    )
    details = inspected.http.get(f"/exchanges/{inspected.last_number()}").json()
    assert details["request"]["line"] == "POST /mcp?a=[masked]"
    assert ["authorization", "Bearer [masked]"] in details["request"]["headers"]
    assert details["event"]["headers"]["authorization"] == "Bearer [masked]"
    assert details["event"]["body"] == '{"otter": "[masked]", "id": 1}'
    assert details["result"]["statusCode"] == 200
    assert details["reason"].startswith("the path matches exactly")
    assert inspected.http.get("/exchanges/99").status_code == 404


def test_a_replay_sends_the_same_request_with_its_secrets(inspected: InspectedGateway) -> None:
    inspected.gateway.ask(
        "POST", "/x?a=1", b"body", {"authorization": "Bearer the-otters-own", "content-type": "text/plain"}
    )
    first = inspected.gateway.exchanges[-1]
    headers = {"origin": inspected.url, "x-inspector-token": inspected.token}
    assert inspected.http.post("/exchanges/1/replay", headers=headers).json() == {"replayed": 1}
    second = inspected.gateway.exchanges[-1]
    assert second.id != first.id
    assert (second.request, second.app, second.response) == (first.request, first.app, first.response)
    assert inspected.http.get("/exchanges/2").json()["replay_of"] == 1


def test_half_of_a_surrogate_pair_can_be_shown(inspected: InspectedGateway) -> None:
    """JSON can express it, UTF-8 cannot."""
    inspected.gateway.get("/half")
    answer = inspected.http.get("/exchanges/1")
    assert list(answer.json()["result"]) == ["statusCode", "headers", "body", "otter\ud800"]
    assert "a bug" not in inspected.gateway.log


def test_a_request_that_the_gateway_refused_cannot_be_replayed(inspected: InspectedGateway) -> None:
    inspected.gateway.get("/x", Otter="x" * 11_000)
    headers = {"origin": inspected.url, "x-inspector-token": inspected.token}
    answer = inspected.http.post("/exchanges/1/replay", headers=headers)
    assert (answer.status_code, answer.json()["problem"]) == (
        409,
        "This request cannot be replayed: the gateway refused it before it had read the whole request.",
    )


@pytest.mark.parametrize("headers", [
    {},
    {"origin": "ORIGIN"},
    {"x-inspector-token": "TOKEN"},
    {"origin": "ORIGIN", "x-inspector-token": "x"},
    {"origin": "https://evil.example", "x-inspector-token": "TOKEN"},
    {"origin": "null", "x-inspector-token": "TOKEN"},
    {"origin": "ORIGIN", "x-inspector-token": "\xe9"},
])  # fmt: skip
@pytest.mark.reliability("requests of web pages to the inspector (Host, Origin, token)")
def test_only_the_page_can_replay_a_request(shared: InspectedGateway, headers: dict[str, str]) -> None:
    placeholders = {"ORIGIN": shared.url, "TOKEN": shared.token}
    count_before = shared.last_number()
    sent = {name.encode(): placeholders.get(value, value).encode("latin-1") for name, value in headers.items()}
    assert shared.http.post("/exchanges/1/replay", headers=sent).status_code == 403
    assert shared.last_number() == count_before


@pytest.mark.parametrize("path", ["/", "/events", "/exchanges/1", "/app.js"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:PORT.evil.example"]
)
@pytest.mark.reliability("requests of web pages to the inspector (Host, Origin, token)")
def test_a_request_with_another_host_is_refused(shared: InspectedGateway, path: str, host: str) -> None:
    answer = shared.http.get(path, headers={"host": host.replace("PORT", shared.url.rpartition(":")[2])})
    assert answer.status_code == 421
    assert shared.token not in answer.text


@pytest.mark.parametrize("number", ["0", "99", "-1", "x", "9" * 5000])
def test_the_number_of_no_stored_exchange_is_a_404(shared: InspectedGateway, number: str) -> None:
    answer = shared.http.get(f"/exchanges/{number}")
    assert (answer.status_code, answer.json()["problem"]) == (404, "This request is no longer stored.")
    assert [kind for kind, _, _ in read_events(shared, 3, **{"last-event-id": "9" * 5000})] == [
        "run",
        "routes",
        "exchange",
    ]


@pytest.mark.parametrize("path", ["/", "/app.js", "/style.css", "/exchanges/1", "/exchanges/99", "/nowhere"])
def test_every_response_has_a_strict_content_security_policy(shared: InspectedGateway, path: str) -> None:
    headers = shared.http.get(path).headers
    policy = dict(part.split(maxsplit=1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_a_changed_manifest_changes_the_route_map(inspected: InspectedGateway) -> None:
    file = inspected.gateway.local_gateway.manifest_file
    with inspected.http.stream("GET", "/events", timeout=30) as response:
        lines = response.iter_lines()
        assert any(line == "event: routes" for line in lines)
        file.write_text(file.read_text().replace('"/mcp"', '"/mpc"').replace("ANY /mcp", "ANY /mpc"))
        assert any("ANY /mpc" in line for line in lines)


def test_a_reserved_path_is_shown_as_reserved_with_its_reason(inspected: InspectedGateway) -> None:
    inspected.change_manifest(routes=[RESERVED])
    _, routes = read_events(inspected, 2)
    assert [(row["key"], row["reserved"]) for row in routes[2]] == [
        (RESERVED["route_keys"][0], "MCP clients ask here about /mcp"),
        ("$default", None),
    ]
    inspected.gateway.get(RESERVED["path"])
    details = inspected.http.get("/exchanges/1").json()
    assert details["reserved"] == "MCP clients ask here about /mcp"
    assert details["reason"] == (
        "the path matches exactly; mcp serves nothing at this path and answers 404 itself: "
        "MCP clients ask here about /mcp"
    )


def test_without_a_default_app_the_404_of_the_gateway_can_be_replayed(inspected: InspectedGateway) -> None:
    inspected.change_manifest(default=None)
    _, routes = read_events(inspected, 2)
    assert "$default" not in {row["key"] for row in routes[2]}
    inspected.gateway.ask("POST", "/Home", b"{}")
    headers = {"origin": inspected.url, "x-inspector-token": inspected.token}
    assert inspected.http.post("/exchanges/1/replay", headers=headers).json() == {"replayed": 1}
    details = inspected.http.get("/exchanges/2").json()
    assert (details["app"], details["route_key"], details["status"], details["reason"]) == (None, None, 404, None)
    assert details["problem"] == "no route key takes it, and there is no default app"
    assert details["warning"] is None


def exchange(size: int = 0) -> Exchange:
    return Exchange("id", 0.0, HttpRequest("GET", "/x"), "$default", "wiki", HttpResponse(200, (), b"x" * size), 1.0)


def test_the_store_is_limited_in_number_and_in_bytes() -> None:
    store = ExchangeStore()
    for _ in range(MAX_EXCHANGES + 10):
        store.add(exchange())
    assert store.get(10) is None
    assert store.get(11)
    for _ in range(20):
        last = store.add(exchange(MAX_BYTES // 10))
    assert store.get(last - 8)
    assert store.get(last - 10) is None
    assert store.add(exchange(MAX_BYTES * 2)) == last + 1
    assert store.get(last + 1)
    assert store.get(last) is None


def new_inspector() -> Inspector:
    def replay(_request: HttpRequest, _respond: Respond, _number: int) -> None:
        raise AssertionError("nothing is replayed")

    return Inspector(8001, ServeSettings(), replay, Manifest(version=1, default="wiki", routes=()))


def test_a_slow_viewer_keeps_no_bodies_in_memory() -> None:
    """An exchange that has left the store is not in memory any more."""

    async def follow_slowly() -> tuple[bool, bool]:
        inspector = new_inspector()
        references: list[weakref.ref[Exchange]] = []

        def add(number: int) -> None:
            for _ in range(number):
                new_exchange = exchange()
                references.append(weakref.ref(new_exchange))
                inspector.add_exchange(new_exchange)

        add(2)
        slow = inspector.events(0)
        events = [await anext(slow) for _ in range(3)]
        assert events[2].startswith(b"event: exchange\nid: 1\n")
        add(MAX_EXCHANGES)
        gc.collect()
        in_memory = references[0]() is None, references[-1]() is None
        await slow.aclose()  # type: ignore[attr-defined] # a generator's
        return in_memory

    assert asyncio.run(follow_slowly()) == (True, False)


def test_changed_routes_do_not_explain_an_older_request() -> None:
    manifest = Manifest(version=1, default="wiki", routes=())
    explainer, masker = Explainer(manifest), Masker(manifest, ServeSettings())
    assert exchange_details(1, exchange(), explainer, masker, None)["reason"] == "no route key takes it"
    changed = replace(exchange(), route_key="ANY /x")
    reason = exchange_details(1, changed, explainer, masker, None)["reason"]
    assert reason == "the routes have changed since this request"


def test_a_viewer_that_is_too_far_behind_goes_on_with_the_stored_exchanges() -> None:
    """The gateway does not wait for the viewer."""

    async def follow_with_lag() -> list[int]:
        inspector = new_inspector()
        inspector.add_exchange(exchange())
        slow = inspector.events(0)
        events = [await anext(slow) for _ in range(3)]
        waiting = asyncio.ensure_future(anext(slow))
        await asyncio.sleep(0)
        for _ in range(MAX_EXCHANGES + 2):
            inspector.add_exchange(exchange())
        events += [await waiting, *[await anext(slow) for _ in range(MAX_EXCHANGES - 1)]]
        inspector.close()
        events += [event async for event in slow]
        return [int(event.split()[3]) for event in events if event.startswith(b"event: exchange")]

    assert asyncio.run(follow_with_lag()) == [1, *range(4, MAX_EXCHANGES + 4)]


def test_a_stream_ends_with_the_gateway(inspected: InspectedGateway) -> None:
    with inspected.http.stream("GET", "/events", timeout=30) as response:
        lines = response.iter_lines()
        assert next(lines) == "retry: 1000"
        inspected.gateway.stop()
        with suppress(httpx2.RemoteProtocolError):  # if the gateway ends before the stream's last chunk
            list(lines)
