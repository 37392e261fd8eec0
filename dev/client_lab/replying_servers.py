"""The two servers of a recorded case on loopback: the origin with the MCP endpoint, and the authorization server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dev.client_lab.recorded_answers import Replies


@dataclass
class ReplyingServers:
    """The running servers.

    Attributes:
        replies: the reply to each request.
        urls: the URL of each server by its name.
        requests: the requests up to the sign-in page, as the recordings write them: `METHOD server path status`.
        signing_in: set as soon as a client has opened the sign-in page.
        has_sign_in_page: whether the sign-in page exists.
        went_on: set at the first request after the sign-in page.
    """

    replies: Replies
    urls: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    signing_in: threading.Event = field(default_factory=threading.Event)
    has_sign_in_page: bool = True
    went_on: threading.Event = field(default_factory=threading.Event)

    def fill_in(self, template: str) -> str:
        """Put the URLs of the servers into a text of a recording."""
        origin, authkit = self.urls["origin"], self.urls["authkit"]
        text = template.replace("{origin}", origin).replace("{authkit}", authkit)
        text = text.replace("{AUTHKIT}", authkit.upper())
        return text.replace("http://127.0.0.1:PORT", origin).replace("http://127.0.0.1:ASPORT", authkit)

    def reply(self, method: str, server: str, target: str) -> tuple[int, dict[str, str], bytes]:
        """Record a request, and return the reply to it: status, headers and body."""
        path = target.partition("?")[0]
        keys = (f"{method} {server} {target}", f"{method} {server} {path}", f"* {server}")
        status, headers, body = next(self.replies[key] for key in keys if key in self.replies)
        if method == "GET" and path.endswith("/authorize"):
            self.has_sign_in_page = status < 400
            self.signing_in.set()
        elif self.signing_in.is_set():
            self.went_on.set()
        if not self.signing_in.is_set():
            self.requests.append(f"{method} {server} {target} {status}")
        return status, {name: self.fill_in(value) for name, value in headers.items()}, self.fill_in(body).encode()


@contextmanager
def run_replying_servers(replies: Replies) -> Iterator[ReplyingServers]:
    """Run the two servers of a case until the block ends."""
    running = ReplyingServers(replies)
    servers = [_QuietServer(("127.0.0.1", 0), _handler(running, name)) for name in ("origin", "authkit")]
    for name, server in zip(("origin", "authkit"), servers, strict=True):
        running.urls[name] = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    try:
        yield running
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Ignore the connection of a client that was stopped."""


def _handler(running: ReplyingServers, name: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers, body = running.reply(self.command, name, self.path)
            self.send_response(status)
            for header in headers.items():
                self.send_header(*header)
            if status != 204:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.command != "HEAD" and status != 204 else b"")

        do_GET = do_POST = do_HEAD = do_OPTIONS = do_DELETE = do_PUT = answer  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            """Write no log."""

    return Handler
