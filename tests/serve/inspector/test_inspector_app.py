"""The inspector's HTTP: who may ask, what comes as it happens, and what a replay is."""

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
from routegen.serve.exchange import Exchange
from routegen.serve.inspector.exchange_store import LAG, MOST, MOST_BYTES, Store
from routegen.serve.inspector.exchange_view import details
from routegen.serve.proxy_event import Request
from routegen.serve.proxy_response import Response
from serve.inspector.conftest import Inspected


def events(inspected: Inspected, number: int, **headers: str) -> list[tuple[str, str | None, Any]]:
    """The first events of the stream: kind, id, data."""
    found: list[tuple[str, str | None, Any]] = []
    fields: dict[str, str] = {}
    with inspected.http.stream("GET", "/events", headers=headers, timeout=30) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            name, colon, value = line.partition(": ")
            if colon:
                fields[name] = value
            elif fields:
                found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
                fields = {}
            if len(found) == number:
                break
    return found


def test_what_happened_comes_first_and_then_what_happens(inspected: Inspected) -> None:
    inspected.gateway.get("/mcp")
    inspected.gateway.get("/Home?access_token=never-shown")
    run, routes, first, second = events(inspected, 4)
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


def test_a_browser_that_comes_back_misses_nothing_and_sees_nothing_twice(inspected: Inspected) -> None:
    for _ in range(5):
        inspected.gateway.get("/mcp")
    numbers = [id_ for _, id_, _ in events(inspected, 4, **{"last-event-id": "3"})]
    assert numbers == [None, None, "4", "5"]


def test_an_exchange_in_full(inspected: Inspected) -> None:
    inspected.gateway.ask(
        "POST", "/mcp?a=1", b'{"otter": 1}', {"content-type": "application/json", "authorization": "Bearer x.y.z"}
    )
    one = inspected.http.get(f"/exchanges/{inspected.last()}").json()
    assert one["request"]["line"] == "POST /mcp?a=1"
    assert ["authorization", "Bearer [masked]"] in one["request"]["headers"]
    assert one["event"]["headers"]["authorization"] == "Bearer [masked]"
    assert one["event"]["body"] == '{"otter": 1}'
    assert one["result"]["statusCode"] == 200
    assert one["why"].startswith("the path matches exactly")
    assert inspected.http.get("/exchanges/99").status_code == 404


def test_a_replay_is_the_same_request_with_its_secrets(inspected: Inspected) -> None:
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


def test_half_a_surrogate_pair_can_be_shown(inspected: Inspected) -> None:
    """UTF-8 has none, JSON has."""
    inspected.gateway.get("/half")
    answer = inspected.http.get("/exchanges/1")
    assert answer.json()["result"]["otter"] == "\ud800"
    assert "a bug" not in inspected.gateway.log


def test_what_the_gateway_refused_is_not_replayed(inspected: Inspected) -> None:
    inspected.gateway.get("/x", Otter="x" * 11_000)
    headers = {"origin": inspected.url, "x-inspector-token": inspected.token}
    answer = inspected.http.post("/exchanges/1/replay", headers=headers)
    assert (answer.status_code, answer.json()["problem"]) == (409, "The gateway refused it before it had read it all.")


@pytest.mark.parametrize("headers", [
    {},
    {"origin": "ORIGIN"},
    {"x-inspector-token": "TOKEN"},
    {"origin": "ORIGIN", "x-inspector-token": "x"},
    {"origin": "https://evil.example", "x-inspector-token": "TOKEN"},
    {"origin": "null", "x-inspector-token": "TOKEN"},
    {"origin": "ORIGIN", "x-inspector-token": "\xe9"},
])  # fmt: skip
def test_only_the_page_itself_may_replay(shared: Inspected, headers: dict[str, str]) -> None:
    known = {"ORIGIN": shared.url, "TOKEN": shared.token}
    before = shared.last()
    sent = {name.encode(): known.get(value, value).encode("latin-1") for name, value in headers.items()}
    assert shared.http.post("/exchanges/1/replay", headers=sent).status_code == 403
    assert shared.last() == before


