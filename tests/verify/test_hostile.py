"""Hostile servers: each leads to a finding within the time limit, and to no request to a forbidden address."""

import gzip
import json
import re
import time
import zlib
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from routegen.report import Report, rules
from routegen.report.forms import FORMATS, write_report
from routegen.verify.answers import Answer, Failure
from routegen.verify.deployment import Deployment
from routegen.verify.fetcher import MAX_BODY_BYTES, Caller, Fetcher, TimeLimits
from routegen.verify.mcp_messages import INITIALIZE
from routegen.verify.request_url import Address
from routegen.verify.ssrf_guard import SsrfGuard
from routegen.verify.verification import VerifyPlan, verify
from verify.raw_server import (
    KEYS,
    MCP,
    METADATA,
    PAGE,
    RESOURCE,
    RawServer,
    Sender,
    answer,
    dripping,
    endless,
    raw_server,
    silent,
    then_reset,
)

LIMITS = TimeLimits(0.5, 2.0)
PATIENT = TimeLimits(20.0, 60.0)
"""The limits where the size or the form of the answer ends the request, however slow the machine is."""
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
ZIPPED = OK + b"content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"


METADATA_URL = "https://dep.example/.well-known/oauth-protected-resource/mcp"


class CannedFetcher(Fetcher):
    """A fetcher with three answers, for the MCP endpoint and both metadata documents; all other paths answer 404."""

    replies: dict[str, tuple[Any, ...]]

    def _send_if_allowed(self, _caller: Caller, method: str, url: str) -> Answer | Failure:
        place = {"/mcp": "mcp", urlsplit(METADATA_URL).path: "resource"}.get(urlsplit(url).path, "")
        place = "server" if url.startswith("https://as.example/.well-known/oauth-a") else place
        status, kind, text, *headers = self.replies.get(place, (404, "text/plain", ""))
        body = text.encode()[:MAX_BODY_BYTES]
        return Answer(method, url, status, (("content-type", kind), *headers), body, len(body) < len(text))


class PublicGuard(SsrfGuard):
    """A guard for which 127.0.0.1, the deployment's address, is public; other loopback addresses are forbidden."""

    def address_problem(self, address: Address) -> str | None:
        return None if str(address) == "127.0.0.1" else super().address_problem(address)


def verify_server(raw: RawServer, limits: TimeLimits = LIMITS, **fetcher_options: Any) -> Report:
    guard = PublicGuard({raw.url})
    fetcher = Fetcher(guard, limits, {f"{raw.url}/mcp": INITIALIZE}, **fetcher_options)
    report = verify(VerifyPlan((f"{raw.url}/mcp",), Deployment(raw.url, None, ("/Home",))), fetcher)
    assert raw.sentinel_requests == []
    assert set(FORMATS) == {"text", "json", "github", "sarif", "junit"}
    for format_ in FORMATS:
        text = write_report(report, format_)
        assert text.replace("\n", "").isprintable(), format_
    ET.fromstring(write_report(report, "junit"))
    return report


