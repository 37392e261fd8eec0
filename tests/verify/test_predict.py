"""Predictions agree with the recorded runs of real clients, and with the rules in the sources of the clients.

`data/recorded.json` has 184 runs of 8 client configurations in 23 cases. `data/single_faults.json` has runs of the same
clients in 122 more cases, with one fault each. The recordings end at the sign-in page.
"""

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from helpers.support import PROJECT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import CLIENTS, McpClient, Prediction, predict
from routegen.verify.clients.claims import CLAIMS
from routegen.verify.clients.documented_client import TRAITS
from routegen.verify.clients.metadata_schemas import AuthorizationServerModel, ProtectedResourceModel
from routegen.verify.clients.sign_in_flow import NETWORK_FAILURES
from routegen.verify.clients.whatwg_url import keep_empty_path, parse_url

from dev.client_lab.recorded_answers import (
    AUTHKIT,
    ENDPOINT_PATHS,
    NOT_FOUND_PAGE,
    OPENID_METADATA,
    OPENID_PATH,
    ORIGIN,
    RENAMED_CHALLENGE,
    RESOURCE_PATH,
    RESOURCE_REQUEST,
    SERVER_METADATA,
    SERVER_PATH,
    SERVER_REQUEST,
    WIKI_PAGE,
    PublicServers,
    RecordedServers,
    Replies,
    challenging_servers,
    html_reply,
    json_reply,
    metadata,
    read_recording,
    recorded_cases,
    request_lines,
    resource_reply,
    server_reply,
    single_fault_cases,
    text_reply,
    with_urls,
    working_servers,
)

BY_ID = {client.id: client for client in CLIENTS}
RECORDED_CLIENTS = sorted(client for client in BY_ID if CLAIMS[client].kind == "recorded")
HOSTED = sorted(traits.id for traits in TRAITS if traits.is_hosted)
RECORDED = read_recording("recorded")
SINGLE_FAULTS = read_recording("single_faults")
MCP = f"{ORIGIN}/mcp"

# These messages name a position, and their words differ between releases of Node.js and of pydantic.
CASES_WITH_UNKNOWN_WORDS = {"asm-body-text404", "asm-body-cut", "register-201-no-id"}


def predict_for(client: str, replies: Replies, path: str = "/mcp") -> Prediction:
    return predict(BY_ID[client], ORIGIN + path, RecordedServers(replies))


def expected_error(template: str | None) -> str | None:
    """An error of a recording, with the URLs of the servers in these tests."""
    if template is None:
        return None
    error = template.replace("http://127.0.0.1:PORT", ORIGIN).replace("http://127.0.0.1:ASPORT", AUTHKIT)
    return with_urls(error.replace("{page}", NOT_FOUND_PAGE[2]))


def expected_request(line: str) -> str:
    return line.format(prm=RESOURCE_PATH, asm=SERVER_PATH, oidc=OPENID_PATH)


# --- recorded runs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "run", RECORDED["runs"], ids=lambda run: f"{run['client']}-{run['case']}-{run['recorded_as'][0]}"
)
def test_prediction_agrees_with_a_recorded_run(run: dict[str, Any]) -> None:
    prediction = predict_for(run["client"], recorded_cases()[run["case"]])
    assert prediction.outcome == ("fails" if run["error"] else "connects")
    assert prediction.error == expected_error(run["error"])
    assert request_lines(prediction) == [line.rpartition(" ")[0] for line in run["requests"]]


def test_servers_answer_as_in_the_recording() -> None:
    for run in RECORDED["runs"]:
        replies = RecordedServers(recorded_cases()[run["case"]])
        for line in run["requests"]:
            method, server, path, status = line.split(" ")
            answer = replies.get(method, (ORIGIN if server == "origin" else AUTHKIT) + path)
            assert isinstance(answer, Answer)
            assert answer.status == int(status), (run["case"], line)


