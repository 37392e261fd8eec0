"""The predictions, held against what real clients asked and showed, and against the rules in their sources.

`data/recorded.json` has 184 runs of 8 client configurations in 23 cases; `data/measured.json` has the same clients in
122 more, with one thing wrong in each. Neither is asked to be the same after the sign-in begins.
"""

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import CLIENTS, McpClient, Prediction, predict
from routegen.verify.clients.metadata_schemas import AuthorizationServerModel, ProtectedResourceModel
from routegen.verify.clients.sign_in_flow import NETWORK_FAILURES
from routegen.verify.clients.whatwg_url import keep_empty_path, parse_url
from verify.recorded_answers import (
    ASM,
    AUTHKIT,
    GONE,
    OPENID,
    ORIGIN,
    PRM,
    RENAMED,
    RESOURCE,
    SERVER,
    URLS,
    WIKI,
    Replies,
    World,
    asked,
    doc,
    filled,
    measured_worlds,
    metadata,
    page,
    recorded_worlds,
    recording,
    text,
    world,
)

BY_ID = {client.id: client for client in CLIENTS}
RECORDED = recording("recorded")
MEASURED = recording("measured")
MCP = f"{ORIGIN}/mcp"

# What a SyntaxError says of a position differs between the releases of Node.js, and pydantic's text between its own.
UNTOLD = {"asm-body-text404", "asm-body-cut", "register-201-no-id"}


def foretold(client: str, replies: Replies, path: str = "/mcp") -> Prediction:
    return predict(BY_ID[client], ORIGIN + path, World(replies))


def named(template: str | None) -> str | None:
    """An error of a recording, with the servers of these tests."""
    if template is None:
        return None
    shown = template.replace("http://127.0.0.1:PORT", ORIGIN).replace("http://127.0.0.1:ASPORT", AUTHKIT)
    return filled(shown.replace("{page}", GONE[2]))


def expanded(line: str) -> str:
    return line.replace("{prm}", PRM).replace("{asm}", ASM).replace("{oidc}", "/.well-known/openid-configuration")


# --- what was recorded -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", RECORDED["runs"], ids=lambda run: f"{run['client']}-{run['case']}-{run['as'][0]}")
def test_a_recorded_run_is_foretold(run: dict[str, Any]) -> None:
    prediction = foretold(run["client"], recorded_worlds()[run["case"]])
    assert prediction.outcome == ("fails" if run["error"] else "connects")
    assert prediction.error == named(run["error"])
    assert asked(prediction) == [line.rpartition(" ")[0] for line in run["asked"]]


def test_the_worlds_answer_as_in_the_recording() -> None:
    for run in RECORDED["runs"]:
        replies = World(recorded_worlds()[run["case"]])
        for line in run["asked"]:
            method, server, path, status = line.split(" ")
            answer = replies.get(method, (ORIGIN if server == "origin" else AUTHKIT) + path)
            assert isinstance(answer, Answer)
            assert answer.status == int(status), (run["case"], line)


def test_every_recorded_run_is_there() -> None:
    names = Counter(name for run in RECORDED["runs"] for name in run["as"])
    assert names == dict.fromkeys(RECORDED["versions"], 23)
    assert sum(names.values()) == 184
    assert {run["case"] for run in RECORDED["runs"]} == RECORDED["cases"].keys() == recorded_worlds().keys()


def test_each_client_has_the_version_that_was_recorded() -> None:
    known = " ".join([*RECORDED["versions"].values(), *MEASURED["versions"].values()])
    for client in CLIENTS:
        assert client.id == "claude-ai" or client.version in known
    for client_id, version in MEASURED["versions"].items():
        assert version.startswith(BY_ID[client_id].version)


