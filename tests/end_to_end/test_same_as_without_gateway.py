"""The wiki through the gateway is the wiki without it, byte for byte; and discovery is JSON."""

import base64
import gzip
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
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
from helpers.support import PROJECT

HOST = "wiki.example"
DIRECT = """
import sys
sys.path.insert(0, sys.argv[1])
import wiki
from otterwiki.server import app
app.after_request_funcs[None].remove(wiki.mark_files)  # what the handler alone needs
from werkzeug.serving import WSGIRequestHandler, make_server
WSGIRequestHandler.protocol_version = "HTTP/1.1"
make_server("127.0.0.1", 0, app, threaded=True, fd=int(sys.argv[2])).serve_forever()
"""

# What the connection, and not the wiki, says; and what differs from one request to the next.
OF_THE_SERVER = {"date", "server", "connection", "keep-alive", "apigw-requestid", "transfer-encoding"}
CSRF = re.compile(rb'(name="csrf[_-]token"[^>]*(?:value|content)=")[^"]+')
FEED_TIME = re.compile(rb"(</title>\s*<(?:updated|lastBuildDate)>)[^<]+")
AGO = re.compile(rb'title="[^"]* ago"')
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
        """What must be the same, tokens of forms, signatures of cookies and the time of the request aside."""
        headers = sorted(
            # Flask keeps the methods of a path in a set, so their order is another in each process.
            (name, str(sorted(value.split(", "))) if name == "allow" else SESSION.sub("session=?", value))
            for name, value in self.headers
            # API Gateway gives an answer without a content type text/plain (observed), a 304 too.
            if name not in OF_THE_SERVER and not (self.status == 304 and name == "content-type")
        )
        body = AGO.sub(b"ago", FEED_TIME.sub(rb"\1?", CSRF.sub(rb"\1?", self.body)))
        if body != self.body:  # a page with a token has its length
            headers = [(name, value) for name, value in headers if name != "content-length"]
        return self.status, headers, body


@dataclass
class Browser:
    """Speaks to one of the two, under one name for both, and keeps its cookies."""

    port: int
    cookies: dict[str, str]

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Host": HOST, "Accept-Encoding": "identity", **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body or None, sent)
            response = connection.getresponse()
            found = [(name.lower(), value) for name, value in response.getheaders()]
            answer = Answer(response.status, found, response.read())
        finally:
            connection.close()
        for name, value in found:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer

    def post(self, path: str, fields: dict[str, str], form: str | None = None) -> Answer:
        """Send a form, with the CSRF token that its page has."""
        page = self.ask("GET", form or path).body.decode()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        data = fields | ({"csrf_token": token[1]} if token else {})
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"http://{HOST}{form or path}"}
        return self.ask("POST", path, urlencode(data).encode(), kind)

    def upload(self, page: str, name: str, content: bytes) -> Answer:
        form = self.ask("GET", f"{page}/attachments").body.decode()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token[1] if token else ""}\r\n'.encode()
        ]
        parts += [f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode()]
        parts += [b"Content-Type: application/octet-stream\r\n\r\n", content, b"\r\n--b--\r\n"]
        headers = {"Content-Type": "multipart/form-data; boundary=b", "Referer": f"http://{HOST}{page}/attachments"}
        return self.ask("POST", f"{page}/attachments", b"".join(parts), headers)


