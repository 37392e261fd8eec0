"""Where everything is, and whether it answers."""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

LONG = 60.0
"""Seconds after which something must be wrong with a part that doesn't answer."""


@dataclass(frozen=True)
class LocalSite:
    """What has been started.

    Attributes:
        gateway: its URL without a final slash.
        authkit: the stand-in's, likewise.
        inspector: the page's URL, None without one.
    """

    gateway: str
    authkit: str
    inspector: str | None

    def wait(self) -> list[str]:
        """Ask each part until it answers, all at once, so that the functions start side by side.

        Returns:
            What is wrong, a sentence each; empty when everything answers.
        """
        asked = [f"{self.gateway}/", f"{self.gateway}/.well-known/oauth-protected-resource/mcp"]
        asked += [f"{self.authkit}/.well-known/oauth-authorization-server"]
        asked += [self.inspector] if self.inspector else []
        problems: list[str] = []
        asking = [threading.Thread(target=_until_it_answers, args=(url, problems), daemon=True) for url in asked]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
        return sorted(problems)

    @property
    def about(self) -> str:
        """What to do with it, for a person."""
        mcp = f"{self.gateway}/mcp"
        parts = [("wiki", f"{self.gateway}/"), ("MCP server", mcp), ("AuthKit stand-in", self.authkit)]
        parts += [("inspector", self.inspector)] if self.inspector else []
        lines = [f"  {name:<16}  {url}" for name, url in parts]
        config = {"mcpServers": {"wiki": {"type": "http", "url": mcp}}}
        ways = [f"fastmcp list {mcp} --auth oauth", f"claude mcp add --transport http wiki {mcp}", json.dumps(config)]
        return "\n".join([*lines, "Connect an MCP client with one of these:", *(f"  {way}" for way in ways)])


def _until_it_answers(url: str, problems: list[str]) -> None:
    status, until = 0, time.monotonic() + LONG
    while not status and time.monotonic() < until:
        status = _status(url)
        if not status:
            time.sleep(0.05)
    if status != 200:
        problems.append(f"{url} answers with {status}" if status else f"{url} doesn't answer")


def _status(url: str) -> int:
    """The status of a GET, 0 where nothing listens yet."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=LONG)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