@pytest.mark.parametrize(
    ("client", "run"),
    [(client, run) for run in MEASURED["runs"] for client in run["clients"]],
    ids=lambda value: value if isinstance(value, str) else value["case"],
)
def test_a_measured_run_is_foretold(client: str, run: dict[str, Any]) -> None:
    prediction = foretold(client, measured_worlds()[run["case"]], URLS.get(run["case"], "/mcp"))
    assert prediction.outcome == ("connects" if run["error"] is None else "fails")
    if run["error"] is not None and (run["case"] not in UNTOLD or prediction.error is not None):
        assert (prediction.error or "") == named(run["error"])
    shown = [line for line in asked(prediction) if not line.endswith("http://127.0.0.1:2") and ":2/" not in line]
    assert shown == [expanded(line) for line in run["asked"]]


def test_every_measured_case_has_a_world() -> None:
    assert {run["case"] for run in MEASURED["runs"]} == measured_worlds().keys()
    assert sum(len(run["clients"]) for run in MEASURED["runs"]) > 600


# --- the rules in the sources, and what only a run of this tool meets ------------------------------------------------


def test_mcp_remote_waits_for_ever_where_a_message_says_unauthorized() -> None:
    """`connectToRemoteServer` takes any error with that word for a sign-in that has begun."""
    refused = doc({"message": "Unauthorized"}, 401)
    prediction = foretold("mcp-remote", world({"POST authkit /oauth2/register": refused}))
    assert (prediction.outcome, prediction.error) == ("fails", None)
    assert "waits forever" in prediction.reason


def test_mcp_remote_follows_a_redirect_to_another_origin_and_this_does_not() -> None:
    away = text(302, "", location="{authkit}/prm")
    prediction = foretold("mcp-remote", world({f"GET origin {PRM}/mcp": away, "GET authkit /prm": doc(RESOURCE)}))
    assert prediction.outcome == "unknown"
    assert asked(prediction) == ["GET origin /mcp", f"GET origin {PRM}/mcp"]


@pytest.mark.parametrize("client", ["typescript-v2", "mcp-remote", "inspector"])
def test_a_token_endpoint_without_tls_is_refused(client: str) -> None:
    """`assertSecureTokenEndpoint`; version 1 has none."""
    plain = world({f"GET authkit {ASM}": doc({**SERVER, "token_endpoint": "http://token.example/token"})})
    prediction = foretold(client, plain)
    assert prediction.url == "http://token.example/token"
    assert "Refusing to send credentials to non-https token endpoint 'http://token.example/token'" in str(
        prediction.error
    )
    assert foretold("typescript-v1", plain).outcome == "connects"


@pytest.mark.parametrize("client", sorted(BY_ID.keys() - {"claude-ai"}))
def test_a_sign_in_page_that_is_not_there(client: str) -> None:
    prediction = foretold(client, world({"GET authkit /oauth2/authorize": page(404)}))
    assert (prediction.outcome, prediction.url) == ("fails", f"{AUTHKIT}/oauth2/authorize")


@dataclass(frozen=True)
class Unasked:
    """A run that posts nothing but to the MCP endpoint."""

    world: World

    def get(self, method: str, url: str) -> Answer | Failure:
        if method == "POST" and url != MCP:
            return Failure(method, url, "not-asked", "POST might change something")
        return self.world.get(method, url)


def unasked(client: str, replies: Replies) -> Prediction:
    return predict(BY_ID[client], MCP, Unasked(World(replies)))


POST_ONLY = doc({"error": "method_not_allowed"}, 405)


@pytest.mark.parametrize("client", sorted(BY_ID.keys() - {"claude-ai"}))
def test_a_registration_that_nobody_tried_is_taken_to_work(client: str) -> None:
    prediction = unasked(client, world({"GET authkit /oauth2/register": POST_ONLY}))
    assert prediction.outcome == "connects"
    url = f"{AUTHKIT}/oauth2/register"
    assert prediction.reason.endswith(f"if a client can register at {url} (not tested).")
    assert prediction.requests[-1] == ("POST", url)


@pytest.mark.parametrize("client", sorted(BY_ID.keys() - {"claude-ai"}))
def test_an_origin_without_any_endpoint_is_no_authorization_server(client: str) -> None:
    """MCP 2025-03-26 falls back to /register and /authorize; where GET finds neither, POST is taken to find none."""
    nothing = world({f"GET origin {PRM}/mcp": None})
    prediction = unasked(client, nothing)
    assert (prediction.outcome, prediction.url) == ("fails", f"{ORIGIN}/register")
    assert prediction.error == foretold(client, nothing).error
    assert "; not tested)" in prediction.reason