@dataclass(frozen=True)
class Both:
    """Two copies of one wiki: behind the gateway, and alone."""

    site: FullStack
    through: Browser
    alone: Browser

    def same(self, method: str, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Ask both; they answer the same."""
        one, other = (browser.ask(method, path, b"", headers) for browser in (self.through, self.alone))
        assert one.comparable == other.comparable, path
        return one


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """For tests that only read."""
    with two_copies(tmp_path_factory.mktemp("both")) as one:
        yield one


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """For tests that write."""
    with two_copies(tmp_path_factory.mktemp("written")) as one:
        yield one


@contextmanager
def two_copies(root: Path) -> Iterator[Both]:
    with full_stack(root / "one") as site:
        site.gateway.get("/")  # makes what a wiki makes at its first start
        shutil.copytree(root / "one", root / "two")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            env = {"PATH": os.environ["PATH"], "WIKI_DATA_DIR": str(root / "two"), "HOME": str(root)}
            more = {"GIT_WEB_SERVER": "True", "SITE_NAME": "routegen's wiki"}
            number = listening.fileno()
            process = subprocess.Popen(
                [sys.executable, "-c", DIRECT, str(PROJECT / "app" / "otterwiki"), str(number)],
                env=env | more,
                pass_fds=[number],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            yield Both(site, Browser(urlsplit(site.url).port or 0, {}), Browser(port, {}))
            process.terminate()
            process.wait(timeout=30)


def test_discovery_is_json_that_says_where_to_sign_in(both: Both) -> None:
    answer = both.site.gateway.get("/.well-known/oauth-authorization-server")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["authorization_endpoint"] == f"{both.site.issuer}/oauth2/authorize"
    assert answer.json["token_endpoint"] == f"{both.site.issuer}/oauth2/token"
    answer = both.site.gateway.get("/.well-known/oauth-protected-resource/mcp")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert (answer.json["resource"], answer.json["authorization_servers"]) == (both.site.mcp_url, [both.site.issuer])


def links(at: str, page: bytes) -> set[str]:
    """The same site's paths that a page links to or loads."""
    found = set()
    for link in re.findall(r'(?:href|src)="([^"]+)"', page.decode("utf-8", "replace")):
        parts = urlsplit(urljoin(f"http://{HOST}{at}", quote(unescape(link).strip(), safe="/:?&=#%+")))
        if parts.netloc == HOST and parts.scheme == "http":
            found.add(parts.path + (f"?{parts.query}" if parts.query else ""))
    return found


def test_every_page_and_file_that_a_crawler_finds_is_the_same(both: Both) -> None:
    wanted, seen = ["/"], {"/"}
    for path in wanted:
        if "/mermaid" in path:  # the one file that Lambda's 6 MB are too small for
            continue
        answer = both.same("GET", path)
        assert answer.status < 500, path
        new = sorted(links(path, answer.body) - seen) if "html" in answer.header("content-type") else []
        seen |= set(new)
        wanted += new if len(wanted) < 90 else []
    assert len(wanted) > 60
    assert {"/Home", "/-/login", "/-/register", "/-/changelog", "/Home/history"} <= seen


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
def test_a_page_is_the_same_with_each_method_that_reads(both: Both, method: str, path: str) -> None:
    both.same(method, path)


def test_caching_works_as_without_the_gateway(both: Both) -> None:
    file = "/static/img/otter-favicon.png"
    etag = both.same("GET", file).header("etag")
    assert etag
    assert both.same("GET", file, {"If-None-Match": etag}).status == 304
    assert both.same("GET", file, {"Range": "bytes=10-19"}).body == both.same("GET", file).body[10:20]


def test_the_one_file_that_is_too_large_comes_compressed(both: Both) -> None:
    """As base64 it is past the 6 MB of a function's result; every browser reads gzip."""
    (name,) = [file.name for file in (files("otterwiki") / "static" / "js").iterdir() if "mermaid" in file.name]
    path = f"/static/js/{quote(name)}"
    assert both.through.ask("GET", path).status == 413
    file = both.alone.ask("GET", path)
    small = both.through.ask("GET", path, headers={"Accept-Encoding": "gzip, br"})
    assert (small.status, small.header("content-encoding")) == (200, "gzip")
    assert gzip.decompress(small.body) == file.body
    assert "Accept-Encoding" in small.header("vary")
    assert small.header("etag") == f"W/{file.header('etag')}"
    assert (
        both.through.ask("GET", path, headers={"Accept-Encoding": "gzip", "If-None-Match": small.header("etag")}).status
        == 304
    )


def test_a_page_is_written_and_read_back_the_same(written: Both) -> None:
    text = '# Größe 🦦\n\nA page with *everything*: `a < b && c`, "quotes" and a\ttab.\n'
    for browser in (written.through, written.alone):
        saved = browser.post("/New%20Page/save", {"content": text, "commit": "Ein Täg"}, form="/New%20Page/edit")
        assert (saved.status, saved.header("location")) == (302, "/New%20Page")
    assert "Ein Täg" in written.through.ask("GET", "/New%20Page/history").body.decode()
    assert written.same("GET", "/New%20Page/source?raw").body.decode().startswith(text.rstrip("\n"))


@pytest.mark.parametrize("name", ["bytes.bin", "a b.png", "größe.txt"])
def test_an_upload_comes_back_unchanged(written: Both, name: str) -> None:
    content = bytes(range(256)) * 1000
    for browser in (written.through, written.alone):
        assert browser.upload("/Home", name, content).status == 302
    answer = written.through.ask("GET", f"/Home/a/{quote(name)}")
    assert (answer.status, answer.body == content) == (200, True)


def test_a_person_registers_logs_in_and_out(written: Both) -> None:
    person = {
        "email": "otter@example.com",
        "name": "Otter",
        "password1": "raft-of-otters",
        "password2": "raft-of-otters",
    }
    for browser in (written.through, written.alone):
        assert browser.post("/-/register", person).status == 302
        logged_in = browser.post("/-/login", {"email": person["email"], "password": person["password1"]})
        assert logged_in.status == 302
        assert b"/-/logout" in browser.ask("GET", "/Home").body
        assert browser.ask("GET", "/-/logout").status == 302
        assert b"/-/logout" not in browser.ask("GET", "/Home").body


def git(at: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run git as a person's, with no settings of theirs and nobody to ask for a password."""
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "HOME": str(at)}
    who = ("-c", "user.name=Otter", "-c", "user.email=otter@example.com")
    return subprocess.run(["git", *who, *arguments], cwd=at, env=env, capture_output=True, text=True, check=False)


def test_git_clones_over_http(both: Both, tmp_path: Path) -> None:
    heads = []
    for name, port in (("through", both.through.port), ("alone", both.alone.port)):
        done = git(tmp_path, "clone", "--quiet", f"http://127.0.0.1:{port}/.git", name)
        assert done.returncode == 0, done.stderr
        heads.append(git(tmp_path / name, "rev-parse", "HEAD", "HEAD^{tree}").stdout)
    assert (tmp_path / "through" / "team" / "onboarding.md").exists()
    assert heads[0] == heads[1]


def test_git_pushes_over_http(written: Both, tmp_path: Path) -> None:
    """A pack above git's http.postBuffer of 1 MB, which it sends in chunks."""
    noise = os.urandom(1_500_000)
    assert git(tmp_path, "clone", "--quiet", f"{written.site.url}/.git", "it").returncode == 0
    (tmp_path / "it" / "noise.bin").write_bytes(noise)
    (tmp_path / "it" / "pushed.md").write_text("# From git\n")
    git(tmp_path / "it", "add", ".")
    git(tmp_path / "it", "commit", "--quiet", "--message", "Pushed")
    done = git(tmp_path / "it", "push", "--quiet", "origin", "HEAD")
    assert done.returncode == 0, done.stderr
    assert b"From git" in written.through.ask("GET", "/Pushed").body
    assert (written.site.data / "repository" / "noise.bin").read_bytes() == noise


@pytest.mark.parametrize("renames", [True, False], ids=["rename", "keep"])
def test_git_pushes_with_a_password(tmp_path: Path, renames: bool) -> None:
    """API Gateway renames the challenge of Basic too, and git sends no password that nobody has asked for."""
    registered = {"WRITE_ACCESS": "REGISTERED", "ATTACHMENT_ACCESS": "REGISTERED"}
    with full_stack(tmp_path / "wiki", wiki_env=registered, renames_challenge=renames) as site:
        browser = Browser(urlsplit(site.url).port or 0, {})
        person = {"email": "otter@example.com", "name": "Otter", "password1": "raft-of-otters"}
        assert browser.post("/-/register", person | {"password2": person["password1"]}).status == 302
        refused = site.gateway.get("/.git/info/refs?service=git-receive-pack")
        assert refused.status == 401
        name = "x-amzn-remapped-www-authenticate" if renames else "www-authenticate"
        assert refused.headers[name] == 'Basic realm="Login Required"'
        named = site.url.replace("://", f"://{quote(person['email'], safe='')}:{person['password1']}@")
        assert git(tmp_path, "clone", "--quiet", f"{named}/.git", "it").returncode == 0
        (tmp_path / "it" / "pushed.md").write_text("# From git\n")
        git(tmp_path / "it", "add", ".")
        git(tmp_path / "it", "commit", "--quiet", "--message", "Pushed")
        pushed = git(tmp_path / "it", "push", "--quiet", "origin", "HEAD").returncode == 0
        assert pushed is not renames
        given = base64.b64encode(f"{person['email']}:{person['password1']}".encode()).decode()
        header = f"http.extraHeader=Authorization: Basic {given}"
        git(tmp_path / "it", "commit", "--quiet", "--allow-empty", "--message", "Again")
        done = git(tmp_path / "it", "-c", header, "push", "--quiet", "origin", "HEAD")
        assert done.returncode == 0, done.stderr
        assert b"From git" in browser.ask("GET", "/Pushed").body