@pytest.mark.parametrize("path", ["/", "/events", "/exchanges/1", "/app.js"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:PORT.evil.example"]
)
def test_another_host_is_refused(shared: Inspected, path: str, host: str) -> None:
    answer = shared.http.get(path, headers={"host": host.replace("PORT", shared.url.rpartition(":")[2])})
    assert answer.status_code == 421
    assert shared.token not in answer.text


@pytest.mark.parametrize("number", ["0", "99", "-1", "x", "9" * 5000])
def test_an_exchange_that_is_not_there(shared: Inspected, number: str) -> None:
    answer = shared.http.get(f"/exchanges/{number}")
    assert (answer.status_code, answer.json()["problem"]) == (404, "It is no longer kept.")
    assert [kind for kind, _, _ in events(shared, 3, **{"last-event-id": "9" * 5000})] == ["run", "routes", "exchange"]


@pytest.mark.parametrize("path", ["/", "/app.js", "/style.css", "/exchanges/1", "/exchanges/99", "/nowhere"])
def test_every_answer_has_a_strict_policy(shared: Inspected, path: str) -> None:
    headers = shared.http.get(path).headers
    policy = dict(part.split(maxsplit=1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_a_changed_manifest_changes_the_map(inspected: Inspected) -> None:
    file = inspected.gateway.local._file
    with inspected.http.stream("GET", "/events", timeout=30) as response:
        lines = response.iter_lines()
        assert any(line == "event: routes" for line in lines)
        file.write_text(file.read_text().replace('"/mcp"', '"/mpc"').replace("ANY /mcp", "ANY /mpc"))
        assert any("ANY /mpc" in line for line in lines)


def exchange(size: int = 0) -> Exchange:
    return Exchange("id", 0.0, Request("GET", "/x"), "$default", "wiki", Response(200, (), b"x" * size), 1.0)


def test_the_ring_is_bounded_by_number_and_by_bytes() -> None:
    store = Store()
    for _ in range(MOST + 10):
        store.add(exchange())
    assert store.get(10) is None
    assert store.get(11)
    for _ in range(20):
        last = store.add(exchange(MOST_BYTES // 10)).number
    assert store.get(last - 8)
    assert store.get(last - 10) is None
    assert store.add(exchange(MOST_BYTES * 2)).number == last + 1
    assert store.get(last + 1)
    assert store.get(last) is None


def test_who_looks_on_slowly_keeps_no_bodies() -> None:
    """Of what has left the ring nothing stays but its line."""

    async def look() -> tuple[bool, bool]:
        store = Store()
        held = [weakref.ref(store.add(exchange()).exchange) for _ in range(2)]
        slow = store.follow(0)
        await anext(slow)
        held += [weakref.ref(store.add(exchange()).exchange) for _ in range(MOST)]
        gc.collect()
        answer = held[0]() is None, held[-1]() is None
        await slow.aclose()  # type: ignore[attr-defined] # a generator's
        return answer

    assert asyncio.run(look()) == (True, False)


def test_why_is_not_said_by_other_routes() -> None:
    """The manifest may have changed since."""
    explainer = Explainer(Manifest(version=1, default="wiki", routes=()))
    assert details({"path": "/x", "problem": None}, exchange(), explainer, None)["why"] == "no route key takes it"
    other = replace(exchange(), route_key="ANY /x")
    assert (
        details({"path": "/x", "problem": None}, other, explainer, None)["why"] == "the routes have changed since then"
    )


async def _lagging() -> tuple[list[int], list[int]]:
    store = Store()
    store.add(exchange())
    slow = store.follow(0)
    seen = [(await anext(slow))["number"]]
    waiting = asyncio.ensure_future(anext(slow, None))
    await asyncio.sleep(0)
    for _ in range(LAG + 2):
        store.add(exchange())
    seen += [one["number"] for one in [await waiting] if one]
    return seen, [one["number"] async for one in slow]


def test_a_viewer_that_lags_is_sent_away() -> None:
    """The gateway doesn't wait for it, and it comes back for what it missed."""
    seen, rest = asyncio.run(_lagging())
    assert seen[0] == 1
    assert rest == []


def test_a_viewer_s_stream_ends_with_the_gateway(inspected: Inspected) -> None:
    with inspected.http.stream("GET", "/events", timeout=30) as response:
        lines = response.iter_lines()
        assert next(lines) == "retry: 1000"
        inspected.gateway.stop()
        with suppress(httpx2.RemoteProtocolError):  # where the gateway was quicker than the stream's last chunk
            list(lines)