@pytest.mark.parametrize("client", ["python-sdk"])
def test_a_catch_all_page_is_no_authorization_server(client: str) -> None:
    everything = world({f"GET origin {PRM}/mcp": None, "* origin": WIKI})
    prediction = unasked(client, everything)
    assert prediction.outcome == "fails"
    assert prediction.error == foretold(client, everything).error
    assert str(prediction.error).endswith("Invalid registration response: expected value at line 1 column 1")


@pytest.mark.parametrize("client", sorted(BY_ID.keys() - {"claude-ai"}))
def test_a_named_registration_endpoint_that_is_missing(client: str) -> None:
    gone = {f"{method} authkit /oauth2/register": page(404) for method in ("GET", "OPTIONS", "POST")}
    assert unasked(client, world(gone)).error == foretold(client, world(gone)).error
    assert unasked(client, world(gone)).outcome == "fails"
    post_alone = {**gone, "OPTIONS authkit /oauth2/register": doc({}, 204)}
    assert unasked(client, world(post_alone)).outcome == "connects", "an endpoint for POST may answer GET with a 404"


@pytest.mark.parametrize("client", sorted(BY_ID))
def test_a_page_at_the_registration_endpoint_tells_nothing(client: str) -> None:
    assert unasked(client, world({"GET authkit /oauth2/register": WIKI})).outcome == "unknown"


@dataclass(frozen=True)
class Failing:
    """A world with one URL that gives no answer."""

    world: World
    url: str
    kind: str

    def get(self, method: str, url: str) -> Answer | Failure:
        return Failure(method, url, self.kind, "so it is") if url == self.url else self.world.get(method, url)


@pytest.mark.parametrize("client", sorted(BY_ID))
@pytest.mark.parametrize("kind", ["timeout", "too-large", "not-allowed", "protocol", "not-asked"])
def test_what_this_run_alone_can_not_ask_is_unknown(client: str, kind: str) -> None:
    url = AUTHKIT + ASM
    prediction = predict(BY_ID[client], MCP, Failing(World(measured_worlds()["challenge-good"]), url, kind))
    assert prediction.outcome == "unknown"
    if client != "claude-ai":
        assert prediction.url == url
        assert prediction.reason == f"routegen has no answer to GET {url}: so it is."


@pytest.mark.parametrize("kind", sorted(NETWORK_FAILURES))
def test_an_endpoint_that_can_not_be_reached(kind: str) -> None:
    errors = {
        client: predict(BY_ID[client], MCP, Failing(World(world()), MCP, kind)).error
        for client in ("typescript-v1", "typescript-v2", "mcp-remote", "inspector")
    }
    assert errors.pop("inspector") == "fetch failed"
    assert set(errors.values()) == {"TypeError: fetch failed"}
    python = predict(BY_ID["python-sdk"], MCP, Failing(World(world()), MCP, kind))
    expected = "RuntimeError: Client failed to connect: All connection attempts failed"
    assert (python.outcome, python.error) == ("fails", expected if kind == "refused" else None)


@pytest.mark.parametrize("client", sorted(BY_ID))
def test_an_open_endpoint_needs_no_sign_in(client: str) -> None:
    opened = doc({"jsonrpc": "2.0", "id": 1, "result": {}})
    public = predict(BY_ID[client], "https://wiki.example/mcp", Everywhere(opened))
    assert (public.outcome, public.reason) == ("connects", "https://wiki.example/mcp requires no sign-in.")


@dataclass(frozen=True)
class Everywhere:
    """The same answer to everything."""

    reply: tuple[int, dict[str, str], str]

    def get(self, method: str, url: str) -> Answer | Failure:
        status, headers, body = self.reply
        return Answer(method, url, status, tuple(headers.items()), body.encode())


