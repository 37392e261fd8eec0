"""Servers that mean harm: a finding in time, never a hang, a traceback or a request where none should go."""

import gzip
import json
import zlib
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from routegen.report import Report, rules
from routegen.report.forms import FORMATS, write_report
from routegen.verify.deployment import Deployment
from routegen.verify.fetcher import INITIALIZE, Fetcher, TimeLimits
from routegen.verify.request_url import Address
from routegen.verify.ssrf_guard import SsrfGuard
from routegen.verify.verification import VerifyPlan, verify
from verify.raw_server import (
    KEYS,
    MCP,
    METADATA,
    PAGE,
    RESOURCE,
    Raw,
    Send,
    answer,
    dripping,
    for_ever,
    raw_server,
    silent,
    then_reset,
)

LIMITS = TimeLimits(0.5, 2.0)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
ZIPPED = OK + b"content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"


class PublicGuard(SsrfGuard):
    """As if the deployment's own address, 127.0.0.1, were a public one; every other loopback address stays one."""

    def address_problem(self, address: Address) -> str | None:
        return None if str(address) == "127.0.0.1" else super().address_problem(address)


def run(raw: Raw, **more: Any) -> Report:
    guard = PublicGuard({raw.url})
    fetcher = Fetcher(guard, LIMITS, {f"{raw.url}/mcp": INITIALIZE}, **more)
    report = verify(VerifyPlan(f"{raw.url}/mcp", Deployment(raw.url, None, ("/Home",))), fetcher)
    assert raw.touched == []
    assert set(FORMATS) == {"text", "json", "github", "sarif", "junit"}
    for format_ in FORMATS:
        text = write_report(report, format_)
        assert all(char.isprintable() or char == "\n" for char in text), format_
    ET.fromstring(write_report(report, "junit"))
    return report


