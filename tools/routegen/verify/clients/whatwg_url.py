"""URLs as MCP clients read them: parsed and written by the rules of the WHATWG URL standard.

JavaScript's `URL` and pydantic's URL types follow these rules. This module uses pydantic's parser for both.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic_core import Url
from routegen.verify.request_url import MAX_URL_CHARACTERS


@dataclass(frozen=True)
class ParsedUrl:
    """The parts of a URL in their normal form, with a port, `/` for an empty path, and the `?` of a query."""

    href: str
    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    userinfo: bool

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a default port."""
        default = {"http": 80, "https": 443}.get(self.scheme)
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port not in {None, default} else "")


def parse_url(text: str) -> ParsedUrl | None:
    """Parse a text as JavaScript's `new URL(text)` does; None if that throws an error, or if the text is too long."""
    if len(text) > MAX_URL_CHARACTERS:
        return None
    try:
        url = Url(text)
    except ValueError:
        return None
    query = f"?{url.query}" if url.query else ""
    has_userinfo = url.username is not None or url.password is not None
    return ParsedUrl(str(url), url.scheme, url.host or "", url.port, url.path or "/", query, has_userinfo)


def parse_http_url(text: str) -> ParsedUrl | None:
    """Parse an http or https URL, which a client can request; None for any other text."""
    url = parse_url(text)
    return url if url and url.scheme in {"http", "https"} else None


def keep_empty_path(text: str) -> str | None:
    """Write an http or https URL as pydantic does with `url_preserve_empty_path`; None if pydantic rejects it."""
    url = parse_http_url(text)
    if url is None or not url.host:
        return None
    if url.path == "/" and not _has_path(text):
        slash = url.href.index("/", len(url.scheme) + 3)
        return url.href[:slash] + url.href[slash + 1 :]
    return url.href


def _has_path(text: str) -> bool:
    try:
        return bool(urlsplit(text.strip()).path)
    except ValueError:
        return True
