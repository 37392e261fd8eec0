"""The wiki has the same responses with and without the gateway, byte for byte; OAuth discovery is JSON."""

import base64
import gzip
import http.client
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import pytest
from end_to_end.full_stack import FullStack, full_stack
from helpers.forked import WIKI_IMPORTS, import_before_fork, start_program
from helpers.support import PROJECT

HOST = "wiki.example"
WIKI_WITHOUT_GATEWAY = """
import sys
sys.path.insert(0, sys.argv[1])
import wiki
from otterwiki.server import app
app.after_request_funcs[None].remove(wiki.mark_files)  # only the handler needs it
from werkzeug.serving import WSGIRequestHandler, make_server
WSGIRequestHandler.protocol_version = "HTTP/1.1"
make_server("127.0.0.1", 0, app, threaded=True, fd=int(sys.argv[2])).serve_forever()
"""

import_before_fork(*WIKI_IMPORTS)

# Headers of the connection; and parts of a response that differ between requests.
CONNECTION_HEADERS = {"date", "server", "connection", "keep-alive", "apigw-requestid", "transfer-encoding"}
CSRF = re.compile(rb'(name="csrf[_-]token"[^>]*(?:value|content)=")[^"]+')
FEED_TIME = re.compile(rb"(</title>\s*<(?:updated|lastBuildDate)>)[^<]+")
RELATIVE_TIME = re.compile(rb'title="[^"]* ago"')
SESSION = re.compile(r"session=[^;]+")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def comparable(self) -> tuple[Any, ...]:
        """The parts that must be equal: not CSRF tokens, signatures of cookies, and the time of the request."""
        headers = sorted(
            # Flask stores the methods of a path in a set, whose order differs between processes.
            (name, str(sorted(value.split(", "))) if name == "allow" else SESSION.sub("session=?", value))
            for name, value in self.headers
            # API Gateway sets the content type text/plain if a response has none (observed), also for a 304.
            if name not in CONNECTION_HEADERS and not (self.status == 304 and name == "content-type")
        )
        body = RELATIVE_TIME.sub(b"ago", FEED_TIME.sub(rb"\1?", CSRF.sub(rb"\1?", self.body)))
        if body != self.body:  # its length depends on these parts
            headers = [(name, value) for name, value in headers if name != "content-length"]
        return self.status, headers, body


@dataclass
class Browser:
    """A browser with cookies that uses one of the two wikis. Both wikis have the same host name."""

    port: int
    cookies: dict[str, str]

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        request_headers = {"Host": HOST, "Accept-Encoding": "identity", **(headers or {})}
        if self.cookies:
            request_headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body or None, request_headers)
            response = connection.getresponse()
            response_headers = [(name.lower(), value) for name, value in response.getheaders()]
            answer = Answer(response.status, response_headers, response.read())
        finally:
            connection.close()
        for name, value in response_headers:
            if name == "set-cookie":
                key, _, attributes = value.partition("=")
                self.cookies[key] = attributes.partition(";")[0]
        return answer

    def post(self, path: str, fields: dict[str, str], form: str | None = None) -> Answer:
        """Send a form with the CSRF token of its page."""
        page = self.request("GET", form or path).body.decode()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        data = fields | ({"csrf_token": token[1]} if token else {})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"http://{HOST}{form or path}"}
        return self.request("POST", path, urlencode(data).encode(), headers)

    def upload(self, page: str, name: str, content: bytes) -> Answer:
        form = self.request("GET", f"{page}/attachments").body.decode()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token[1] if token else ""}\r\n'.encode()
        ]
        parts += [f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode()]
        parts += [b"Content-Type: application/octet-stream\r\n\r\n", content, b"\r\n--b--\r\n"]
        headers = {"Content-Type": "multipart/form-data; boundary=b", "Referer": f"http://{HOST}{page}/attachments"}
        return self.request("POST", f"{page}/attachments", b"".join(parts), headers)