@pytest.mark.parametrize("client", sorted(BY_ID))
@pytest.mark.parametrize("url", ["", "mcp", "http://", "ftp://wiki.example/mcp", "http://[/mcp", "http://a b/mcp"])
def test_a_url_that_nobody_can_ask(client: str, url: str) -> None:
    prediction = predict(BY_ID[client], url, World(world()))
    assert (prediction.outcome, prediction.requests) == ("unknown", ())


def test_a_client_that_nobody_recorded() -> None:
    prediction = predict(McpClient("netscape", "4"), MCP, World(world()))
    assert (prediction.outcome, prediction.requests) == ("unknown", ())


def test_a_body_that_is_not_read_to_its_end_is_unknown() -> None:
    @dataclass(frozen=True)
    class Cut:
        def get(self, method: str, url: str) -> Answer | Failure:
            answer = World(world()).get(method, url)
            return replace(answer, truncated=True) if isinstance(answer, Answer) and ASM in url else answer

    for client in sorted(BY_ID.keys() - {"claude-ai"}):
        assert predict(BY_ID[client], MCP, Cut()).outcome == "unknown"


@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, "1" * 5_000, '{"issuer": NaN}', '{"issuer": "\\ud800"}', "\x00", "{" * 9],
    ids=["deep", "long", "nan", "surrogate", "nul", "open"],
)
def test_odd_bodies_raise_nothing(body: str) -> None:
    for client in CLIENTS:
        for place in (
            f"GET origin {PRM}/mcp",
            f"GET authkit {ASM}",
            "POST authkit /oauth2/register",
            "POST origin /mcp",
        ):
            prediction = foretold(client.id, world({place: text(200, body, "application/json")}))
            assert prediction.outcome in {"connects", "fails", "unknown"}


def test_pydantic_keeps_an_empty_path() -> None:
    """mcp's models have `url_preserve_empty_path`, so a server with and one without a slash differ."""
    assert keep_empty_path("https://Kit.Example") == "https://kit.example"
    assert keep_empty_path("https://kit.example:443/") == "https://kit.example/"
    assert keep_empty_path("https://kit.example?a") == "https://kit.example?a"
    assert keep_empty_path("mailto:someone@kit.example") is None
    assert keep_empty_path("https://") is None


def test_the_python_models_are_those_of_mcp() -> None:
    from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata

    pairs = ((AuthorizationServerModel, OAuthMetadata), (ProtectedResourceModel, ProtectedResourceMetadata))
    for ours, theirs in pairs:
        assert ours.model_fields.keys() == theirs.model_fields.keys()
        required = {name for name, field in theirs.model_fields.items() if field.is_required()}
        assert {name for name, field in ours.model_fields.items() if field.is_required()} == required
    issuer = str(OAuthMetadata.model_validate(metadata("https://Kit.example:443")).issuer)
    assert AuthorizationServerModel.model_validate(metadata("https://Kit.example:443")).issuer == issuer


def test_a_redirect_from_https_to_http_is_not_followed() -> None:
    down = (307, {"location": "http://wiki.example/mcp/"}, "")
    said = {client: predict(BY_ID[client], "https://wiki.example/mcp", Everywhere(down)).error for client in BY_ID}
    advice = "(redirectPolicy: 'same-origin')"
    assert said["typescript-v1"] == (
        "Error: Streamable HTTP error: Error POSTing to endpoint: "
        f"Redirect to plain http not followed; try https://wiki.example/mcp/ instead {advice}"
    )
    assert said["inspector"] == (
        "Error POSTing to endpoint: Redirect from https to plain http not followed; "
        f"try https://wiki.example/mcp/ as the endpoint {advice}"
    )