def test_all_recorded_runs_are_tested() -> None:
    names = Counter(name for run in RECORDED["runs"] for name in run["recorded_as"])
    assert names == dict.fromkeys(RECORDED["versions"], 23)
    assert sum(names.values()) == 184
    assert {run["case"] for run in RECORDED["runs"]} == RECORDED["cases"].keys() == recorded_cases().keys()


def test_each_client_has_its_recorded_version() -> None:
    versions = " ".join([*RECORDED["versions"].values(), *SINGLE_FAULTS["versions"].values()])
    for client in CLIENTS:
        assert client.id not in RECORDED_CLIENTS or client.version in versions
    for client_id, version in SINGLE_FAULTS["versions"].items():
        assert version.startswith(BY_ID[client_id].version)


def test_documentation_lists_each_client() -> None:
    documentation = (PROJECT / "docs" / "verify.md").read_text()
    for client in CLIENTS:
        [line] = [line for line in documentation.splitlines() if line.startswith(f"| `{client.id}` |")]
        assert line.endswith(f"| {client.version} |")


@pytest.mark.parametrize(
    ("client", "run"),
    [(client, run) for run in SINGLE_FAULTS["runs"] for client in run["clients"]],
    ids=lambda value: value if isinstance(value, str) else value["case"],
)
def test_prediction_agrees_with_a_run_with_one_fault(client: str, run: dict[str, Any]) -> None:
    prediction = predict_for(client, single_fault_cases()[run["case"]], ENDPOINT_PATHS.get(run["case"], "/mcp"))
    assert prediction.outcome == ("connects" if run["error"] is None else "fails")
    if run["error"] is not None and (run["case"] not in CASES_WITH_UNKNOWN_WORDS or prediction.error is not None):
        assert (prediction.error or "") == expected_error(run["error"])
    # The server at port 2 did not exist, so the recording has no request to it.
    lines = [line for line in request_lines(prediction) if "http://127.0.0.1:2" not in line]
    assert lines == [expected_request(line) for line in run["requests"]]


def test_all_cases_with_one_fault_are_tested() -> None:
    assert {run["case"] for run in SINGLE_FAULTS["runs"]} == single_fault_cases().keys()
    assert sum(len(run["clients"]) for run in SINGLE_FAULTS["runs"]) > 600


# --- rules in the sources of the clients, and the limits of routegen -------------------------------------------------


def test_mcp_remote_waits_forever_if_a_message_says_unauthorized() -> None:
    """`connectToRemoteServer` treats every error with this word as a sign-in that has begun."""
    rejection = json_reply({"message": "Unauthorized"}, 401)
    prediction = predict_for("mcp-remote", working_servers({"POST authkit /oauth2/register": rejection}))
    assert (prediction.outcome, prediction.error) == ("fails", None)
    assert "waits forever" in prediction.reason


def test_redirect_of_mcp_remote_to_an_unknown_origin_is_not_requested() -> None:
    redirect = text_reply(302, "", location="{authkit}/prm")
    prediction = predict_for(
        "mcp-remote", working_servers({RESOURCE_REQUEST: redirect, "GET authkit /prm": resource_reply()})
    )
    assert prediction.outcome == "unknown"
    assert request_lines(prediction) == ["GET origin /mcp", RESOURCE_REQUEST]


@pytest.mark.parametrize("client", ["typescript-v2", "mcp-remote", "inspector"])
def test_token_endpoint_without_tls_is_rejected(client: str) -> None:
    """`assertSecureTokenEndpoint`, which version 1 does not have."""
    servers = working_servers({SERVER_REQUEST: server_reply(token_endpoint="http://token.example/token")})
    prediction = predict_for(client, servers)
    assert prediction.url == "http://token.example/token"
    assert "Refusing to send credentials to non-https token endpoint 'http://token.example/token'" in str(
        prediction.error
    )
    assert predict_for("typescript-v1", servers).outcome == "connects"


@pytest.mark.parametrize("client", RECORDED_CLIENTS)
def test_client_fails_if_the_sign_in_page_is_missing(client: str) -> None:
    prediction = predict_for(client, working_servers({"GET authkit /oauth2/authorize": html_reply(404)}))
    assert (prediction.outcome, prediction.url) == ("fails", f"{AUTHKIT}/oauth2/authorize")