def found(report: Report) -> set[str]:
    return {finding.rule.id for finding in report.findings if finding.rule.level != "note"}


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def bomb() -> Send:
    """A thousand bytes for each that is sent."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    zeros = packer.compress(b" " * 50_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    return for_ever(ZIPPED, chunk(zeros))


def body(value: bytes) -> bytes:
    return answer("200 OK", value)


# What is sent in the place of the protected resource metadata, and the rule that it comes to; where a machine's speed
# decides, the two that it may be.
WIRE: dict[str, tuple[bytes | Send, str]] = {
    "endless body": (for_ever(OK + b"\r\n", b"x" * 65536), "RG042"),
    "endless chunks": (for_ever(CHUNKED, chunk(b"[" * 65536)), "RG042"),
    "endless tiny chunks": (for_ever(CHUNKED, chunk(b" ") * 1000), "RG042 RG004"),
    "endless length": (for_ever(OK + b"content-length: 99999999999999999999\r\n\r\n", b" " * 65536), "RG042"),
    "body in drips": (dripping(OK + b"\r\n{}"), "RG004"),
    "headers in drips": (dripping(b"HTTP/1.1 200 OK\r\nx: y\r\n"), "RG004"),
    "endless headers": (for_ever(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000), "RG003"),
    "an endless header": (for_ever(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 65536), "RG003"),
    "an endless status line": (for_ever(b"HTTP/1.1 200 ", b"O" * 65536), "RG003"),
    "endless 1xx": (for_ever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100), "RG003 RG004"),
    "1xx in drips": (dripping(b"HTTP/1.1 100 Continue\r\n\r\n"), "RG004"),
    "an endless trailer": (for_ever(CHUNKED + b"0\r\n", b"x: y\r\n" * 1000), "RG003"),
    "an endless chunk extension": (for_ever(CHUNKED + b"1;", b"x" * 65536), "RG003"),
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
    "gzip that isn't": (OK + b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", "RG003"),
    "gzip that is cut": (ZIPPED + chunk(gzip.compress(b'{"resource": "x"}')[:15]) + b"0\r\n\r\n", "RG042"),
    "an unknown encoding": (OK + b"content-encoding: br\r\ncontent-length: 2\r\n\r\n\x8b\x00", "RG042"),
    "deep arrays": (body(b"[" * 500_000), "RG042"),
    "deep objects": (body(b'{"resource":' * 80_000), "RG042"),
    "a huge integer": (body(b'{"resource": ' + b"9" * 500_000 + b"}"), "RG042"),
    "NaN": (body(b'{"resource": NaN}'), "RG042"),
    "a doubled key, often": (body(b'{"a":1' + b',"a":1' * 100_000 + b"}"), "RG009"),
    "many keys twice": (body(json.dumps({str(n): 1 for n in range(50_000)}).encode()[:-1] + b',"1":1}'), "RG009"),
    "UTF-16": (body('{"resource": "x"}'.encode("utf-16")), "RG042"),
    "no UTF-8": (body(b'{"resource": "\xff\xfe"}'), "RG042"),
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
    "a header line too many": (b"HTTP/1.1 200 OK\r\nx: a\r\n b: c\r\n\r\n", "RG042"),
}  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", WIRE)
def test_what_stands_for_the_metadata_becomes_a_finding(case: str) -> None:
    sends, rule = WIRE[case]
    with raw_server(RESOURCE, sends) as raw:
        assert found(run(raw)) & {*rule.split()}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("where", [MCP, METADATA, KEYS, PAGE, "*"])
@pytest.mark.parametrize("case", ["endless body", "headers in drips", "noise", "deep objects", "a gzip bomb"])
def test_wherever_it_stands(case: str, where: str) -> None:
    with raw_server(where, WIRE[case][0]) as raw:
        assert found(run(raw))


EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("again", "rule"), [(b"data: {}\n\n", "RG013"), (b": still here\n", "RG013 RG004")])
def test_a_stream_without_an_end(again: bytes, rule: str) -> None:
    with raw_server(MCP, for_ever(EVENTS, again)) as raw:
        assert found(run(raw)) & {*rule.split()}


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
def test_a_redirect_is_shown_and_never_leads_away(case: str) -> None:
    target, rule = REDIRECTS[case]
    with raw_server(RESOURCE, answer("302 Found", b"", f"location: {target}")) as raw:
        assert rule in found(run(raw))


def test_redirects_without_an_end_are_followed_a_few_times() -> None:
    sent = answer("307 Temporary Redirect", b"", f"location: {{SELF}}{RESOURCE.removeprefix('GET ')}/b")
    with raw_server(f"{RESOURCE}*", sent) as raw:
        assert "RG005" in found(run(raw))
        assert len(raw.asked) < 30


NAMED = [
    "{SENTINEL}", "https://127.0.0.2:{PORT}", "https://localhost:{PORT}", "https://2130706434:{PORT}",
    "https://0x7f.2:{PORT}", "https://[::ffff:127.0.0.2]:{PORT}", "https://internal.test:{PORT}",
    "https://169.254.169.254", "https://[fd00:ec2::254]", "https://0.0.0.0:{PORT}", "https://[::]:{PORT}",
    "https://10.0.0.1", "https://[::1]:{PORT}", "https://[64:ff9b::7f00:2]:{PORT}", "https://224.0.0.1",
    "http://internal.test:{PORT}", "ftp://127.0.0.2", "https://user:pw@127.0.0.2:{PORT}",
    "https://127.0.0.2:{PORT}\\r\\nx: y", "https://127.0.0.2:0", "https://127.0.0.2:99999", "https://", "//127.0.0.2",
    "https://127。0。0。2:{PORT}",
]  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("named", NAMED)
def test_a_server_that_must_not_be_asked_is_not(named: str) -> None:
    def resolver(host: str, port: int) -> list[Address]:
        from ipaddress import ip_address

        from routegen.verify.guarded_connection import resolve_host

        return [ip_address("127.0.0.2")] if host == "internal.test" else resolve_host(host, port)

    with raw_server("-", b"") as raw:
        named = named.replace("{PORT}", raw.sentinel.rpartition(":")[2])
        value = f'{{"resource": "{raw.url}/mcp", "authorization_servers": ["{named}"]}}'.encode()
        with raw_server(RESOURCE, answer("200 OK", value.replace(b"{SENTINEL}", raw.sentinel.encode()))) as second:
            assert found(run(second, resolver=resolver)) & {"RG007", "RG045", "RG050", "RG001", "RG004"}
        assert raw.touched == []


def test_the_keys_and_the_endpoints_are_guarded_too() -> None:
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
        assert found(run(raw)) == {"RG007"}


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
def test_a_challenge_leads_nowhere_else(challenge: str) -> None:
    with raw_server("-", b"", f"www-authenticate: {challenge}") as raw:
        run(raw)


def test_a_name_is_resolved_once_so_that_it_cannot_move() -> None:
    from ipaddress import ip_address

    asked: list[str] = []

    def moving(host: str, port: int) -> list[Address]:
        asked.append(host)
        return [ip_address("127.0.0.1" if len(asked) == 1 else "127.0.0.2")]

    with raw_server("-", b"") as raw:
        port = raw.url.rpartition(":")[2]
        guard = PublicGuard({f"http://deployment.test:{port}"})
        url = f"http://deployment.test:{port}/mcp"
        verify(
            VerifyPlan(url, Deployment(url.removesuffix("/mcp"))),
            Fetcher(guard, LIMITS, {url: INITIALIZE}, resolver=moving),
        )
        assert asked.count("deployment.test") == 1
        assert raw.touched == []


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    import threading

    ended = threading.Event()

    def hanging(_host: str, _port: int) -> list[Address]:
        ended.wait(20)
        return []

    url = "https://deployment.test/mcp"
    fetcher = Fetcher(SsrfGuard({"https://deployment.test"}), LIMITS, {url: INITIALIZE}, resolver=hanging)
    report = verify(VerifyPlan(url, Deployment("https://deployment.test")), fetcher)
    ended.set()
    assert [finding.rule for finding in report.findings] == [rules.UNREACHABLE]


def test_nothing_is_asked_but_what_changes_nothing() -> None:
    with raw_server("-", b"") as raw:
        run(raw)
    methods = {line.partition(" ")[0] for line in raw.asked}
    assert methods <= {"GET", "HEAD", "OPTIONS", "POST"}
    assert [line for line in raw.asked if line.startswith("POST")] == [MCP]