# --- Claude, as far as it is documented ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Public:
    """A world on the internet."""

    world: World

    def get(self, method: str, url: str) -> Answer | Failure:
        inside = url.replace("https://wiki.example", ORIGIN).replace("https://kit.example", AUTHKIT)
        answer = self.world.get(method, inside)
        if isinstance(answer, Failure):
            return replace(answer, url=url)
        outside = [(name, self._out(value)) for name, value in answer.headers]
        return replace(answer, url=url, headers=tuple(outside), body=self._out(answer.body.decode()).encode())

    @staticmethod
    def _out(shown: str) -> str:
        return shown.replace(ORIGIN, "https://wiki.example").replace(AUTHKIT, "https://kit.example")


def claude(replies: Replies) -> Prediction:
    return predict(BY_ID["claude-ai"], "https://wiki.example/mcp", Public(World(replies)))


def challenged(changes: Replies | None = None) -> Replies:
    reply = doc({}, 401, www_authenticate=f'Bearer resource_metadata="{{origin}}{PRM}/mcp"')
    return world({"POST origin /mcp": reply, **(changes or {})})


def test_claude_connects_on_the_documented_way() -> None:
    prediction = claude(challenged())
    assert (prediction.outcome, prediction.reason) == (
        "connects",
        "The user signs in at https://kit.example/oauth2/authorize.",
    )
    assert prediction.requests == (
        ("POST", "https://wiki.example/mcp"),
        ("GET", f"https://wiki.example{PRM}/mcp"),
        ("GET", f"https://kit.example{ASM}"),
        ("POST", "https://kit.example/oauth2/register"),
    )


def test_claude_registers_nowhere_where_a_metadata_document_names_it() -> None:
    named = {name: value for name, value in SERVER.items() if name != "registration_endpoint"}
    known = {**named, "client_id_metadata_document_supported": True}
    assert claude(challenged({f"GET authkit {ASM}": doc(known)})).outcome == "connects"
    by_hand = claude(challenged({f"GET authkit {ASM}": doc(named)}))
    assert (by_hand.outcome, "must enter a client ID" in by_hand.reason) == ("unknown", True)


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        (world({"POST origin /mcp": doc({}, 401, **{RENAMED: "Bearer x"})}), "has no challenge that names"),
        (world({f"GET origin {PRM}/mcp": None, f"GET origin {ASM}": doc(SERVER)}), "only the older discovery"),
        (challenged({f"GET origin {PRM}/mcp": WIKI}), "not documented"),
        (challenged({f"GET origin {PRM}/mcp": doc({**RESOURCE, "resource": "{origin}/mcp/"})}), "as its resource"),
        (challenged({f"GET authkit {ASM}": doc({**SERVER, "issuer": "{authkit}/"})}), "as its issuer"),
        (challenged({f"GET authkit {ASM}": doc({**SERVER, "code_challenge_methods_supported": ["plain"]})}), "S256"),
        (world({"POST origin /mcp": page(500)}), "not documented"),
    ],
    ids=["renamed", "older", "page", "resource", "issuer", "s256", "first"],
)
def test_claude_beside_the_documented_way_is_unknown(replies: Replies, words: str) -> None:
    prediction = claude(replies)
    assert (prediction.outcome, prediction.error) == ("unknown", None)
    assert words in prediction.reason


def test_claude_fails_where_nothing_registers_it() -> None:
    nothing = world({f"GET origin {PRM}/mcp": None})
    assert claude(nothing).outcome == "fails"
    refused = challenged({"POST authkit /oauth2/register": doc({"error": "access_denied"}, 403)})
    assert (claude(refused).outcome, claude(refused).url) == ("fails", "https://kit.example/oauth2/register")


def test_claude_can_not_reach_this_machine() -> None:
    prediction = foretold("claude-ai", challenged())
    assert prediction.outcome == "unknown"
    assert prediction.reason == "Claude connects from the internet, and 127.0.0.1 is not a public address."


# --- any answers at all ----------------------------------------------------------------------------------------------