@dataclass(frozen=True)
class WithoutPosts:
    """Answers of a run that sends POST requests only to the MCP endpoint."""

    servers: RecordedServers

    def get(self, method: str, url: str) -> Answer | Failure:
        if method == "POST" and url != MCP:
            return Failure(method, url, "not-asked", "POST might change something")
        return self.servers.get(method, url)


def predict_without_posts(client: str, replies: Replies) -> Prediction:
    return predict(BY_ID[client], MCP, WithoutPosts(RecordedServers(replies)))


POST_ONLY = json_reply({"error": "method_not_allowed"}, 405)


@pytest.mark.parametrize("client", RECORDED_CLIENTS)
def test_registration_without_a_test_is_assumed_to_work(client: str) -> None:
    prediction = predict_without_posts(client, working_servers({"GET authkit /oauth2/register": POST_ONLY}))
    assert prediction.outcome == "connects"
    url = f"{AUTHKIT}/oauth2/register"
    # The inspector registers with an empty scope if no scope is named.
    empty_scope = " and the authorization server accepts a client that asks for an empty scope"
    condition = f"if a client can register at {url}{empty_scope if client == 'inspector' else ''}"
    assert prediction.reason.endswith(f"{condition} (not tested).")
    assert prediction.requests[-1] == ("POST", url)


@pytest.mark.parametrize("client", RECORDED_CLIENTS)
def test_client_fails_if_the_origin_has_no_endpoints(client: str) -> None:
    """The default paths of MCP 2025-03-26 are /register and /authorize; if GET finds neither, POST does not either."""
    servers = working_servers({RESOURCE_REQUEST: None})
    prediction = predict_without_posts(client, servers)
    assert (prediction.outcome, prediction.url) == ("fails", f"{ORIGIN}/register")
    assert prediction.error == predict_for(client, servers).error
    assert "; not tested)" in prediction.reason


@pytest.mark.parametrize("client", ["python-sdk"])
def test_client_fails_if_one_page_answers_everything(client: str) -> None:
    servers = working_servers({RESOURCE_REQUEST: None, "* origin": WIKI_PAGE})
    prediction = predict_without_posts(client, servers)
    assert prediction.outcome == "fails"
    assert prediction.error == predict_for(client, servers).error
    assert str(prediction.error).endswith("Invalid registration response: expected value at line 1 column 1")


@pytest.mark.parametrize("client", RECORDED_CLIENTS)
def test_client_fails_if_the_registration_endpoint_is_missing(client: str) -> None:
    missing = {f"{method} authkit /oauth2/register": html_reply(404) for method in ("GET", "OPTIONS", "POST")}
    servers = working_servers(missing)
    assert predict_for(client, servers).outcome == "fails"
    # An endpoint for POST is allowed to answer GET and OPTIONS with 404 (RFC 7591, section 3.1).
    prediction = predict_without_posts(client, servers)
    assert (prediction.outcome, prediction.assumptions[:1]) == (
        "connects",
        (f"a client can register at {AUTHKIT}/oauth2/register",),
    )


@pytest.mark.parametrize("client", sorted(BY_ID))
def test_outcome_is_unknown_if_a_page_answers_get_at_the_registration_endpoint(client: str) -> None:
    servers = working_servers({"GET authkit /oauth2/register": WIKI_PAGE})
    assert predict_without_posts(client, servers).outcome == "unknown"


@dataclass(frozen=True)
class OneFailure:
    """Servers of which one URL gives no answer."""

    servers: RecordedServers
    url: str
    kind: str

    def get(self, method: str, url: str) -> Answer | Failure:
        return Failure(method, url, self.kind, "so it is") if url == self.url else self.servers.get(method, url)


