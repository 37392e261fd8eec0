"""The browser of a user whom no page asks for consent."""

import time

import httpx2


def follow_redirects(url: str) -> None:
    """Follow all redirects of a sign-in. FastMCP opens the browser before it listens for the callback."""
    deadline = time.monotonic() + 30
    with httpx2.Client(trust_env=False, timeout=30) as browser:
        request: httpx2.Request | None = browser.build_request("GET", url)
        while request and time.monotonic() < deadline:
            try:
                request = browser.send(request).next_request
            except httpx2.ConnectError:
                time.sleep(0.01)
