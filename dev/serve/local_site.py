"""The URLs of everything that `make serve` starts, and a check that all of them answer."""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 60.0
"""The time in which each part must answer."""


@dataclass(frozen=True)
class LocalSite:
    """The started parts.

    Attributes:
        gateway: the URL of the gateway, without a slash at the end.
        authkit: the URL of the AuthKit stand-in, without a slash at the end.
        inspector: the URL of the inspector; None if it is turned off.
    """

    gateway: str
    authkit: str
    inspector: str | None

    def wait(self) -> list[str]:
        """Send requests to all parts at the same time until they answer, so that the functions start in parallel.

        Returns:
            One sentence for each problem; an empty list if everything answers.
        """
        urls = [f"{self.gateway}/", f"{self.gateway}/.well-known/oauth-protected-resource/mcp"]
        urls += [f"{self.authkit}/.well-known/oauth-authorization-server"]
        urls += [self.inspector] if self.inspector else []
        problems: list[str] = []
        threads = [threading.Thread(target=_wait_for, args=(url, problems), daemon=True) for url in urls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(problems)

    @property
    def instructions(self) -> str:
        """The URLs, and the commands that connect an MCP client."""
        mcp = f"{self.gateway}/mcp"
        parts = [("wiki", f"{self.gateway}/"), ("MCP server", mcp), ("AuthKit stand-in", self.authkit)]
        parts += [("inspector", self.inspector)] if self.inspector else []
        lines = [f"  {name:<16}  {url}" for name, url in parts]
        config = {"mcpServers": {"wiki": {"type": "http", "url": mcp}}}
        commands = [
            f"fastmcp list {mcp} --auth oauth",
            f"claude mcp add --transport http wiki {mcp}",
            json.dumps(config),
        ]
        return "\n".join(
            [*lines, "Connect an MCP client with one of these:", *(f"  {command}" for command in commands)]
        )


def _wait_for(url: str, problems: list[str]) -> None:
    status, deadline = 0, time.monotonic() + TIMEOUT_SECONDS
    while not status and time.monotonic() < deadline:
        status = _status(url)
        if not status:
            time.sleep(0.05)
    if status != 200:
        problems.append(f"{url} answers with status {status}" if status else f"{url} does not answer")


def _status(url: str) -> int:
    """Return the status of a GET request, or 0 if nothing listens yet."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