@pytest.mark.parametrize("client", sorted(BY_ID))
@pytest.mark.parametrize("kind", ["timeout", "too-large", "not-allowed", "protocol", "not-asked"])
def test_outcome_is_unknown_if_routegen_has_no_answer(client: str, kind: str) -> None:
    url = AUTHKIT + SERVER_PATH
    servers = RecordedServers(single_fault_cases()["challenge-good"])
    prediction = predict(BY_ID[client], MCP, OneFailure(servers, url, kind))
    assert prediction.outcome == "unknown"
    if client not in HOSTED:
        assert prediction.url == url
        assert prediction.reason == f"routegen has no answer to GET {url}: so it is."


@pytest.mark.parametrize("kind", sorted(NETWORK_FAILURES))
def test_error_for_an_endpoint_that_cannot_be_reached(kind: str) -> None:
    answers = OneFailure(RecordedServers(working_servers()), MCP, kind)
    clients = ("typescript-v1", "typescript-v2", "mcp-remote", "inspector")
    errors = {client: predict(BY_ID[client], MCP, answers).error for client in clients}
    assert errors.pop("inspector") == "fetch failed"
    assert set(errors.values()) == {"TypeError: fetch failed"}
    python = predict(BY_ID["python-sdk"], MCP, answers)
    expected = "RuntimeError: Client failed to connect: All connection attempts failed"
    assert (python.outcome, python.error) == ("fails", expected if kind == "refused" else None)


@pytest.mark.parametrize("client", sorted(BY_ID))
def test_endpoint_without_sign_in(client: str) -> None:
    prediction = predict(BY_ID[client], OPEN_URL, OpenEndpoint(json_reply({}, 404)))
    condition = " (reports contradict each other; not tested)" if client == "claude-ai" else ""
    assert (prediction.outcome, prediction.reason) == ("connects", f"{OPEN_URL} requires no sign-in{condition}.")
    assert bool(prediction.assumptions) == bool(condition)


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (text_reply(200, "<p>A page", "text/html"), "fails"),
        (json_reply({"issuer": "https://other.example"}), "unknown"),
        (json_reply({"authorization_endpoint": "https://other.example/authorize"}), "fails"),
    ],
)
def test_claude_can_take_another_answer_at_a_well_known_path_for_a_sign_in(other: Any, outcome: str) -> None:
    prediction = predict(BY_ID["claude-ai"], OPEN_URL, OpenEndpoint(other))
    assert prediction.outcome == outcome
    assert prediction.url == "https://wiki.example/.well-known/oauth-protected-resource/mcp"
    assert prediction.reason.startswith(f"{OPEN_URL} requires no sign-in, but {prediction.url} answers 200 with ")
    recorded = [BY_ID[name] for name in RECORDED_CLIENTS]
    assert {predict(client, OPEN_URL, OpenEndpoint(other)).outcome for client in recorded} == {"connects"}


OPEN_URL = "https://wiki.example/mcp"


@dataclass(frozen=True)
class OpenEndpoint:
    """An endpoint without sign-in, and the same answer to every other request."""

    other: tuple[int, dict[str, str], str]

    def get(self, method: str, url: str) -> Answer | Failure:
        reply = json_reply({"jsonrpc": "2.0", "id": 1, "result": {}}) if method == "POST" else self.other
        return SameReply(reply).get(method, url)


@dataclass(frozen=True)
class SameReply:
    """The same answer to every request."""

    reply: tuple[int, dict[str, str], str]

    def get(self, method: str, url: str) -> Answer | Failure:
        status, headers, body = self.reply
        return Answer(method, url, status, tuple(headers.items()), body.encode())


@pytest.mark.parametrize("client", sorted(BY_ID))
@pytest.mark.parametrize("url", ["", "mcp", "http://", "ftp://wiki.example/mcp", "http://[/mcp", "http://a b/mcp"])
def test_outcome_is_unknown_for_a_url_that_is_not_http(client: str, url: str) -> None:
    prediction = predict(BY_ID[client], url, RecordedServers(working_servers()))
    assert (prediction.outcome, prediction.requests) == ("unknown", ())