@dataclass(frozen=True)
class TwoWikis:
    """Two copies of a wiki: one behind the gateway, and one without a gateway."""

    site: FullStack
    with_gateway: Browser
    without_gateway: Browser

    @property
    def browsers(self) -> tuple[Browser, Browser]:
        return self.with_gateway, self.without_gateway

    def same_response(self, method: str, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Send a request to both wikis, and return their response, which must be the same."""
        response, expected = (browser.request(method, path, b"", headers) for browser in self.browsers)
        assert response.comparable == expected.comparable, path
        return response


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWikis]:
    """Two wikis for tests that only read."""
    with two_copies(tmp_path_factory.mktemp("both")) as wikis:
        yield wikis


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWikis]:
    """Two wikis for tests that write."""
    with two_copies(tmp_path_factory.mktemp("written")) as wikis:
        yield wikis


@contextmanager
def two_copies(root: Path) -> Iterator[TwoWikis]:
    with full_stack(root / "with-gateway") as site:
        site.gateway.get("/")  # the first start creates the data of the wiki
        shutil.copytree(root / "with-gateway", root / "without-gateway")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            env = {"PATH": os.environ["PATH"], "WIKI_DATA_DIR": str(root / "without-gateway"), "HOME": str(root)}
            settings = {"GIT_WEB_SERVER": "True", "SITE_NAME": "routegen's wiki"}
            source = str(PROJECT / "app" / "otterwiki")
            program = start_program(WIKI_WITHOUT_GATEWAY, env | settings, root / "log", source, listening)
            yield TwoWikis(site, Browser(urlsplit(site.url).port or 0, {}), Browser(port, {}))
            program.terminate()


def test_oauth_discovery_is_json_that_names_authkit(both: TwoWikis) -> None:
    answer = both.site.gateway.get("/.well-known/oauth-authorization-server")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["authorization_endpoint"] == f"{both.site.issuer}/oauth2/authorize"
    assert answer.json["token_endpoint"] == f"{both.site.issuer}/oauth2/token"
    answer = both.site.gateway.get("/.well-known/oauth-protected-resource/mcp")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert (answer.json["resource"], answer.json["authorization_servers"]) == (both.site.mcp_url, [both.site.issuer])


def links(base_path: str, page: bytes) -> set[str]:
    """Return the paths on the same site that a page links to or loads."""
    paths = set()
    for link in re.findall(r'(?:href|src)="([^"]+)"', page.decode("utf-8", "replace")):
        parts = urlsplit(urljoin(f"http://{HOST}{base_path}", quote(unescape(link).strip(), safe="/:?&=#%+")))
        if parts.netloc == HOST and parts.scheme == "http":
            paths.add(parts.path + (f"?{parts.query}" if parts.query else ""))
    return paths


def test_every_page_and_file_of_a_crawl_is_the_same(both: TwoWikis) -> None:
    queue, known_paths = ["/"], {"/"}
    for path in queue:
        if "/mermaid" in path:  # this file is larger than the 6 MB of a Lambda response
            continue
        answer = both.same_response("GET", path)
        assert answer.status < 500, path
        new = sorted(links(path, answer.body) - known_paths) if "html" in answer.header("content-type") else []
        known_paths |= set(new)
        queue += new if len(queue) < 90 else []
    assert len(queue) > 60
    assert {"/Home", "/-/login", "/-/register", "/-/changelog", "/Home/history"} <= known_paths


@pytest.mark.parametrize(
    "path",
    [
        "/Home", "/Home/", "/home", "/Home/source", "/Home/source?raw", "/Home/blame", "/Home/edit",
        "/Home/attachments",
        "/Team/Onboarding", "/%C3%9Cber%20Uns/Gr%C3%B6%C3%9Fe%20100%25", "/No%20such%20page", "/-/login", "/-/register",
        "/-/search?query=raft", "/-/search/raft", "/-/changelog", "/-/changelog/feed.atom", "/-/changelog/feed.rss",
        "/sitemap.xml", "/robots.txt", "/-/about", "/-/help", "/-/settings", "/-/create",
        "/static/css/halfmoon.min.css",
        "/static/img/otter-favicon.png", "/static/no-such-file", "/a//b", "/Home?a=1&a=2&b=%20c", "/Home/view/HEAD",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_page_is_the_same_for_each_method_that_reads(both: TwoWikis, method: str, path: str) -> None:
    both.same_response(method, path)


def test_conditional_and_range_requests_are_the_same(both: TwoWikis) -> None:
    file = "/static/img/otter-favicon.png"
    etag = both.same_response("GET", file).header("etag")
    assert etag
    assert both.same_response("GET", file, {"If-None-Match": etag}).status == 304
    assert both.same_response("GET", file, {"Range": "bytes=10-19"}).body == both.same_response("GET", file).body[10:20]


def test_a_file_that_is_too_large_for_lambda_is_compressed(both: TwoWikis) -> None:
    """In base64, the file is larger than the 6 MB of a Lambda response. Every browser accepts gzip."""
    (name,) = [file.name for file in (files("otterwiki") / "static" / "js").iterdir() if "mermaid" in file.name]
    path = f"/static/js/{quote(name)}"
    assert both.with_gateway.request("GET", path).status == 413
    file = both.without_gateway.request("GET", path)
    compressed = both.with_gateway.request("GET", path, headers={"Accept-Encoding": "gzip, br"})
    assert (compressed.status, compressed.header("content-encoding")) == (200, "gzip")
    assert gzip.decompress(compressed.body) == file.body
    assert "Accept-Encoding" in compressed.header("vary")
    assert compressed.header("etag") == f"W/{file.header('etag')}"
    assert (
        both.with_gateway.request(
            "GET", path, headers={"Accept-Encoding": "gzip", "If-None-Match": compressed.header("etag")}
        ).status
        == 304
    )


def test_a_saved_page_can_be_read(written: TwoWikis) -> None:
    text = '# Größe 🦦\n\nA page with *everything*: `a < b && c`, "quotes" and a\ttab.\n'
    for browser in written.browsers:
        saved = browser.post("/New%20Page/save", {"content": text, "commit": "Ein Täg"}, form="/New%20Page/edit")
        assert (saved.status, saved.header("location")) == (302, "/New%20Page")
    assert "Ein Täg" in written.with_gateway.request("GET", "/New%20Page/history").body.decode()
    assert written.same_response("GET", "/New%20Page/source?raw").body.decode().startswith(text.rstrip("\n"))


@pytest.mark.parametrize("name", ["bytes.bin", "a b.png", "größe.txt"])
def test_an_upload_is_unchanged(written: TwoWikis, name: str) -> None:
    content = bytes(range(256)) * 1000
    for browser in written.browsers:
        assert browser.upload("/Home", name, content).status == 302
    answer = written.with_gateway.request("GET", f"/Home/a/{quote(name)}")
    assert (answer.status, answer.body == content) == (200, True)


def test_a_person_can_register_log_in_and_log_out(written: TwoWikis) -> None:
    person = {
        "email": "otter@example.com",
        "name": "Otter",
        "password1": "raft-of-otters",
        "password2": "raft-of-otters",
    }
    for browser in written.browsers:
        assert browser.post("/-/register", person).status == 302
        logged_in = browser.post("/-/login", {"email": person["email"], "password": person["password1"]})
        assert logged_in.status == 302
        assert b"/-/logout" in browser.request("GET", "/Home").body
        assert browser.request("GET", "/-/logout").status == 302
        assert b"/-/logout" not in browser.request("GET", "/Home").body


def git(directory: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run git without the settings of the developer and without a prompt for a password."""
    env = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": str(directory),
    }
    identity = ("-c", "user.name=Otter", "-c", "user.email=otter@example.com")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=directory, env=env, capture_output=True, text=True, check=False
    )