def rule_ids(report: Report) -> set[str]:
    return {finding.rule.id for finding in report.findings if finding.rule.level != "note"}


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def bomb() -> Sender:
    """A gzip stream that decodes to a thousand times its size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    zeros = packer.compress(b" " * 50_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    return endless(ZIPPED, chunk(zeros))


def body(value: bytes) -> bytes:
    return answer("200 OK", value)


# The answer instead of the protected resource metadata, and the rule of its finding; two rules if the speed of the
# machine decides.
RAW_ANSWERS: dict[str, tuple[bytes | Sender, str]] = {
    "endless body": (endless(OK + b"\r\n", b"x" * 65536), "RG042"),
    "endless chunks": (endless(CHUNKED, chunk(b"[" * 65536)), "RG042"),
    "endless tiny chunks": (endless(CHUNKED, chunk(b" ") * 1000), "RG042 RG004"),
    "endless length": (endless(OK + b"content-length: 99999999999999999999\r\n\r\n", b" " * 65536), "RG042"),
    "body in drips": (dripping(OK + b"\r\n{}"), "RG004"),
    "headers in drips": (dripping(b"HTTP/1.1 200 OK\r\nx: y\r\n"), "RG004"),
    "endless headers": (endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000), "RG003"),
    "an endless header": (endless(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 65536), "RG003"),
    "an endless status line": (endless(b"HTTP/1.1 200 ", b"O" * 65536), "RG003"),
    "endless 1xx responses": (endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100), "RG003 RG004"),
    "1xx responses in drips": (dripping(b"HTTP/1.1 100 Continue\r\n\r\n"), "RG004"),
    "an endless trailer": (endless(CHUNKED + b"0\r\n", b"x: y\r\n" * 1000), "RG003"),
    "an endless chunk extension": (endless(CHUNKED + b"1;", b"x" * 65536), "RG003"),
    "silence": (silent, "RG004"),
    "nothing": (b"", "RG003"),
    "a reset": (then_reset(b""), "RG003"),
    "a reset in the body": (then_reset(OK + b"content-length: 100\r\n\r\n{"), "RG003"),
    "TLS": (b"\x15\x03\x03\x00\x02\x02\x28", "RG003"),
    "noise": (bytes(range(256)) * 20, "RG003"),
    "HTTP/0.9": (b"<html>hello</html>", "RG003"),
    "another protocol's version": (b"HTTP/7.3 200 OK\r\n\r\n", "RG042"),
    "status 99999": (b"HTTP/1.1 99999 OK\r\n\r\n", "RG003"),
    "status 999": (answer("999 What"), "RG040"),
    "status 000": (answer("000 What"), "RG003"),
    "a switch of protocols": (b"HTTP/1.1 101 Switch\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "RG003"),
    "a longer length": (OK + b"content-length: 1000\r\n\r\n{}", "RG003"),
    "a shorter length": (OK + b"content-length: 1\r\n\r\n{}", "RG042"),
    "a negative length": (OK + b"content-length: -1\r\n\r\n{}", "RG003"),
    "two lengths": (OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}", "RG003"),
    "a length and chunks": (OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "RG042"),
    "chunks of garbage": (CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", "RG003"),
    "a chunk that is too large": (CHUNKED + b"f" * 30 + b"\r\n{}", "RG003"),
    "a NUL in a header": (b"HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n", "RG003"),
    "a header without a name": (b"HTTP/1.1 200 OK\r\n: x\r\n\r\n", "RG003"),
    "a gzip bomb": (bomb(), "RG042"),
    "gzip that is not gzip": (OK + b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", "RG003"),
    "gzip that ends too early": (ZIPPED + chunk(gzip.compress(b'{"resource": "x"}')[:15]) + b"0\r\n\r\n", "RG042"),
    "an unknown encoding": (OK + b"content-encoding: br\r\ncontent-length: 2\r\n\r\n\x8b\x00", "RG042"),
    "deep arrays": (body(b"[" * 500_000), "RG042"),
    "deep objects": (body(b'{"resource":' * 80_000), "RG042"),
    "a huge integer": (body(b'{"resource": ' + b"9" * 500_000 + b"}"), "RG042"),
    "NaN": (body(b'{"resource": NaN}'), "RG042"),
    "the same key many times": (body(b'{"a":1' + b',"a":1' * 100_000 + b"}"), "RG009"),
    "many keys twice": (body(json.dumps({str(n): 1 for n in range(50_000)}).encode()[:-1] + b',"1":1}'), "RG009"),
    "UTF-16": (body('{"resource": "x"}'.encode("utf-16")), "RG042"),
    "bytes that are not UTF-8": (body(b'{"resource": "\xff\xfe"}'), "RG042"),
    "half a surrogate pair": (body(b'{"resource": "\\ud800", "authorization_servers": ["\\udfff"]}'), "RG043"),
    "a string": (body(b'"x"'), "RG042"),
    "null": (body(b"null"), "RG042"),
    "control characters": (body(b'{"resource": "\\u001b[31m\\u202e\\u0000", "authorization_servers": [1]}'), "RG043"),
    "a page of unclosed tags": (answer("200 OK", b"<html>" + b"<script " * 60_000, kind="text/html"), "RG041"),
    "an escape sequence in a page": (answer("200 OK", b"<html><title>\x1b]0;x\x07", kind="text/html"), "RG041"),
    "servers of every type": (
        body(b'{"resource": {"a": []}, "authorization_servers": [{}, 1, null, "", "x", "file:///etc/passwd", "http://["]}'),
        "RG045",
    ),
    "a header on two lines": (b"HTTP/1.1 200 OK\r\nx: a\r\n b: c\r\n\r\n", "RG042"),
}  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", RAW_ANSWERS)
@pytest.mark.reliability("answers of hostile servers to `verify`")
def test_a_hostile_answer_instead_of_the_metadata_is_a_finding(case: str) -> None:
    raw_answer, rule = RAW_ANSWERS[case]
    with raw_server(RESOURCE, raw_answer) as raw:
        assert rule_ids(verify_server(raw, LIMITS if "RG004" in rule else PATIENT)) & {*rule.split()}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("request_line", [MCP, METADATA, KEYS, PAGE, "*"])
@pytest.mark.parametrize("case", ["endless body", "headers in drips", "noise", "deep objects", "a gzip bomb"])
@pytest.mark.reliability("answers of hostile servers to `verify`")
def test_a_hostile_answer_to_any_request_is_a_finding(case: str, request_line: str) -> None:
    with raw_server(request_line, RAW_ANSWERS[case][0]) as raw:
        assert rule_ids(verify_server(raw))


EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("event", "rule"),
    [(b"data: {}\n\n", "RG011"), (b'data: {"result": {}}\n\n', "RG013"), (b": still here\n", "RG011 RG004")],
)
@pytest.mark.reliability("answers of hostile servers to `verify`")
def test_an_endless_stream_of_events_is_not_read_to_its_end(event: bytes, rule: str) -> None:
    with raw_server(MCP, endless(EVENTS, event)) as raw:
        assert rule_ids(verify_server(raw, LIMITS if "RG004" in rule else PATIENT)) & {*rule.split()}


REDIRECTS: dict[str, tuple[str, str]] = {
    "to itself": ("{SELF}/.well-known/oauth-protected-resource/mcp", "RG005"),
    "to a server of this machine": ("{SENTINEL}/x", "RG006"),
    "without a scheme": ("//127.0.0.2:9/x", "RG006"),
    "to a cloud's metadata": ("http://169.254.169.254/latest/meta-data/", "RG006"),
    "to a file": ("file:///etc/passwd", "RG006"),
    "to a script": ("javascript:alert(1)", "RG006"),
    "with a user": ("http://127.0.0.1@{SENTINEL}/x", "RG006"),
    "to no URL": ("http://[", "RG006"),
    "to another port": ("http://127.0.0.1:1/x", "RG006"),
    "to a name of this machine": ("http://localhost:1/x", "RG006"),
    "with a space": ("http://127.0.0.2 /x", "RG006"),
    "with other letters": ("http://\xb9\xb2\xb7.0.0.1/", "RG006"),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", REDIRECTS)
@pytest.mark.reliability("answers of hostile servers to `verify`")
def test_a_redirect_to_another_origin_is_reported_and_not_followed(case: str) -> None:
    target, rule = REDIRECTS[case]
    with raw_server(RESOURCE, answer("302 Found", b"", f"location: {target}")) as raw:
        assert rule in rule_ids(verify_server(raw))


def test_endless_redirects_are_followed_only_a_few_times() -> None:
    sent = answer("307 Temporary Redirect", b"", f"location: {{SELF}}{RESOURCE.removeprefix('GET ')}/b")
    with raw_server(f"{RESOURCE}*", sent) as raw:
        assert "RG005" in rule_ids(verify_server(raw))
        assert len(raw.requests) < 30


FORBIDDEN_SERVERS = [
    "{SENTINEL}", "https://127.0.0.2:{PORT}", "https://localhost:{PORT}", "https://2130706434:{PORT}",
    "https://0x7f.2:{PORT}", "https://[::ffff:127.0.0.2]:{PORT}", "https://internal.test:{PORT}",
    "https://169.254.169.254", "https://[fd00:ec2::254]", "https://0.0.0.0:{PORT}", "https://[::]:{PORT}",
    "https://10.0.0.1", "https://[::1]:{PORT}", "https://[64:ff9b::7f00:2]:{PORT}", "https://224.0.0.1",
    "http://internal.test:{PORT}", "ftp://127.0.0.2", "https://user:pw@127.0.0.2:{PORT}",
    "https://127.0.0.2:{PORT}\\r\\nx: y", "https://127.0.0.2:0", "https://127.0.0.2:99999", "https://", "//127.0.0.2",
    "https://127。0。0。2:{PORT}",
]  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("server_url", FORBIDDEN_SERVERS)
@pytest.mark.reliability("answers of hostile servers to `verify`")
def test_a_forbidden_authorization_server_gets_no_request(server_url: str) -> None:
    def resolver(host: str, port: int) -> list[Address]:
        from routegen.verify.guarded_connection import resolve_host

        return [ip_address("127.0.0.2")] if host == "internal.test" else resolve_host(host, port)

    with raw_server("-", b"") as raw:
        server_url = server_url.replace("{PORT}", raw.sentinel_url.rpartition(":")[2])
        value = f'{{"resource": "{raw.url}/mcp", "authorization_servers": ["{server_url}"]}}'.encode()
        with raw_server(RESOURCE, answer("200 OK", value.replace(b"{SENTINEL}", raw.sentinel_url.encode()))) as second:
            assert rule_ids(verify_server(second, resolver=resolver)) & {"RG007", "RG045", "RG050", "RG001", "RG004"}
        assert raw.sentinel_requests == []


def test_forbidden_endpoints_and_key_sets_get_no_request() -> None:
    value = {
        "issuer": "{SELF}",
        "authorization_endpoint": "{SENTINEL}/authorize",
        "token_endpoint": "https://169.254.169.254/token",
        "registration_endpoint": "{SENTINEL}/register",
        "jwks_uri": "{SENTINEL}/jwks",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
    }
    with raw_server(METADATA, OK + b"connection: close\r\n\r\n" + json.dumps(value).encode()) as raw:
        assert rule_ids(verify_server(raw)) == {"RG007"}


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer resource_metadata="{SENTINEL}/x"',
        "Bearer resource_metadata={SENTINEL}/x",
        'Bearer resource_metadata="http://169.254.169.254/latest"',
        'Bearer resource_metadata=""',
        'Bearer resource_metadata="/relative"',
        'Bearer resource_metadata="javascript:alert(1)"',
        'Bearer resource_metadata="' + "x" * 50_000 + '"',
        "Bearer " + 'resource_metadata="' * 3_000,
    ],
    ids=lambda text: text[:50],
)
@pytest.mark.reliability("answers of hostile servers to `verify`")
def test_a_forbidden_url_in_the_challenge_gets_no_request(challenge: str) -> None:
    with raw_server("-", b"", f"www-authenticate: {challenge}") as raw:
        verify_server(raw)


def test_an_address_of_every_kind_is_refused_at_the_connection() -> None:
    """The resolver gives the address, as a hostile DNS server does; the guard allows only public addresses."""
    forms = ("::{}", "::ffff:{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}")
    addresses = ["127.0.0.1", "::1", "fec0::1", "2002:7f00:1::1", "2001:0:808:808::80ff:fffe", "fd00::1", "10.0.0.1"]
    addresses += [form.format(address) for form in forms for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254")]
    url = "https://deployment.test/mcp"
    for address in addresses:
        resolved = [ip_address(address)]
        fetcher = Fetcher(SsrfGuard({"https://deployment.test"}), LIMITS, resolver=lambda *_, found=resolved: found)
        failure = fetcher.answers("without-token").get("GET", url)
        assert isinstance(failure, Failure), address
        assert failure.kind == "not-allowed", address


LONG = 60_000
CHALLENGES = {
    "commas": "," * LONG,
    "quotes": '"' * LONG,
    "backslashes": 'a="' + "\\" * LONG,
    "escaped quotes": 'scope="' + '\\"' * (LONG // 2),
    "schemes": "Basic, Bearer, " * (LONG // 15),
    "parameters": 'a="b", ' * (LONG // 7),
    "the same parameter": "resource_metadata=" * (LONG // 18),
    "the same parameter, open quotes": 'resource_metadata="' * (LONG // 19),
    "a parameter and spaces": "resource_metadata" + " " * LONG + "x",
    "a long token": "a" * LONG,
    "a long value": "resource_metadata=" + "a" * LONG,
    "many scopes": 'scope="' + "a " * (LONG // 2) + '"',
    "equal signs": "a=" * (LONG // 2),
    "hyphens": "a-" * (LONG // 2),
}
_METADATA_FIELDS = {"issuer": "{AS}", "authorization_endpoint": "{AS}/authorize", "token_endpoint": "{AS}/token",
                    "registration_endpoint": "{AS}/register", "response_types_supported": ["code"]}  # fmt: skip
_SCOPES = [f"scope{number}" for number in range(20_000)]
_OBJECTS: list[dict[str, Any]] = [{}] * 50_000
_RESOURCE_FIELDS = {"resource": "https://dep.example/mcp", "authorization_servers": ["https://as.example"]}
# The answers of the MCP endpoint, the resource metadata and the server metadata: a content type and a body.
LARGE_ANSWERS: dict[str, tuple[str, str, Any]] = {
    "scopes of the resource": ("resource", "application/json", {**_RESOURCE_FIELDS, "scopes_supported": _SCOPES}),
    "fields of a wrong type": ("resource", "application/json", {**_RESOURCE_FIELDS, "scopes_supported": [1] * 50_000}),
    "servers": ("resource", "application/json", {**_RESOURCE_FIELDS, "authorization_servers": ["x"] * 30_000}),
    "objects": ("resource", "application/json", {**_RESOURCE_FIELDS, "more": _OBJECTS}),
    "a long issuer": ("server", "application/json", {**_METADATA_FIELDS, "issuer": "https://as.example/" + "a" * LONG}),
    "a long endpoint": ("server", "application/json", {**_METADATA_FIELDS, "token_endpoint": "{AS}/" + "a" * LONG}),
    "authentication methods": (
        "server",
        "application/json",
        {**_METADATA_FIELDS, "token_endpoint_auth_methods_supported": _SCOPES},
    ),
    "an error with objects": ("mcp", "application/json", {"error": {"code": 1, "message": _OBJECTS}}),
    "a long error": ("mcp", "application/json", {"error": {"code": 1, "message": "x" * LONG}}),
    "lines of an event": ("mcp", "text/event-stream", "data: {}\n" * 50_000),
    "empty lines": ("mcp", "text/event-stream", "\r" * 500_000),
    "titles": ("mcp", "text/html", "<title>" * 100_000),
    "open tags": ("mcp", "text/html", "<svg>" * 100_000),
    "a long content type": ("mcp", "x" * LONG, "x"),
}


@pytest.mark.parametrize("case", [*CHALLENGES, *LARGE_ANSWERS])
def test_large_input_is_read_in_linear_time_and_is_not_repeated(case: str) -> None:
    challenge = CHALLENGES.get(case, f'resource_metadata="{METADATA_URL}"')
    place, kind, value = LARGE_ANSWERS.get(case, ("", "", ""))
    scopes = [f"other{number}" for number in range(20_000)] if "scopes" in case else ["openid"]
    server_fields = {**_METADATA_FIELDS, "scopes_supported": scopes}
    replies = {
        "mcp": (401, "application/json", "{}", ("www-authenticate", f"Bearer {challenge}")),
        "resource": (200, "application/json", json.dumps(_RESOURCE_FIELDS)),
        "server": (200, "application/json", json.dumps(server_fields).replace("{AS}", "https://as.example")),
    }
    if place:
        text = value if isinstance(value, str) else json.dumps(value).replace("{AS}", "https://as.example")
        replies[place] = (200, kind, text)
    fetcher = CannedFetcher(SsrfGuard({"https://dep.example"}), LIMITS, {"https://dep.example/mcp": INITIALIZE})
    fetcher.replies = replies
    start = time.thread_time()
    report = verify(VerifyPlan(("https://dep.example/mcp",), Deployment("https://dep.example")), fetcher)
    seconds = time.thread_time() - start
    assert seconds < 8, "it takes less than 2 s; a quadratic reader takes minutes"
    for form in FORMATS:
        text = write_report(report, form)
        assert not re.search(r"[^\s]{230}", text), form
        assert len(text) < 300_000, form
    assert all(len(finding.message) < 900 for finding in report.findings)


TYPED_FIELDS = [
    *(("resource", name) for name in ("resource", "authorization_servers", "scopes_supported")),
    *(("server", name) for name in (*_METADATA_FIELDS, "jwks_uri", "scopes_supported", "grant_types_supported")),
    ("server", "token_endpoint_auth_methods_supported"), ("server", "code_challenge_methods_supported"),
    *(("mcp", name) for name in ("error", "code", "message", "data")),
]  # fmt: skip


@pytest.mark.parametrize("value", [[], {}, [{}], 5, None], ids=str)
def test_a_value_of_a_wrong_type_ends_no_run(value: object) -> None:
    for place, name in TYPED_FIELDS:
        error = {"error": {"code": -32022}}
        fields: dict[str, dict[str, Any]] = {"resource": _RESOURCE_FIELDS, "server": _METADATA_FIELDS, "mcp": error}
        documents: dict[str, Any] = {key: {**document} for key, document in fields.items()}
        documents["server"]["client_id_metadata_document_supported"] = True
        documents["mcp"]["error"] = {"code": -32022}
        target = documents[place]["error"] if name in {"code", "message", "data"} else documents[place]
        target[name] = value
        texts = {key: json.dumps(document).replace("{AS}", "https://as.example") for key, document in documents.items()}
        status = 400 if place == "mcp" else 401
        fetcher = CannedFetcher(SsrfGuard({"https://dep.example"}), LIMITS, {"https://dep.example/mcp": INITIALIZE})
        fetcher.replies = {key: (200, "application/json", text) for key, text in texts.items()}
        fetcher.replies["mcp"] = (status, "application/json", texts["mcp"])
        report = verify(VerifyPlan(("https://dep.example/mcp",), Deployment("https://dep.example")), fetcher)
        assert report.findings, (place, name)


def test_a_name_is_resolved_only_once() -> None:
    hosts: list[str] = []

    def rebinding_resolver(host: str, port: int) -> list[Address]:
        hosts.append(host)
        return [ip_address("127.0.0.1" if len(hosts) == 1 else "127.0.0.2")]

    with raw_server("-", b"") as raw:
        port = raw.url.rpartition(":")[2]
        guard = PublicGuard({f"http://deployment.test:{port}"})
        url = f"http://deployment.test:{port}/mcp"
        verify(
            VerifyPlan((url,), Deployment(url.removesuffix("/mcp"))),
            Fetcher(guard, LIMITS, {url: INITIALIZE}, resolver=rebinding_resolver),
        )
        assert hosts.count("deployment.test") == 1
        assert raw.sentinel_requests == []


def test_a_resolver_that_hangs_does_not_delay_the_report() -> None:
    import threading

    ended = threading.Event()

    def hanging_resolver(_host: str, _port: int) -> list[Address]:
        ended.wait(20)
        return []

    url = "https://deployment.test/mcp"
    fetcher = Fetcher(SsrfGuard({"https://deployment.test"}), LIMITS, {url: INITIALIZE}, resolver=hanging_resolver)
    report = verify(VerifyPlan((url,), Deployment("https://deployment.test")), fetcher)
    ended.set()
    assert [finding.rule for finding in report.findings] == [rules.UNREACHABLE]


def test_only_the_endpoint_gets_methods_that_are_not_safe() -> None:
    with raw_server("-", b"") as raw:
        verify_server(raw)
    methods = {line.partition(" ")[0] for line in raw.requests}
    assert methods <= {"GET", "HEAD", "OPTIONS", "POST", "DELETE"}
    assert [line for line in raw.requests if line.startswith("POST")] == [MCP] * 2, "initialize and server/discover"
    assert [line for line in raw.requests if line.startswith("DELETE")] == ["DELETE /mcp"]