def test_outcome_is_unknown_for_a_client_without_recorded_runs() -> None:
    prediction = predict(McpClient("netscape", "4"), MCP, RecordedServers(working_servers()))
    assert (prediction.outcome, prediction.requests) == ("unknown", ())


def test_outcome_is_unknown_if_the_body_is_incomplete() -> None:
    @dataclass(frozen=True)
    class Truncated:
        def get(self, method: str, url: str) -> Answer | Failure:
            answer = RecordedServers(working_servers()).get(method, url)
            return replace(answer, truncated=True) if isinstance(answer, Answer) and SERVER_PATH in url else answer

    for client in RECORDED_CLIENTS:
        assert predict(BY_ID[client], MCP, Truncated()).outcome == "unknown"


@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, "1" * 5_000, '{"issuer": NaN}', '{"issuer": "\\ud800"}', "\x00", "{" * 9],
    ids=["deep", "long", "nan", "surrogate", "nul", "open"],
)
def test_malformed_bodies_raise_no_error(body: str) -> None:
    for client in CLIENTS:
        for place in (RESOURCE_REQUEST, SERVER_REQUEST, "POST authkit /oauth2/register", "POST origin /mcp"):
            prediction = predict_for(client.id, working_servers({place: text_reply(200, body, "application/json")}))
            assert prediction.outcome in {"connects", "fails", "unknown"}


def test_empty_path_is_kept_as_by_pydantic() -> None:
    """The models of mcp have `url_preserve_empty_path`: a URL with a final slash and one without it are not equal."""
    assert keep_empty_path("https://Kit.Example") == "https://kit.example"
    assert keep_empty_path("https://kit.example:443/") == "https://kit.example/"
    assert keep_empty_path("https://kit.example?a") == "https://kit.example?a"
    assert keep_empty_path("mailto:someone@kit.example") is None
    assert keep_empty_path("https://") is None


def test_models_have_the_fields_of_the_models_of_mcp() -> None:
    from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata

    pairs = ((AuthorizationServerModel, OAuthMetadata), (ProtectedResourceModel, ProtectedResourceMetadata))
    for ours, theirs in pairs:
        assert ours.model_fields.keys() == theirs.model_fields.keys()
        required = {name for name, field in theirs.model_fields.items() if field.is_required()}
        assert {name for name, field in ours.model_fields.items() if field.is_required()} == required
    issuer = str(OAuthMetadata.model_validate(metadata("https://Kit.example:443")).issuer)
    document = AuthorizationServerModel.model_validate(metadata("https://Kit.example:443"))
    assert document.model_dump()["issuer"] == issuer


def test_redirect_from_https_to_http_is_not_followed() -> None:
    downgrade = (307, {"location": "http://wiki.example/mcp/"}, "")
    errors = {
        client: predict(BY_ID[client], "https://wiki.example/mcp", SameReply(downgrade)).error for client in BY_ID
    }
    advice = "(redirectPolicy: 'same-origin')"
    assert errors["typescript-v1"] == (
        "Error: Streamable HTTP error: Error POSTing to endpoint: "
        f"Redirect to plain http not followed; try https://wiki.example/mcp/ instead {advice}"
    )
    assert errors["inspector"] == (
        "Error POSTing to endpoint: Redirect from https to plain http not followed; "
        f"try https://wiki.example/mcp/ as the endpoint {advice}"
    )


# --- Claude, as far as it is documented ------------------------------------------------------------------------------


def predict_claude(replies: Replies) -> Prediction:
    return predict(BY_ID["claude-ai"], "https://wiki.example/mcp", PublicServers(RecordedServers(replies)))


def test_claude_connects_on_the_documented_way() -> None:
    prediction = predict_claude(challenging_servers())
    assert (prediction.outcome, prediction.reason) == (
        "connects",
        "The user signs in at https://kit.example/oauth2/authorize.",
    )
    assert prediction.requests == (
        ("POST", "https://wiki.example/mcp"),
        ("GET", f"https://wiki.example{RESOURCE_PATH}/mcp"),
        ("GET", f"https://kit.example{SERVER_PATH}"),
        ("POST", "https://kit.example/oauth2/register"),
    )