def test_git_can_clone_over_http(both: TwoWikis, tmp_path: Path) -> None:
    heads = []
    for name, port in (("with-gateway", both.with_gateway.port), ("without-gateway", both.without_gateway.port)):
        completed = git(tmp_path, "clone", "--quiet", f"http://127.0.0.1:{port}/.git", name)
        assert completed.returncode == 0, completed.stderr
        heads.append(git(tmp_path / name, "rev-parse", "HEAD", "HEAD^{tree}").stdout)
    assert (tmp_path / "with-gateway" / "team" / "onboarding.md").exists()
    assert heads[0] == heads[1]


def test_git_can_push_over_http(written: TwoWikis, tmp_path: Path) -> None:
    """The pack is larger than git's http.postBuffer of 1 MB, so git sends it in chunks."""
    noise = os.urandom(1_500_000)
    assert git(tmp_path, "clone", "--quiet", f"{written.site.url}/.git", "clone").returncode == 0
    (tmp_path / "clone" / "noise.bin").write_bytes(noise)
    (tmp_path / "clone" / "pushed.md").write_text("# From git\n")
    git(tmp_path / "clone", "add", ".")
    git(tmp_path / "clone", "commit", "--quiet", "--message", "Pushed")
    completed = git(tmp_path / "clone", "push", "--quiet", "origin", "HEAD")
    assert completed.returncode == 0, completed.stderr
    assert b"From git" in written.with_gateway.request("GET", "/Pushed").body
    assert (written.site.data / "repository" / "noise.bin").read_bytes() == noise


@pytest.mark.parametrize("renames", [True, False], ids=["rename", "keep"])
def test_git_can_push_with_a_password_unless_the_challenge_is_renamed(tmp_path: Path, renames: bool) -> None:
    """API Gateway renames the challenge of Basic too, and git sends a password only after a challenge."""
    registered = {"WRITE_ACCESS": "REGISTERED", "ATTACHMENT_ACCESS": "REGISTERED"}
    with full_stack(tmp_path / "wiki", wiki_env=registered, renames_challenge=renames) as site:
        browser = Browser(urlsplit(site.url).port or 0, {})
        person = {"email": "otter@example.com", "name": "Otter", "password1": "raft-of-otters"}
        assert browser.post("/-/register", person | {"password2": person["password1"]}).status == 302
        unauthorized = site.gateway.get("/.git/info/refs?service=git-receive-pack")
        assert unauthorized.status == 401
        name = "x-amzn-remapped-www-authenticate" if renames else "www-authenticate"
        assert unauthorized.headers[name] == 'Basic realm="Login Required"'
        url_with_password = site.url.replace("://", f"://{quote(person['email'], safe='')}:{person['password1']}@")
        assert git(tmp_path, "clone", "--quiet", f"{url_with_password}/.git", "clone").returncode == 0
        (tmp_path / "clone" / "pushed.md").write_text("# From git\n")
        git(tmp_path / "clone", "add", ".")
        git(tmp_path / "clone", "commit", "--quiet", "--message", "Pushed")
        pushed = git(tmp_path / "clone", "push", "--quiet", "origin", "HEAD").returncode == 0
        assert pushed is not renames
        credentials = base64.b64encode(f"{person['email']}:{person['password1']}".encode()).decode()
        header = f"http.extraHeader=Authorization: Basic {credentials}"
        git(tmp_path / "clone", "commit", "--quiet", "--allow-empty", "--message", "Again")
        completed = git(tmp_path / "clone", "-c", header, "push", "--quiet", "origin", "HEAD")
        assert completed.returncode == 0, completed.stderr
        assert b"From git" in browser.request("GET", "/Pushed").body