WIKI_URL, KIT_URL, ELSEWHERE = "https://wiki.example", "https://kit.example", "https://elsewhere.example"
SERVERS = (WIKI_URL, KIT_URL, f"{KIT_URL}/t1")
STATUSES = (*[200] * 10, 404, 404, 404, 201, 204, 301, 307, 401, 403, 405, 429, 500, 502)
ODD: list[Any] = [None, True, 5, "", "x", [], ["x"], [None], {}, "javascript:1", "mailto:a@b"]
KINDS = ["dns", "tls", "refused", "timeout", "too-large", "not-allowed", "not-asked", "not-asked", "protocol"]
Drawn = tuple[int, dict[str, str], str] | str


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document that is right, or has one field odd or missing; or no document."""
    server = draw(st.sampled_from(SERVERS))
    right = {**OPENID, **metadata(server), "resource": f"{WIKI_URL}/mcp", "authorization_servers": [server]}
    right |= {"jwks_uri": ELSEWHERE, "client_id": "c", "redirect_uris": ["http://127.0.0.1/"]}
    if draw(st.integers(0, 4)) == 4:
        broken = ["", "null", "[]", "true", "<!DOCTYPE html>", '{"a":', "\ufeff{}", "[" * 3000, "nope"]
        return draw(st.one_of(st.sampled_from(broken), st.text(max_size=20)))
    if draw(st.booleans()):
        return json.dumps(right)
    name = draw(st.sampled_from(sorted(right)))
    odd = draw(st.sampled_from([..., *ODD]))
    return json.dumps({key: value for key, value in (right | {name: odd}).items() if value is not ...})


@st.composite
def answers_of(draw: st.DrawFn) -> Drawn:
    if draw(st.integers(0, 9)) == 9:
        return draw(st.sampled_from(KINDS))
    headers = {"content-type": draw(st.sampled_from(["application/json", "text/html", "text/event-stream", ""]))}
    if draw(st.booleans()):
        headers["location"] = draw(st.sampled_from([ELSEWHERE, "/there", "", "http://[", f"{PRM}/mcp", "?"]))
    return draw(st.sampled_from(STATUSES)), headers, draw(documents())


@dataclass
class Anything:
    """Drawn answers: which one a request gets depends on nothing but the request."""

    first: str | None
    drawn: list[Drawn]
    asked: list[str]

    def get(self, method: str, url: str) -> Answer | Failure:
        self.asked.append(url)
        if url.startswith(f"{WIKI_URL}/mcp") and self.first is not None:
            return Answer(method, url, 401, (("www-authenticate", self.first),), b"")
        one = self.drawn[sum(map(ord, method + url)) % len(self.drawn)]
        if isinstance(one, str):
            return Failure(method, url, one, "so it is")
        status, headers, body = one
        return Answer(method, url, status, tuple(headers.items()), body.encode())


NAMED = f'Bearer resource_metadata="{WIKI_URL}{PRM}/mcp"'


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    first=st.sampled_from([None, "", NAMED, NAMED, f'Bearer resource_metadata="{KIT_URL}/x"', "Bearer", NAMED[:30]]),
    drawn=st.lists(answers_of(), min_size=1, max_size=7),
    path=st.sampled_from(["/mcp", "/mcp", "", "/", "/mcp/b/", "/mcp?x=1", "/mcp#f"]),
)
def test_any_answers_give_a_verdict(first: str | None, drawn: list[Drawn], path: str) -> None:
    for client in CLIENTS:
        answers = Anything(first, drawn, [])
        prediction = predict(client, WIKI_URL + path, answers)
        again = predict(client, WIKI_URL + path, Anything(first, drawn, []))
        assert prediction == again, "the same answers, the same prediction"
        assert len(prediction.requests) <= 30
        assert len(answers.asked) <= 40
        assert {urlsplit(url).netloc for url in answers.asked} <= {"wiki.example", "kit.example"}
        assert (prediction.outcome == "connects") == (prediction.url is None)
        assert prediction.error is None or prediction.outcome == "fails"
        assert prediction.reason.endswith((".", ".)"))


def test_whatwg_urls() -> None:
    web = parse_url("HTTP://Kit.Example:80/a/../b?c#d")
    assert web is not None
    assert (web.href, web.origin, web.path, web.query) == ("http://kit.example/b?c#d", "http://kit.example", "/b", "?c")
    assert parse_url("http://[") is None