def test_claude_does_not_register_with_a_client_id_metadata_document() -> None:
    without_registration = {name: value for name, value in SERVER_METADATA.items() if name != "registration_endpoint"}
    with_client_ids = {**without_registration, "client_id_metadata_document_supported": True}
    usable = {**with_client_ids, "token_endpoint_auth_methods_supported": ["none"]}
    assert predict_claude(challenging_servers({SERVER_REQUEST: json_reply(usable)})).outcome == "connects"
    unusable = predict_claude(challenging_servers({SERVER_REQUEST: json_reply(with_client_ids)}))
    assert (unusable.outcome, "need none" in unusable.reason) == ("fails", True)
    by_hand = predict_claude(challenging_servers({SERVER_REQUEST: json_reply(without_registration)}))
    assert (by_hand.outcome, "must enter a client ID" in by_hand.reason) == ("unknown", True)


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        (
            working_servers({"POST origin /mcp": json_reply({}, 401, **{RENAMED_CHALLENGE: "Bearer x"})}),
            "has no challenge that names",
        ),
        (
            working_servers({RESOURCE_REQUEST: None, f"GET origin {SERVER_PATH}": server_reply()}),
            "only the older discovery",
        ),
        (challenging_servers({RESOURCE_REQUEST: WIKI_PAGE}), "not documented"),
        (challenging_servers({SERVER_REQUEST: server_reply(issuer="{authkit}/")}), "as its issuer"),
        (challenging_servers({SERVER_REQUEST: server_reply(code_challenge_methods_supported=["plain"])}), "S256"),
        (working_servers({"POST origin /mcp": html_reply(500)}), "not documented"),
    ],
    ids=["renamed", "older", "page", "issuer", "s256", "first"],
)
def test_outcome_of_claude_is_unknown_where_it_is_not_documented(replies: Replies, words: str) -> None:
    prediction = predict_claude(replies)
    assert (prediction.outcome, prediction.error) == ("unknown", None)
    assert words in prediction.reason


def test_claude_fails_if_the_resource_is_not_the_url() -> None:
    prediction = predict_claude(challenging_servers({RESOURCE_REQUEST: resource_reply(resource="{origin}/mcp/")}))
    assert (prediction.outcome, "as its resource, which Claude requires" in prediction.reason) == ("fails", True)
    assert "claude-resource" in prediction.claims


def test_claude_fails_if_it_cannot_register() -> None:
    without_metadata = working_servers({RESOURCE_REQUEST: None})
    assert predict_claude(without_metadata).outcome == "fails"
    prediction = predict_claude(
        challenging_servers({"POST authkit /oauth2/register": json_reply({"error": "access_denied"}, 403)})
    )
    assert (prediction.outcome, prediction.url) == ("fails", "https://kit.example/oauth2/register")


def test_claude_cannot_reach_a_private_address() -> None:
    prediction = predict_for("claude-ai", challenging_servers())
    assert prediction.outcome == "unknown"
    assert prediction.reason == "Claude connects from the internet, and 127.0.0.1 is not a public address."


# --- generated answers -----------------------------------------------------------------------------------------------

WIKI_URL, KIT_URL, ELSEWHERE = "https://wiki.example", "https://kit.example", "https://elsewhere.example"
SERVERS = (WIKI_URL, KIT_URL, f"{KIT_URL}/t1")
STATUSES = (*[200] * 10, 404, 404, 404, 201, 204, 301, 307, 401, 403, 405, 429, 500, 502)
ODD_VALUES: list[Any] = [None, True, 5, "", "x", [], ["x"], [None], {}, "javascript:1", "mailto:a@b"]
FAILURE_KINDS = ["dns", "tls", "refused", "timeout", "too-large", "not-allowed", "not-asked", "not-asked", "protocol"]
DrawnReply = tuple[int, dict[str, str], str] | str


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A valid document, a document with one wrong or missing field, or a text that is not a document."""
    server = draw(st.sampled_from(SERVERS))
    document = {**OPENID_METADATA, **metadata(server), "resource": f"{WIKI_URL}/mcp", "authorization_servers": [server]}
    document |= {"jwks_uri": ELSEWHERE, "client_id": "c", "redirect_uris": ["http://127.0.0.1/"]}
    if draw(st.integers(0, 4)) == 4:
        broken = ["", "null", "[]", "true", "<!DOCTYPE html>", '{"a":', "\ufeff{}", "[" * 3000, "nope"]
        return draw(st.one_of(st.sampled_from(broken), st.text(max_size=20)))
    if draw(st.booleans()):
        return json.dumps(document)
    name = draw(st.sampled_from(sorted(document)))
    value = draw(st.sampled_from([..., *ODD_VALUES]))
    return json.dumps({key: field for key, field in (document | {name: value}).items() if field is not ...})


@st.composite
def drawn_replies(draw: st.DrawFn) -> DrawnReply:
    if draw(st.integers(0, 9)) == 9:
        return draw(st.sampled_from(FAILURE_KINDS))
    headers = {"content-type": draw(st.sampled_from(["application/json", "text/html", "text/event-stream", ""]))}
    if draw(st.booleans()):
        headers["location"] = draw(st.sampled_from([ELSEWHERE, "/there", "", "http://[", f"{RESOURCE_PATH}/mcp", "?"]))
    return draw(st.sampled_from(STATUSES)), headers, draw(documents())


@dataclass
class DrawnAnswers:
    """Generated answers; the same request always gets the same answer."""

    challenge: str | None
    replies: list[DrawnReply]
    requested: list[str]

    def get(self, method: str, url: str) -> Answer | Failure:
        self.requested.append(url)
        if url.startswith(f"{WIKI_URL}/mcp") and self.challenge is not None:
            return Answer(method, url, 401, (("www-authenticate", self.challenge),), b"")
        reply = self.replies[sum(map(ord, method + url)) % len(self.replies)]
        if isinstance(reply, str):
            return Failure(method, url, reply, "so it is")
        status, headers, body = reply
        return Answer(method, url, status, tuple(headers.items()), body.encode())


CHALLENGE = f'Bearer resource_metadata="{WIKI_URL}{RESOURCE_PATH}/mcp"'
CHALLENGE_VALUES = [None, "", CHALLENGE, CHALLENGE, f'Bearer resource_metadata="{KIT_URL}/x"', "Bearer", CHALLENGE[:30]]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    challenge=st.sampled_from(CHALLENGE_VALUES),
    replies=st.lists(drawn_replies(), min_size=1, max_size=7),
    path=st.sampled_from(["/mcp", "/mcp", "", "/", "/mcp/b/", "/mcp?x=1", "/mcp#f"]),
)
def test_any_answers_give_a_prediction(challenge: str | None, replies: list[DrawnReply], path: str) -> None:
    for client in CLIENTS:
        answers = DrawnAnswers(challenge, replies, [])
        prediction = predict(client, WIKI_URL + path, answers)
        second_prediction = predict(client, WIKI_URL + path, DrawnAnswers(challenge, replies, []))
        assert prediction == second_prediction, "the same answers give the same prediction"
        assert len(prediction.requests) <= 30
        assert len(answers.requested) <= 40
        assert {urlsplit(url).netloc for url in answers.requested} <= {"wiki.example", "kit.example"}
        assert (prediction.outcome == "connects") == (prediction.url is None)
        assert prediction.error is None or prediction.outcome == "fails"
        assert prediction.reason.endswith((".", ".)"))


def test_urls_are_parsed_by_the_rules_of_the_whatwg() -> None:
    url = parse_url("HTTP://Kit.Example:80/a/../b?c#d")
    assert url is not None
    assert (url.href, url.origin, url.path, url.query) == ("http://kit.example/b?c#d", "http://kit.example", "/b", "?c")
    assert parse_url("http://[") is None
